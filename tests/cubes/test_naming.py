import itertools

from terrella.cubes.naming import variable_names

VERTICAL = ("time", "vertical")


def test_names_do_not_depend_on_the_order_of_files():
    meant = [
        ("t", "sfc", ("time",), ("time",)),
        ("t", "pl", ("time", "pressure"), VERTICAL),
        ("t", "ml", ("time", "model_level"), VERTICAL),
        ("t", "pl2", ("time", "pressure"), VERTICAL),
        ("u", "ml", ("time", "model_level"), VERTICAL),
    ]
    expected = dict(zip(meant, ["t", "t_pressure", "t_model_level", "t_pl2", "u"], strict=True))
    for order in itertools.permutations(meant):
        assert dict(zip(order, variable_names(order), strict=True)) == expected


def test_a_made_name_never_takes_that_of_another_variable():
    meant = [("t", "", ("pressure",), ("vertical",)), ("t", "", (), ()), ("t_pressure", "", (), ())]
    assert variable_names(meant) == ["t_2", "t", "t_pressure"]
