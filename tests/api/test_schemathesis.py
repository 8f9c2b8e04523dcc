"""schemathesis on our OpenAPI description: whatever it thinks of, no 500, and no answer that is not described."""

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


@pytest.fixture(scope="module")
def described(writable: str) -> Any:
    return schemathesis.openapi.from_url(f"{writable}/api")


@pytest.mark.server
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_operation(described: Any, mode: GenerationMode) -> None:
    wrong = []
    for found in described.get_all_operations():
        operation = found.ok()
        if operation.path.startswith("/ogc"):
            continue  # needs real cubes: tests/api/edr

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=10,
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
        except BaseExceptionGroup as failures:
            wrong.append(f"{operation.label}: {failures.exceptions}")
        except Exception as failure:
            wrong.append(f"{operation.label}: {failure}")
    assert not wrong, "\n\n".join(wrong)
