import numpy as np
import pytest

from terrella.cubes.caching import ChunkCache, ReadTally


def loader(calls, key, size=100):
    def load():
        calls.append(key)
        return np.zeros(size, "u1"), 7

    return load


def test_least_recently_used_chunks_go_first_and_the_size_stays_below_the_limit():
    cache, calls, tally = ChunkCache(1000), [], ReadTally()
    for key in (1, 2, 3, 1, 4):  # each costs 300 bytes with its overhead
        cache.get(key, loader(calls, key), tally)
        assert cache.size <= 1000
    assert [key in cache for key in (1, 2, 3, 4)] == [True, False, True, True]
    assert calls == [1, 2, 3, 4]
    assert (tally.bytes_read, tally.loaded, tally.remembered) == (28, 4, 1)


def test_what_is_larger_than_the_limit_is_not_kept():
    cache, calls, tally = ChunkCache(0), [], ReadTally()
    for _ in range(2):
        assert cache.get(1, loader(calls, 1), tally).size == 100
    assert calls == [1, 1]
    assert cache.size == 0


def test_missing_chunks_are_remembered_and_failures_are_not():
    cache, tally = ChunkCache(1000), ReadTally()
    assert cache.get(1, lambda: (None, 0), tally) is None
    assert 1 in cache

    def fail():
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        cache.get(2, fail, tally)
    assert cache.get(2, lambda: (np.ones(1), 3), tally) is not None
    cache.clear()
    assert cache.size == 0
