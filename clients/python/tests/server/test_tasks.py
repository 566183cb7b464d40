"""Task contexts on a real server, which is killed and started again, as are the programs."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

import contextd
from both_tasks import BothTasks
from contextd import Client, Presence, ResourceEvent, ResourceKind
from contextd.tasks import TaskContext, task_context
from contextd_process import ContextdProcess

FOLDER = pathlib.Path(__file__).resolve().parents[2]

# Works on a task until it is killed; what it printed is on stable storage.
WORKER = """
import sys
from contextd import Client
from contextd.tasks import SharedContext, task_context

address, namespace = sys.argv[1:]
seed = {"task_id": "t", "user_id": "mia", "metadata": {"step": "search"}, "switches": {"max": 3}}
with Client(address, namespace=namespace, timeout=60.0) as client:
    with task_context(client, seed, owner="first", ttl=60) as task:
        task.add_context_update("message", {"content": "Hello!"}, {"role": "user"})
        task.track_file_operation("a.md", "write", "editor")
        task.track_model_usage("m", "p", input_tokens=10, output_tokens=2, cost_micros=7)
        task.acquire_resource("browser", cleanup=lambda: print("cleaned up", flush=True))
        task.context.put_json("plan", ["search", "book"])
        shared = SharedContext.create(client, "t", owner="first", data={"city": "Rome"})
        shared.set("city", "Milan")
        print(task.context.fence, flush=True)
        sys.stdin.readline()
        try:
            task.add_context_update("message", "late")
        except Exception as error:
            print(type(error).__name__, flush=True)
"""

# Writes without an end, and prints how far it came.
WRITER = """
import itertools
import sys
from contextd import Client
from contextd.tasks import SharedContext, task_context

address, namespace = sys.argv[1:]
with Client(address, namespace=namespace, timeout=60.0) as client:
    with task_context(client, "t") as task:
        shared = SharedContext.create(client, "t", owner="a", data={"n": 0})
        for n in itertools.count(1):
            task.add_context_update("step", n)
            shared.edit("n", lambda n: n + 1)
            print(n, flush=True)
"""


def worker(
    process: ContextdProcess, namespace: str, program: str = WORKER
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, process.address, namespace],
        env={**os.environ, "PYTHONPATH": str(FOLDER / "src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_task_survives_kills_of_its_program_and_of_the_server(
    process: ContextdProcess, namespace: str, tasks: BothTasks
) -> None:
    with worker(process, namespace) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "1\n"
        first.kill()
        assert first.wait() != 0
        assert first.stdout.read() == ""
    process.kill()
    process.start()
    with pytest.raises(contextd.ContextBusy) as busy, tasks.scope("t"):
        pass
    assert busy.value.owner == "first"
    with tasks.scope("t", owner="second", takeover=True) as task:
        assert task.context.fence == 2
        message, file, model, resource = task.get_context_history()
        assert (message.type, message.data) == ("message", {"content": "Hello!"})
        assert (message.metadata, message.session_id) == ({"role": "user"}, file.session_id)
        assert resource.detail == ResourceEvent("browser", "", ResourceKind.ACQUIRED)
        assert task.current_files() == ["a.md"]
        assert [total.cost_micros for total in task.get_model_usage()] == [7]
        assert task.metadata() == {"user_id": "mia", "step": "search"}
        assert task.get_switch("max", 0) == 3
        assert task.context.get_json("plan") == ["search", "book"]
        with pytest.raises(contextd.ResourceHeld):
            task.acquire_resource("browser")
        tasks.client.end_session(message.session_id)
        assert task.acquire_resource("browser").session_id == task.session.id
        assert task.get_context_history(["model_usage"]) == [model]
    shared = tasks.open_shared("t", actor="first")
    assert shared.rollback(shared.versions()[-1].version).version == 3
    assert shared.get("city") == "Rome"


def test_what_was_answered_is_there_however_often_both_are_killed(
    process: ContextdProcess, namespace: str, tasks: BothTasks
) -> None:
    with worker(process, namespace, WRITER) as writer:
        assert writer.stdout is not None
        for _ in range(3):
            for _ in range(10):
                done = int(writer.stdout.readline())
            process.kill()
            process.start()
        writer.kill()
        done = max([done, *map(int, writer.stdout.read().split())])
    process.kill()
    process.start()
    task = tasks.open("t", create=False)
    steps = [update.data for update in task.get_context_history(["step"])]
    assert steps == list(range(1, len(steps) + 1))
    assert done <= len(steps) <= done + 1
    shared = tasks.open_shared("t", actor="a")
    assert done <= shared.get("n") <= len(steps)
    assert shared.version() == shared.versions(limit=1)[0].version == shared.get("n") + 1


def test_a_worker_that_was_taken_over_writes_nothing_more(
    process: ContextdProcess, namespace: str
) -> None:
    with worker(process, namespace) as first:
        assert first.stdin is not None
        assert first.stdout is not None
        assert first.stdout.readline() == "1\n"
        with Client(process.address, namespace=namespace, timeout=60.0) as client:
            with task_context(client, "t", takeover=True) as task:
                told, _ = first.communicate("\n", timeout=60.0)
                task.add_context_update("message", "mine")
            history = TaskContext.open(client, "t").get_context_history(["message"])
        # Its own activation is over: the scope says so, after it has cleaned up.
        assert told.splitlines() == ["StaleFence", "cleaned up"]
        assert [update.data for update in history] == [{"content": "Hello!"}, "mine"]


def test_a_task_has_what_was_done_in_it(tasks: BothTasks) -> None:
    with tasks.scope({"task_id": "t", "chat_id": "c-1"}, owner="a") as task:
        assert task.add_context_update("message", "Grüße", {"role": "user"}) == 1
        assert task.add_context_update("raw", b"\x00\xff") == 2
        assert task.add_context_update("started") == 3
        assert task.track_file_operation("src/a.c", "read") == 4
        assert task.track_file_operation("src/a.c", "delete", "shell") == 5
        assert task.track_file_operation("b.md", "write") == 6
        for currency in ("USD", "EUR", "EUR"):
            task.track_model_usage(
                "m", "p", "chat", input_tokens=5, cost_micros=3, currency=currency
            )
        history = task.get_context_history(["message", "raw", "started"])
        assert [update.data for update in history] == ["Grüße", b"\x00\xff", None]
        assert [update.sequence for update in task.get_context_history(limit=2)] == [1, 2]
        newest = task.get_context_history(newest_first=True, limit=1)
        assert [update.sequence for update in newest] == [9]
        assert task.get_context_history(limit=0) == []
        assert len(task.get_context_history(session_id=task.session.id)) == 9
        assert task.get_context_history(session_id="another") == []
        assert task.get_context_history(start=history[0].time, end=history[0].time) == []
        files = task.get_file_operations("src/")
        assert [(f.path, f.operation_count, f.last_operation.source) for f in files.values()] == [
            ("src/a.c", 2, "shell")
        ]
        assert task.current_files() == ["b.md"]
        task.acquire_resource("db", type="lock")
        summary = task.get_summary()
        assert (summary.presence, summary.resources) == (Presence.ACTIVE, ("db",))
        assert (summary.last_sequence, summary.file_count, summary.model_calls) == (10, 2, 3)
        assert (summary.input_tokens, summary.cost_micros) == (15, {"USD": 3, "EUR": 6})
        assert summary.metadata == {"chat_id": "c-1"}


def test_an_export_is_json_of_everything(tasks: BothTasks) -> None:
    with tasks.scope({"task_id": "t", "switches": {"trace": True}}) as task:
        task.context.update({"text": "Hi", "raw": b"\xff"})
        task.context.put_json("plan", {"n": 1})
        task.add_context_update("raw", b"\x00")
        task.track_file_operation("a", "write", "editor")
        task.track_model_usage("m", latency=timedelta(seconds=1.5))
        task.acquire_resource("db")
        told = json.loads(json.dumps(task.to_dict()))
    assert (told["id"], told["type"], told["version"]) == ("t", "task", 3)
    assert told["switches"] == {"trace": True}
    assert told["entries"] == {"text": "Hi", "raw": {"base64": "/w=="}, "plan": {"n": 1}}
    assert [update["data"] for update in told["history"]] == [{"base64": "AA=="}, None, None, None]
    assert told["history"][3]["detail"] == {"name": "db", "type": "", "kind": "acquired"}
    assert (told["files"][0]["path"], told["files"][0]["operation_count"]) == ("a", 1)
    assert told["usage"][0]["latency"] == 1.5
    assert told["resources"][0]["name"] == "db"


def test_labels_find_tasks_and_switches_keep_their_types(tasks: BothTasks) -> None:
    task = tasks.open("t", metadata={"step": "search", "by": "a"}, switches={"trace": True})
    task.set_metadata("step", "book")
    task.set_metadata("by", None)
    assert task.metadata() == {"step": "book"}
    assert (task.get_metadata("step"), task.get_metadata("by", "nobody")) == ("book", "nobody")
    assert [info.id for info in tasks.client.contexts(metadata={"step": "book"})] == ["t"]
    for name, value in {"limit": 3, "ratio": 0.5, "mode": "fast", "off": False}.items():
        task.set_switch(name, value)
        assert task.get_switch(name, type(value)()) == value
    assert task.get_switch("trace", False) is True
    assert task.get_switch("limit", 1.0) == 3.0
    assert task.get_switch("none", 7) == 7
    with pytest.raises(ValueError, match="is the bool True, and was asked for as int"):
        task.get_switch("trace", 1)
    task.set_switch("trace", None)
    assert set(task.switches()) == {"limit", "ratio", "mode", "off"}
    again = tasks.open("t", metadata={"step": "done"}, switches={"limit": 4})
    assert again.metadata() == {"step": "done"}
    assert again.switches()["limit"] == 4


def test_a_history_is_made_smaller_and_what_it_added_up_to_stays(tasks: BothTasks) -> None:
    task = tasks.open("t")
    for n in (1, 1, 2, 3, 3):
        task.add_context_update("step", n)
    task.track_file_operation("a", "write")
    assert task.optimize_context() == (2, 4, 3)
    assert task.optimize_context(max_count=2).kept_count == 2
    assert [update.data for update in task.get_context_history()] == [3, None]
    assert task.optimize_context(max_age=timedelta(days=1), deduplicate=False).removed_count == 0
    assert task.optimize_context(max_age=timedelta(days=-1)) == (2, 0, 0)
    assert list(task.get_file_operations()) == ["a"]


def test_a_missing_task_is_opened_only_where_it_may_be_created(tasks: BothTasks) -> None:
    with pytest.raises(contextd.ContextNotFound):
        tasks.open("t", create=False)
    parent = tasks.open("", type="project")
    assert parent.id.startswith("task-")
    assert tasks.open("t", parent_id=parent.id).get_context_history() == []
    assert [info.id for info in tasks.client.contexts(parent_id=parent.id)] == ["t"]
    assert tasks.open("t", create=False).id == "t"


# The end of a scope.


def test_resources_are_given_back_in_reverse_order_whatever_happens(tasks: BothTasks) -> None:
    done: list[str] = []

    def broken() -> None:
        done.append("broken")
        raise ZeroDivisionError

    def work() -> None:
        with tasks.scope("t") as task:
            for name in ("a", "b", "c"):
                task.acquire_resource(name, cleanup=lambda name=name: done.append(name))
            task.acquire_resource("d", cleanup=broken)
            task.release_resource("b")
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        work()
    assert done == ["b", "broken", "c", "a"]
    task = tasks.open("t", create=False)
    assert task.active_resources() == []
    assert task.get_summary().presence is Presence.INACTIVE
    events = [update.detail for update in task.get_context_history(["resource"])]
    assert [event.name for event in events] == ["a", "b", "c", "d", "b", "d", "c", "a"]
    assert {event.kind for event in events[4:]} == {ResourceKind.RELEASED}


def test_a_cleanup_that_fails_is_told_where_nothing_else_went_wrong(tasks: BothTasks) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    def work() -> None:
        with tasks.scope("t") as task:
            task.acquire_resource("a")
            task.acquire_resource("b", cleanup=broken)

    with pytest.raises(ZeroDivisionError):
        work()
    assert tasks.open("t").active_resources() == []
    assert list(tasks.client.sessions()) == []


def test_a_transient_task_is_gone_with_what_is_below_it(tasks: BothTasks) -> None:
    def work(fails: bool) -> None:
        with tasks.scope({}, transient=True) as task:
            tasks.open("child", parent_id=task.id)
            task.acquire_resource("a")
            if fails:
                raise KeyError

    work(fails=False)
    with pytest.raises(KeyError):
        work(fails=True)
    assert list(tasks.client.contexts()) == []
    assert list(tasks.client.sessions()) == []


def test_a_transient_task_that_was_taken_over_is_left_to_its_new_worker(tasks: BothTasks) -> None:
    def work() -> Any:
        with tasks.scope("t", transient=True), tasks.scope("t", takeover=True) as taken:
            return taken.get_summary()

    with pytest.raises(contextd.StaleFence):
        work()
    assert tasks.open("t", create=False).id == "t"


def test_a_guarded_task_can_be_looked_at_but_not_written(tasks: BothTasks) -> None:
    with tasks.scope("t", guard=True) as task:
        other = tasks.open("t")
        assert other.get_summary().id == "t"
        with pytest.raises(contextd.StaleFence):
            other.add_context_update("message", "mine")
        task.set_switch("on", True)
        assert other.switches() == {"on": True}


def test_a_task_that_was_opened_in_a_session_holds_resources(tasks: BothTasks) -> None:
    with pytest.raises(ValueError, match="session"):
        tasks.open("t").acquire_resource("a")
    with tasks.client.session() as session:
        done: list[int] = []
        with tasks.open("t", session=session) as task:
            task.acquire_resource("a", cleanup=lambda: done.append(1))
            task.acquire_resource("a", cleanup=lambda: done.append(2))
            assert [held.name for held in task.active_resources()] == ["a"]
        assert done == [2, 1]
        assert task.active_resources() == []
        with pytest.raises(contextd.ResourceNotHeld):
            task.release_resource("a")
