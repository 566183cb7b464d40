"""Fixtures: the fake server, the fake clock, and the client in both its forms."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Callable

import pytest

from both_tasks import BothTasks
from certificates import Certificates
from contextd import AsyncClient, Client
from fake import Blocking, FakeClock, FakeServer, unhurry


@pytest.fixture
def server() -> Iterator[FakeServer]:
    fake = FakeServer()
    yield fake
    fake.stop()


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def add_seams(client: Any, clock: FakeClock, sleep: Callable[[float], Any]) -> None:
    """Gives a client the test's time, the highest of all chances, and ids that count."""
    ids = itertools.count(1)
    client._settings = replace(
        client._settings, clock=clock, random=lambda: 1.0, new_id=lambda: f"id-{next(ids)}"
    )
    client._runner.sleep = sleep
    unhurry(client)


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, server: FakeServer, clock: FakeClock) -> Iterator[Any]:
    """The client on the fake server."""
    if request.param == "sync":
        with Client(server.address, namespace="tests") as sync:
            add_seams(sync, clock, clock.sleep)
            yield sync
        return
    loop = asyncio.new_event_loop()

    async def connect() -> AsyncClient:
        return AsyncClient(server.address, namespace="tests")

    target = loop.run_until_complete(connect())
    add_seams(target, clock, clock.async_sleep)
    yield Blocking(loop, target)
    loop.run_until_complete(target.close())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture
def tasks(client: Any) -> BothTasks:
    """The module ``contextd.tasks`` on the client, of the fake server or of a real one."""
    return BothTasks(client)
