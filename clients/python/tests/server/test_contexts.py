"""Contexts on a real server."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest

import contextd
from contextd import AsyncClient, Client, Content, Draft, Expiry, NewContext
from contextd_process import ContextdProcess

WORKERS = 8
ROUNDS = 10


# What is written is read.


def test_what_is_written_is_read(client: Any, namespace: str) -> None:
    context = client.create("c", NewContext("chat", metadata={"user": "mia"}), {"a": b"\x00\xff"})
    assert context.put("é", "Zoë 🙂").version == 2
    assert context.put_json("j", [1, {"ü": None}]).version == 3
    assert context.put("t", Content(b"<p>", "text/html")).version == 4
    assert context.append("log", b"one").version == 5
    assert context.append("log", b" two").version == 6
    assert dict(context.items()) == {
        "a": b"\x00\xff",
        "j": '[1,{"ü":null}]'.encode(),
        "log": b"one two",
        "t": b"<p>",
        "é": "Zoë 🙂".encode(),
    }
    entry = context.get_entry("t")
    assert (entry.value, entry.content_type, entry.version) == (b"<p>", "text/html", 4)
    assert context.get_json("j") == [1, {"ü": None}]
    info = context.info()
    assert (info.id, info.namespace, info.type) == ("c", namespace, "chat")
    assert (info.version, info.entry_count, info.metadata) == (6, 5, {"user": "mia"})
    assert info.create_time is not None
    assert info.update_time is not None
    assert info.create_time <= info.update_time


def test_keys_come_in_the_order_of_their_bytes(client: Any) -> None:
    keys = ["", "Z", "a", "a/1", "a/10", "a/2", "b", "z", "é", "日本", "😀"][1:]
    context = client.create("c", puts=dict.fromkeys(reversed(keys), b"v"))
    assert list(context.keys()) == keys
    assert list(context.snapshot()) == keys
    assert list(context.keys("a/")) == ["a/1", "a/10", "a/2"]
    backwards = context.entries(reverse=True, limit=3, before="😀", keys_only=True)
    assert [(entry.key, entry.value) for entry in backwards] == [
        ("日本", b""),
        ("é", b""),
        ("z", b""),
    ]
    assert [entry.key for entry in context.entries(after="a/2", before="é")] == ["b", "z"]


def test_a_context_is_a_dictionary(process: ContextdProcess, namespace: str) -> None:
    with Client(process.address, namespace=namespace, timeout=60.0) as client:
        context = client.create("c")
        context["k"] = "v"
        context["l"] = b"w"
        assert context["k"] == b"v"
        assert "k" in context
        assert "x" not in context
        assert len(context) == 2
        del context["k"]
        del context["k"]
        assert list(context) == ["l"]
        with pytest.raises(KeyError):
            context["k"]
        assert context.get("k", b"other") == b"other"


def test_an_earlier_state_is_read_while_it_is_kept(client: Any) -> None:
    context = client.create("c", puts={"k": b"1"})
    for version in range(2, 31):
        context.put("k", str(version))
    assert context.at(29).get("k") == b"29"
    assert [entry.version for entry in context.at(28).entries()] == [28]
    with pytest.raises(contextd.StateNotRetained) as caught:
        context.at(1).get("k")
    assert caught.value.newest_version == 30
    assert 1 < caught.value.oldest_version <= 28


def test_a_context_larger_than_a_message_is_read_in_pieces(client: Any) -> None:
    context = client.create("c")
    value = bytes(range(256)) * 800
    for n in range(40):
        context.put(f"{n:02d}", value, content_type=str(n))
    snapshot = context.snapshot()
    assert (snapshot.version, len(snapshot)) == (41, 40)
    assert set(snapshot.values()) == {value}
    assert list(snapshot) == [f"{n:02d}" for n in range(40)]
    assert snapshot.entry("07").content_type == "7"
    assert sum(len(value) for _, value in context.items()) == 40 * len(value)
    some = context.snapshot([f"{n:02d}" for n in range(0, 40, 1)] + ["none"])
    assert len(some) == 40


# Conditions.


def test_conditions_hold_or_tell_what_is(client: Any) -> None:
    context = client.create("c", puts={"k": b"1"})
    assert context.update({"k": b"2"}, if_version=1).version == 2
    with pytest.raises(contextd.VersionConflict) as caught:
        context.update({"k": b"3"}, if_version=1)
    assert caught.value.current_version == 2
    assert context.update({"l": b"1"}, if_entries={"k": 2, "l": 0}).version == 3
    with pytest.raises(contextd.EntryConflict) as entry:
        context.update({"l": b"2"}, if_entries={"l": 0})
    assert (entry.value.key, entry.value.current_version) == ("l", 3)
    with pytest.raises(contextd.SizeMismatch) as size:
        context.append("k", b"x", expected_size=7)
    assert (size.value.key, size.value.current_size) == ("k", 1)
    assert context.append("k", b"x", expected_size=1).version == 4


def test_labels_are_set_and_removed(client: Any) -> None:
    context = client.create("c", NewContext(metadata={"a": "1", "b": "2"}))
    context.update(metadata={"a": None, "b": "3", "c": "4"})
    assert context.metadata() == {"b": "3", "c": "4"}


def test_a_context_expires_when_it_is_told(client: Any) -> None:
    context = client.create("c", NewContext(expiry=Expiry(timedelta(hours=1))))
    info = context.info()
    assert timedelta(0) < info.expire_time - info.create_time <= timedelta(hours=1)
    context.update(expiry=Expiry(None))
    assert context.info().expire_time is None


def test_deletes_tell_what_is_gone(client: Any) -> None:
    parent = client.create("p")
    client.create("c", NewContext(parent_id="p"))
    with pytest.raises(contextd.HasChildren) as children:
        parent.delete()
    assert children.value.child_count == 1
    assert parent.delete(recursive=True) == 2
    with pytest.raises(contextd.ContextNotFound) as gone:
        parent.info()
    assert gone.value.deleted_version == 1
    assert parent.delete(allow_missing=True) == 0
    assert [info.id for info in client.contexts(deleted=True)] == ["c", "p"]
    with pytest.raises(contextd.ParentNotFound) as orphan:
        client.create("d", NewContext(parent_id="p"))
    assert orphan.value.parent_id == "p"


def test_versions_go_on_after_a_delete(client: Any) -> None:
    context = client.create("c", puts={"k": b"1"})
    context.put("k", b"2")
    context.delete()
    assert context.create().version == 3
    assert list(context.keys()) == []


def test_a_context_comes_with_its_first_write(client: Any) -> None:
    with pytest.raises(contextd.ContextNotFound) as missing:
        client.context("c").put("k", b"v")
    assert missing.value.deleted_version is None
    context = client.context("c", create_if_missing=NewContext("chat"))
    assert context.put("k", b"v").version == 1
    assert context.info().type == "chat"
    with pytest.raises(contextd.ContextExists) as exists:
        context.create()
    assert exists.value.version == 1


# Request ids.


def test_a_repeated_request_changes_nothing_twice(client: Any) -> None:
    context = client.create("c")
    first = context.append("k", b"x", request_id="once")
    context.append("k", b"y")
    second = context.append("k", b"x", request_id="once")
    assert (first.replayed, second.replayed) == (False, True)
    assert (first.version, first.revision) == (second.version, second.revision)
    assert context.get("k") == b"xy"
    with pytest.raises(contextd.RequestIdReused):
        context.append("k", b"z", request_id="once")


def test_a_create_without_an_id_finds_what_it_made(client: Any) -> None:
    first = client.create(request_id="the-create")
    assert first.id != ""
    assert client.create(request_id="the-create").id == first.id
    assert client.create().id != first.id


# Refusals.


@pytest.mark.parametrize("key", ["", "k" * 513, "a\x00b", "a\nb"])
def test_a_bad_key_is_named(client: Any, key: str) -> None:
    context = client.create("c")
    with pytest.raises(contextd.InvalidField) as caught:
        context.put(key, b"v")
    assert caught.value.field == "mutations[0].put_entry.key"
    assert caught.value.rule != ""
    assert context.version() == 1


def test_a_value_that_is_too_large_is_refused(client: Any) -> None:
    limit = 1 << 20
    assert client.server_info().settings["value_size_max"] == "1MiB"
    context = client.create("c")
    with pytest.raises(contextd.LimitReached) as caught:
        context.put("k", bytes(limit + 1))
    assert (caught.value.limit, caught.value.value) == ("value_size_max", limit)
    assert context.put("k", bytes(limit)).version == 2
    assert len(context.get("k")) == limit


# Lists.


def test_lists_go_over_all_pages(client: Any) -> None:
    for n in range(25):
        labels = {"even": str(n % 2 == 0)}
        client.create(f"c-{n:02d}", NewContext("chat" if n < 20 else "task", metadata=labels))
    everything = [f"c-{n:02d}" for n in range(25)]
    assert [info.id for info in client.contexts(page_size=4)] == everything
    assert [info.id for info in client.contexts(prefix="c-1")] == everything[10:20]
    assert [info.id for info in client.contexts(type="task", page_size=2)] == everything[20:]
    even = client.contexts(metadata={"even": "True"}, type="chat", page_size=3)
    assert [info.id for info in even] == everything[0:20:2]
    assert client.contexts(prefix="x") is not None
    assert list(client.contexts(prefix="x")) == []


def test_namespaces_are_listed(client: Any, namespace: str) -> None:
    client.create("c", puts={"k": b"12345"})
    (row,) = [row for row in client.namespaces() if row.name == namespace]
    assert (row.context_count, row.size_bytes) == (1, 6)


def test_the_server_tells_its_limits(client: Any) -> None:
    info = client.server_info()
    assert info.version != ""
    assert info.log_id != ""
    assert info.settings["message_size_max"] == "4MiB"
    assert info.settings["version_retention"] == "16"


# Many at once.


def test_threads_that_edit_lose_nothing(process: ContextdProcess, namespace: str) -> None:
    retry = contextd.RetryPolicy(attempts=1000)
    with Client(process.address, namespace=namespace, timeout=60.0, retry=retry) as client:
        context = client.create("c", puts={"from": str(WORKERS * ROUNDS), "to": "0"})

        def move(draft: Draft) -> None:
            draft["from"] = str(int(draft["from"]) - 1)
            draft["to"] = str(int(draft["to"]) + 1)

        def work() -> None:
            for _ in range(ROUNDS):
                context.edit("count", lambda old: str(int(old or 0) + 1))
                context.transact(move, keys=["from", "to"])

        threads = [threading.Thread(target=work) for _ in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        total = str(WORKERS * ROUNDS).encode()
        assert dict(context.items()) == {"count": total, "from": b"0", "to": total}
        assert context.version() == 1 + 2 * WORKERS * ROUNDS


def test_tasks_that_edit_lose_nothing(process: ContextdProcess, namespace: str) -> None:
    async def use() -> None:
        retry = contextd.RetryPolicy(attempts=1000)
        address = process.address
        async with AsyncClient(address, namespace=namespace, timeout=60.0, retry=retry) as client:
            context = await client.create("c")

            async def work() -> None:
                for _ in range(ROUNDS):
                    await context.edit("count", lambda old: str(int(old or 0) + 1))
                    await context.transact(
                        lambda draft: draft.put("all", draft.get("all", b"") + b"x")
                    )

            await asyncio.gather(*(work() for _ in range(WORKERS)))
            assert await context.get("count") == str(WORKERS * ROUNDS).encode()
            assert await context.get("all") == b"x" * (WORKERS * ROUNDS)

    asyncio.run(use())


# Restarts.


def test_calls_wait_for_a_server_that_restarts(client: Any, process: ContextdProcess) -> None:
    context = client.create("c", puts={"k": b"1"})
    process.kill()
    starter = threading.Thread(target=process.start)
    starter.start()
    assert context.put("k", b"2").version == 2
    starter.join()
    process.kill()
    starter = threading.Thread(target=process.start)
    starter.start()
    assert list(context.items()) == [("k", b"2")]
    starter.join()


def test_more_than_a_message_is_written_in_pieces(client: Any) -> None:
    values = {f"k{index:02}": bytes([index]) * 400_000 for index in range(20)}
    context = client.create("large")
    written = context.put_all(values, metadata={"ready": "1"}, if_version=1)
    assert written.version > 2
    assert dict(context.snapshot()) == values
    assert context.info().metadata == {"ready": "1"}
