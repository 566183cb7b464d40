"""Merges, branches and what differs, as the clients ask a server that answers as told."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

import contextd
from contextd import (
    AsyncClient,
    Client,
    EntryDifference,
    LabelDifference,
    MergeConflict,
    OnConflict,
)
from contextd._calls import Settings
from contextd._differences import DiffReader, SyncReader
from contextd.v1 import recovery_pb2 as pb
from contextd.v1 import resources_pb2
from fake import UNAVAILABLE, Fail, FakeClock, FakeServer
from fake_recovery import (
    LATE,
    SLOW,
    answer_writes,
    context,
    entry,
    got,
    merged,
)
from fake_sessions import answer_sessions

# Merging.


def test_a_merge_names_both_sides(client: Any, server: FakeServer) -> None:
    server.answer("MergeContext", merged(changed_entry_count=2, safety_point_id="s"))
    c, other = client.context("c"), client.context("other")
    done = c.merge(
        other.at(point="p"),
        ancestor=c.at(3),
        on_conflict=OnConflict.SOURCE,
        on_conflict_by_key={"k": OnConflict.TARGET, "l": OnConflict.RAISE},
        safety_point=True,
        if_version=7,
    )
    assert done == contextd.Merged(True, 8, 2, (), 0, "s", 108, False, "id-1")
    (sent,) = server.requests["MergeContext"]
    assert (sent.namespace, sent.target_context_id) == ("tests", "c")
    assert (sent.source.context_id, sent.source.recovery_point_id) == ("other", "p")
    assert (sent.ancestor.context_id, sent.ancestor.version) == ("c", 3)
    assert sent.on_conflict == pb.MergeContextRequest.ON_CONFLICT_SOURCE
    assert dict(sent.on_conflict_by_key) == {"k": 1, "l": 0}
    assert (sent.dry_run, sent.safety_point) == (False, True)
    assert sent.preconditions[0].context_version == 7
    c.merge(other)
    plain = server.requests["MergeContext"][1]
    assert not plain.HasField("ancestor")
    assert plain.on_conflict == pb.MergeContextRequest.ON_CONFLICT_UNSPECIFIED


CONFLICTED = merged(
    applied=False,
    conflicts=[
        pb.MergeConflict(
            key="k",
            ancestor=entry("k", b"a", 1),
            target=entry("k", b"t", 7),
            source=entry("k", b"s", 9, "x"),
        ),
        pb.MergeConflict(key="user", in_metadata=True, source=entry("user", b"mia")),
    ],
    conflict_count=1200,
)


def test_a_merge_with_conflicts_raises_and_shows_them(client: Any, server: FakeServer) -> None:
    server.answer("MergeContext", CONFLICTED)
    with pytest.raises(contextd.MergeConflicts) as caught:
        client.context("c").merge(client.context("d"))
    error = caught.value
    assert error.conflicts == (
        MergeConflict(
            "k",
            False,
            contextd.Entry("k", b"a", "", 1),
            contextd.Entry("k", b"t", "", 7),
            contextd.Entry("k", b"s", "x", 9),
        ),
        MergeConflict("user", True, None, None, contextd.Entry("user", b"mia", "", 0)),
    )
    assert (error.conflict_count, error.request_id) == (1200, "id-1")


def test_a_dry_run_tells_the_conflicts(client: Any, server: FakeServer) -> None:
    server.answer("MergeContext", CONFLICTED)
    told = client.context("c").merge(client.context("d"), dry_run=True)
    assert (told.applied, told.conflict_count, len(told.conflicts)) == (False, 1200, 2)
    assert server.requests["MergeContext"][0].dry_run


def test_a_merge_that_was_not_made_for_nothing_that_is_known_is_a_newer_server(
    client: Any, server: FakeServer
) -> None:
    server.answer("MergeContext", merged(applied=False))
    with pytest.raises(contextd.NewerServer) as caught:
        client.context("c").merge(client.context("d"))
    assert caught.value.request_id == "id-1"


# Branches.


def test_a_branch_is_forked_merged_and_deleted(client: Any, server: FakeServer) -> None:
    answer_writes(server)
    with client.context("c").branch(point="p", with_history=True, with_points=True) as branch:
        branch.put("k", b"v")
        branch.merge(on_conflict=OnConflict.TARGET)
        assert server.requests["DeleteContext"] == []
    (fork,) = server.requests["ForkContext"]
    assert fork.context_id == branch.id == "branch-id-1"
    assert (fork.source.context_id, fork.source.recovery_point_id) == ("c", "p")
    assert (fork.with_history, fork.with_recovery_points) == (True, True)
    (merge,) = server.requests["MergeContext"]
    assert (merge.target_context_id, merge.source.context_id) == ("c", branch.id)
    assert merge.source.WhichOneof("at") is None
    assert merge.on_conflict == pb.MergeContextRequest.ON_CONFLICT_TARGET
    (delete,) = server.requests["DeleteContext"]
    assert (delete.context_id, delete.recursive) == (branch.id, True)
    assert (delete.allow_missing, delete.purge) == (True, False)
    assert [sent.context_id for sent in server.requests["UpdateContext"]] == [branch.id]


def test_a_branch_that_is_not_merged_is_deleted_too(client: Any, server: FakeServer) -> None:
    answer_writes(server)
    with client.context("c").branch("mine"):
        pass
    assert server.requests["MergeContext"] == []
    assert server.requests["DeleteContext"][0].context_id == "mine"


def test_conflicts_of_a_branch_come_out_of_its_block(client: Any, server: FakeServer) -> None:
    answer_writes(server, "MergeContext")
    server.answer("MergeContext", CONFLICTED)
    with pytest.raises(contextd.MergeConflicts), client.context("c").branch() as branch:
        branch.merge()
    assert len(server.requests["DeleteContext"]) == 1


def test_another_context_is_merged_into_a_branch(client: Any, server: FakeServer) -> None:
    answer_writes(server)
    with client.context("c").branch("b") as branch:
        branch.merge(client.context("d"))
    (sent,) = server.requests["MergeContext"]
    assert (sent.target_context_id, sent.source.context_id) == ("b", "d")


def test_a_branch_may_end_by_itself(client: Any, server: FakeServer) -> None:
    answer_writes(server)
    server.answer("GetContext", got(type="chat", parent_id="p"))
    with client.context("c").branch(ttl=60):
        (sent,) = server.requests["ForkContext"]
        assert sent.context_id == "branch-id-1"
        assert sent.properties.expiry.ttl.seconds == 60
        # What a fork takes from its source where nothing is said.
        assert (sent.properties.type, sent.properties.parent_id) == ("chat", "p")
        assert not sent.properties.HasField("recovery_policy")
    assert server.requests["UpdateContext"] == []


def test_a_branch_whose_answer_is_lost_is_deleted(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    answer_writes(server, "ForkContext")
    server.answer("ForkContext", UNAVAILABLE)
    with pytest.raises(contextd.Unavailable), client.context("c").branch():
        raise AssertionError("not reached")
    assert clock.slept
    (delete,) = server.requests["DeleteContext"]
    assert delete.context_id == server.requests["ForkContext"][0].context_id


def test_a_lost_answer_deletes_no_context_that_the_caller_named(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    answer_writes(server, "ForkContext")
    server.answer("ForkContext", UNAVAILABLE)
    with pytest.raises(contextd.Unavailable), client.context("c").branch("mine"):
        raise AssertionError("not reached")
    assert clock.slept
    assert server.requests["DeleteContext"] == []


def test_a_branch_that_cannot_begin_leaves_nothing(client: Any, server: FakeServer) -> None:
    server.answer("ForkContext", Fail(grpc.StatusCode.ALREADY_EXISTS, "CONTEXT_EXISTS"))
    with pytest.raises(contextd.ContextExists), client.context("c").branch("taken"):
        raise AssertionError("not reached")
    # It is somebody else's.
    assert server.requests["DeleteContext"] == []


def test_the_end_of_a_branch_hides_no_error_of_the_program(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    answer_writes(server, "DeleteContext")
    server.answer("DeleteContext", UNAVAILABLE)
    with pytest.raises(RuntimeError, match="mine"), client.context("c").branch():
        raise RuntimeError("mine")
    assert sum(clock.slept) < 2.0
    with pytest.raises(contextd.Unavailable), client.context("c").branch():
        pass


def test_a_branch_is_deleted_also_without_its_session(client: Any, server: FakeServer) -> None:
    answer_sessions(server, "UpdateContext", "DeleteContext")
    answer_writes(server)
    with client.session() as session:
        held = session.activate("c", exclusive=True)
        with held.branch() as branch:
            branch.put("k", b"v")
            branch.merge()
        branch = held.branch()
        branch.__enter__()
    branch.__exit__(None, None, None)
    first, second = server.requests["DeleteContext"]
    assert (first.write.session_id, first.write.fence) == ("s-1", 0)
    assert second.write.session_id == ""
    assert server.requests["UpdateContext"][0].write.session_id == "s-1"
    assert server.requests["MergeContext"][0].write.fence == 7


def test_a_branch_is_a_context(server: FakeServer) -> None:
    answer_writes(server)
    with Client(server.address) as client:
        origin = client.context("c")
        with origin.branch("b") as branch:
            assert isinstance(branch, contextd.Context)
            assert branch.origin is origin
            branch["k"] = "v"

    async def use() -> None:
        async with AsyncClient(server.address) as client:
            origin = client.context("c")
            async with origin.branch("b") as branch:
                assert isinstance(branch, contextd.AsyncContext)
                assert branch.origin is origin
                await branch.put("k", "v")

    asyncio.run(use())


# Differences.


def difference(key: str, before: bytes = b"", after: bytes = b"") -> pb.EntryDiff:
    return pb.EntryDiff(
        key=key,
        before=entry(key, before, 1) if before else None,
        after=entry(key, after, 2) if after else None,
    )


def test_a_diff_says_what_differs(client: Any, server: FakeServer) -> None:
    label = pb.MetadataDiff
    response = pb.DiffStatesResponse(
        entries=[difference("a", b"", b"1"), difference("b", b"1"), difference("é", b"1", b"2")],
        metadata=[
            label(key="new", after=label.Label(value="x")),
            label(key="old", before=label.Label(value="")),
        ],
    )
    server.answer("DiffStates", [response])
    c = client.context("c")
    found = list(c.at(5).diff(c.at(point="p"), prefix="m/", without_values=True))
    one, two = contextd.Entry("é", b"1", "", 1), contextd.Entry("é", b"2", "", 2)
    assert found[:2] == [LabelDifference("new", None, "x"), LabelDifference("old", "", None)]
    assert found[4:] == [EntryDifference("é", one, two)]
    assert [(d.key, d.before is None, d.after is None) for d in found[2:4]] == [
        ("a", True, False),
        ("b", False, True),
    ]
    (sent,) = server.requests["DiffStates"]
    assert (sent.before.recovery_point_id, sent.after.version) == ("p", 5)
    assert (sent.key_prefix, sent.without_values) == ("m/", True)
    # States that cannot change are named as they are.
    assert server.requests["GetContext"] == []


def test_a_diff_that_breaks_goes_on_with_the_same_states(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    server.answer("GetContext", got(version=4), got(version=9))

    def told(*keys: str) -> pb.DiffStatesResponse:
        return pb.DiffStatesResponse(entries=[difference(key, b"1") for key in keys])

    labels = pb.DiffStatesResponse(
        metadata=[pb.MetadataDiff(key=key, after=pb.MetadataDiff.Label()) for key in ("k", "l")]
    )
    server.answer(
        "DiffStates",
        [UNAVAILABLE],
        [told("a", "b"), SLOW],
        [told("a"), UNAVAILABLE],
        [told("a", "b", "é"), labels, LATE],
        [told("a", "b"), told("é"), labels],
    )
    c, d = client.context("c"), client.context("d")
    assert [found.key for found in d.diff(c)] == ["a", "b", "é", "k", "l"]
    sent = server.requests["DiffStates"]
    assert len(sent) == 5
    for request in sent:
        assert (request.before.context_id, request.before.version) == ("c", 4)
        assert (request.after.context_id, request.after.version) == ("d", 9)
    # Where something new came, a stream that was slow is begun anew at once.
    assert clock.slept == [0.05, 0.0, 0.05, 0.0]


def test_a_diff_ends_when_nothing_new_comes(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    told = pb.DiffStatesResponse(entries=[difference("a", b"1")])
    server.answer("DiffStates", [told, UNAVAILABLE])
    with pytest.raises(contextd.Unavailable):
        list(client.context("c", timeout=2.0).at(5).diff(client.context("c").at(3)))
    assert 1.0 < sum(clock.slept) < 4.0


def test_each_stream_of_a_diff_has_more_time(clock: FakeClock) -> None:
    settings = Settings("tests", 2.0, contextd.RetryPolicy(), clock)
    state = resources_pb2.StateRef(context_id="c")
    reader = DiffReader(settings, pb.DiffStatesRequest(before=state, after=state))
    for streams in (1, 2, 3):
        reader.request()
        assert reader.timeout == streams * 2.0
        reader.accept(pb.DiffStatesResponse(entries=[difference(str(streams), b"1")]))
        # What was given is skipped: it takes as long again to come to it.
        assert reader.delay_after(contextd.DeadlineExceeded("late")) == 0.0


def test_a_difference_told_as_two_comes_whole_after_a_break(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    gone = pb.DiffStatesResponse(entries=[difference("a", b"1")])
    back = pb.DiffStatesResponse(entries=[difference("a", b"", b"2")])
    server.answer("DiffStates", [gone, UNAVAILABLE], [gone, back])
    found = list(client.context("c").at(5).diff(client.context("c").at(3)))
    assert [(each.before is None, each.after is None) for each in found] == [
        (False, True),
        (True, False),
    ]
    assert clock.slept


NEITHER_SIDE = [
    pb.DiffStatesResponse(entries=[pb.EntryDiff(key="k")]),
    pb.DiffStatesResponse(metadata=[pb.MetadataDiff(key="k")]),
]


@pytest.mark.parametrize("told", NEITHER_SIDE)
def test_a_difference_without_sides_is_a_newer_server(
    client: Any, server: FakeServer, told: pb.DiffStatesResponse
) -> None:
    server.answer("DiffStates", [told])
    with pytest.raises(contextd.NewerServer, match="'k'"):
        list(client.context("c").at(5).diff(client.context("c").at(3)))


# Synchronising.


def test_a_sync_in_which_data_flow_goes_on_with_more_time(clock: FakeClock) -> None:
    settings = Settings("tests", 2.0, contextd.RetryPolicy(), clock)
    reader = SyncReader(settings, pb.SyncContextRequest(context_id="c", have_version=3))
    for streams in (1, 2, 3):
        reader.request()
        assert reader.timeout == streams * 2.0
        told = [difference(str(i), b"1") for i in range(streams)]
        reader.accept(pb.SyncContextResponse(from_version=3, entries=told))
        assert reader.delay_after(contextd.DeadlineExceeded("late")) == 0.0


def test_a_sync_that_brings_no_more_than_before_ends(clock: FakeClock) -> None:
    settings = Settings("tests", 2.0, contextd.RetryPolicy(), clock)
    reader = SyncReader(settings, pb.SyncContextRequest(context_id="c", have_version=3))
    told = pb.SyncContextResponse(from_version=3, entries=[difference("a", b"1")])
    reader.request()
    reader.accept(told)
    assert reader.delay_after(contextd.DeadlineExceeded("late")) == 0.0
    reader.request()
    reader.accept(told)
    clock.sleep(2.0)
    with pytest.raises(contextd.DeadlineExceeded):
        reader.delay_after(contextd.DeadlineExceeded("late"))


def test_a_sync_leads_to_the_newest_version(client: Any, server: FakeServer) -> None:
    first = pb.SyncContextResponse(
        from_version=3, to_version=9, entries=[difference("a", b"", b"1"), difference("b", b"1")]
    )
    last = pb.SyncContextResponse(
        from_version=3, to_version=9, entries=[difference("c", b"1", b"2")], context=context(9)
    )
    server.answer("SyncContext", [first, UNAVAILABLE], [first, last])
    synced = client.context("c").sync(3)
    assert (synced.from_version, synced.version, synced.full) == (3, 9, False)
    assert [found.key for found in synced.differences] == ["a", "b", "c"]
    entries = {key: contextd.Entry(key, b"1", "", 1) for key in ("b", "c", "d")}
    synced.apply(entries)
    assert {key: found.value for key, found in entries.items()} == {
        "a": b"1",
        "c": b"2",
        "d": b"1",
    }
    assert [sent.have_version for sent in server.requests["SyncContext"]] == [3, 3]


def test_a_sync_whose_end_has_come_needs_no_further_stream(client: Any, server: FakeServer) -> None:
    last = pb.SyncContextResponse(from_version=3, to_version=9, context=context(9))
    server.answer("SyncContext", [last, UNAVAILABLE])
    assert client.context("c").sync(3).version == 9
    assert len(server.requests["SyncContext"]) == 1


@pytest.mark.parametrize("have", [0, 3])
def test_a_sync_from_nothing_forgets_what_was(client: Any, server: FakeServer, have: int) -> None:
    last = pb.SyncContextResponse(
        from_version=0,
        to_version=9,
        full=have > 0,
        entries=[difference("a", b"", b"1")],
        context=context(9),
    )
    server.answer("SyncContext", [last])
    synced = client.context("c").sync(have)
    assert (synced.full, synced.from_version) == (True, 0)
    entries = {"old": contextd.Entry("old", b"1", "", 1)}
    synced.apply(entries)
    assert list(entries) == ["a"]


def test_a_sync_with_a_difference_without_sides_is_a_newer_server(
    client: Any, server: FakeServer
) -> None:
    told = pb.SyncContextResponse(entries=[pb.EntryDiff(key="k")], context=context(9))
    server.answer("SyncContext", [told])
    with pytest.raises(contextd.NewerServer):
        client.context("c").sync()


def test_a_sync_without_an_end_is_none(client: Any, server: FakeServer) -> None:
    server.answer("SyncContext", [pb.SyncContextResponse(to_version=9)])
    with pytest.raises(contextd.ContextdError, match="did not say"):
        client.context("c").sync()
