"""What can be written, and the draft that a transaction works on."""

from __future__ import annotations

import doctest
from typing import Any

import pytest

import contextd.retry
import contextd.values
from contextd import Content, Draft, Entry, EntryNotFound, InvalidValue, Snapshot, to_json
from contextd._requests import append_entry, mutations
from contextd.values import TEXT, to_content

STATE = Snapshot(
    5,
    {"user": "mia"},
    [Entry("a", b"1", "", 2), Entry("b", b"2", TEXT, 5), Entry("é", b"3", "", 3)],
)


@pytest.mark.parametrize("module", [contextd.values, contextd.retry])
def test_the_examples_of_the_documentation_hold(module: Any) -> None:
    result = doctest.testmod(module, extraglobs={"RetryPolicy": contextd.RetryPolicy})
    assert result.failed == 0
    assert result.attempted > 0


@pytest.mark.parametrize(
    ("value", "content"),
    [
        (b"\x00\xff", Content(b"\x00\xff", "")),
        (bytearray(b"ab"), Content(b"ab", "")),
        (memoryview(b"abc")[1:], Content(b"bc", "")),
        ("Zoë", Content("Zoë".encode(), TEXT)),
        (Content(b"x", "image/png"), Content(b"x", "image/png")),
    ],
)
def test_bytes_stay_and_text_becomes_utf8(value: Any, content: Content) -> None:
    assert to_content(value) == content
    assert to_content(value, "own") == Content(content.value, "own")


@pytest.mark.parametrize("value", [None, 1, {"a": 1}, [b"a"]])
def test_nothing_else_is_converted(value: Any) -> None:
    with pytest.raises(TypeError, match="bytes, str or Content"):
        to_content(value)


def nested(depth: int) -> Any:
    """A list in a list, and so on."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), b"bytes", object(), "\ud800", nested(200_000)],
    ids=["nan", "infinity", "bytes", "object", "surrogate", "deep"],
)
def test_json_takes_only_what_json_has(value: Any) -> None:
    with pytest.raises(InvalidValue):
        to_json(value)


def test_json_too_deep_to_read_is_told_as_that() -> None:
    with pytest.raises(InvalidValue, match="'k' is no JSON"):
        Entry("k", b"[" * 200_000, "", 1).json()


def test_an_entry_reads_as_text_and_json() -> None:
    entry = Entry("k", to_json({"a": "ü"}).value, "application/json", 1)
    assert entry.text == '{"a":"ü"}'
    assert entry.json() == {"a": "ü"}


def test_a_snapshot_is_a_dictionary_in_order() -> None:
    assert list(STATE.items()) == [("a", b"1"), ("b", b"2"), ("é", b"3")]
    assert (STATE["b"], STATE.get("x"), "b" in STATE, len(STATE)) == (b"2", None, True, 3)
    assert [entry.version for entry in STATE.entries()] == [2, 5, 3]
    with pytest.raises(EntryNotFound):
        STATE["x"]


def test_what_goes_goes_before_what_comes() -> None:
    steps = mutations(
        {"p": b"1"},
        deletes=["d"],
        delete_prefixes=["q"],
        appends={"a": b"2"},
        metadata={"l": "v", "m": None},
    )
    assert [step.WhichOneof("kind") for step in steps] == [
        "delete_entries",
        "delete_entry",
        "put_entry",
        "append_entry",
        "set_metadata",
        "delete_metadata",
    ]


def test_one_string_is_not_taken_for_many_keys() -> None:
    with pytest.raises(TypeError, match="several strings"):
        mutations(deletes="abc")


def test_an_expected_size_of_zero_is_sent() -> None:
    assert not append_entry("k", Content(b"")).append_entry.HasField("expected_size")
    assert append_entry("k", Content(b""), 0).append_entry.HasField("expected_size")


def test_a_draft_reads_what_was_written_to_it() -> None:
    draft = Draft(STATE)
    draft["c"] = "new"
    draft["a"] = b"changed"
    del draft["b"]
    assert dict(draft) == {"a": b"changed", "c": b"new", "é": b"3"}
    assert list(draft) == ["a", "c", "é"]
    assert len(draft) == 3
    assert "b" not in draft
    with pytest.raises(EntryNotFound):
        draft["b"]
    with pytest.raises(KeyError):
        del draft["b"]


def test_a_draft_sends_only_what_changed() -> None:
    draft = Draft(STATE)
    draft["c"] = b"gone again"
    del draft["c"]
    assert draft.mutations() == []
    draft["done"] = draft.pop("a")
    draft.metadata["user"] = "raj"
    steps = draft.mutations()
    assert [step.WhichOneof("kind") for step in steps] == [
        "delete_entry",
        "put_entry",
        "set_metadata",
    ]
    assert steps[1].put_entry.value == b"1"


def test_a_draft_of_the_whole_guards_the_version() -> None:
    (guard,) = Draft(STATE).preconditions()
    assert guard.context_version == 5
    (guard,) = Draft(Snapshot(0, {}, [])).preconditions()
    assert guard.WhichOneof("kind") == "context_version"


def test_a_draft_of_some_keys_guards_and_touches_only_those() -> None:
    draft = Draft(STATE, ["b", "missing"])
    guards = {guard.entry.key: guard.entry.version for guard in draft.preconditions()}
    assert guards == {"b": 5, "missing": 0}
    for touch in (lambda: draft["a"], lambda: draft.put("a", b""), lambda: "a" in draft):
        with pytest.raises(ValueError, match="not among the keys"):
            touch()


def test_a_draft_of_some_keys_guards_the_version_where_labels_were_looked_at() -> None:
    draft = Draft(STATE, ["b"])
    assert draft.metadata["user"] == "mia"
    (guard,) = draft.preconditions()
    assert guard.context_version == 5
