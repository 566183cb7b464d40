"""Many at once while the server is killed and started again.

CONTEXTD_RESTARTS says how often: 5, unless it is set.
"""

from __future__ import annotations

import asyncio
import os
import pathlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from contextd import AsyncClient, Client, Event, EventType, NewContext
from contextd_process import ContextdProcess

WORKERS = 32
RESTARTS = int(os.environ.get("CONTEXTD_RESTARTS", "5"))
TIMEOUT = 120.0

# How many writes are answered between two kills.
WRITES = 200


@pytest.fixture
def own_process(binary: str, tmp_path: pathlib.Path) -> Iterator[ContextdProcess]:
    running = ContextdProcess(binary, tmp_path)
    running.start()
    yield running
    running.kill()


class Progress:
    """Counts what was answered, and lets who kills wait for it."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self._changed = threading.Condition()
        self._answered = 0

    def answered(self) -> None:
        with self._changed:
            self._answered += 1
            self._changed.notify_all()

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._answered >= count, TIMEOUT)


class Followed:
    """How many changes of each context a view was told of."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._told: dict[str, int] = {}

    def hear(self, event: Event) -> None:
        if event.type is EventType.UPDATED:
            with self._changed:
                self._told[event.context_id] = self._told.get(event.context_id, 0) + 1
                self._changed.notify_all()

    def wait_for(self, told: dict[str, int]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._told == told, TIMEOUT)


def restart(process: ContextdProcess, progress: Progress) -> None:
    """Kills and starts it again and again, each time after further answers."""
    try:
        for turn in range(RESTARTS):
            progress.wait_for((turn + 1) * WRITES)
            process.kill()
            process.start()
        progress.wait_for((RESTARTS + 1) * WRITES)
    finally:
        progress.over.set()


def check(client: Client, acknowledged: list[list[str]]) -> None:
    """What was answered is there, once and in order; and a subscriber is told of each."""
    told: dict[str, int] = {}
    with client.subscribe(from_oldest=True, id_prefix="w-") as events:
        for event in events.until_caught_up():
            if event.type is EventType.UPDATED:
                told[event.context_id] = told.get(event.context_id, 0) + 1
    for index, written in enumerate(acknowledged):
        assert client.context(f"w-{index}").get_text("log") == "".join(written)
        assert told[f"w-{index}"] == len(written)


def test_threads_lose_and_double_nothing(own_process: ContextdProcess, namespace: str) -> None:
    progress = Progress()
    acknowledged: list[list[str]] = [[] for _ in range(WORKERS)]

    with Client(own_process.address, namespace=namespace, timeout=TIMEOUT) as client:
        for index in range(WORKERS):
            client.create(f"w-{index}", NewContext())

        def work(index: int) -> None:
            context = client.context(f"w-{index}")
            while not progress.over.is_set():
                text = f"{len(acknowledged[index])};"
                context.append("log", text)
                acknowledged[index].append(text)
                progress.answered()

        followed = Followed()
        with client.view(id_prefix="w-", on_event=followed.hear) as view:
            with ThreadPoolExecutor(WORKERS + 1) as pool:
                restarting = pool.submit(restart, own_process, progress)
                list(pool.map(work, range(WORKERS)))
                restarting.result()
            followed.wait_for({f"w-{n}": len(done) for n, done in enumerate(acknowledged)})
            with view.read() as contexts:
                for index, written in enumerate(acknowledged):
                    assert contexts[f"w-{index}"].entries["log"].text == "".join(written)
        check(client, acknowledged)


def test_tasks_lose_and_double_nothing(own_process: ContextdProcess, namespace: str) -> None:
    progress = Progress()
    acknowledged: list[list[str]] = [[] for _ in range(WORKERS)]
    told = [0] * WORKERS
    finished = threading.Event()

    async def work(client: AsyncClient, index: int) -> None:
        context = client.context(f"w-{index}", create_if_missing=NewContext())
        while not progress.over.is_set():
            text = f"{len(acknowledged[index])};"
            await context.append("log", text)
            acknowledged[index].append(text)
            progress.answered()

    async def follow(client: AsyncClient) -> None:
        """Follows over all restarts, until each write was told."""
        async with client.subscribe(id_prefix="w-", from_oldest=True) as events:
            async for event in events:
                if event.type in (EventType.CREATED, EventType.UPDATED):
                    told[int(event.context_id[2:])] += 1
                if finished.is_set() and told == list(map(len, acknowledged)):
                    return

    async def run() -> None:
        async with AsyncClient(own_process.address, namespace=namespace, timeout=TIMEOUT) as client:
            following = asyncio.ensure_future(follow(client))
            restarting = asyncio.get_running_loop().run_in_executor(
                None, restart, own_process, progress
            )
            await asyncio.gather(restarting, *(work(client, i) for i in range(WORKERS)))
            # The last write of all wakes a follower that was told of everything else already.
            acknowledged[0].append("end;")
            finished.set()
            await client.context("w-0").append("log", "end;")
            await asyncio.wait_for(following, TIMEOUT)

    asyncio.run(run())
    assert told == list(map(len, acknowledged))
    with Client(own_process.address, namespace=namespace, timeout=TIMEOUT) as client:
        for index, written in enumerate(acknowledged):
            assert client.context(f"w-{index}").get_text("log") == "".join(written)
