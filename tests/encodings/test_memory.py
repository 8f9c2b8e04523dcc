from terrella.encodings.memory import memory


def test_more_numbers_take_more_and_unknown_formats_take_some():
    assert memory("csv", 10, 1000) > memory("netcdf", 10, 1000) > 0
    assert memory("covjson", 1000, 1000) > memory("covjson", 10, 1000)
    assert memory("another", 10, 1000) > 0
    assert memory("covjson", 10**9, 1) == memory("covjson", 1, 1)  # reduced: one number, one place
