"""Recovery points, forks, merges and earlier states on a real server."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import contextd
from contextd import (
    Activity,
    Changes,
    Client,
    Draft,
    Entry,
    EntryDifference,
    Event,
    EventType,
    LabelDifference,
    NewContext,
    NewPoint,
    OnConflict,
    PointBatch,
    PointOrigin,
    PointUpdate,
    RecoveryPolicy,
    RetentionPolicy,
    View,
)
from contextd_process import ContextdProcess
from fake import PATIENCE_SECONDS

WORKERS = 8
ROUNDS = 10


def ids(points: Any) -> list[str]:
    return [point.id for point in points]


def values(state: Any) -> dict[str, bytes]:
    return dict(state.items())


def eventually(check: Any) -> None:
    """Returns once it holds: for what the server does in its own time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# Points.


def test_a_point_keeps_a_state_with_what_lies_beside_it(client: Any, namespace: str) -> None:
    context = client.create("c", puts={"k": b"1", "l": "Zoë"})
    made = context.checkpoint(
        "p", metadata={"by": "mia"}, attachments={"a": "Grüße", "b": b"\x00"}, pinned=True
    )
    assert (made.namespace, made.context_id, made.id) == (namespace, "c", "p")
    assert (made.parent_id, made.sequence, made.version) == ("", 1, 1)
    assert (made.pinned, made.origin, made.metadata) == (True, PointOrigin.CLIENT, {"by": "mia"})
    assert (made.entry_count, made.expire_time) == (2, None)
    assert made.size_bytes > 0
    assert made.create_time is not None
    assert made.attachments == {}
    context.update({"k": b"2"}, deletes=["l"], metadata={"user": "mia"})

    assert context.point("p") == made
    whole = context.point(made, entries=True, attachments=True)
    assert {key: found.value for key, found in whole.entries.items()} == {
        "k": b"1",
        "l": "Zoë".encode(),
    }
    assert whole.attachments["a"].text == "Grüße"
    assert whole.attachments["b"].value == b"\x00"
    some = context.point("p", entries=True, attachments=True, keys=["k", "b", "none"])
    assert (list(some.entries), list(some.attachments)) == (["k"], ["b"])

    state = context.at(point="p")
    assert values(state) == {"k": b"1", "l": "Zoë".encode()}
    assert (state.version(), state.metadata()) == (1, {})
    assert context.snapshot().metadata == {"user": "mia"}


def test_points_form_a_tree_and_are_listed(client: Any) -> None:
    context = client.create("c", puts={"k": b"1"})
    for n in range(1, 6):
        context.checkpoint(f"p{n}", metadata={"even": str(n % 2 == 0)})
        context.put("k", str(n))
    side = context.checkpoint("side", from_point="p2", changes=Changes({"k": b"side"}))
    assert (side.parent_id, side.sequence) == ("p2", 6)
    assert ids(context.points(page_size=2)) == ["side", "p5", "p4", "p3", "p2", "p1"]
    assert ids(context.points(metadata={"even": "True"})) == ["p4", "p2"]
    assert ids(context.points(before="p3")) == ["p2", "p1"]
    assert ids(context.points(ancestors_of=side)) == ["p2", "p1"]
    full = list(context.points(entries=True, attachments=True, keys=["k"]))
    assert full[0].entries["k"].value == b"side"
    assert context.point().id == "side"

    client.create("d").checkpoint("q")
    client.create("other").checkpoint("r")
    assert set(ids(client.points())) == {"side", "p5", "p4", "p3", "p2", "p1", "q", "r"}
    assert ids(client.points(prefix="d")) == ["q"]
    assert [found.context_id for found in client.points(metadata={"even": "True"})] == ["c", "c"]

    context.delete_point("p2")
    assert context.point("side").parent_id == "p1"
    assert ids(context.points(ancestors_of="side")) == ["p1"]


def test_changes_of_a_point_leave_the_context_as_it_is(client: Any) -> None:
    context = client.create("c", puts={"k": b"1", "old": b"1"})
    made = context.checkpoint(
        "p", changes=Changes({"k": b"2"}, deletes=["old"], appends={"log": b"x"})
    )
    assert made.version > 1
    assert values(context) == {"k": b"1", "old": b"1"}
    assert values(context.at(point=made)) == {"k": b"2", "log": b"x"}
    assert context.version() == 1
    # A version stands for one state only.
    assert context.put("k", b"3").version > made.version


def test_a_point_may_move_the_context(client: Any) -> None:
    context = client.context("c", create_if_missing=NewContext("chat"))
    first = context.checkpoint("p", changes=Changes({"k": b"1"}), move_head=True)
    assert values(context) == {"k": b"1"}
    assert context.version() == first.version
    context.put("k", b"2")

    def change(draft: Draft) -> None:
        draft["k"] = draft["k"] + b"!"
        draft.metadata["user"] = "mia"

    second = context.checkpoint("q", from_point=first, changes=change, move_head=True)
    assert values(context) == {"k": b"1!"}
    assert context.snapshot().metadata == {"user": "mia"}
    assert second.parent_id == "p"
    third = context.checkpoint("r", changes=change, move_head=True)
    assert values(context) == {"k": b"1!!"}
    assert (third.parent_id, third.version) == ("q", context.version())


def test_drafts_of_many_lose_nothing(process: ContextdProcess, namespace: str) -> None:
    def count(draft: Draft) -> None:
        draft["count"] = str(int(draft["count"]) + 1)

    def work(client: Client) -> None:
        for _ in range(ROUNDS):
            client.context("c").checkpoint(changes=count, move_head=True)

    retry = contextd.RetryPolicy(attempts=1000)
    with Client(process.address, namespace=namespace, timeout=60, retry=retry) as client:
        context = client.create("c", puts={"count": b"0"})
        threads = [threading.Thread(target=work, args=[client]) for _ in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert context.get("count") == str(WORKERS * ROUNDS).encode()
        assert len(list(context.points())) == WORKERS * ROUNDS


def test_a_point_is_replaced_only_when_asked_and_not_pinned(client: Any) -> None:
    context = client.create("c", puts={"k": b"1"})
    first = context.checkpoint("p", attachments={"a": b"1", "b": b"1"})
    context.checkpoint("q")
    context.put("k", b"2")
    with pytest.raises(contextd.RecoveryPointExists) as caught:
        context.checkpoint("p")
    assert caught.value.sequence == first.sequence
    again = context.checkpoint("p", replace=True, attachments={"b": b"2"}, pinned=True)
    assert (again.sequence, again.version) == (first.sequence, 2)
    beside = context.point("p", attachments=True).attachments
    assert {key: found.value for key, found in beside.items()} == {"a": b"1", "b": b"2"}
    with pytest.raises(contextd.RecoveryPointPinned):
        context.checkpoint("p", replace=True)


def test_a_checkpoint_is_made_once(client: Any) -> None:
    context = client.create("c")
    first = context.checkpoint(request_id="once")
    again = context.checkpoint(request_id="once")
    assert first == again
    assert ids(context.points()) == [first.id]
    with pytest.raises(contextd.VersionConflict):
        context.checkpoint(if_version=7)
    with pytest.raises(contextd.EntryConflict):
        context.checkpoint(if_entries={"k": 7})


def test_what_lies_beside_a_state_changes(client: Any) -> None:
    context = client.create("c")
    context.attach("p", {"early": b"1"}, add={"writes/1": b"1"})
    context.attach("p", add={"writes/1": b"late", "writes/2": b"2"})
    with pytest.raises(contextd.RecoveryPointNotFound):
        context.point("p")
    context.checkpoint("p", metadata={"a": "1", "b": "1"}, attachments={"own": b"1"}, ttl=60)
    beside = context.point("p", attachments=True).attachments
    assert {key: found.value for key, found in beside.items()} == {
        "early": b"1",
        "own": b"1",
        "writes/1": b"1",
        "writes/2": b"2",
    }
    updated = context.update_point(
        "p",
        metadata={"a": None, "c": "2"},
        attachments={"own": "text", "early": None},
        clear_expiry=True,
        pinned=True,
    )
    assert (updated.metadata, updated.pinned) == ({"b": "1", "c": "2"}, True)
    assert updated.expire_time is None
    found = context.point("p", attachments=True)
    assert list(found.attachments) == ["own", "writes/1", "writes/2"]
    assert found.attachments["own"].text == "text"
    later = context.update_point("p", ttl=timedelta(hours=1), pinned=False)
    assert not later.pinned
    assert later.expire_time > datetime.now(timezone.utc) + timedelta(minutes=59)
    context.delete_point("p")
    with pytest.raises(contextd.RecoveryPointNotFound):
        context.update_point("p", pinned=True)


def test_a_point_expires(client: Any) -> None:
    context = client.create("c")
    context.checkpoint("p", ttl=0.1)
    context.checkpoint("q")
    eventually(lambda: ids(context.points()) == ["q"])


def test_what_is_missing_is_told(client: Any) -> None:
    context = client.create("c", puts={"k": b"1"})
    for read in (context.point, context.restore):
        with pytest.raises(contextd.NoRecoveryPoints):
            read()
    context.checkpoint("p")
    context.checkpoint("q")
    for call in (
        lambda: context.point("none"),
        lambda: context.delete_point("none"),
        lambda: context.restore("none"),
        lambda: context.fork(point="none"),
        lambda: context.at(point="none").get("k"),
        lambda: list(context.at(point="none").entries()),
        lambda: context.checkpoint(from_point="none"),
        lambda: list(context.points(before="none")),
    ):
        with pytest.raises(contextd.RecoveryPointNotFound) as caught:
            call()
        assert caught.value.oldest_id == "p"
    missing = client.context("none")
    for call in (missing.point, missing.checkpoint, missing.restore, missing.fork, missing.sync):
        with pytest.raises(contextd.ContextNotFound):
            call()


# Policies.


def test_a_policy_makes_points_and_drops_them(client: Any) -> None:
    policy = RecoveryPolicy(RetentionPolicy(keep_last=2), point_every_changes=2)
    context = client.create("c", NewContext("chat", recovery_policy=policy))
    assert context.info().recovery_policy == policy
    context.checkpoint("pinned", pinned=True)
    for n in range(10):
        context.put("k", str(n))

    def kept() -> bool:
        made = list(context.points())
        return (
            len(made) == 3
            and made[2].id == "pinned"
            and {found.origin for found in made[:2]} == {PointOrigin.POLICY}
        )

    eventually(kept)
    context.set_recovery_policy(None)
    assert context.info().recovery_policy is None
    other = RecoveryPolicy(RetentionPolicy(1, 10, timedelta(days=7)), 0, timedelta(hours=1))
    context.update({"k": b"v"}, recovery_policy=other)
    assert context.info().recovery_policy == other


def test_points_are_pruned(client: Any) -> None:
    one, two = client.create("a-1"), client.create("a-2")
    for context in (one, two):
        for n in range(5):
            context.checkpoint(f"p{n}", metadata={"n": str(n)}, pinned=n == 0)
    policy = RetentionPolicy(keep_last=2)
    dry = one.prune_points(policy=policy, dry_run=True)
    assert (dry.removed_count, dry.kept_count) == (2, 3)
    assert len(list(one.points())) == 5
    done = one.prune_points(policy=policy)
    assert (done.removed_count, done.kept_count) == (2, 3)
    assert ids(one.points()) == ["p4", "p3", "p0"]
    many = client.prune_points(prefix="a-", metadata={"n": "3"})
    assert many.removed_count == 2
    assert ids(two.points()) == ["p4", "p2", "p1", "p0"]
    with pytest.raises(contextd.InvalidField):
        client.prune_points()


# Restoring.


def test_a_restore_loses_nothing_between(client: Any) -> None:
    context = client.create("c", puts={"k": b"1", "same": b"1"})
    context.checkpoint("p")
    context.update({"k": b"2", "new": b"2"}, metadata={"user": "mia"})
    restored = context.restore("p", safety_point=True)
    assert (restored.version, restored.changed_entry_count) == (3, 2)
    assert restored.info == context.info()
    assert values(context) == {"k": b"1", "same": b"1"}
    assert context.metadata() == {}
    assert context.get_entry("k").version == 1
    assert values(context.at(2)) == {"k": b"2", "new": b"2", "same": b"1"}
    safety = context.point(restored.safety_point_id)
    assert (safety.origin, safety.version) == (PointOrigin.SAFETY, 2)

    assert context.restore(version=2).version == 4
    assert context.metadata() == {"user": "mia"}
    assert context.restore("p", request_id="once").version == 5
    assert context.restore("p", request_id="once").replayed
    assert context.version() == 5
    with pytest.raises(contextd.VersionConflict):
        context.restore("p", if_version=3)
    with pytest.raises(contextd.StateNotRetained):
        context.restore(version=99)


def test_a_context_goes_back_to_a_time(client: Any) -> None:
    context = client.create("c", puts={"k": b"1"})
    then = context.info().update_time
    while context.info().update_time == then:
        context.put("k", b"2")
    assert context.at(time=then).get("k") == b"1"
    assert [found.value for found in context.at(time=then).entries()] == [b"1"]
    context.restore(time=then)
    assert context.get("k") == b"1"
    with pytest.raises(contextd.StateNotRetained):
        context.restore(time=then - timedelta(hours=1))


def test_a_deleted_context_is_brought_back(client: Any) -> None:
    context = client.create("c", puts={"k": b"1"})
    context.record(Activity("message", "Hello!"))
    context.checkpoint("p")
    context.put("k", b"2")
    context.delete()
    assert [info.id for info in client.contexts(deleted=True)] == ["c"]
    assert ids(context.points()) == ["p"]
    assert context.point("p", entries=True).entries["k"].value == b"1"
    with pytest.raises(contextd.ContextNotFound):
        context.restore()
    restored = context.restore(undelete=True)
    assert restored.version > 2
    assert values(context) == {"k": b"2"}
    assert [activity.text for activity in context.history()] == ["Hello!"]
    context.restore("p")
    assert values(context) == {"k": b"1"}
    with pytest.raises(contextd.ContextExists):
        context.restore(undelete=True)


# Forks and branches.


def test_a_fork_goes_its_own_way(client: Any) -> None:
    policy = RecoveryPolicy(RetentionPolicy(keep_last=7))
    new = NewContext("chat", metadata={"user": "mia"}, recovery_policy=policy)
    context = client.create("c", new, {"k": b"1"})
    context.record(Activity("message", "Hello!"))
    point = context.checkpoint("p")
    context.put("k", b"2")
    fork = context.fork("f", point=point, with_history=True, with_points=True)
    info = fork.info()
    assert (info.id, info.type, info.metadata) == ("f", "chat", {"user": "mia"})
    assert info.recovery_policy == policy
    assert info.forked_from is not None
    assert (info.forked_from.context_id, info.forked_from.version) == ("c", 1)
    assert info.version == 2
    assert ids(fork.points()) == ["p"]
    assert [activity.text for activity in fork.history()] == ["Hello!"]
    fork.put("k", b"fork")
    assert (context.get("k"), fork.get("k")) == (b"2", b"fork")

    plain = context.fork(version=1, properties=NewContext("try", metadata={"a": "b"}))
    info = plain.info()
    assert (info.type, info.metadata) == ("try", {"a": "b", "user": "mia"})
    assert info.recovery_policy is None
    assert list(plain.history()) == []
    assert list(plain.points()) == []
    with pytest.raises(contextd.ContextExists):
        context.fork("f")
    assert context.fork("once", request_id="once").id == "once"
    assert context.fork("once", request_id="once").id == "once"


def test_a_branch_lives_as_long_as_its_block(client: Any) -> None:
    context = client.create("c", puts={"k": b"1", "other": b"1"})
    with context.branch() as branch:
        assert values(branch) == {"k": b"1", "other": b"1"}
        branch.put("k", b"branch")
        context.put("other", b"2")
        assert context.get("k") == b"1"
        done = branch.merge()
        assert (done.applied, done.changed_entry_count) == (True, 1)
        branch.put("later", b"1")
        assert branch.merge().changed_entry_count == 1
        branch.put("lost", b"1")
        client.create("below", NewContext(parent_id=branch.id))
    assert values(context) == {"k": b"branch", "later": b"1", "other": b"2"}
    assert [info.id for info in client.contexts()] == ["c"]

    def fail() -> None:
        with context.branch("named") as named:
            named.put("k", b"2")
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        fail()
    assert [info.id for info in client.contexts()] == ["c"]
    with context.branch(ttl=0.1) as branch:
        eventually(lambda: [info.id for info in client.contexts()] == ["c"])


def test_a_branch_of_an_activation_merges_under_its_fence(client: Any) -> None:
    client.create("c", puts={"k": b"1"})
    with client.session() as one, client.session() as two:
        held = one.activate("c", exclusive=True, guard=True)
        with held.branch() as branch:
            branch.put("k", b"2")
            branch.merge(safety_point=True)
        assert held.get("k") == b"2"
        assert held.point().origin is PointOrigin.SAFETY
        with held.branch() as branch:
            branch.put("k", b"3")
            taken = two.activate("c", exclusive=True, takeover=True)
            writes = [
                branch.merge,
                held.checkpoint,
                held.restore,
                lambda: held.prune_points(policy=RetentionPolicy(keep_last=1)),
            ]
            for write in writes:
                with pytest.raises(contextd.StaleFence):
                    write()
        assert taken.get("k") == b"2"
    assert [info.id for info in client.contexts()] == ["c"]


# Merges.


def test_a_merge_that_was_not_applied_is_told(client: Any) -> None:
    new = NewContext(metadata={"user": "mia"})
    context = client.create("c", new, {"k": b"1", "t": b"1", "s": b"1", "gone": b"1"})
    fork = context.fork("f")
    context.update({"k": b"target", "t": b"2"}, metadata={"user": "zoe"})
    fork.update({"k": b"source", "s": b"2"}, deletes=["gone"], metadata={"user": "ida"})
    before = context.info()
    with pytest.raises(contextd.MergeConflicts) as caught:
        context.merge(fork)
    entry: Any
    label: Any
    entry, label = sorted(caught.value.conflicts, key=lambda found: found.in_metadata)
    assert caught.value.conflict_count == 2
    assert (entry.key, entry.ancestor.value) == ("k", b"1")
    assert (entry.target.value, entry.source.value) == (b"target", b"source")
    assert (label.key, label.in_metadata) == ("user", True)
    assert (label.ancestor.text, label.target.text, label.source.text) == ("mia", "zoe", "ida")
    assert context.info() == before

    told = context.merge(fork, on_conflict=OnConflict.SOURCE, dry_run=True)
    assert told.conflict_count == 0
    assert context.info() == before
    rules = {"k": OnConflict.TARGET}
    done = context.merge(
        fork, on_conflict=OnConflict.SOURCE, on_conflict_by_key=rules, safety_point=True
    )
    assert (done.applied, done.changed_entry_count) == (True, 2)
    assert values(context) == {"k": b"target", "s": b"2", "t": b"2"}
    assert context.metadata() == {"user": "ida"}
    assert context.point(done.safety_point_id).version == before.version
    assert context.merge(fork).revision == 0

    stranger = client.create("x", puts={"new": b"1"})
    with pytest.raises(contextd.NoCommonAncestor):
        context.merge(stranger)
    with pytest.raises(contextd.VersionConflict):
        context.merge(fork, if_version=1)


def test_states_are_merged_with_an_ancestor_that_is_named(client: Any) -> None:
    one = client.create("one", puts={"k": b"1"})
    two = client.create("two", puts={"k": b"1"})
    two.checkpoint("p", changes=Changes({"new": b"1"}))
    done = one.merge(two.at(point="p"), ancestor=two.at(1))
    assert done.changed_entry_count == 1
    assert values(one) == {"k": b"1", "new": b"1"}


# Differences.


def test_a_diff_says_what_differs(client: Any) -> None:
    new = NewContext(metadata={"gone": "1", "user": "mia"})
    context = client.create("c", new, {"a": b"1", "b": b"1", "m/1": b"1", "same": b"1"})
    context.checkpoint("p")
    context.update(
        {"a": b"2", "m/2": b"2"}, deletes=["b"], metadata={"gone": None, "user": "zoe", "new": ""}
    )
    found = list(context.diff(context.at(point="p")))
    assert [d for d in found if isinstance(d, EntryDifference)] == [
        EntryDifference("a", Entry("a", b"1", "", 1), Entry("a", b"2", "", 2)),
        EntryDifference("b", Entry("b", b"1", "", 1), None),
        EntryDifference("m/2", None, Entry("m/2", b"2", "", 2)),
    ]
    assert [d for d in found if isinstance(d, LabelDifference)] == [
        LabelDifference("gone", "1", None),
        LabelDifference("new", None, ""),
        LabelDifference("user", "mia", "zoe"),
    ]
    some = context.diff(context.at(1), prefix="m/", without_values=True)
    assert [d for d in some if isinstance(d, EntryDifference)] == [
        EntryDifference("m/2", None, Entry("m/2", b"", "", 2))
    ]
    assert list(context.diff(context)) == []
    fork = context.fork("f")
    assert list(fork.diff(context)) == []
    fork.put("only", b"1")
    assert [d.key for d in fork.diff(context)] == ["only"]


def test_a_large_diff_comes_whole(client: Any) -> None:
    context = client.create("c")
    context.checkpoint("p")
    value = bytes(range(256)) * 400
    for n in range(100):
        context.put(f"{n:03d}", value)
    found = list(context.diff(context.at(point="p")))
    assert [d.key for d in found] == [f"{n:03d}" for n in range(100)]
    assert all(d.after is not None and d.after.value == value for d in found)


def test_a_copy_follows_by_syncs(client: Any) -> None:
    context = client.create("c", puts={"a": b"1", "b": b"1"})
    entries: dict[str, Entry] = {}
    synced = context.sync()
    synced.apply(entries)
    assert (synced.version, synced.full) == (1, True)

    def same() -> bool:
        return entries == {found.key: found for found in context.snapshot().entries()}

    assert same()
    context.update({"a": b"2", "c": b"2"}, deletes=["b"], metadata={"user": "mia"})
    synced = context.sync(synced.version)
    assert (synced.from_version, synced.version, synced.full) == (1, 2, False)
    assert [d.key for d in synced.differences] == ["a", "b", "c"]
    assert synced.info.metadata == {"user": "mia"}
    synced.apply(entries)
    assert same()
    assert context.sync(2).differences == ()
    # So far behind that the server does not know the version any more.
    for n in range(40):
        context.put("a", str(n))
    entries["mine"] = Entry("mine", b"1", "", 1)
    synced = context.sync(2)
    assert (synced.full, synced.from_version) == (True, 0)
    synced.apply(entries)
    assert same()


def test_a_point_larger_than_a_message_is_read_in_pieces(client: Any) -> None:
    context = client.create("c")
    value = bytes(range(256)) * 800
    for n in range(40):
        context.put(f"{n:02d}", value)
    context.checkpoint("p", attachments={"a": b"1"})
    context.update(delete_prefixes=[""])
    found = context.point("p", entries=True, attachments=True)
    assert [(key, entry.value) for key, entry in found.entries.items()] == [
        (f"{n:02d}", value) for n in range(40)
    ]
    assert list(found.attachments) == ["a"]
    assert len(context.at(point="p").snapshot()) == 40


# Batches.


def test_a_batch_does_each_on_its_own(client: Any) -> None:
    context = client.create("c", puts={"k": b"1"})
    new = client.context("d", create_if_missing=NewContext("chat"))
    batch = PointBatch()
    batch.create(context, NewPoint("p", changes=Changes({"k": b"2"}), move_head=True))
    batch.create(new, NewPoint("q", attachments={"a": b"1"}))
    batch.get(context, "p", entries=True)
    batch.get(context, "none")
    batch.update(new, "q", PointUpdate(metadata={"by": "mia"}))
    batch.update(new, "r", PointUpdate(attachments={"a": b"1"}, allow_missing=True))
    batch.create(context, NewPoint("p"))
    batch.delete(new, "q")
    results = client.batch_points(batch)
    assert [result.error is None for result in results] == [
        True,
        True,
        True,
        False,
        True,
        True,
        False,
        True,
    ]
    assert results[2].get().entries["k"].value == b"2"
    assert results[4].get().metadata == {"by": "mia"}
    assert results[5].get() is None
    with pytest.raises(contextd.RecoveryPointNotFound):
        results[3].get()
    with pytest.raises(contextd.RecoveryPointExists):
        results[6].get()
    assert values(context) == {"k": b"2"}
    assert list(new.points()) == []
    # Given again, it changes nothing more.
    version = context.version()
    again = client.batch_points(batch)
    assert again[0].error is None
    assert again[1].error is None
    assert context.version() == version
    assert list(new.points()) == []


# After a restart, and as events.


def test_all_of_it_survives_a_kill(client: Any, process: ContextdProcess) -> None:
    context = client.create("c", puts={"k": b"1"})
    context.checkpoint("p", attachments={"a": b"1"}, changes=Changes({"k": b"p"}))
    context.attach("later", {"a": b"2"})
    fork = context.fork("f", point="p")
    context.put("k", b"2")
    context.restore("p")
    before = (list(context.points()), context.info(), fork.info())
    process.kill()
    starter = threading.Thread(target=process.start)
    starter.start()
    after = (list(context.points()), context.info(), fork.info())
    starter.join()
    assert before == after
    assert values(context.at(point="p")) == {"k": b"p"}
    assert context.point("p", attachments=True).attachments["a"].value == b"1"
    context.checkpoint("later")
    assert context.point("later", attachments=True).attachments["a"].value == b"2"
    fork.put("more", b"1")
    with pytest.raises(contextd.NoCommonAncestor):  # No head ever had what the fork began with.
        context.merge(fork)
    assert context.merge(fork, ancestor=context.at(point="p")).changed_entry_count == 1


def test_events_tell_of_it_and_a_view_follows(process: ContextdProcess, namespace: str) -> None:
    with Client(process.address, namespace=namespace, timeout=60.0) as client:
        context = client.create("c", puts={"k": b"1", "l": b"1"})
        view = View(lambda context_id: client.context(context_id).snapshot())
        told: list[Event] = []
        with client.subscribe(snapshot=True) as events:
            for event in events.until_caught_up():
                view.apply(event)
            context.checkpoint("p")
            context.update_point("p", pinned=True)
            context.update({"k": b"2"}, deletes=["l"])
            context.restore("p")
            context.checkpoint("q", changes=Changes({"k": b"q"}), move_head=True)
            fork = context.fork("f")
            fork.update({"new": b"1"}, metadata={"user": "mia"})
            context.merge(fork)
            context.delete_point("p")
            context.set_recovery_policy(RecoveryPolicy(point_every_changes=100))
            context.delete()
            context.restore(undelete=True)
            context.put("last", b"1")
            for event in events:
                told.append(event)
                view.apply(event)
                if any(getattr(step, "key", "") == "last" for step in event.mutations):
                    break
        for name in ("c", "f"):
            state = client.context(name).snapshot()
            viewed = view.contexts[name]
            assert viewed.info.version == state.version
            assert viewed.info.metadata == state.metadata
            assert {key: entry.value for key, entry in viewed.entries.items()} == dict(state)
        types = [event.type for event in told]
        for type in (
            EventType.RECOVERY_POINT_CREATED,
            EventType.RECOVERY_POINT_UPDATED,
            EventType.RECOVERY_POINT_DELETED,
            EventType.FORKED,
            EventType.MERGED,
        ):
            assert type in types
        assert types.count(EventType.RESTORED) == 2
        restored = told[types.index(EventType.RESTORED)]
        assert restored.recovery_point_id == "p"
        assert told[types.index(EventType.FORKED)].reset
        made = told[types.index(EventType.RECOVERY_POINT_CREATED)]
        assert (made.context_id, made.recovery_point_id) == ("c", "p")
