"""Calls that nobody answers, and how they end: by their time, a close or a cancellation."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import grpc
import pytest

import contextd
from contextd import AsyncClient, Client, FinishedCall
from fake import PATIENCE_SECONDS, Fail, FakeServer, Hang

SOON = 0.2
LATE = 1000 * PATIENCE_SECONDS

FORMS = pytest.mark.parametrize("form", ["sync", "async"])

Ask = Callable[[Any], Any]


def all_of(rows: Any) -> Any:
    """Reads to the end, in either form."""
    if not hasattr(rows, "__aiter__"):
        return list(rows)

    async def read() -> list[Any]:
        return [row async for row in rows]

    return read()


# The methods, and what a client does that calls them.
ASKS: dict[str, Ask] = {
    "GetContext": lambda client: client.context("c").get("k"),
    "UpdateContext": lambda client: client.context("c").put("k", b"v"),
    "CreateRecoveryPoint": lambda client: client.context("c").checkpoint(),
    "ListContexts": lambda client: all_of(client.contexts()),
    "ReadEntries": lambda client: all_of(client.context("c").entries()),
}


@pytest.fixture(params=ASKS)
def method(request: pytest.FixtureRequest, server: FakeServer) -> str:
    """A method that the server does not answer."""
    server.answer(request.param, [Hang()] if request.param == "ReadEntries" else Hang())
    name: str = request.param
    return name


def use_shortly(form: str, address: str, method: str) -> None:
    """Asks with little time."""

    async def use() -> None:
        async with AsyncClient(address, timeout=SOON) as client:
            await ASKS[method](client)

    if form == "async":
        asyncio.run(use())
        return
    with Client(address, timeout=SOON) as client:
        ASKS[method](client)


@FORMS
def test_a_call_ends_when_its_time_is_over(server: FakeServer, method: str, form: str) -> None:
    with pytest.raises(contextd.DeadlineExceeded) as caught:
        use_shortly(form, server.address, method)
    writes = method in ("UpdateContext", "CreateRecoveryPoint")
    assert (caught.value.request_id is not None) == writes


def close_while_asked(form: str, server: FakeServer, method: str) -> BaseException:
    """Asks, closes the client once the server was asked, and gives what the caller got."""

    async def use() -> BaseException:
        client = AsyncClient(server.address, timeout=LATE)
        task = asyncio.ensure_future(ASKS[method](client))
        await asyncio.to_thread(server.wait_for, method, 1)
        await client.close()
        await asyncio.wait([task], timeout=PATIENCE_SECONDS)
        error = task.exception()
        assert isinstance(error, BaseException)
        return error

    if form == "async":
        return asyncio.run(use())
    client = Client(server.address, timeout=LATE)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ASKS[method], client)
        server.wait_for(method, 1)
        client.close()
        error = asked.exception(PATIENCE_SECONDS)
    assert error is not None
    return error


@FORMS
def test_a_close_ends_what_is_under_way(server: FakeServer, method: str, form: str) -> None:
    error = close_while_asked(form, server, method)
    assert type(error) is contextd.ClientClosed


@FORMS
@pytest.mark.parametrize("asked", ASKS)
def test_a_close_ends_what_waits_to_be_repeated(server: FakeServer, asked: str, form: str) -> None:
    later = Fail(grpc.StatusCode.UNAVAILABLE, "NOT_READY", retry_delay=LATE / 10)
    server.answer(asked, [later] if asked == "ReadEntries" else later)
    error = close_while_asked(form, server, asked)
    assert type(error) is contextd.ClientClosed


def test_a_cancelled_task_ends_its_call(server: FakeServer, method: str) -> None:
    async def use() -> None:
        async with AsyncClient(server.address, timeout=LATE) as client:
            task = asyncio.ensure_future(ASKS[method](client))
            await asyncio.to_thread(server.wait_for, method, 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(use())


def test_a_call_that_was_cancelled_is_told_of(server: FakeServer) -> None:
    calls: list[FinishedCall] = []

    async def use() -> None:
        async with AsyncClient(server.address, timeout=LATE, on_call=calls.append) as client:
            task = asyncio.ensure_future(ASKS["GetContext"](client))
            await asyncio.to_thread(server.wait_for, "GetContext", 1)
            task.cancel()
            await asyncio.wait([task])

    server.answer("GetContext", Hang())
    asyncio.run(use())
    (call,) = calls
    assert (call.method, call.attempts, type(call.error)) == (
        "GetContext",
        1,
        asyncio.CancelledError,
    )
