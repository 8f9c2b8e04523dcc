"""The one table from errors to statuses."""

from __future__ import annotations

import pytest

from terrella import errors
from terrella.api.errors import STATUS, Report, code_and_description, problem, status_of
from terrella.errors import TerrellaError


def leaves(of: type[TerrellaError]) -> set[type[TerrellaError]]:
    return {of}.union(*(leaves(one) for one in of.__subclasses__() if one.__module__ == "terrella.errors"))


def test_every_class_of_errors_has_its_line() -> None:
    assert set(STATUS) == leaves(TerrellaError)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.Invalid("x"), 400),
        (errors.TooLarge("x"), 413),
        (errors.Unauthenticated("x"), 401),
        (errors.Denied("x"), 403),
        (errors.NotFound("x"), 404),
        (errors.Conflict("x"), 409),
        (errors.QuotaExceeded("x"), 429),
        (errors.Unsupported("x"), 501),
        (errors.Unreadable("x"), 422),
        (errors.ProviderUnavailable("x"), 502),
        (errors.Internal("x"), 500),
    ],
)
def test_statuses(error: TerrellaError, status: int) -> None:
    assert status_of(error) == status


def test_a_class_of_a_plug_in_has_the_status_of_its_parent() -> None:
    class Odd(errors.TooLarge):
        pass

    assert status_of(Odd("x")) == 413


def test_a_dialect_may_have_a_line_of_its_own() -> None:
    assert status_of(errors.TooLarge("x"), {errors.TooLarge: 422}) == 422
    assert status_of(errors.Invalid("x"), {errors.TooLarge: 422}) == 400


def test_empty_members_are_left_out() -> None:
    report = Report(404, "not-found", "No.")
    assert code_and_description(report, None) == {"code": "not-found", "description": "No."}
    assert problem(report, "7")["request_id"] == "7"
    assert "parameter" not in problem(report, "7")
