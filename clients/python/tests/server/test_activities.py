"""Histories, files and usage on a real server."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import contextd
from contextd import Activity, FileOperation, ModelUsage

# Histories.


def test_a_history_is_read_in_both_directions(client: Any) -> None:
    context = client.create("c")
    begin = datetime.now(timezone.utc) - timedelta(hours=1)
    for n in range(10):
        done = context.record(Activity("even" if n % 2 == 0 else "odd", str(n)), Activity("all"))
        assert (done.first_sequence, done.last_sequence) == (2 * n + 1, 2 * n + 2)

    def sequences(**how: Any) -> list[int]:
        return [activity.sequence for activity in context.history(page_size=3, **how)]

    assert sequences() == list(range(1, 21))
    assert sequences(newest_first=True) == list(range(20, 0, -1))
    assert sequences(types=["even"]) == list(range(1, 21, 4))
    assert sequences(types=["even", "odd"], newest_first=True) == list(range(19, 0, -2))
    assert sequences(from_sequence=15) == list(range(15, 21))
    assert sequences(from_sequence=5, newest_first=True) == [5, 4, 3, 2, 1]
    assert sequences(start=begin) == list(range(1, 21))
    assert sequences(end=begin) == []
    assert sequences(types=["none"]) == []
    middle = next(context.history(from_sequence=11)).time
    assert sequences(start=middle)[-1] == 20
    assert sequences(end=middle) + sequences(start=middle) == list(range(1, 21))
    with pytest.raises(contextd.InvalidField):
        sequences(start=begin, end=begin - timedelta(seconds=1))
    assert context.version() == 1


def test_what_is_recorded_is_read_with_its_session(client: Any) -> None:
    context = client.create("c")
    recorded = Activity("message", "Grüße", metadata={"role": "user"})
    with client.session() as session:
        session.context("c").record(recorded)
        (found,) = context.history()
        assert (found.type, found.text, found.metadata) == ("message", "Grüße", {"role": "user"})
        assert (found.content_type, found.session_id) == (recorded.content_type, session.id)
        assert found.time is not None


def test_an_update_records_in_one_version(client: Any) -> None:
    context = client.create("c")
    done = context.update({"k": b"v"}, activities=[FileOperation("a"), Activity("x")])
    assert done.version == 2
    assert [activity.type for activity in context.history()] == ["file_operation", "x"]
    with pytest.raises(contextd.VersionConflict):
        context.update(activities=[Activity("y")], if_version=1)
    assert context.update(activities=[Activity("y")], if_version=2).version == 2


def test_a_repeated_record_is_recorded_once(client: Any) -> None:
    context = client.create("c")
    first = context.record(Activity("a"), Activity("b"), request_id="once")
    context.record(Activity("c"))
    second = context.record(Activity("a"), Activity("b"), request_id="once")
    assert (first.replayed, second.replayed) == (False, True)
    assert (first.first_sequence, first.last_sequence) == (1, 2)
    assert (second.first_sequence, second.last_sequence) == (1, 2)
    assert len(list(context.history())) == 3


def test_a_history_is_cut_and_goes_on_counting(client: Any) -> None:
    context = client.create("c")
    context.record(*(Activity("message", str(n)) for n in range(100)))
    assert context.truncate_history(91).removed_count == 90
    assert context.truncate_history(91).removed_count == 0
    assert [activity.text for activity in context.history()] == [str(n) for n in range(90, 100)]
    later = datetime.now(timezone.utc) + timedelta(hours=1)
    assert context.truncate_history(from_time=later).removed_count == 10
    assert list(context.history()) == []
    assert context.record(Activity("message")).first_sequence == 101
    with pytest.raises(contextd.InvalidField):
        context.truncate_history(0)


def test_a_history_is_optimized_without_a_hole(client: Any) -> None:
    context = client.create("c")
    context.record(*(Activity("message", f"{n % 4:04d}") for n in range(12)))
    dry = context.optimize_history(deduplicate=True, max_bytes=8, dry_run=True)
    assert (dry.removed_count, dry.removed_bytes) == (10, 40)
    assert (dry.kept_count, dry.kept_bytes) == (2, 8)
    assert len(list(context.history())) == 12
    assert context.optimize_history(deduplicate=True).removed_count == 8
    assert [activity.sequence for activity in context.history()] == [9, 10, 11, 12]
    context.record(Activity("message", "x" * 100))
    context.record(Activity("message", "y"))
    done = context.optimize_history(max_bytes=50)
    assert (done.removed_count, done.kept_count, done.kept_bytes) == (5, 1, 1)
    assert [activity.text for activity in context.history()] == ["y"]


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        (Activity(""), "type"),
        (Activity("t" * 65), "type"),
        (FileOperation(""), "path"),
        (ModelUsage(currency="dollars"), "currency"),
        (ModelUsage(latency=timedelta(seconds=-1)), "latency"),
        (ModelUsage(latency=timedelta(days=365 * 101)), "latency"),
    ],
)
def test_a_wrong_activity_is_named(client: Any, wrong: Any, rule: str) -> None:
    context = client.create("c")
    with pytest.raises(contextd.InvalidField) as caught:
        context.record(Activity("right"), wrong)
    assert caught.value.field.startswith("activities[1]")
    assert caught.value.field.endswith(rule)
    assert list(context.history()) == []


def test_an_activity_that_is_too_large_is_refused(client: Any) -> None:
    context = client.create("c")
    with pytest.raises(contextd.LimitReached) as caught:
        context.record(Activity("message", bytes((1 << 20) + 1)))
    assert caught.value.limit == "value_size_max"
    assert context.record(Activity("message", bytes(1 << 20))).first_sequence == 1


# Files and models.


def test_files_tell_their_last_operation(client: Any) -> None:
    context = client.create("c")
    context.record(
        FileOperation("src/a.c", "read", "editor"),
        FileOperation("README", "read"),
        FileOperation("src/b.c", "write"),
        FileOperation("src/a.c", "write", "agent"),
    )
    found = {file.path: file for file in context.files(page_size=1)}
    assert list(found) == ["README", "src/a.c", "src/b.c"]
    assert found["src/a.c"].last_operation == FileOperation("src/a.c", "write", "agent")
    assert [file.operation_count for file in found.values()] == [1, 2, 1]
    assert [file.path for file in context.files("src/")] == ["src/a.c", "src/b.c"]
    context.truncate_history(100)
    assert len(list(context.files())) == 3


def test_usage_adds_up_in_a_context_and_beyond_it(client: Any) -> None:
    one = ModelUsage("openai", "gpt-4o", "chat", 100, 20, 10, 1500, "", timedelta(seconds=1.5))
    two = ModelUsage("openai", "gpt-4o", "chat", 1, 2, 3, 4, "USD", timedelta(microseconds=1))
    other = ModelUsage("anthropic", "claude", "chat", currency="EUR")
    a, b = client.create("a"), client.create("b")
    a.record(one, two, other)
    b.record(one)
    total = contextd.UsageTotal(
        "openai", "gpt-4o", "chat", "USD", 2, 101, 22, 13, 1504, timedelta(seconds=1.500001)
    )
    empty = contextd.UsageTotal("anthropic", "claude", "chat", "EUR", 1, 0, 0, 0, 0, timedelta(0))
    assert a.usage() == [empty, total]
    b.delete()
    assert [(row.call_count, row.input_tokens) for row in client.usage()] == [(1, 0), (3, 201)]
