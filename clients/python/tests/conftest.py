"""Fixtures: the fake server, the fake clock, and the client in both its forms."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from both_tasks import BothTasks
from certificates import Certificates
from contextd import AsyncClient, Client
from contextd._calls import Settings
from fake import Blocking, FakeClock, FakeServer


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


def with_seams(settings: Settings, clock: FakeClock) -> Settings:
    """The settings with the test's time, the highest of all chances, and ids that count."""
    ids = itertools.count(1)
    return replace(settings, clock=clock, random=lambda: 1.0, new_id=lambda: f"id-{next(ids)}")


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, server: FakeServer, clock: FakeClock) -> Iterator[Any]:
    """The client on the fake server."""
    if request.param == "sync":
        with Client(server.address, namespace="tests") as sync:
            sync._settings = with_seams(sync._settings, clock)
            sync._runner.sleep = clock.sleep
            yield sync
        return
    loop = asyncio.new_event_loop()

    async def connect() -> AsyncClient:
        return AsyncClient(server.address, namespace="tests")

    target = loop.run_until_complete(connect())
    target._settings = with_seams(target._settings, clock)
    target._runner.sleep = clock.async_sleep
    yield Blocking(loop, target)
    loop.run_until_complete(target.close())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture
def tasks(client: Any) -> BothTasks:
    """The module ``contextd.tasks`` on the client, of the fake server or of a real one."""
    return BothTasks(client)
