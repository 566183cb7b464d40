"""Operations that go out together, from threads and from tasks, to a server that is told."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Callable, Optional, Union

import pytest

import contextd
from contextd import AsyncClient, Client
from contextd._lane import CALLS_IN_FLIGHT
from contextd.v1 import context_manager_pb2 as pb
from contextd.v1 import resources_pb2
from fake import PATIENCE_SECONDS, FakeServer

WORKERS = 40
LATE_SECONDS = 100 * int(PATIENCE_SECONDS)


class Gate:
    """Answers updates, each with the number of its turn, once it is opened."""

    def __init__(self, server: FakeServer, many: Optional[Callable[[Any], Any]] = None) -> None:
        """Answers what comes together by ``many``, where it is given."""
        self._open = threading.Event()
        self._version = 0
        self.answered: list[pb.UpdateContextRequest] = []
        self._lock = threading.Lock()
        server.answer("UpdateContext", self._one)
        server.answer("BatchUpdateContexts", many or self._many)

    def open(self) -> None:
        self._open.set()

    def _answer(self, request: pb.UpdateContextRequest) -> pb.UpdateContextResponse:
        with self._lock:
            self._version += 1
            self.answered.append(request)
            return pb.UpdateContextResponse(version=self._version)

    def _wait(self) -> None:
        assert self._open.wait(PATIENCE_SECONDS), "nobody opened it"

    def _one(self, request: Any) -> pb.UpdateContextResponse:
        self._wait()
        return self._answer(request)

    def _many(self, request: Any) -> pb.BatchUpdateContextsResponse:
        self._wait()
        return pb.BatchUpdateContextsResponse(
            results=[pb.UpdateResult(response=self._answer(part)) for part in request.requests]
        )


class Workers:
    """A client, used by many at once: threads, or tasks."""

    def __init__(self, kind: str, server: FakeServer) -> None:
        self._pool = ThreadPoolExecutor(WORKERS)
        self._loop = asyncio.new_event_loop()
        self._kind = kind
        if kind == "async":
            self._pool.submit(self._loop.run_forever)
        self.client: Any = self.wait(self._make(server.address))

    def _make(self, address: str) -> Future[Any]:
        async def make() -> AsyncClient:
            return AsyncClient(address, namespace="tests", timeout=LATE_SECONDS)

        if self._kind == "async":
            return asyncio.run_coroutine_threadsafe(make(), self._loop)
        return self._pool.submit(Client, address, namespace="tests", timeout=LATE_SECONDS)

    def begin(self, act: Callable[[], Union[Any, Awaitable[Any]]]) -> Future[Any]:
        """Does it in a thread or task of its own."""

        async def run() -> Any:
            return await act()

        if self._kind == "async":
            return asyncio.run_coroutine_threadsafe(run(), self._loop)
        return self._pool.submit(act)

    def wait(self, outcome: Future[Any]) -> Any:
        return outcome.result(PATIENCE_SECONDS)

    def wait_waiting(self, count: int) -> None:
        """Returns once so many operations wait in the client."""
        lane = next(iter(self.client._runner._lanes._lanes.values()))
        for _ in range(int(PATIENCE_SECONDS / 0.01)):
            if lane.waiting == count:
                return
            time.sleep(0.01)
        raise AssertionError(f"{lane.waiting} operations wait, not {count}")

    def close(self) -> None:
        self.wait(self.begin(self.client.close))
        if self._kind == "async":
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._pool.shutdown()
        self._loop.close()


@pytest.fixture(params=["sync", "async"])
def workers(request: pytest.FixtureRequest, server: FakeServer) -> Iterator[Workers]:
    made = Workers(request.param, server)
    yield made
    made.close()


def fill(workers: Workers, server: FakeServer) -> list[Future[Any]]:
    """Has so many calls under way that there is no room."""
    outcomes = []
    for index in range(CALLS_IN_FLIGHT):
        context = workers.client.context(f"first-{index}")
        outcomes.append(workers.begin(partial(context.put, "k", "v")))
        server.wait_for("UpdateContext", index + 1)
    return outcomes


def test_what_is_done_while_there_is_no_room_goes_out_together(
    workers: Workers, server: FakeServer
) -> None:
    gate = Gate(server)
    outcomes = fill(workers, server)
    for index in range(20):
        context = workers.client.context(f"c-{index}")
        outcomes.append(workers.begin(partial(context.put, "k", "v")))
    workers.wait_waiting(20)
    gate.open()
    versions = {workers.wait(outcome).version for outcome in outcomes}
    assert versions == set(range(1, 23))
    alone = len(server.requests["UpdateContext"]) - CALLS_IN_FLIGHT
    sizes = [len(request.requests) for request in server.requests["BatchUpdateContexts"]]
    assert alone + sum(sizes) == 20
    # How many are left for the last call is a matter of which call is answered first.
    assert alone <= 1
    assert alone + len(sizes) <= 4


def test_one_who_is_alone_makes_plain_calls(workers: Workers, server: FakeServer) -> None:
    Gate(server).open()
    context = workers.client.context("c")
    for _ in range(5):
        workers.wait(workers.begin(lambda: context.put("k", "v")))
    assert len(server.requests["UpdateContext"]) == 5
    assert not server.requests["BatchUpdateContexts"]


def test_operations_of_one_context_keep_their_order(workers: Workers, server: FakeServer) -> None:
    gate = Gate(server)
    context = workers.client.context("c")
    outcomes = []
    for index in range(10):
        outcomes.append(workers.begin(partial(context.append, "k", str(index))))
        if index == 0:
            server.wait_for("UpdateContext", 1)
        else:
            workers.wait_waiting(index)
    gate.open()
    for outcome in outcomes:
        workers.wait(outcome)
    assert len(server.requests["BatchUpdateContexts"]) == 1
    assert [request.mutations[0].append_entry.value for request in gate.answered] == [
        str(index).encode() for index in range(10)
    ]


def test_an_operation_whose_time_is_over_is_not_sent(workers: Workers, server: FakeServer) -> None:
    gate = Gate(server)
    outcomes = fill(workers, server)
    late = workers.client.context("late", timeout=0.05)
    with pytest.raises(contextd.DeadlineExceeded) as caught:
        workers.wait(workers.begin(lambda: late.put("k", "v", request_id="mine")))
    assert caught.value.request_id == "mine"
    gate.open()
    for outcome in outcomes:
        workers.wait(outcome)
    after = workers.client.context("after")
    workers.wait(workers.begin(lambda: after.put("k", "v")))
    sent = [request.context_id for request in server.requests["UpdateContext"]]
    assert sent == ["first-0", "first-1", "after"]


def test_each_waits_for_its_own_time(workers: Workers, server: FakeServer) -> None:
    gate = Gate(server)
    outcomes = fill(workers, server)
    patient = workers.client.context("patient", timeout=1000 * PATIENCE_SECONDS)
    outcomes.append(workers.begin(lambda: patient.put("k", "v")))
    workers.wait_waiting(1)
    for name in ("late", "later"):
        late = workers.client.context(name, timeout=0.05)
        with pytest.raises(contextd.DeadlineExceeded):
            workers.wait(workers.begin(partial(late.put, "k", "v")))
    gate.open()
    for outcome in outcomes:
        workers.wait(outcome)


def test_closing_ends_what_waits_and_what_is_under_way(
    workers: Workers, server: FakeServer
) -> None:
    gate = Gate(server)
    outcomes = fill(workers, server)
    for index in range(5):
        context = workers.client.context(f"c-{index}")
        outcomes.append(workers.begin(partial(context.put, "k", "v")))
    workers.wait_waiting(5)
    workers.wait(workers.begin(workers.client.close))
    for outcome in outcomes:
        with pytest.raises(contextd.ClientClosed):
            workers.wait(outcome)
    with pytest.raises(contextd.ClientClosed):
        workers.wait(workers.begin(lambda: workers.client.context("c").put("k", "v")))
    gate.open()


def test_closing_ends_what_an_overloaded_server_refused(
    workers: Workers, server: FakeServer
) -> None:
    refused = pb.UpdateResult()
    refused.failure.CopyFrom(resources_pb2.Failure(code=8, reason="OVERLOADED"))
    refused.failure.retry_delay.FromSeconds(LATE_SECONDS)
    gate = Gate(
        server,
        lambda request: pb.BatchUpdateContextsResponse(results=[refused] * len(request.requests)),
    )
    outcomes = fill(workers, server)
    waiting = []
    for index in range(5):
        context = workers.client.context(f"c-{index}", timeout=10.0 * LATE_SECONDS)
        waiting.append(workers.begin(partial(context.put, "k", "v")))
    workers.wait_waiting(5)
    gate.open()
    for outcome in outcomes:
        workers.wait(outcome)
    server.wait_for("BatchUpdateContexts", 1)
    workers.wait(workers.begin(workers.client.close))
    for outcome in waiting:
        with pytest.raises(contextd.ClientClosed):
            workers.wait(outcome)


def test_what_the_programs_own_code_raises_comes_to_all_whose_call_it_was(
    workers: Workers, server: FakeServer
) -> None:
    def token() -> str:
        raise LookupError("no token")

    gate = Gate(server)
    outcomes = fill(workers, server)
    waiting = []
    for index in range(5):
        context = workers.client.context(f"c-{index}")
        waiting.append(workers.begin(partial(context.put, "k", "v")))
    workers.wait_waiting(5)
    workers.client._runner.connection._token = token
    gate.open()
    for outcome in outcomes:
        workers.wait(outcome)
    for outcome in waiting:
        with pytest.raises(LookupError, match="no token"):
            workers.wait(outcome)
    workers.client._runner.connection._token = None
    workers.wait(workers.begin(partial(workers.client.context("c-0").put, "k", "v")))


def test_a_task_that_is_cancelled_leaves_the_others(server: FakeServer) -> None:
    gate = Gate(server)

    async def work() -> list[Any]:
        async with AsyncClient(server.address, namespace="tests", timeout=LATE_SECONDS) as client:
            tasks = [
                asyncio.ensure_future(client.context(f"c-{index}").put("k", "v"))
                for index in range(10)
            ]
            while not server.requests["UpdateContext"]:
                await asyncio.sleep(0.01)
            tasks[0].cancel()  # Under way.
            tasks[5].cancel()  # Waits.
            gate.open()
            return await asyncio.gather(*tasks, return_exceptions=True)

    outcomes = asyncio.run(work())
    cancelled = [index for index, kind in enumerate(outcomes) if not hasattr(kind, "version")]
    assert cancelled == [0, 5]
    assert all(isinstance(outcomes[index], asyncio.CancelledError) for index in cancelled)
    batches = server.requests["BatchUpdateContexts"]
    assert "c-5" not in {request.context_id for batch in batches for request in batch.requests}


def test_a_thread_that_is_interrupted_leaves_what_others_wait_for(server: FakeServer) -> None:
    gate = Gate(server)
    client = Client(server.address, namespace="tests", timeout=LATE_SECONDS)
    lanes = client._runner._lanes
    send, interrupted = lanes._run, threading.Lock()

    def run(operation: Any) -> None:
        if server.requests["BatchUpdateContexts"] or len(server.requests["UpdateContext"]) < 2:
            send(operation)
        elif interrupted.acquire(blocking=False):
            raise KeyboardInterrupt
        else:
            send(operation)

    with ThreadPoolExecutor(12) as pool:
        outcomes = []
        for index in range(CALLS_IN_FLIGHT):
            outcomes.append(pool.submit(client.context(f"first-{index}").put, "k", "v"))
            server.wait_for("UpdateContext", index + 1)
        lanes._run = run
        lane = next(iter(lanes._lanes.values()))
        outcomes += [pool.submit(client.context(f"c-{i}").put, "k", "v") for i in range(8)]
        while lane.waiting < 8:
            time.sleep(0.01)
        gate.open()
        errors = [outcome.exception(PATIENCE_SECONDS) for outcome in outcomes]
    client.close()
    assert sum(isinstance(error, KeyboardInterrupt) for error in errors) == 1
    assert sum(error is None for error in errors) == len(errors) - 1


def test_without_coalescing_each_operation_is_a_call(server: FakeServer) -> None:
    Gate(server).open()

    async def work() -> None:
        async with AsyncClient(server.address, coalescing=False) as client:
            await asyncio.gather(*(client.context(f"c-{i}").put("k", "v") for i in range(10)))

    asyncio.run(work())
    assert len(server.requests["UpdateContext"]) == 10
    assert not server.requests["BatchUpdateContexts"]
