"""Shared contexts, as both clients ask a server that answers as told."""

from __future__ import annotations

import doctest
import json
from typing import Any, Callable

import grpc
import pytest

import contextd
import contextd.tasks.rights
from both_tasks import BothTasks
from contextd.tasks import EVERYONE, AccessDenied, Right, Rights, Scope
from contextd.v1 import recovery_pb2
from fake import Fail, FakeServer
from fake_recovery import created, entry, got, point

RIGHTS_CHANGED = Fail(
    grpc.StatusCode.ABORTED, "ENTRY_CONFLICT", {"key": "shared/rights", "current_version": "9"}
)
VALUE_CHANGED = Fail(grpc.StatusCode.ABORTED, "ENTRY_CONFLICT", {"key": "shared/data/k"})
VERSION_CHANGED = Fail(grpc.StatusCode.ABORTED, "VERSION_CONFLICT", {"current_version": "9"})


def state(version: int, grants: dict[str, str], **data: Any) -> Any:
    """A state whose rights, and data, were set by its version."""
    rights = json.dumps({"owner": "a", "grants": grants}).encode()
    entries = [entry(f"shared/data/{k}", json.dumps(v).encode(), version) for k, v in data.items()]
    return got(*entries, entry("shared/rights", rights, version), version=version)


def listed(*points: Any) -> Any:
    rows = [recovery_pb2.GetRecoveryPointResponse(recovery_point=row) for row in points]
    return recovery_pb2.ListRecoveryPointsResponse(recovery_points=rows)


def opened(tasks: BothTasks, server: FakeServer, actor: str, *states: Any) -> Any:
    """The handle of an actor, whose opening got the first state."""
    server.answer("GetContext", *states)
    shared = tasks.open_shared("t", actor=actor)
    server.requests.clear()
    return shared


def guards(request: Any) -> dict[str, int]:
    return {p.entry.key: p.entry.version for p in request.preconditions if p.HasField("entry")}


def test_the_examples_of_the_documentation_hold() -> None:
    done = doctest.testmod(contextd.tasks.rights)
    assert done.failed == 0
    assert done.attempted > 0


@pytest.mark.parametrize(
    ("actor", "right", "allowed"),
    [
        ("a", Right.OWN, True),
        ("w", Right.WRITE, True),
        ("w", Right.READ, True),
        ("w", Right.OWN, False),
        ("r", Right.READ, True),
        ("r", Right.WRITE, False),
        ("x", Right.READ, False),
    ],
)
@pytest.mark.parametrize("everyone", [None, Right.READ, Right.WRITE])
def test_who_may_do_what(actor: str, right: Right, allowed: bool, everyone: Any) -> None:
    grants = {"w": Right.WRITE, "r": Right.READ}
    if everyone is not None:
        grants[EVERYONE] = everyone
        allowed = allowed or Rights("", {actor: everyone}).allow(actor, right)
    assert Rights("a", grants).allow(actor, right) is allowed


def test_it_is_created_in_one_step_if_there_is_none(tasks: BothTasks, server: FakeServer) -> None:
    server.answer("CreateRecoveryPoint", created(version=1))
    shared = tasks.create_shared(
        "t", owner="a", scope=Scope.AGENT, data={"k": 1}, writers=["w"], versions_kept=7
    )
    assert (shared.id, shared.actor) == ("shared/agent/t", "a")
    (sent,) = server.requests["CreateRecoveryPoint"]
    assert (sent.move_head, sent.preconditions[0].context_version) == (True, 0)
    assert dict(sent.metadata) == {"shared/by": "a", "shared/action": "create"}
    new = sent.create_if_missing
    assert (new.type, dict(new.metadata)) == ("shared", {"scope": "agent", "owner": "a"})
    assert new.recovery_policy.retention.keep_last == 7
    puts = {step.put_entry.key: json.loads(step.put_entry.value) for step in sent.mutations}
    assert puts == {
        "shared/rights": {"owner": "a", "grants": {"w": "write"}},
        "shared/data/k": 1,
    }


def test_a_write_is_made_only_under_the_rights_that_allowed_it(
    tasks: BothTasks, server: FakeServer
) -> None:
    server.answer("CreateRecoveryPoint", created(version=5))
    owner = opened(tasks, server, "a", state(4, {}, k=1))
    owner.set("k", 2)
    owner.delete("k")
    owner.update({"x": 1}, deletes=["k"])
    owner.grant("b", Right.READ)
    owner.revoke("b")
    owner.edit("k", lambda value: value + 1)
    sent = server.requests["CreateRecoveryPoint"]
    assert [request.metadata["shared/action"] for request in sent] == [
        "set",
        "delete",
        "update",
        "grant",
        "revoke",
        "edit",
    ]
    assert all(request.move_head for request in sent)
    assert [guards(request) for request in sent[:5]] == [{"shared/rights": 4}] * 5
    assert guards(sent[5]) == {"shared/rights": 4, "shared/data/k": 4}
    assert sent[5].mutations[0].put_entry.value == b"2"


def test_a_right_that_is_revoked_between_check_and_write_is_gone(
    tasks: BothTasks, server: FakeServer
) -> None:
    may, may_not = state(4, {"w": "write"}), state(9, {})
    writer = opened(tasks, server, "w", may, may, may_not)
    server.answer("CreateRecoveryPoint", RIGHTS_CHANGED, created(version=10))
    with pytest.raises(AccessDenied) as denied:
        writer.set("k", 2)
    assert denied.value.right is Right.WRITE
    (sent,) = server.requests["CreateRecoveryPoint"]
    assert guards(sent) == {"shared/rights": 4}


def test_a_write_goes_on_where_other_rights_changed(tasks: BothTasks, server: FakeServer) -> None:
    before, after = state(4, {"w": "write"}), state(9, {"w": "write", "r": "read"})
    writer = opened(tasks, server, "w", before, before, after)
    server.answer("CreateRecoveryPoint", RIGHTS_CHANGED, created(version=10))
    assert writer.set("k", 2).version == 10
    first, second = server.requests["CreateRecoveryPoint"]
    assert (guards(first), guards(second)) == ({"shared/rights": 4}, {"shared/rights": 9})
    assert first.write.request_id != second.write.request_id


def test_an_edit_begins_again_with_the_value_that_was_faster(
    tasks: BothTasks, server: FakeServer
) -> None:
    states = state(4, {}, k=1), state(4, {}, k=1), state(9, {}, k=5)
    owner = opened(tasks, server, "a", *states)
    server.answer("CreateRecoveryPoint", VALUE_CHANGED, created(version=10))
    owner.edit("k", lambda value: value + 1)
    last = server.requests["CreateRecoveryPoint"][-1]
    assert last.mutations[0].put_entry.value == b"6"


def test_a_condition_of_the_program_is_not_tried_again(
    tasks: BothTasks, server: FakeServer
) -> None:
    owner = opened(tasks, server, "a", state(4, {}))
    server.answer("CreateRecoveryPoint", VERSION_CHANGED)
    with pytest.raises(contextd.VersionConflict):
        owner.set("k", 1, if_version=4)
    (sent,) = server.requests["CreateRecoveryPoint"]
    assert [p.context_version for p in sent.preconditions if not p.HasField("entry")] == [4]


def test_a_write_that_always_loses_is_given_up(tasks: BothTasks, server: FakeServer) -> None:
    owner = opened(tasks, server, "a", state(4, {}))
    server.answer("CreateRecoveryPoint", RIGHTS_CHANGED)
    with pytest.raises(contextd.EntryConflict):
        owner.set("k", 1)
    assert len(server.requests["CreateRecoveryPoint"]) == contextd.RetryPolicy().attempts


def test_who_may_not_write_sends_nothing(tasks: BothTasks, server: FakeServer) -> None:
    reader = opened(tasks, server, "r", state(4, {"r": "read"}))
    writes: list[Callable[[], Any]] = [
        lambda: reader.set("k", 1),
        lambda: reader.edit("k", lambda value: value),
        lambda: reader.grant("r", Right.WRITE),
        lambda: reader.drop(),
    ]
    for write in writes:
        with pytest.raises(AccessDenied):
            write()
    assert set(server.requests) == {"GetContext"}


def test_a_rollback_takes_the_old_state_with_the_rights_there_are(
    tasks: BothTasks, server: FakeServer
) -> None:
    owner = opened(tasks, server, "a", state(9, {"w": "write"}))
    labels = {"shared/by": "w", "shared/action": "set"}
    # One that a program made for itself is not ours to go by.
    points = (
        point("mine", version=3, metadata={"action": "save"}),
        point("p", version=3, metadata=labels),
    )
    server.answer("ListRecoveryPoints", listed(*points))
    server.answer("CreateRecoveryPoint", created(version=10))
    owner.rollback(3)
    (sent,) = server.requests["CreateRecoveryPoint"]
    assert (sent.from_recovery_point_id, sent.move_head) == ("p", True)
    assert guards(sent) == {"shared/rights": 9}
    (step,) = sent.mutations
    assert step.put_entry.key == "shared/rights"
    assert json.loads(step.put_entry.value) == {"owner": "a", "grants": {"w": "write"}}


def test_it_is_dropped_as_it_was_when_its_owner_was_checked(
    tasks: BothTasks, server: FakeServer
) -> None:
    owner = opened(tasks, server, "a", state(4, {}), state(4, {}), state(9, {}))
    deleted = contextd.v1.context_manager_pb2.DeleteContextResponse(deleted_count=1)
    server.answer("DeleteContext", VERSION_CHANGED, deleted)
    owner.drop()
    sent = server.requests["DeleteContext"]
    assert [request.preconditions[0].context_version for request in sent] == [4, 9]
    assert all(request.purge for request in sent)


@pytest.mark.parametrize(
    "options",
    [
        {"owner": ""},
        {"owner": EVERYONE},
        {"owner": "a", "versions_kept": 0},
        {"owner": "a", "readers": "bob"},
        {"owner": "a", "data": {"k": object()}},
    ],
)
def test_what_cannot_be_created_is_refused_before_it_is_sent(
    tasks: BothTasks, server: FakeServer, options: Any
) -> None:
    with pytest.raises((TypeError, ValueError)):
        tasks.create_shared("t", **options)
    assert server.requests == {}


STORED = [b"{", b"[]", b'{"owner": "a"}', b'{"owner": "a", "grants": {"b": "fly"}}', b"\xff"]


@pytest.mark.parametrize("stored", STORED)
def test_rights_that_somebody_broke_are_told_as_that(
    tasks: BothTasks, server: FakeServer, stored: bytes
) -> None:
    server.answer("GetContext", got(entry("shared/rights", stored, 1)))
    with pytest.raises(contextd.InvalidValue, match="rights"):
        tasks.open_shared("t", actor="a")


def test_data_without_a_form_in_json_are_refused_before_they_are_sent(
    tasks: BothTasks, server: FakeServer
) -> None:
    shared = opened(tasks, server, "a", state(1, {}))
    for value in (float("nan"), object(), {"k": {1, 2}}, "\ud800"):
        with pytest.raises(contextd.InvalidValue):
            shared.set("k", value)
    assert server.requests == {}
