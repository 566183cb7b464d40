"""Fixtures: a real server, named by CONTEXTD_BINARY, and the client in both its forms."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from contextd import AsyncClient, Client, _sessions, _tracked
from contextd_process import ContextdProcess
from fake import PATIENCE_SECONDS, Blocking


@pytest.fixture(scope="session")
def binary() -> str:
    """The server's program. Tests that need it are skipped where there is none."""
    path = os.environ.get("CONTEXTD_BINARY", "")
    if not path:
        pytest.skip("CONTEXTD_BINARY names no server")
    return path


@pytest.fixture(scope="module")
def process(binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContextdProcess]:
    running = ContextdProcess(binary, tmp_path_factory.mktemp("contextd"))
    running.start()
    yield running
    running.kill()


@pytest.fixture(autouse=True)
def patient_leaving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives the end of a ``with`` the time that a busy machine takes for it."""
    for module in (_sessions, _tracked):
        monkeypatch.setattr(module, "LEAVE_SECONDS", PATIENCE_SECONDS)


@pytest.fixture
def namespace() -> str:
    """A namespace that nobody else uses."""
    return f"test-{uuid.uuid4()}"


@pytest.fixture(params=["sync", "async"])
def client(
    request: pytest.FixtureRequest, process: ContextdProcess, namespace: str
) -> Iterator[Any]:
    if request.param == "sync":
        with Client(process.address, namespace=namespace, timeout=60.0) as sync:
            yield sync
        return
    loop = asyncio.new_event_loop()

    async def connect() -> AsyncClient:
        return AsyncClient(process.address, namespace=namespace, timeout=60.0)

    target = loop.run_until_complete(connect())
    yield Blocking(loop, target)
    loop.run_until_complete(target.close())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
