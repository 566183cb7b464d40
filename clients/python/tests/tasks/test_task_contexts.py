"""Task contexts, as both clients ask a server that answers as told."""

from __future__ import annotations

import asyncio
import doctest
import inspect
from typing import Any

import grpc
import pytest

import contextd
import contextd.tasks
import contextd.tasks._task
import contextd.tasks.updates
from both_tasks import BothTasks
from contextd.tasks import async_task_context
from contextd.v1 import context_manager_pb2, resources_pb2, tracker_pb2
from contextd.values import JSON, TEXT
from fake import UNAVAILABLE, Fail, FakeClock, FakeServer, unhurry
from fake_sessions import answer_sessions

EXISTS = Fail(grpc.StatusCode.ALREADY_EXISTS, "CONTEXT_EXISTS", {"version": "7"})


def page(*sequences: int, token: str = "") -> Any:
    activities = [resources_pb2.Activity(sequence=n, session_id="s-1") for n in sequences]
    return tracker_pb2.ListActivitiesResponse(activities=activities, next_page_token=token)


def entry(value: bytes) -> Any:
    switch = resources_pb2.Entry(key="task/switches/x", value=value, version=1)
    context = resources_pb2.Context(id="c", version=1, entries=[switch])
    return context_manager_pb2.GetContextResponse(context=context)


@pytest.mark.parametrize("module", [contextd.tasks.updates, contextd.tasks._task])
def test_the_examples_of_the_documentation_hold(module: Any) -> None:
    done = doctest.testmod(module)
    assert done.failed == 0
    assert done.attempted > 0


# Beginning.


def test_a_new_task_comes_with_its_labels_and_switches_in_one_step(
    tasks: BothTasks, server: FakeServer
) -> None:
    answer_sessions(server)
    seed = {
        "task_id": "c",
        "user_id": "mia",
        "chat_id": "c-1",
        "metadata": {"step": "a"},
        "switches": {"on": True},
    }
    with tasks.scope(seed, type="trip", parent_id="p"):
        pass
    (create,) = server.requests["CreateContext"]
    assert (create.context_id, create.write.session_id) == ("c", "s-1")
    assert (create.properties.type, create.properties.parent_id) == ("trip", "p")
    assert dict(create.properties.metadata) == {"user_id": "mia", "chat_id": "c-1", "step": "a"}
    (step,) = create.mutations
    assert (step.put_entry.key, step.put_entry.value) == ("task/switches/on", b"true")
    assert server.requests["UpdateContext"] == []


def test_a_task_that_exists_takes_them_on_under_its_fence(
    tasks: BothTasks, server: FakeServer
) -> None:
    answer_sessions(server, "CreateContext")
    server.answer("CreateContext", EXISTS)
    with tasks.scope({"task_id": "c", "metadata": {"a": "1"}, "switches": {"n": 2}}):
        pass
    (update,) = server.requests["UpdateContext"]
    assert (update.write.session_id, update.write.fence) == ("s-1", 7)
    put, label = update.mutations
    assert (put.put_entry.value, label.set_metadata.value) == (b"2", "1")


def test_opening_a_task_without_anything_to_set_changes_nothing(
    tasks: BothTasks, server: FakeServer
) -> None:
    server.answer("CreateContext", EXISTS)
    assert tasks.open("c").id == "c"
    assert set(server.requests) == {"CreateContext"}


def test_a_session_is_ended_where_the_task_is_not_to_be_had(
    tasks: BothTasks, server: FakeServer
) -> None:
    answer_sessions(server, "ActivateContext")
    server.answer("ActivateContext", Fail(grpc.StatusCode.FAILED_PRECONDITION, "CONTEXT_BUSY"))
    with pytest.raises(contextd.ContextBusy), tasks.scope("c"):
        pass
    assert len(server.requests["EndSession"]) == 1


@pytest.mark.parametrize(
    ("seed", "error"),
    [
        ({"task_id": "c", "step": "a"}, ValueError),
        ({"task_id": "c", "user_id": 7}, contextd.InvalidValue),
        ({"task_id": "c", "switches": {"x": None}}, contextd.InvalidValue),
        ({"task_id": "c", "switches": {"x": [1]}}, contextd.InvalidValue),
    ],
)
def test_a_seed_that_cannot_be_is_refused(
    tasks: BothTasks, server: FakeServer, seed: Any, error: type[Exception]
) -> None:
    answer_sessions(server)
    with pytest.raises(error), tasks.scope(seed):
        pass
    assert server.requests["CreateContext"] == []
    assert len(server.requests["EndSession"]) == len(server.requests["StartSession"])


# What is tracked.


def test_what_is_tracked_is_sent_as_it_was_given(tasks: BothTasks, server: FakeServer) -> None:
    server.answer("CreateContext", EXISTS)
    server.answer("RecordActivities", tracker_pb2.RecordActivitiesResponse(last_sequence=9))
    task = tasks.open("c")
    assert task.add_context_update("m", {"a": [1]}, {"role": "user"}) == 9
    assert task.track_file_operation("a.md", "write", "editor") == 9
    assert task.track_model_usage("m", "p", "chat", input_tokens=3, currency="EUR") == 9
    update, file, usage = (call.activities[0] for call in server.requests["RecordActivities"])
    assert (update.type, update.data, dict(update.metadata)) == (
        "m",
        b'{"a":[1]}',
        {"role": "user"},
    )
    assert (file.file.path, file.file.operation, file.file.source) == ("a.md", "write", "editor")
    assert (usage.model.provider, usage.model.model, usage.model.mode) == ("p", "m", "chat")
    assert (usage.model.input_tokens, usage.model.currency) == (3, "EUR")


def test_what_has_no_form_to_be_stored_in_is_refused_before_it_is_sent(
    tasks: BothTasks, server: FakeServer
) -> None:
    server.answer("CreateContext", EXISTS)
    task = tasks.open("c")
    with pytest.raises(TypeError):
        task.add_context_update("m", object())
    with pytest.raises(contextd.InvalidValue, match="the label 'n' is text, not int"):
        task.add_context_update("m", metadata={"n": 1})
    with pytest.raises(contextd.InvalidValue, match="the label 'n' is text, not int"):
        task.set_metadata("n", 1)
    with pytest.raises(ValueError, match="JSON"):
        task.set_switch("x", float("nan"))
    assert set(server.requests) == {"CreateContext"}


def test_a_history_is_read_as_far_as_it_was_asked_for(tasks: BothTasks, server: FakeServer) -> None:
    server.answer("CreateContext", EXISTS)
    server.answer("ListActivities", page(9, 8, token="t"), page(7, token="u"), page(6))
    found = tasks.open("c").get_context_history(["m"], newest_first=True, limit=3)
    assert [update.sequence for update in found] == [9, 8, 7]
    first, second = server.requests["ListActivities"]
    assert (first.page_size, list(first.types), first.newest_first) == (3, ["m"], True)
    assert second.page_token == "t"


@pytest.mark.parametrize(
    ("data", "content_type", "read"),
    [
        (b"{}", JSON, {}),
        (b"a", TEXT, "a"),
        (b"", "", None),
        (b"", TEXT, ""),
        (b"a", "", b"a"),
        (b"", "image/png", b""),
        (b"{", JSON, b"{"),
        (b"\xff", JSON, b"\xff"),
        (b"\xff", TEXT, b"\xff"),
    ],
)
def test_data_are_read_as_they_were_given_and_else_as_bytes(
    tasks: BothTasks, server: FakeServer, data: bytes, content_type: str, read: Any
) -> None:
    server.answer("CreateContext", EXISTS)
    told = page(1)
    told.activities[0].data, told.activities[0].content_type = data, content_type
    server.answer("ListActivities", told)
    (update,) = tasks.open("c").get_context_history()
    assert update.data == read


def test_a_history_of_one_session_goes_on_until_there_are_enough(
    tasks: BothTasks, server: FakeServer
) -> None:
    server.answer("CreateContext", EXISTS)
    other = page(1, 2, token="t")
    other.activities[0].session_id = "s-2"
    server.answer("ListActivities", other, page(3, 4))
    found = tasks.open("c").get_context_history(session_id="s-1", limit=2)
    assert [update.sequence for update in found] == [2, 3]


@pytest.mark.parametrize(
    ("stored", "default", "value"),
    [(b"true", False, True), (b"3", 0, 3), (b"3", 0.0, 3.0), (b'"a"', "", "a"), (b"0.5", 0.0, 0.5)],
)
def test_a_switch_is_of_the_type_of_its_default(
    tasks: BothTasks, server: FakeServer, stored: bytes, default: Any, value: Any
) -> None:
    server.answer("CreateContext", EXISTS)
    server.answer("GetContext", entry(stored))
    found = tasks.open("c").get_switch("x", default)
    assert (found, type(found)) == (value, type(default))


@pytest.mark.parametrize(
    ("stored", "default"),
    [(b"true", 0), (b"1", False), (b"0.5", 0), (b'"1"', 0), (b"true", 0.0), (b"null", "")],
)
def test_a_switch_of_another_type_is_not_converted(
    tasks: BothTasks, server: FakeServer, stored: bytes, default: Any
) -> None:
    server.answer("CreateContext", EXISTS)
    server.answer("GetContext", entry(stored))
    task = tasks.open("c")
    with pytest.raises(contextd.InvalidValue, match="the switch 'x' is the"):
        task.get_switch("x", default)


# The end of a scope.


def test_the_end_of_a_scope_goes_from_the_inside_out(tasks: BothTasks, server: FakeServer) -> None:
    answer_sessions(server)
    order: list[str] = []
    with tasks.scope("c", transient=True) as task:
        for name in ("a", "b"):
            task.acquire_resource(
                name,
                cleanup=lambda name=name: order.append(
                    f"{name} after {len(server.requests['ReleaseResource'])}"
                ),
            )
        assert server.requests["AcquireResource"][0].write.fence == 7
    assert order == ["b after 0", "a after 1"]
    assert [call.name for call in server.requests["ReleaseResource"]] == ["b", "a"]
    (delete,) = server.requests["DeleteContext"]
    assert (delete.recursive, delete.allow_missing, delete.write.fence) == (True, True, 7)
    assert len(server.requests["DeactivateContext"]) == len(server.requests["EndSession"]) == 1


def test_the_programs_exception_is_told_though_the_server_is_away(
    tasks: BothTasks, server: FakeServer, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    answer_sessions(server, "ReleaseResource", "DeactivateContext", "EndSession", "DeleteContext")
    for method in ("ReleaseResource", "DeactivateContext", "EndSession", "DeleteContext"):
        server.answer(method, UNAVAILABLE)
    done: list[str] = []

    def work() -> None:
        with tasks.scope("c", transient=True) as task:
            task.acquire_resource("r", cleanup=lambda: done.append("r"))
            raise KeyError("mine")

    before = clock.now
    with pytest.raises(KeyError, match="mine"):
        work()
    assert done == ["r"]
    # Two seconds at most for each of the four steps.
    assert clock.now - before <= 8.0
    assert "the end of the task 'c' failed" in caplog.text


def test_a_cleanup_may_be_awaited(server: FakeServer) -> None:
    answer_sessions(server)
    done: list[str] = []

    async def cleanup() -> None:
        await asyncio.sleep(0)
        done.append("cleaned up")

    async def work() -> None:
        async with (
            contextd.AsyncClient(server.address) as client,
            async_task_context(client, "c") as task,
        ):
            await task.acquire_resource("r", cleanup=cleanup)

    asyncio.run(work())
    assert done == ["cleaned up"]


def test_a_cancelled_scope_still_gives_everything_back(server: FakeServer) -> None:
    answer_sessions(server)

    async def work(held: asyncio.Event) -> None:
        async with contextd.AsyncClient(server.address) as client:
            unhurry(client)
            async with async_task_context(client, "c", transient=True) as task:
                await task.acquire_resource("r")
                held.set()
                await asyncio.Event().wait()

    async def cancel() -> None:
        held = asyncio.Event()
        working = asyncio.ensure_future(work(held))
        await held.wait()
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working

    asyncio.run(cancel())
    for method in ("ReleaseResource", "DeleteContext", "DeactivateContext", "EndSession"):
        assert len(server.requests[method]) == 1, method


@pytest.mark.parametrize(
    ("plain", "asynchronous"),
    [
        (contextd.tasks.TaskContext, contextd.tasks.AsyncTaskContext),
        (contextd.tasks.SharedContext, contextd.tasks.AsyncSharedContext),
    ],
)
def test_the_asynchronous_form_has_the_same_methods(plain: Any, asynchronous: Any) -> None:
    def methods(kind: Any) -> dict[str, list[tuple[str, Any, Any]]]:
        return {
            name: [
                (p.name, p.kind, p.default) for p in inspect.signature(value).parameters.values()
            ]
            for name, value in inspect.getmembers(kind, callable)
            if not name.startswith("_")
        }

    assert methods(plain) == methods(asynchronous)


def test_the_asynchronous_scope_takes_the_same() -> None:
    plain = inspect.signature(contextd.tasks.task_context).parameters
    asynchronous = inspect.signature(async_task_context).parameters
    assert list(plain) == list(asynchronous)
    assert [p.default for p in plain.values()] == [p.default for p in asynchronous.values()]
