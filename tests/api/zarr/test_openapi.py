"""schemathesis on the description of the dialect, over real cubes."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    negative_data_rejection,
    not_a_server_error,
    status_code_conformance,
)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, negative_data_rejection]


@pytest.mark.server
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_operation(server: Any, mode: GenerationMode) -> None:
    described = schemathesis.openapi.from_url(f"{server.address}/api")
    operations = [found.ok() for found in described.get_all_operations() if found.ok().path.startswith("/zarr")]
    assert {operation.path for operation in operations} == {"/zarr/{collection_id}", "/zarr/{collection_id}/{key}"}
    for operation in operations:

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=40,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def asked(case: schemathesis.Case) -> None:
            case.call_and_validate(checks=CHECKS)

        try:
            asked()
        except Unsatisfiable:
            continue  # nothing about this route can be wrong
