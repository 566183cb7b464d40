"""Fixtures: the server that many cases share, and those that are none."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest

from conformance import strangers
from contextd_process import ContextdProcess


@pytest.fixture(scope="session")
def binary() -> str:
    """The server's program. Tests that need it are skipped where there is none."""
    path = os.environ.get("CONTEXTD_BINARY", "")
    if not path:
        pytest.skip("CONTEXTD_BINARY names no server")
    return path


@pytest.fixture(scope="session")
def shared(binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContextdProcess]:
    """The server of all cases that have none of their own."""
    running = ContextdProcess(binary, tmp_path_factory.mktemp("contextd"))
    running.start()
    yield running
    running.kill()


@pytest.fixture(scope="session")
def addresses() -> Iterator[dict[str, str]]:
    """Where there is no contextd."""
    with contextlib.ExitStack() as stack:
        yield {
            "nobody": stack.enter_context(strangers.nobody()),
            "other_grpc": stack.enter_context(strangers.other_grpc()),
            "http": stack.enter_context(strangers.http_404()),
            "asks_token": stack.enter_context(strangers.asks_token()),
            "elsewhere": "contextd.example:7420",
        }
