"""What the API says of itself: no parameter undescribed, and requests made from the description never break it."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from terrella.api.edr import openapi


@pytest.fixture(scope="module")
def described(edr):
    return edr.get("/api").json()


def test_every_operation_describes_itself(described) -> None:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], path
            assert "400" in operation["responses"], path
            for parameter in operation.get("parameters", []):
                assert parameter["in"] == "path" or parameter["description"], (path, method, parameter)


def test_names_of_parameters_are_unique(described) -> None:
    for path, methods in described["paths"].items():
        for operation in methods.values():
            names = [(one["in"], one["name"]) for one in operation.get("parameters", [])]
            assert len(names) == len(set(names)), path


def test_ids_are_unique(described) -> None:
    ids = [operation["operationId"] for methods in described["paths"].values() for operation in methods.values()]
    assert len(ids) == len(set(ids))


def test_bounds_are_written_the_old_way(described) -> None:
    (within,) = [
        one
        for one in described["paths"]["/collections/{collection_id}/radius"]["get"]["parameters"]
        if one["name"] == "within"
    ]
    assert within["schema"] == {"type": "number", "minimum": 0, "exclusiveMinimum": True}
    assert openapi.OWN["radius"][1]["schema"] == {"type": "number", "exclusiveMinimum": 0}


def test_made_up_requests_never_break_it(described, server) -> None:
    schema = schemathesis.openapi.from_dict(described)
    for operation in schema.get_all_operations():
        api = operation.ok()

        @settings(
            max_examples=6,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @_given(api)
        def sent(case) -> None:
            case.path_parameters = (case.path_parameters or {}) | _real(case.path_parameters or {})
            answer = case.call(base_url=f"{server}/ogc", timeout=30)
            assert answer.status_code < 500 or answer.status_code == 501, (case.as_curl_command(), answer.text)
            if answer.status_code >= 400:
                assert answer.headers["content-type"][0].startswith("application/")

        sent()


def _given(api):
    from hypothesis import given

    return given(case=api.as_strategy())


def _real(path: dict) -> dict:
    """Half of the requests go to what exists."""
    known = {"collection_id": "ensemble", "location_id": "0", "item_id": "ensemble"}
    return {name: known[name] for name in path if len(str(path[name])) % 2}
