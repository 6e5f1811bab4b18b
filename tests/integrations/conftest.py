"""The mill's documentation, built once in the way of ``tests/pipeline``, for the adapters to search."""

from pathlib import Path

import pytest
from tests.pipeline.conftest import Built, build, built, endpoint, mill_docs, own_process

__all__ = ["build", "built", "endpoint", "mill_docs", "own_process"]


@pytest.fixture(scope="session")
def workspace(built: Built) -> Path:
    """A workspace that a build filled; nothing writes to it."""
    return built.workspace
