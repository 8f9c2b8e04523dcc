"""An application that worker processes can make: a function of a module."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from api.conftest import make_site
from terrella.api.app import create_app

if TYPE_CHECKING:
    from fastapi import FastAPI


def application(home: Path) -> FastAPI:
    return create_app(make_site(home, filled=False))
