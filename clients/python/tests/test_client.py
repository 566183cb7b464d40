"""The clients against a server that answers as it was told. Every test holds for both forms."""

from __future__ import annotations

import asyncio
import itertools
from datetime import datetime, timedelta, timezone
from typing import Any, Callable

import grpc
import pytest

import contextd
from contextd import AsyncClient, Client, Expiry, NewContext, RetentionPolicy
from contextd.v1 import context_manager_pb2 as pb
from contextd.v1 import resources_pb2
from contextd.values import TEXT
from fake import PATIENCE_SECONDS, UNAVAILABLE, Fail, FakeClock, FakeServer

NOT_FOUND = Fail(grpc.StatusCode.NOT_FOUND, "CONTEXT_NOT_FOUND")
CONFLICT = Fail(grpc.StatusCode.ABORTED, "ENTRY_CONFLICT", {"key": "k", "current_version": "8"})
VERSION_CONFLICT = Fail(grpc.StatusCode.ABORTED, "VERSION_CONFLICT", {"current_version": "8"})
OVERLOADED = Fail(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", retry_delay=0.25)
TOO_LARGE = Fail(grpc.StatusCode.RESOURCE_EXHAUSTED, "RESPONSE_TOO_LARGE")


def entry(key: str, value: bytes = b"v", version: int = 1, content_type: str = "") -> Any:
    return resources_pb2.Entry(key=key, value=value, version=version, content_type=content_type)


def got(*entries: Any, version: int = 7, **fields: Any) -> pb.GetContextResponse:
    context = resources_pb2.Context(id="c", version=version, entries=entries, **fields)
    return pb.GetContextResponse(context=context)


def written(version: int = 8, replayed: bool = False) -> pb.UpdateContextResponse:
    write = resources_pb2.WriteResult(revision=version + 100, replayed=replayed)
    return pb.UpdateContextResponse(version=version, write=write)


def part(*keys: str, version: int = 7) -> pb.ReadEntriesResponse:
    return pb.ReadEntriesResponse(version=version, entries=[entry(key) for key in keys])


def test_a_proxy_of_the_environment_is_not_asked(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    server.answer("UpdateContext", written())
    with Client(server.address, timeout=PATIENCE_SECONDS) as direct:
        assert direct.context("c").put("k", b"v").version == 8


# Writes and their repetition.


def test_a_write_is_repeated_with_its_request_id(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    server.answer("UpdateContext", UNAVAILABLE, UNAVAILABLE, written(replayed=True))
    result = client.context("c").put("k", b"v")
    assert result == contextd.Written(8, 108, True, "id-1")
    sent = server.requests["UpdateContext"]
    assert len(sent) == 3
    assert sent[0] == sent[1] == sent[2]
    assert sent[0].write.request_id == "id-1"
    assert clock.slept == [0.05, 0.1]


def test_every_write_has_a_request_id_of_its_own(client: Any, server: FakeServer) -> None:
    server.answer("UpdateContext", written())
    server.answer("DeleteContext", pb.DeleteContextResponse(deleted_count=3))
    server.answer(
        "CreateContext", pb.CreateContextResponse(context=resources_pb2.Context(id="c", version=1))
    )
    context = client.context("c")
    context.create()
    client.create("c")
    context.put("k", b"v")
    context.put_json("k", [1])
    context.append("k", b"v")
    context.remove("k")
    context.update({"k": b"v"})
    assert context.delete() == 3
    ids = [
        request.write.request_id for requests in server.requests.values() for request in requests
    ]
    assert len(ids) == 8
    assert len(set(ids)) == 8
    assert "" not in ids


def test_a_request_id_of_the_caller_is_sent(client: Any, server: FakeServer) -> None:
    server.answer("UpdateContext", written())
    assert client.context("c").put("k", b"v", request_id="mine").request_id == "mine"
    assert server.requests["UpdateContext"][0].write.request_id == "mine"


def test_the_delay_of_an_overloaded_server_is_kept(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    server.answer("UpdateContext", OVERLOADED, OVERLOADED, written())
    client.context("c").put("k", b"v")
    assert clock.slept == [0.375, 0.375]
    assert len({r.write.request_id for r in server.requests["UpdateContext"]}) == 1


def test_repeats_until_the_deadline_and_tells_the_last_error(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    server.answer("UpdateContext", UNAVAILABLE)
    with pytest.raises(contextd.Stopping) as caught:
        client.context("c", timeout=2.0).put("k", b"v")
    assert caught.value.request_id == "id-1"
    assert 1.0 < sum(clock.slept) < 2.0


def test_what_will_not_help_is_not_repeated(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    server.answer("UpdateContext", Fail(grpc.StatusCode.RESOURCE_EXHAUSTED, "STORAGE_FULL"))
    with pytest.raises(contextd.StorageFull):
        client.context("c").put("k", b"v")
    assert len(server.requests["UpdateContext"]) == 1
    assert clock.slept == []


def test_a_read_is_repeated_too(client: Any, server: FakeServer, clock: FakeClock) -> None:
    server.answer("GetContext", UNAVAILABLE, got(version=4))
    assert client.context("c").version() == 4
    assert clock.slept == [0.05]


def test_nobody_listening_is_unavailable(clock: FakeClock) -> None:
    waits = contextd.RetryPolicy(initial_delay=1000.0, max_delay=1000.0)
    with Client("127.0.0.1:1") as client:
        client._runner.sleep = clock.sleep
        client._settings = contextd._calls.Settings("n", 3600.0, waits, clock, lambda: 1.0)
        with pytest.raises(contextd.Unavailable, match=r"127\.0\.0\.1:1"):
            client.context("c").version()
    assert clock.slept == [1000.0] * 3


# What is sent.


def test_a_put_sends_bytes_and_content_type(client: Any, server: FakeServer) -> None:
    server.answer("UpdateContext", written())
    context = client.context("c", namespace="other")
    context.put("a", b"\x00")
    context.put("b", "ü")
    context.put("c", "<p>", content_type="text/html")
    context.put_json("d", {"x": [1]})
    sent = server.requests["UpdateContext"]
    assert {(r.namespace, r.context_id) for r in sent} == {("other", "c")}
    assert [(m.value, m.content_type) for m in (r.mutations[0].put_entry for r in sent)] == [
        (b"\x00", ""),
        ("ü".encode(), TEXT),
        (b"<p>", "text/html"),
        (b'{"x":[1]}', "application/json"),
    ]


def test_a_wrong_value_is_refused_before_it_is_sent(client: Any, server: FakeServer) -> None:
    with pytest.raises(TypeError):
        client.context("c").put("k", 1)
    assert server.requests == {}


def test_an_update_sends_everything_in_one_request(client: Any, server: FakeServer) -> None:
    server.answer("UpdateContext", written(version=4))
    result = client.context("c").update(
        {"p": b"1"},
        deletes=["d"],
        delete_prefixes=["q/"],
        appends={"log": "line\n"},
        metadata={"user": "mia", "old": None},
        expiry=Expiry(timedelta(minutes=1), sliding=True),
        if_version=3,
        if_entries={"e": 2, "none": 0},
    )
    assert result.version == 4
    (sent,) = server.requests["UpdateContext"]
    assert sent.namespace == "tests"
    assert len(sent.mutations) == 7
    assert sent.mutations[6].set_expiry.ttl.seconds == 60
    assert [(c.entry.key, c.entry.version) for c in sent.preconditions if c.HasField("entry")] == [
        ("e", 2),
        ("none", 0),
    ]
    assert [c.context_version for c in sent.preconditions if not c.HasField("entry")] == [3]
    assert not sent.HasField("create_if_missing")


def test_an_expected_version_of_zero_is_sent(client: Any, server: FakeServer) -> None:
    server.answer("UpdateContext", written())
    client.context("c").update({"k": b"v"}, if_version=0)
    (sent,) = server.requests["UpdateContext"]
    assert sent.preconditions[0].WhichOneof("kind") == "context_version"


def test_a_context_can_come_with_its_first_write(client: Any, server: FakeServer) -> None:
    server.answer("UpdateContext", written())
    new = NewContext("chat", "parent", {"user": "mia"}, Expiry(None), create_parent=True)
    client.context("c", create_if_missing=new).put("k", b"v")
    (sent,) = server.requests["UpdateContext"]
    assert sent.create_if_missing.type == "chat"
    assert sent.create_if_missing.parent_id == "parent"
    assert dict(sent.create_if_missing.metadata) == {"user": "mia"}
    assert sent.create_if_missing.HasField("expiry")
    assert sent.create_if_missing.create_parent


def test_a_create_names_what_the_server_made_up(client: Any, server: FakeServer) -> None:
    answer = pb.CreateContextResponse(context=resources_pb2.Context(id="made-up", version=1))
    server.answer("CreateContext", answer)
    created = client.create(properties=NewContext("chat"), puts={"k": "v"})
    assert created.id == "made-up"
    assert created.namespace == "tests"
    (sent,) = server.requests["CreateContext"]
    assert (sent.context_id, sent.properties.type) == ("", "chat")
    assert sent.mutations[0].put_entry.value == b"v"


@pytest.mark.parametrize(
    "ask",
    [
        lambda context: context.create(request_id="mine"),
        lambda context: context.usage(),
        lambda context: list(context.points()),
        lambda context: context.prune_points(
            policy=RetentionPolicy(keep_last=1), request_id="mine"
        ),
    ],
    ids=["create", "usage", "points", "prune_points"],
)
def test_a_context_without_an_id_is_not_any_and_not_all(
    client: Any, server: FakeServer, ask: Callable[[Any], object]
) -> None:
    with pytest.raises(contextd.InvalidField) as caught:
        ask(client.context(""))
    assert (caught.value.field, caught.value.rule) == ("context_id", "must not be empty")
    assert caught.value.request_id in ("mine", None)
    assert server.requests == {}


def test_a_delete_sends_its_options(client: Any, server: FakeServer) -> None:
    server.answer("DeleteContext", pb.DeleteContextResponse(deleted_count=2))
    context = client.context("c")
    assert context.delete(recursive=True, purge=True, allow_missing=True, if_version=5) == 2
    (sent,) = server.requests["DeleteContext"]
    assert sent.recursive
    assert sent.purge
    assert sent.allow_missing
    assert sent.preconditions[0].context_version == 5


# Reads.


def test_reads_values_with_their_versions(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", got(entry("k", b'{"a":1}', 5, "application/json")))
    context = client.context("c")
    found = context.get_entry("k")
    assert found == contextd.Entry("k", b'{"a":1}', "application/json", 5)
    assert context.get("k") == b'{"a":1}'
    assert context.get_text("k") == '{"a":1}'
    assert context.get_json("k") == {"a": 1}
    sent = server.requests["GetContext"][0]
    assert (sent.state.namespace, sent.state.context_id, list(sent.keys)) == ("tests", "c", ["k"])
    assert sent.state.WhichOneof("at") is None


def test_a_missing_entry_is_told(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", got())
    context = client.context("c")
    with pytest.raises(contextd.EntryNotFound):
        context.get_entry("k")
    assert context.get("k") is None
    assert context.get("k", b"other") == b"other"


def test_a_missing_context_is_not_a_missing_entry(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", NOT_FOUND)
    with pytest.raises(contextd.ContextNotFound):
        client.context("c").get("k")


def test_reads_at_a_version(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", got(entry("k"), version=3))
    server.answer("ReadEntries", [part("k", version=3)])
    old = client.context("c").at(3)
    assert old.get("k") == b"v"
    assert old.version() == 3
    assert list(old.keys()) == ["k"]
    for requests in server.requests.values():
        assert {request.state.version for request in requests} == {3}


@pytest.mark.parametrize(
    ("name", "field"),
    [({"version": 0}, "version"), ({"point": ""}, "recovery_point_id")],
)
def test_a_state_that_cannot_be_is_told_as_a_field(
    client: Any, server: FakeServer, name: dict[str, Any], field: str
) -> None:
    context = client.context("c")
    asks: dict[str, Callable[[], object]] = {
        "state.": lambda: context.at(**name),
        "source.": lambda: context.fork("d", **name),
        "": lambda: context.restore(**name),
    }
    for place, ask in asks.items():
        with pytest.raises(contextd.InvalidField) as caught:
            ask()
        assert caught.value.field == place + field
        assert isinstance(caught.value, ValueError)
    assert server.requests == {}


def test_reads_what_is_known_of_a_context(client: Any, server: FakeServer) -> None:
    answer = got(type="chat", parent_id="p", metadata={"a": "b"}, entry_count=4, size_bytes=99)
    answer.context.create_time.FromJsonString("2026-01-02T03:04:05.678Z")
    server.answer("GetContext", answer)
    info = client.context("c").info()
    assert info.create_time == datetime(2026, 1, 2, 3, 4, 5, 678000, timezone.utc)
    assert info.expire_time is None
    assert (info.type, info.parent_id, info.entry_count, info.size_bytes) == ("chat", "p", 4, 99)
    assert client.context("c").metadata() == {"a": "b"}
    assert server.requests["GetContext"][0].view == pb.CONTEXT_VIEW_BASIC


def test_a_snapshot_is_one_call(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", got(entry("a"), entry("b"), metadata={"x": "y"}))
    snapshot = client.context("c").snapshot(prefix="p")
    assert (snapshot.version, snapshot.metadata, list(snapshot)) == (7, {"x": "y"}, ["a", "b"])
    (sent,) = server.requests["GetContext"]
    assert sent.key_prefix == "p"


def test_a_snapshot_of_no_keys_asks_for_no_entries(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", got())
    assert len(client.context("c").snapshot([])) == 0
    assert server.requests["GetContext"][0].view == pb.CONTEXT_VIEW_BASIC


def test_a_large_snapshot_comes_in_pieces_of_one_version(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", TOO_LARGE, got(version=7, metadata={"x": "y"}))
    server.answer("ReadEntries", [part("a", "b"), part("c")])
    snapshot = client.context("c").snapshot()
    assert (snapshot.version, snapshot.metadata, list(snapshot)) == (7, {"x": "y"}, ["a", "b", "c"])
    assert server.requests["ReadEntries"][0].state.version == 7


def test_a_large_snapshot_begins_anew_when_its_version_is_gone(
    client: Any, server: FakeServer
) -> None:
    gone = Fail(grpc.StatusCode.OUT_OF_RANGE, "STATE_NOT_RETAINED")
    server.answer("GetContext", TOO_LARGE, got(version=7), got(version=40))
    server.answer("ReadEntries", [gone], [part("a", version=40)])
    assert client.context("c").snapshot().version == 40


def test_a_large_snapshot_of_some_keys_reads_each(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", TOO_LARGE, got(), got(entry("k")), got())
    assert list(client.context("c").snapshot(["k", "l"]).values()) == [b"v"]
    assert [r.state.version for r in server.requests["GetContext"]] == [0, 0, 7, 7]


# Streams.


def test_entries_are_streamed_in_order(client: Any, server: FakeServer) -> None:
    server.answer("ReadEntries", [part("a", "b"), part("c")])
    context = client.context("c")
    assert list(context.keys("p")) == ["a", "b", "c"]
    assert list(context.items()) == [("a", b"v"), ("b", b"v"), ("c", b"v")]
    assert list(context.values()) == [b"v", b"v", b"v"]
    keys, items, values = server.requests["ReadEntries"]
    assert (keys.key_prefix, keys.keys_only, items.keys_only, values.keys_only) == (
        "p",
        True,
        False,
        False,
    )


@pytest.mark.parametrize(
    "fail",
    [
        UNAVAILABLE,
        Fail(grpc.StatusCode.ABORTED, "STREAM_STALLED", {"after_key": "z"}),
        Fail(grpc.StatusCode.DEADLINE_EXCEEDED),
    ],
)
def test_a_broken_stream_goes_on_where_it_was(client: Any, server: FakeServer, fail: Fail) -> None:
    server.answer("ReadEntries", [part("a", "b"), fail], [part("c"), fail], [part("d")])
    assert list(client.context("c").keys()) == ["a", "b", "c", "d"]
    sent = server.requests["ReadEntries"]
    assert [(r.state.version, r.after_key) for r in sent] == [(0, ""), (7, "b"), (7, "c")]


def test_a_broken_stream_backwards_goes_on_before_its_last(client: Any, server: FakeServer) -> None:
    server.answer("ReadEntries", [part("d", "c"), UNAVAILABLE], [part("b")])
    entries = client.context("c").entries(reverse=True, limit=3, after="a", before="x")
    assert [found.key for found in entries] == ["d", "c", "b"]
    first, second = server.requests["ReadEntries"]
    assert (first.after_key, first.before_key, first.limit) == ("a", "x", 3)
    assert (second.after_key, second.before_key, second.limit) == ("a", "c", 1)


def test_a_stream_that_broke_at_its_limit_is_complete(client: Any, server: FakeServer) -> None:
    server.answer("ReadEntries", [part("a", "b"), UNAVAILABLE])
    assert len(list(client.context("c").entries(limit=2))) == 2
    assert len(server.requests["ReadEntries"]) == 1


def test_a_stream_that_brings_nothing_ends_at_the_deadline(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    server.answer("ReadEntries", [part("a"), UNAVAILABLE], [UNAVAILABLE])
    with pytest.raises(contextd.Stopping):
        list(client.context("c", timeout=1.0).keys())
    assert 0.5 < sum(clock.slept) < 1.0


def test_a_stream_left_early_is_cancelled(client: Any, server: FakeServer) -> None:
    server.answer("ReadEntries", [part(str(n)) for n in range(100)])
    keys = client.context("c").keys()
    assert list(itertools.islice(keys, 2)) == ["0", "1"]
    keys.close()


# Read, change, write.


def test_an_edit_is_done_again_after_a_conflict(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    server.answer("GetContext", got(entry("k", b"1", 5)), got(entry("k", b"2", 8)))
    server.answer("UpdateContext", CONFLICT, written(9))
    result = client.context("c").edit("k", lambda old: str(int(old) + 1))
    assert result.version == 9
    first, second = server.requests["UpdateContext"]
    assert first.preconditions[0].entry.version == 5
    assert second.preconditions[0].entry.version == 8
    assert second.mutations[0].put_entry.value == b"3"
    assert first.write.request_id != second.write.request_id
    assert clock.slept == [0.005]


def test_an_edit_of_a_missing_entry_expects_it_missing(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", got())
    server.answer("UpdateContext", written())
    client.context("c").edit("k", lambda old: b"new" if old is None else b"old")
    assert server.requests["UpdateContext"][0].mutations[0].put_entry.value == b"new"
    condition = server.requests["UpdateContext"][0].preconditions[0].entry
    assert (condition.key, condition.version) == ("k", 0)


def test_an_edit_can_remove(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", got(entry("k")))
    server.answer("UpdateContext", written())
    client.context("c").edit("k", lambda old: None)
    assert server.requests["UpdateContext"][0].mutations[0].delete_entry.key == "k"


def test_an_edit_keeps_the_content_type_of_bytes(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", got(entry("k", content_type="image/png")))
    server.answer("UpdateContext", written())
    client.context("c").edit("k", lambda old: old + b"x")
    client.context("c").edit("k", lambda old: "text")
    types = [r.mutations[0].put_entry.content_type for r in server.requests["UpdateContext"]]
    assert types == ["image/png", TEXT]


def test_an_edit_gives_up_after_its_attempts(
    client: Any, server: FakeServer, clock: FakeClock
) -> None:
    server.answer("GetContext", got(entry("k")))
    server.answer("UpdateContext", CONFLICT)
    with pytest.raises(contextd.EntryConflict) as caught:
        client.context("c").edit("k", lambda old: old)
    assert caught.value.current_version == 8
    assert len(server.requests["UpdateContext"]) == 16
    assert len(clock.slept) == 15


def test_an_edit_creates_only_what_may_be_created(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", NOT_FOUND)
    server.answer("UpdateContext", written())
    with pytest.raises(contextd.ContextNotFound):
        client.context("c").edit("k", lambda old: b"v")
    client.context("c", create_if_missing=NewContext()).edit("k", lambda old: b"v")
    (sent,) = server.requests["UpdateContext"]
    assert sent.HasField("create_if_missing")


def test_an_error_of_the_caller_leaves_an_edit_as_it_is(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", got(entry("k", b"x")))
    with pytest.raises(ValueError, match="invalid literal"):
        client.context("c").edit("k", lambda old: str(int(old)))
    assert "UpdateContext" not in server.requests


def test_a_transaction_is_done_again_on_the_newer_state(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", got(entry("a", b"1"), version=7), got(entry("a", b"2"), version=8))
    server.answer("UpdateContext", VERSION_CONFLICT, written(9))

    def move(draft: contextd.Draft) -> bytes:
        draft["b"] = draft.pop("a")
        return draft["b"]

    assert client.context("c").transact(move) == b"2"
    first, second = server.requests["UpdateContext"]
    assert [r.preconditions[0].context_version for r in (first, second)] == [7, 8]
    assert second.mutations[0].delete_entry.key == "a"
    assert second.mutations[1].put_entry.value == b"2"


def test_a_transaction_that_changes_nothing_writes_nothing(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", got(entry("a")))
    assert client.context("c").transact(len) == 1
    assert "UpdateContext" not in server.requests


def test_a_transaction_of_some_keys_guards_those(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", got(entry("a", version=3)))
    server.answer("UpdateContext", written())
    client.context("c").transact(lambda draft: draft.update(b=draft["a"]), keys=["a", "b"])
    assert list(server.requests["GetContext"][0].keys) == ["a", "b"]
    guards = server.requests["UpdateContext"][0].preconditions
    assert {guard.entry.key: guard.entry.version for guard in guards} == {"a": 3, "b": 0}


def test_a_transaction_on_nothing_expects_nothing(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", NOT_FOUND)
    server.answer("UpdateContext", written(1))
    context = client.context("c", create_if_missing=NewContext("chat"))
    context.transact(lambda draft: draft.put("k", b"v"))
    (sent,) = server.requests["UpdateContext"]
    assert sent.preconditions[0].context_version == 0
    assert sent.create_if_missing.type == "chat"


def test_a_transaction_gives_up_after_its_attempts(client: Any, server: FakeServer) -> None:
    server.answer("GetContext", got())
    server.answer("UpdateContext", VERSION_CONFLICT)
    with pytest.raises(contextd.VersionConflict):
        client.context("c").transact(lambda draft: draft.put("k", b"v"))
    assert len(server.requests["UpdateContext"]) == 16


# Lists.


def listed(*ids: str, token: str = "") -> pb.ListContextsResponse:
    contexts = [resources_pb2.Context(id=context_id) for context_id in ids]
    return pb.ListContextsResponse(contexts=contexts, next_page_token=token)


def test_a_list_goes_on_from_page_to_page(client: Any, server: FakeServer) -> None:
    server.answer("ListContexts", listed("a", "b", token="t1"), UNAVAILABLE)
    server.answer("ListContexts", listed(token="t2"), listed("c"))
    rows = client.contexts(prefix="p", type="chat", metadata={"u": "m"}, deleted=True, page_size=2)
    assert [row.id for row in rows] == ["a", "b", "c"]
    sent = server.requests["ListContexts"]
    assert [r.page_token for r in sent] == ["", "t1", "t1", "t2"]
    assert {(r.namespace, r.id_prefix, r.type, r.page_size) for r in sent} == {
        ("tests", "p", "chat", 2)
    }
    assert dict(sent[3].metadata) == {"u": "m"}
    assert sent[3].deleted


def test_a_list_asks_only_for_the_pages_it_needs(client: Any, server: FakeServer) -> None:
    server.answer("ListContexts", listed("a", "b", token="t"))
    assert next(client.contexts()).id == "a"
    assert len(server.requests["ListContexts"]) == 1


def test_namespaces_and_the_server_tell_about_themselves(client: Any, server: FakeServer) -> None:
    row = pb.ListNamespacesResponse.Namespace(name="n", context_count=2, size_bytes=3)
    page = pb.ListNamespacesResponse(namespaces=[row], next_page_token="t")
    server.answer("ListNamespaces", page, pb.ListNamespacesResponse(namespaces=[row]))
    answer = pb.GetServerInfoResponse(
        version="0.1.0", log_id="l", settings={"value_size_max": "1"}, features=["f"]
    )
    server.answer("GetServerInfo", answer)
    assert list(client.namespaces()) == [contextd.Namespace("n", 2, 3)] * 2
    info = contextd.ServerInfo("0.1.0", "l", {"value_size_max": "1"}, ("f",))
    assert client.server_info() == info


# What is only in one of the two forms.


def test_a_context_works_like_a_dictionary(server: FakeServer) -> None:
    server.answer("UpdateContext", written())
    server.answer("ReadEntries", [part("a", "b")])
    server.answer("GetContext", got(entry("k"), entry_count=2))
    with Client(server.address) as client:
        context = client.context("c")
        context["k"] = "v"
        del context["k"]
        put, delete = (r.mutations[0] for r in server.requests["UpdateContext"])
        assert (put.put_entry.value, delete.delete_entry.key) == (b"v", "k")
        assert context["k"] == b"v"
        assert list(context) == ["a", "b"]
        assert len(context) == 2
        assert "k" in context
        assert server.requests["GetContext"][-1].view == pb.CONTEXT_VIEW_KEYS
        assert 1 not in context


def test_a_context_is_true_without_a_call(server: FakeServer) -> None:
    with Client(server.address) as client:
        context = client.context("c")
        assert context
        assert repr(context) == "<Context 'c' namespace='default'>"
        assert repr(context.at(2)) == "<ContextState 'c' namespace='default' at=2>"
    assert server.requests == {}


def test_asyncio_counts_and_iterates(server: FakeServer) -> None:
    server.answer("ReadEntries", [part("a", "b")])
    server.answer("GetContext", got(entry("k"), entry_count=2))

    async def use() -> None:
        async with AsyncClient(server.address) as client:
            context = client.context("c")
            assert await context.count() == 2
            assert await context.contains("k")
            assert [key async for key in context] == ["a", "b"]
            assert repr(context) == "<AsyncContext 'c' namespace='default'>"

    asyncio.run(use())


def test_a_cancelled_task_is_cancelled(server: FakeServer) -> None:
    server.answer("UpdateContext", UNAVAILABLE)

    async def use() -> None:
        async with AsyncClient(server.address) as client:
            waiting = asyncio.Event()

            async def sleep(_: float) -> None:
                waiting.set()
                await asyncio.Event().wait()

            client._runner.sleep = sleep
            task = asyncio.ensure_future(client.context("c").put("k", b"v"))
            await waiting.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(use())


@pytest.mark.parametrize("timeout", [0, -1.0])
def test_a_timeout_is_above_zero(timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout"):
        Client(timeout=timeout)
