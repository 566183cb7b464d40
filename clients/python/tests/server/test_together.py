"""Operations that go out together, on a real server."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

import contextd
from contextd import AsyncClient, Client, FinishedCall, NewContext
from contextd_process import ContextdProcess

WORKERS = 64
ROUNDS = 10


def test_threads_share_calls_and_each_write_is_there(
    process: ContextdProcess, namespace: str
) -> None:
    calls: list[FinishedCall] = []
    with (
        Client(process.address, namespace=namespace, timeout=60.0, on_call=calls.append) as client,
        ThreadPoolExecutor(WORKERS) as pool,
    ):
        shared = client.context("shared", create_if_missing=NewContext())

        def work(index: int) -> None:
            own = client.context(f"own-{index}", create_if_missing=NewContext())
            for turn in range(ROUNDS):
                own.append("log", f"{turn};")
                shared.append("log", f"{index}.{turn};")

        list(pool.map(work, range(WORKERS)))
        made = Counter(call.method for call in calls)
        assert sum(made.values()) < WORKERS * ROUNDS  # Half of the operations at most.
        assert made["BatchUpdateContexts"] > 0
        for index in range(WORKERS):
            text = client.context(f"own-{index}").get_text("log")
            assert text == "".join(f"{turn};" for turn in range(ROUNDS))
        written = (shared.get_text("log") or "").rstrip(";").split(";")
        assert len(written) == WORKERS * ROUNDS
        for index in range(WORKERS):
            mine = [entry for entry in written if entry.startswith(f"{index}.")]
            assert mine == [f"{index}.{turn}" for turn in range(ROUNDS)]


def test_tasks_share_calls_and_each_operation_has_its_own_outcome(
    process: ContextdProcess, namespace: str
) -> None:
    async def work() -> None:
        calls: list[FinishedCall] = []
        async with AsyncClient(
            process.address, namespace=namespace, timeout=60.0, on_call=calls.append
        ) as client:
            guarded = await client.create("guarded")
            outcomes = await asyncio.gather(
                *(
                    client.context(f"c-{i}", create_if_missing=NewContext()).put("k", str(i))
                    for i in range(50)
                ),
                *(guarded.update({"k": str(i)}, if_version=1) for i in range(50)),
                *(client.context(f"missing-{i}").put("k", "v") for i in range(50)),
                return_exceptions=True,
            )
            assert all(isinstance(outcome, contextd.Written) for outcome in outcomes[:50])
            won = [o for o in outcomes[50:100] if isinstance(o, contextd.Written)]
            lost = [o for o in outcomes[50:100] if isinstance(o, contextd.VersionConflict)]
            assert (len(won), len(lost)) == (1, 49)
            assert {error.current_version for error in lost} == {2}
            assert all(isinstance(o, contextd.ContextNotFound) for o in outcomes[100:])
            assert len({error.request_id for error in lost}) == 49
            assert [await client.context(f"c-{i}").get_text("k") for i in range(50)] == [
                str(i) for i in range(50)
            ]
            assert Counter(call.method for call in calls)["UpdateContext"] < 50

    asyncio.run(work())


def test_work_on_points_goes_together(process: ContextdProcess, namespace: str) -> None:
    async def work() -> None:
        calls: list[FinishedCall] = []
        async with AsyncClient(
            process.address, namespace=namespace, timeout=60.0, on_call=calls.append
        ) as client:
            contexts = [await client.create(f"c-{i}", puts={"k": str(i)}) for i in range(20)]
            points = await asyncio.gather(
                *(c.checkpoint("p", attachments={"a": c.id}) for c in contexts)
            )
            assert [(p.context_id, p.id) for p in points] == [(c.id, "p") for c in contexts]
            await asyncio.gather(*(c.update_point("p", metadata={"by": c.id}) for c in contexts))
            got = await asyncio.gather(
                *(c.point("p", entries=True, attachments=True) for c in contexts)
            )
            assert [p.metadata["by"] for p in got] == [c.id for c in contexts]
            assert [p.attachments["a"].text for p in got] == [c.id for c in contexts]
            await asyncio.gather(*(c.delete_point("p") for c in contexts))
            gone = await asyncio.gather(*(c.point("p") for c in contexts), return_exceptions=True)
            assert all(isinstance(error, contextd.RecoveryPointNotFound) for error in gone)
            assert Counter(call.method for call in calls)["BatchRecoveryPoints"] >= 5

    asyncio.run(work())


@pytest.mark.parametrize("coalescing", [True, False])
def test_the_same_write_may_go_alone_and_together(
    process: ContextdProcess, namespace: str, coalescing: bool
) -> None:
    async def work() -> None:
        async with AsyncClient(
            process.address, namespace=namespace, timeout=60.0, coalescing=coalescing
        ) as client:
            context = await client.create("c")
            first = await context.append("log", "x", request_id="mine")
            others = [client.create(f"o-{i}") for i in range(5)]
            written = await asyncio.gather(
                *others, *(context.append("log", "x", request_id="mine") for _ in range(9))
            )
            repeats = [w for w in written if isinstance(w, contextd.Written)]
            assert {(w.version, w.replayed) for w in repeats} == {(first.version, True)}
            assert await context.get_text("log") == "x"

    asyncio.run(work())
