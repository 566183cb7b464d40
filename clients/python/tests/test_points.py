"""Recovery points, forks and merges, as the clients ask a server that answers as told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Callable

import grpc
import pytest

import contextd
from contextd import (
    Changes,
    Draft,
    Expiry,
    FileOperation,
    NewContext,
    NewPoint,
    PointBatch,
    PointOrigin,
    PointUpdate,
    RecoveryPolicy,
    RetentionPolicy,
    StateRef,
)
from contextd.v1 import context_manager_pb2, resources_pb2
from contextd.v1 import recovery_pb2 as pb
from contextd.values import TEXT
from fake import UNAVAILABLE, Fail, FakeClock, FakeServer
from fake_recovery import (
    NOON,
    POLICY,
    REPLAYED,
    TOO_LARGE,
    VERSION_CONFLICT,
    WRITE,
    answer_writes,
    context,
    created,
    entry,
    forked,
    got,
    part,
    point,
)
from fake_sessions import answer_sessions

# Making points.


def test_a_checkpoint_sends_what_it_is_to_be(client: Any, server: FakeServer) -> None:
    server.answer("CreateRecoveryPoint", created("step-7"))
    new = NewContext("chat", recovery_policy=POLICY)
    made = client.context("c", create_if_missing=new).checkpoint(
        "step-7",
        metadata={"by": "mia"},
        attachments={"task": "Grüße", "raw": b"\x00"},
        ttl=90,
        pinned=True,
        replace=True,
        from_point="step-6",
        changes=Changes(
            {"k": b"v"},
            deletes=["old"],
            metadata={"user": None},
            expiry=Expiry(None),
            activities=[FileOperation("f")],
            recovery_policy=POLICY,
        ),
        move_head=True,
        if_version=6,
        if_entries={"k": 2},
    )
    assert (made.id, made.version) == ("step-7", 7)
    (sent,) = server.requests["CreateRecoveryPoint"]
    assert (sent.namespace, sent.context_id, sent.recovery_point_id) == ("tests", "c", "step-7")
    assert dict(sent.metadata) == {"by": "mia"}
    assert [(a.key, a.value, a.content_type) for a in sent.attachments] == [
        ("task", "Grüße".encode(), TEXT),
        ("raw", b"\x00", ""),
    ]
    assert (sent.ttl.seconds, sent.pinned, sent.replace, sent.move_head) == (90, True, True, True)
    assert sent.from_recovery_point_id == "step-6"
    assert [step.WhichOneof("kind") for step in sent.mutations] == [
        "delete_entry",
        "put_entry",
        "delete_metadata",
        "set_expiry",
        "set_recovery_policy",
        "record_activity",
    ]
    assert [guard.WhichOneof("kind") for guard in sent.preconditions] == [
        "entry",
        "context_version",
    ]
    assert sent.create_if_missing.type == "chat"
    assert sent.create_if_missing.recovery_policy.point_every_changes == 50
    assert sent.write.request_id == "id-1"


def test_a_plain_checkpoint_sends_nothing_else(client: Any, server: FakeServer) -> None:
    server.answer("CreateRecoveryPoint", created("made-up"))
    assert client.context("c").checkpoint().id == "made-up"
    (sent,) = server.requests["CreateRecoveryPoint"]
    assert sent == pb.CreateRecoveryPointRequest(
        namespace="tests",
        context_id="c",
        write=resources_pb2.WriteOptions(request_id="id-1"),
    )


def test_every_field_of_a_point_is_read(client: Any, server: FakeServer) -> None:
    message = point(
        "p",
        entry("a", b"1", content_type="t"),
        parent_id="o",
        sequence=3,
        pinned=True,
        origin=pb.RecoveryPoint.ORIGIN_SAFETY,
        metadata={"x": "y"},
        entry_count=4,
        size_bytes=99,
        revision=108,
    )
    message.create_time.FromDatetime(NOON)
    message.expire_time.FromDatetime(NOON + timedelta(hours=1))
    answer = pb.GetRecoveryPointResponse(recovery_point=message, entries=[entry("k", b"v", 5)])
    server.answer("GetRecoveryPoint", answer)
    found = client.context("c").point("p", entries=True, attachments=True, keys=["a", "k"])
    assert found == contextd.RecoveryPoint(
        "tests",
        "c",
        "p",
        "o",
        3,
        7,
        NOON,
        NOON + timedelta(hours=1),
        True,
        PointOrigin.SAFETY,
        {"x": "y"},
        4,
        99,
        108,
        {"a": contextd.Entry("a", b"1", "t", 0)},
        {"k": contextd.Entry("k", b"v", "", 5)},
    )
    (sent,) = server.requests["GetRecoveryPoint"]
    assert (sent.recovery_point_id, list(sent.keys)) == ("p", ["a", "k"])
    assert (sent.with_entries, sent.with_attachments) == (True, True)


def test_every_origin_is_known() -> None:
    numbers = set(pb.RecoveryPoint.Origin.values()) - {pb.RecoveryPoint.ORIGIN_UNSPECIFIED}
    origins = {contextd.recovery.point_of(point(origin=number)).origin for number in numbers}
    assert origins == set(PointOrigin) - {PointOrigin.UNKNOWN}
    newer = pb.RecoveryPoint.FromString(b"\x50\x63")
    assert contextd.recovery.point_of(newer).origin is PointOrigin.UNKNOWN


def test_a_function_works_on_a_draft_and_guards_what_it_read(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    server.answer("GetContext", got(entry("todo"), version=7), got(entry("todo"), version=8))
    server.answer("CreateRecoveryPoint", VERSION_CONFLICT, created())

    def change(draft: Draft) -> None:
        draft["done"] = draft.pop("todo")

    client.context("c").checkpoint("p", changes=change, move_head=True)
    first, second = server.requests["CreateRecoveryPoint"]
    assert [first.preconditions[0].context_version, second.preconditions[0].context_version] == [
        7,
        8,
    ]
    assert [step.WhichOneof("kind") for step in second.mutations] == ["delete_entry", "put_entry"]
    assert second.move_head
    assert first.write.request_id != second.write.request_id
    assert len(clock.slept) == 1


def test_a_function_on_a_point_reads_that_and_needs_no_guard(
    client: Any, server: FakeServer
) -> None:
    server.answer("GetContext", got(entry("k")))
    server.answer("CreateRecoveryPoint", created("q"))
    client.context("c").checkpoint(
        "q", from_point="p", changes=lambda draft: draft.metadata.update(user="mia")
    )
    assert server.requests["GetContext"][0].state.recovery_point_id == "p"
    (sent,) = server.requests["CreateRecoveryPoint"]
    assert (sent.from_recovery_point_id, list(sent.preconditions)) == ("p", [])
    assert sent.mutations[0].set_metadata.value == "mia"


def test_what_does_not_go_together_is_refused(client: Any, server: FakeServer) -> None:
    c = client.context("c")
    wrongs: list[Callable[[], object]] = [
        lambda: c.checkpoint(changes=lambda draft: None, if_version=3),
        lambda: c.checkpoint(changes=lambda draft: None, if_entries={"k": 1}),
        lambda: c.checkpoint(changes=lambda draft: None, request_id="mine"),
        lambda: c.checkpoint(from_point=""),
        lambda: c.restore(""),
        lambda: c.restore("p", version=3),
        lambda: c.restore(version=0),
        lambda: c.restore(time=datetime(2026, 1, 1)),
        lambda: c.at(3, time=NOON),
        lambda: c.at(),
        lambda: c.fork(version=3, point="p"),
        lambda: c.point(""),
    ]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r"version|point|time|state|function"):
            wrong()
    nameless: list[Callable[[], object]] = [
        lambda: c.delete_point("", request_id="mine"),
        lambda: c.update_point("", pinned=True, request_id="mine"),
        lambda: c.attach("", {"k": "v"}, request_id="mine"),
    ]
    for wrong in nameless:
        with pytest.raises(contextd.InvalidField) as caught:
            wrong()
        error = caught.value
        assert (error.field, error.rule) == ("recovery_point_id", "must not be empty")
        assert error.request_id == "mine"
    one: list[Callable[[], object]] = [
        lambda: c.point("p", keys="k"),
        lambda: list(c.points(keys="k")),
    ]
    for wrong in one:
        with pytest.raises(TypeError):
            wrong()
    assert server.requests == {}


def test_a_point_that_a_repeat_does_not_find_any_more_is_told(
    client: Any, server: FakeServer
) -> None:
    server.answer("CreateRecoveryPoint", pb.CreateRecoveryPointResponse(version=7, write=REPLAYED))
    with pytest.raises(contextd.RecoveryPointNotFound):
        client.context("c").checkpoint("p")


# Every write.


def writes(client: Any) -> Iterator[Callable[[], object]]:
    c = client.context("c")
    yield lambda: c.checkpoint()
    yield lambda: c.update_point("p", pinned=False)
    yield lambda: c.attach("p", {"k": b"v"})
    yield lambda: c.delete_point("p")
    yield lambda: c.prune_points(policy=RetentionPolicy(1))
    yield lambda: client.prune_points(policy=RetentionPolicy(1))
    yield lambda: c.restore()
    yield lambda: c.fork()
    yield lambda: c.merge(client.context("d"))
    yield lambda: c.set_recovery_policy(POLICY)


def test_every_write_has_a_request_id_and_is_repeated_with_it(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    for number, write in enumerate(writes(client), 1):
        server.forget()
        answer_writes(server, first=[UNAVAILABLE])
        write()
        ((first, second),) = server.requests.values()
        assert first == second
        assert first.write.request_id == f"id-{number}"
    assert set(clock.slept) == {0.05}


def test_every_write_of_an_activation_carries_session_and_fence(
    client: Any, server: FakeServer
) -> None:
    answer_sessions(server, "UpdateContext")
    answer_writes(server)
    with client.session() as session:
        held = session.activate("c", exclusive=True)
        fork = held.fork("fork")
        held.checkpoint()
        held.update_point("p", pinned=True)
        held.attach("p", {"k": b"v"})
        held.delete_point("p")
        held.prune_points(metadata={"a": "b"})
        held.restore()
        held.merge(fork)
        fork.put("k", b"v")
    for method, requests in server.requests.items():
        if "Session" in method or "Activate" in method:
            continue
        for sent in requests:
            assert sent.write.session_id == "s-1", method
            beside = method in ("ForkContext", "UpdateContext")
            assert sent.write.fence == (0 if beside else 7), method


def test_a_session_that_is_gone_is_lost(client: Any, server: FakeServer) -> None:
    answer_sessions(server)
    server.answer("CreateRecoveryPoint", Fail(grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND"))
    with client.session() as session:
        with pytest.raises(contextd.SessionLost):
            session.context("c").checkpoint()
        assert session.lost


def test_a_session_that_is_gone_is_lost_in_a_batch_too(client: Any, server: FakeServer) -> None:
    answer_sessions(server)
    gone = resources_pb2.Failure(code=5, reason="SESSION_NOT_FOUND")
    result = pb.BatchRecoveryPointsResponse.Result(failure=gone)
    server.answer("BatchRecoveryPoints", pb.BatchRecoveryPointsResponse(results=[result] * 2))
    with client.session() as session:
        batch = PointBatch()
        batch.create(session.context("c"), NewPoint())
        batch.create(client.context("c"), NewPoint())
        mine, plain = client.batch_points(batch)
        assert isinstance(mine.error, contextd.SessionLost)
        assert type(plain.error) is contextd.SessionNotFound
        assert session.lost


# Reading points, and states by them.


def test_the_newest_point_is_the_one_without_a_name(client: Any, server: FakeServer) -> None:
    server.answer("GetRecoveryPoint", pb.GetRecoveryPointResponse(recovery_point=point("p")))
    assert client.context("c").point().id == "p"
    assert server.requests["GetRecoveryPoint"][0].recovery_point_id == ""


def test_a_point_too_large_for_a_message_is_read_in_pieces(client: Any, server: FakeServer) -> None:
    answer = pb.GetRecoveryPointResponse(recovery_point=point("p", entry("a")))
    server.answer("GetRecoveryPoint", TOO_LARGE, answer)
    server.answer("ReadEntries", [part("k"), UNAVAILABLE], [part("l")])
    found = client.context("c").point(entries=True, attachments=True)
    assert (list(found.entries), list(found.attachments)) == (["k", "l"], ["a"])
    whole, rest = server.requests["GetRecoveryPoint"]
    assert (whole.with_entries, rest.with_entries, rest.with_attachments) == (True, False, True)
    for sent in server.requests["ReadEntries"]:
        assert sent.state.recovery_point_id == "p"
    assert server.requests["ReadEntries"][1].after_key == "k"


def test_attachments_too_large_for_a_message_are_told(client: Any, server: FakeServer) -> None:
    server.answer("GetRecoveryPoint", TOO_LARGE)
    with pytest.raises(contextd.ResponseTooLarge):
        client.context("c").point("p", attachments=True)
    assert len(server.requests["GetRecoveryPoint"]) == 1


def test_a_point_that_is_replaced_while_it_is_read_is_not_mixed(
    client: Any, server: FakeServer
) -> None:
    server.answer("ReadEntries", [part("k"), UNAVAILABLE], [part("l", version=9)])
    keys = client.context("c").at(point="p").keys()
    assert next(keys) == "k"
    with pytest.raises(contextd.StateNotRetained, match="replaced"):
        next(keys)


def test_points_are_listed_page_after_page(client: Any, server: FakeServer) -> None:
    def page(*ids: str, token: str = "") -> pb.ListRecoveryPointsResponse:
        rows = [
            pb.GetRecoveryPointResponse(recovery_point=point(id), entries=[entry("k")])
            for id in ids
        ]
        return pb.ListRecoveryPointsResponse(recovery_points=rows, next_page_token=token)

    server.answer("ListRecoveryPoints", page("c", "b", token="t"), page(token="u"), page("a"))
    listed = client.context("c").points(
        metadata={"x": "y"},
        before="d",
        ancestors_of="e",
        entries=True,
        attachments=True,
        keys=["k"],
        page_size=2,
    )
    found = next(listed)
    assert (found.id, list(found.entries)) == ("c", ["k"])
    assert len(server.requests["ListRecoveryPoints"]) == 1
    assert [found.id for found in listed] == ["b", "a"]
    first, *_, last = server.requests["ListRecoveryPoints"]
    assert (first.namespace, first.context_id, first.id_prefix) == ("tests", "c", "")
    assert (dict(first.metadata), first.page_size) == ({"x": "y"}, 2)
    assert (first.before_recovery_point_id, first.ancestors_of) == ("d", "e")
    assert (first.with_entries, first.with_attachments, list(first.keys)) == (True, True, ["k"])
    assert (first.page_token, last.page_token) == ("", "u")


def test_points_of_many_contexts_are_listed(client: Any, server: FakeServer) -> None:
    page = pb.ListRecoveryPointsResponse(
        recovery_points=[pb.GetRecoveryPointResponse(recovery_point=point("p"))]
    )
    server.answer("ListRecoveryPoints", page)
    listed = client.points(
        prefix="chat-", metadata={"x": "y"}, entries=True, attachments=True, keys=["k"]
    )
    assert [found.id for found in listed] == ["p"]
    (sent,) = server.requests["ListRecoveryPoints"]
    assert (sent.namespace, sent.context_id, sent.id_prefix) == ("tests", "", "chat-")
    assert (dict(sent.metadata), list(sent.keys)) == ({"x": "y"}, ["k"])
    assert (sent.with_entries, sent.with_attachments) == (True, True)


@pytest.mark.parametrize(
    ("named", "kind", "text"),
    [
        ({"version": 3}, "version", "3"),
        ({"point": "p"}, "recovery_point_id", "p"),
        ({"time": NOON}, "time", "2026-03-04 12:00:00.250000+00:00"),
    ],
)
def test_a_state_is_read_by_what_names_it(
    client: Any, server: FakeServer, named: Any, kind: str, text: str
) -> None:
    server.answer("GetContext", got(entry("k")))
    server.answer("ReadEntries", [part("k"), UNAVAILABLE], [part("l")])
    state = client.context("c").at(**named)
    assert state.get("k") == b"v"
    assert repr(state).endswith(f"ContextState 'c' namespace='tests' at={text}>")
    assert list(state.keys()) == ["k", "l"]
    first, second = (sent.state for sent in server.requests["ReadEntries"])
    assert server.requests["GetContext"][0].state == first
    assert first.WhichOneof("at") == kind
    # A point keeps its state; of what was the newest at a time, the version is known now.
    assert second.WhichOneof("at") == ("version" if kind == "time" else kind)


def test_a_large_state_of_a_point_is_read_by_the_point(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", TOO_LARGE, got(version=7))
    server.answer("ReadEntries", [part("k")])
    assert list(client.context("c").at(point="p").snapshot()) == ["k"]
    assert server.requests["ReadEntries"][0].state.recovery_point_id == "p"


# Changing points.


def test_an_update_of_a_point_sends_what_changes(client: Any, server: FakeServer) -> None:
    answer = pb.UpdateRecoveryPointResponse(recovery_point=point(pinned=True), write=WRITE)
    server.answer("UpdateRecoveryPoint", answer)
    c = client.context("c")
    made = contextd.recovery.point_of(point("p"))
    updated = c.update_point(
        made,
        metadata={"x": "y", "old": None},
        attachments={"a": "text", "gone": None},
        add_attachments={"b": b"1"},
        ttl=timedelta(minutes=1),
        pinned=True,
    )
    assert updated.pinned
    c.update_point("p", clear_expiry=True, pinned=False)
    c.update_point("p", metadata={"x": "y"})
    first, second, third = server.requests["UpdateRecoveryPoint"]
    assert (first.recovery_point_id, first.ttl.seconds) == ("p", 60)
    assert (dict(first.set_metadata), list(first.delete_metadata)) == ({"x": "y"}, ["old"])
    assert [(a.key, a.value, a.content_type) for a in first.put_attachments] == [
        ("a", b"text", TEXT)
    ]
    assert list(first.delete_attachments) == ["gone"]
    assert [a.key for a in first.add_attachments] == ["b"]
    assert [r.pin for r in (first, second, third)] == [1, 2, 0]
    assert [r.clear_expiry for r in (first, second, third)] == [False, True, False]
    assert not third.HasField("ttl")
    assert not any(r.allow_missing for r in (first, second, third))


def test_attachments_come_before_their_point(client: Any, server: FakeServer) -> None:
    server.answer("UpdateRecoveryPoint", pb.UpdateRecoveryPointResponse(write=WRITE))
    assert client.context("c").attach("p", {"a": b"1", "b": None}, add={"c": b"2"}) is None
    (sent,) = server.requests["UpdateRecoveryPoint"]
    assert sent.allow_missing
    assert [a.key for a in sent.put_attachments] == ["a"]
    assert [a.key for a in sent.add_attachments] == ["c"]
    assert list(sent.delete_attachments) == ["b"]


def test_points_are_dropped_one_by_one_or_by_a_policy(client: Any, server: FakeServer) -> None:
    server.answer("DeleteRecoveryPoint", pb.DeleteRecoveryPointResponse(write=WRITE))
    answer = pb.PruneRecoveryPointsResponse(removed_count=4, kept_count=2, write=WRITE)
    server.answer("PruneRecoveryPoints", answer)
    c = client.context("c")
    c.delete_point("p")
    assert server.requests["DeleteRecoveryPoint"][0].recovery_point_id == "p"
    policy = RetentionPolicy(keep_last=2, keep_within=timedelta(days=1))
    pruned = c.prune_points(metadata={"a": "b"}, policy=policy, dry_run=True)
    assert pruned == contextd.Pruned(4, 2, 108, False, "id-2")
    client.prune_points(prefix="chat-", policy=policy)
    one, many = server.requests["PruneRecoveryPoints"]
    assert (one.context_id, one.id_prefix, one.dry_run) == ("c", "", True)
    assert dict(one.metadata) == {"a": "b"}
    assert (many.namespace, many.context_id, many.id_prefix) == ("tests", "", "chat-")
    for sent in (one, many):
        assert (sent.policy.keep_last, sent.policy.keep_every) == (2, 0)
        assert sent.policy.keep_within.seconds == 86400
    c.prune_points(metadata={"a": "b"})
    assert not server.requests["PruneRecoveryPoints"][-1].HasField("policy")


# Restoring and forking.


def test_a_restore_names_its_state(client: Any, server: FakeServer) -> None:
    answer = pb.RestoreContextResponse(
        context=context(9), changed_entry_count=3, safety_point_id="s", write=WRITE
    )
    server.answer("RestoreContext", answer)
    c = client.context("c")
    restored = c.restore("p", safety_point=True, if_version=8)
    assert (restored.version, restored.changed_entry_count) == (9, 3)
    assert restored[2:] == ("s", 108, False, "id-1")
    c.restore(version=3)
    c.restore(time=NOON)
    c.restore(undelete=True)
    named = [sent.WhichOneof("target") for sent in server.requests["RestoreContext"]]
    assert named == ["recovery_point_id", "version", "time", None]
    first, *_, last = server.requests["RestoreContext"]
    assert (first.namespace, first.context_id, first.recovery_point_id) == ("tests", "c", "p")
    assert (first.safety_point, first.undelete) == (True, False)
    assert first.preconditions[0].context_version == 8
    assert (last.safety_point, last.undelete) == (False, True)


def test_a_fork_is_a_context_of_its_own(client: Any, server: FakeServer) -> None:
    server.answer("ForkContext", forked("made-up"))
    server.answer("UpdateContext", Fail(grpc.StatusCode.NOT_FOUND, "CONTEXT_NOT_FOUND"))
    c = client.context("c", create_if_missing=NewContext("chat"))
    fork = c.fork()
    assert (fork.id, fork.namespace) == ("made-up", "tests")
    properties = NewContext("try", "parent", {"a": "b"}, Expiry(timedelta(hours=1)))
    c.fork("f", point="p", with_history=True, with_points=True, properties=properties)
    plain, full = server.requests["ForkContext"]
    assert (plain.context_id, plain.source.context_id) == ("", "c")
    assert plain.source.WhichOneof("at") is None
    assert not plain.HasField("properties")
    assert not plain.with_history
    assert not plain.with_recovery_points
    assert (full.context_id, full.source.recovery_point_id) == ("f", "p")
    assert (full.with_history, full.with_recovery_points) == (True, True)
    assert (full.properties.type, full.properties.expiry.ttl.seconds) == ("try", 3600)
    # One that is gone does not come again, empty.
    with pytest.raises(contextd.ContextNotFound):
        fork.put("k", b"v")
    assert not server.requests["UpdateContext"][0].HasField("create_if_missing")


@pytest.mark.parametrize("write", [lambda c: c.fork(), lambda c: c.restore()])
def test_what_a_repeat_does_not_find_any_more_is_told(
    client: Any, server: FakeServer, write: Any
) -> None:
    server.answer("ForkContext", pb.ForkContextResponse(write=REPLAYED))
    server.answer("RestoreContext", pb.RestoreContextResponse(write=REPLAYED))
    with pytest.raises(contextd.ContextNotFound, match="gone again"):
        write(client.context("c"))


def test_a_context_shows_its_policy_and_where_it_came_from(client: Any, server: FakeServer) -> None:
    retention = resources_pb2.RetentionPolicy(keep_last=3, keep_every=10)
    retention.keep_within.FromTimedelta(timedelta(days=7))
    policy = resources_pb2.RecoveryPolicy(retention=retention, point_every_changes=50)
    policy.point_every.FromTimedelta(timedelta(minutes=5))
    source = resources_pb2.StateRef(namespace="tests", context_id="o", version=3)
    server.answer("GetContext", got(recovery_policy=policy, forked_from=source), got())
    info = client.context("c").info()
    assert info.recovery_policy == POLICY
    assert info.forked_from == StateRef("tests", "o", 3)
    plain = client.context("c").info()
    assert (plain.recovery_policy, plain.forked_from) == (None, None)


def test_a_policy_is_set_and_taken_back(client: Any, server: FakeServer) -> None:
    answer = context_manager_pb2.UpdateContextResponse(version=8, write=WRITE)
    server.answer("UpdateContext", answer)
    c = client.context("c")
    assert c.set_recovery_policy(POLICY).version == 8
    c.set_recovery_policy(None)
    c.update({"k": b"v"}, recovery_policy=RecoveryPolicy(point_every_changes=7))
    first, second, third = (sent.mutations for sent in server.requests["UpdateContext"])
    sent = first[0].set_recovery_policy.policy
    assert (sent.retention.keep_last, sent.retention.keep_every) == (3, 10)
    assert sent.retention.keep_within.ToTimedelta() == timedelta(days=7)
    assert (sent.point_every_changes, sent.point_every.seconds) == (50, 300)
    assert second[0].WhichOneof("kind") == "set_recovery_policy"
    assert not second[0].set_recovery_policy.HasField("policy")
    assert [step.WhichOneof("kind") for step in third] == ["put_entry", "set_recovery_policy"]
    assert not third[1].set_recovery_policy.policy.HasField("retention")


# Batches.


def test_a_batch_is_one_call_with_a_result_for_each(client: Any, server: FakeServer) -> None:
    result = pb.BatchRecoveryPointsResponse.Result
    failure = resources_pb2.Failure(
        code=6, reason="RECOVERY_POINT_EXISTS", message="there", metadata={"sequence": "3"}
    )
    response = pb.BatchRecoveryPointsResponse(
        results=[
            result(create=created("a")),
            result(
                get=pb.GetRecoveryPointResponse(recovery_point=point("b"), entries=[entry("k")])
            ),
            result(update=pb.UpdateRecoveryPointResponse(recovery_point=point("c"))),
            result(update=pb.UpdateRecoveryPointResponse(write=WRITE)),
            result(delete=pb.DeleteRecoveryPointResponse(write=WRITE)),
            result(failure=failure),
        ]
    )
    server.answer("BatchRecoveryPoints", UNAVAILABLE, response)
    c, d = client.context("c"), client.context("d", create_if_missing=NewContext("chat"))
    batch = PointBatch()
    batch.create(c, NewPoint("a", changes=Changes({"k": b"v"}), move_head=True), if_version=3)
    batch.get(c, "b", entries=True)
    batch.update(d, "c", PointUpdate(pinned=True))
    batch.update(d, "e", PointUpdate(add_attachments={"k": b"v"}, allow_missing=True))
    batch.delete(d, "f")
    batch.create(d, NewPoint("g"), request_id="mine")
    assert len(batch) == 6
    results = client.batch_points(batch)
    assert [None if r.point is None else r.point.id for r in results[:5]] == [
        "a",
        "b",
        "c",
        None,
        None,
    ]
    assert results[0].get() is results[0].point
    assert list(results[1].get().entries) == ["k"]
    assert results[4].get() is None
    with pytest.raises(contextd.RecoveryPointExists) as caught:
        results[5].get()
    assert caught.value.sequence == 3
    first, second = server.requests["BatchRecoveryPoints"]
    assert first == second
    create, get, update, attach, delete, last = first.operations
    assert (create.create.context_id, create.create.move_head) == ("c", True)
    assert create.create.mutations[0].put_entry.key == "k"
    assert create.create.preconditions[0].context_version == 3
    assert (get.get.recovery_point_id, get.get.with_entries) == ("b", True)
    assert (update.update.pin, update.update.allow_missing) == (1, False)
    assert attach.update.allow_missing
    assert delete.delete.recovery_point_id == "f"
    assert last.create.create_if_missing.type == "chat"
    ids = [r.write.request_id for r in (create.create, update.update, delete.delete, last.create)]
    assert len(set(ids)) == 4
    assert ids[3] == "mine"


def test_what_an_overloaded_server_refused_of_a_batch_is_sent_again(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    result = pb.BatchRecoveryPointsResponse.Result
    failure = resources_pb2.Failure(code=8, reason="OVERLOADED")
    failure.retry_delay.FromMilliseconds(250)
    refused = pb.BatchRecoveryPointsResponse(
        results=[result(failure=failure), result(create=created("b"))]
    )
    done = pb.BatchRecoveryPointsResponse(
        results=[result(create=created("a")), result(create=created("b"))]
    )
    server.answer("BatchRecoveryPoints", refused, done)
    batch = PointBatch()
    batch.create(client.context("c"), NewPoint("a"))
    batch.create(client.context("c"), NewPoint("b"))
    assert [found.get().id for found in client.batch_points(batch)] == ["a", "b"]
    first, second = server.requests["BatchRecoveryPoints"]
    assert first == second
    assert clock.slept == [0.375]

    server.forget()
    server.answer("BatchRecoveryPoints", refused)
    over, made = client.batch_points(batch)
    assert isinstance(over.error, contextd.Overloaded)
    assert made.get().id == "b"


def test_a_batch_is_not_sent_again_after_its_deadline(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    failure = resources_pb2.Failure(code=8, reason="OVERLOADED")
    refused = pb.BatchRecoveryPointsResponse(
        results=[pb.BatchRecoveryPointsResponse.Result(failure=failure)]
    )

    def late(_: object) -> pb.BatchRecoveryPointsResponse:
        # The wait that follows takes longer than it should: the clock does not stand still.
        clock.late = 3600.0
        return refused

    server.answer("BatchRecoveryPoints", late)
    batch = PointBatch()
    batch.delete(client.context("c"), "p")
    (over,) = client.batch_points(batch)
    assert isinstance(over.error, contextd.Overloaded)
    assert len(server.requests["BatchRecoveryPoints"]) == 1


def test_what_became_of_a_write_in_a_batch_has_its_request_id(
    client: Any, server: FakeServer
) -> None:
    result = pb.BatchRecoveryPointsResponse.Result
    gone = result(failure=resources_pb2.Failure(code=5, reason="RECOVERY_POINT_NOT_FOUND"))
    server.answer("BatchRecoveryPoints", pb.BatchRecoveryPointsResponse(results=[gone] * 4))
    context = client.context("c")
    batch = PointBatch()
    batch.create(context, NewPoint("a"), request_id="one")
    batch.update(context, "b", PointUpdate(pinned=True), request_id="two")
    batch.delete(context, "c", request_id="three")
    batch.get(context, "d")
    errors = [found.error for found in client.batch_points(batch)]
    assert [error.request_id for error in errors if error] == ["one", "two", "three", None]


def test_a_result_of_a_newer_server_is_no_success(client: Any, server: FakeServer) -> None:
    result = pb.BatchRecoveryPointsResponse.Result()
    server.answer("BatchRecoveryPoints", pb.BatchRecoveryPointsResponse(results=[result]))
    batch = PointBatch()
    batch.delete(client.context("c"), "p", request_id="mine")
    (found,) = client.batch_points(batch)
    assert isinstance(found.error, contextd.NewerServer)
    assert found.error.request_id == "mine"
