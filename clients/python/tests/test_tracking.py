"""Histories, files, usage and resources, as the clients ask a server that answers as told."""

from __future__ import annotations

import doctest
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import contextd.tracking
from contextd import (
    Activity,
    FileOperation,
    ModelUsage,
    NewContext,
    Presence,
    ResourceEvent,
    ResourceKind,
    to_json,
)
from contextd.v1 import context_manager_pb2, resources_pb2, tracker_pb2
from contextd.values import JSON, TEXT
from fake import UNAVAILABLE, FakeServer

NOON = datetime(2026, 3, 4, 12, 0, 0, 250000, timezone.utc)
USAGE = ModelUsage("openai", "gpt-4o", "chat", 100, 20, 5, 1500, "EUR", timedelta(seconds=1.5))


def result(revision: int = 108, replayed: bool = False) -> Any:
    return resources_pb2.WriteResult(revision=revision, replayed=replayed)


def recorded(first: int = 1, last: int = 1, **fields: Any) -> Any:
    return tracker_pb2.RecordActivitiesResponse(
        first_sequence=first, last_sequence=last, write=result(**fields)
    )


def page(*sequences: int, token: str = "") -> Any:
    activities = [resources_pb2.Activity(sequence=n, type="message") for n in sequences]
    return tracker_pb2.ListActivitiesResponse(activities=activities, next_page_token=token)


def test_the_examples_of_the_documentation_hold() -> None:
    done = doctest.testmod(contextd.tracking)
    assert done.failed == 0
    assert done.attempted > 0


# Recording.


def test_activities_are_recorded_together_in_order(client: Any, server: FakeServer) -> None:
    server.answer("RecordActivities", recorded(7, 9))
    done = client.context("c").record(
        Activity("message", "Grüße", metadata={"role": "user"}),
        FileOperation("src/a.c", "write", "editor"),
        Activity("call", b"\x00", "x/y", detail=USAGE),
    )
    assert done == contextd.Recorded(7, 9, 108, False, "id-1")
    (sent,) = server.requests["RecordActivities"]
    assert (sent.namespace, sent.context_id, sent.write.request_id) == ("tests", "c", "id-1")
    message, file, call = sent.activities
    assert (message.type, message.data) == ("message", "Grüße".encode())
    assert (message.content_type, dict(message.metadata)) == (TEXT, {"role": "user"})
    assert message.WhichOneof("detail") is None
    assert (file.type, file.file.path, file.file.operation) == ("", "src/a.c", "write")
    assert file.file.source == "editor"
    assert (call.type, call.data, call.content_type) == ("call", b"\x00", "x/y")
    assert (call.model.provider, call.model.model, call.model.mode) == ("openai", "gpt-4o", "chat")
    assert (call.model.input_tokens, call.model.output_tokens) == (100, 20)
    assert (call.model.cached_tokens, call.model.cost_micros) == (5, 1500)
    assert (call.model.currency, call.model.latency.ToMilliseconds()) == ("EUR", 1500)


def test_a_record_is_repeated_with_its_request_id(client: Any, server: FakeServer) -> None:
    server.answer("RecordActivities", UNAVAILABLE, recorded(3, 3, replayed=True))
    assert client.context("c").record(Activity("message")).replayed
    first, second = server.requests["RecordActivities"]
    assert first == second


def test_a_context_can_come_with_its_first_activity(client: Any, server: FakeServer) -> None:
    server.answer("RecordActivities", recorded())
    client.context("c", create_if_missing=NewContext("chat")).record(Activity("message"))
    assert server.requests["RecordActivities"][0].create_if_missing.type == "chat"


def test_an_update_records_in_the_same_step(client: Any, server: FakeServer) -> None:
    answer = context_manager_pb2.UpdateContextResponse(version=8, write=result())
    server.answer("UpdateContext", answer)
    client.context("c").update({"k": b"v"}, activities=[FileOperation("f"), Activity("done")])
    (sent,) = server.requests["UpdateContext"]
    assert [step.WhichOneof("kind") for step in sent.mutations] == [
        "put_entry",
        "record_activity",
        "record_activity",
    ]
    assert sent.mutations[1].record_activity.file.path == "f"
    assert sent.mutations[2].record_activity.type == "done"


@pytest.mark.parametrize(
    "wrong", ["message", b"data", Activity(detail=ResourceEvent("r", "", ResourceKind.ACQUIRED))]
)
def test_what_cannot_be_recorded_is_refused_before_it_is_sent(
    client: Any, server: FakeServer, wrong: Any
) -> None:
    with pytest.raises(TypeError):
        client.context("c").record(wrong)
    assert server.requests == {}


def test_a_file_and_a_model_need_say_no_more(client: Any, server: FakeServer) -> None:
    server.answer("RecordActivities", recorded())
    client.context("c").record(FileOperation("p"), ModelUsage())
    file, model = server.requests["RecordActivities"][0].activities
    assert (file.WhichOneof("detail"), model.WhichOneof("detail")) == ("file", "model")


def test_an_activity_reads_as_text_and_json() -> None:
    content = to_json({"a": "ü"})
    activity = Activity("x", content)
    assert (activity.content_type, activity.text, activity.json()) == (
        JSON,
        '{"a":"ü"}',
        {"a": "ü"},
    )
    assert activity == Activity("x", content.value, JSON)
    assert activity != Activity("x", content.value)


# Histories.


def test_a_history_goes_on_from_page_to_page(client: Any, server: FakeServer) -> None:
    server.answer("ListActivities", page(9, 8, token="t1"), UNAVAILABLE, page(token="t2"))
    server.answer("ListActivities", page(5))
    history = client.context("c").history(
        types=["message", "error"],
        start=NOON,
        end=NOON + timedelta(hours=1),
        newest_first=True,
        from_sequence=9,
        page_size=2,
    )
    assert [activity.sequence for activity in history] == [9, 8, 5]
    sent = server.requests["ListActivities"]
    assert [request.page_token for request in sent] == ["", "t1", "t1", "t2"]
    for request in sent:
        assert list(request.types) == ["message", "error"]
        assert request.start_time.ToDatetime(timezone.utc) == NOON
        assert request.end_time.ToDatetime(timezone.utc) == NOON + timedelta(hours=1)
        assert (request.newest_first, request.from_sequence, request.page_size) == (True, 9, 2)


def test_a_history_asks_only_for_what_is_set(client: Any, server: FakeServer) -> None:
    server.answer("ListActivities", page(1, token="t"))
    assert next(client.context("c").history()).sequence == 1
    (sent,) = server.requests["ListActivities"]
    assert not sent.HasField("start_time")
    assert not sent.HasField("end_time")
    assert not sent.newest_first


def test_an_activity_comes_with_all_that_is_known_of_it(client: Any, server: FakeServer) -> None:
    first = resources_pb2.Activity(
        sequence=1, type="t", data=b"d", content_type="x/y", metadata={"a": "b"}, session_id="s"
    )
    first.time.FromDatetime(NOON)
    second = resources_pb2.Activity(sequence=2, type="file_operation")
    second.file.path = "p"
    third = resources_pb2.Activity(sequence=3, type="model_usage")
    third.model.provider = "openai"
    third.model.latency.FromMilliseconds(250)
    fourth = resources_pb2.Activity(sequence=4, type="resource")
    fourth.resource.name = "browser"
    fourth.resource.kind = resources_pb2.ResourceEvent.KIND_RECLAIMED
    answer = tracker_pb2.ListActivitiesResponse(activities=[first, second, third, fourth])
    server.answer("ListActivities", answer)
    assert list(client.context("c").history()) == [
        Activity("t", b"d", "x/y", {"a": "b"}, None, 1, NOON, "s"),
        Activity("file_operation", detail=FileOperation("p"), sequence=2),
        Activity(
            "model_usage",
            detail=ModelUsage("openai", latency=timedelta(milliseconds=250)),
            sequence=3,
        ),
        Activity(
            "resource", detail=ResourceEvent("browser", "", ResourceKind.RECLAIMED), sequence=4
        ),
    ]


def test_a_wrong_filter_is_refused_before_it_is_sent(client: Any, server: FakeServer) -> None:
    with pytest.raises(TypeError, match="several strings"):
        list(client.context("c").history(types="message"))
    with pytest.raises(ValueError, match="time zone"):
        list(client.context("c").history(start=NOON.replace(tzinfo=None)))
    assert server.requests == {}


def test_a_history_is_cut_at_a_sequence_or_a_time(client: Any, server: FakeServer) -> None:
    server.answer(
        "TruncateHistory", tracker_pb2.TruncateHistoryResponse(removed_count=6, write=result())
    )
    context = client.context("c")
    assert context.truncate_history(7) == contextd.Truncated(6, 108, False, "id-1")
    context.truncate_history(from_time=NOON)
    with pytest.raises(contextd.InvalidField, match="from_sequence must be positive"):
        context.truncate_history(0)
    by_sequence, by_time = server.requests["TruncateHistory"]
    assert (by_sequence.WhichOneof("keep"), by_sequence.from_sequence) == ("from_sequence", 7)
    assert by_time.from_time.ToDatetime(timezone.utc) == NOON
    for wrong in ({}, {"from_sequence": 7, "from_time": NOON}):
        with pytest.raises(ValueError, match="what is kept"):
            context.truncate_history(**wrong)


def test_a_history_is_optimized_as_told(client: Any, server: FakeServer) -> None:
    answer = tracker_pb2.OptimizeHistoryResponse(
        removed_count=1, removed_bytes=2, kept_count=3, kept_bytes=4, write=result()
    )
    server.answer("OptimizeHistory", answer)
    done = client.context("c").optimize_history(
        max_bytes=10, max_count=5, deduplicate=True, dry_run=True
    )
    assert done == contextd.Optimized(1, 2, 3, 4, 108, False, "id-1")
    (sent,) = server.requests["OptimizeHistory"]
    assert (sent.max_bytes, sent.max_count, sent.deduplicate, sent.dry_run) == (10, 5, True, True)


# Files, models, resources, who works on it.


def test_files_are_listed_with_their_last_operation(client: Any, server: FakeServer) -> None:
    def answer(path: str, token: str) -> Any:
        file = tracker_pb2.TrackedFile(operation_count=3)
        file.last_operation.path, file.last_operation.operation = path, "write"
        file.time.FromDatetime(NOON)
        return tracker_pb2.ListFilesResponse(files=[file], next_page_token=token)

    server.answer("ListFiles", answer("src/a", "t"), answer("src/b", ""))
    rows = list(client.context("c").files("src/", page_size=1))
    assert rows[0] == contextd.TrackedFile(FileOperation("src/a", "write"), NOON, 3)
    assert [row.path for row in rows] == ["src/a", "src/b"]
    sent = server.requests["ListFiles"]
    assert [(r.path_prefix, r.page_size, r.page_token) for r in sent] == [
        ("src/", 1, ""),
        ("src/", 1, "t"),
    ]


def test_usage_is_of_a_context_or_of_a_namespace(client: Any, server: FakeServer) -> None:
    total = tracker_pb2.SummarizeUsageResponse.UsageTotal(
        provider="p",
        model="m",
        mode="o",
        currency="USD",
        call_count=1,
        input_tokens=2,
        output_tokens=3,
        cached_tokens=4,
        cost_micros=2**64 - 1,
    )
    total.latency.FromMilliseconds(1500)
    server.answer("SummarizeUsage", tracker_pb2.SummarizeUsageResponse(totals=[total]))
    expected = contextd.UsageTotal(
        "p", "m", "o", "USD", 1, 2, 3, 4, 2**64 - 1, timedelta(seconds=1.5)
    )
    assert client.context("c").usage() == [expected]
    assert client.usage() == [expected]
    client.usage(namespace="other")
    sent = [(r.namespace, r.context_id) for r in server.requests["SummarizeUsage"]]
    assert sent == [("tests", "c"), ("tests", ""), ("other", "")]


def test_resources_are_listed_with_their_holders(client: Any, server: FakeServer) -> None:
    held = tracker_pb2.Resource(name="n", type="t", session_id="s", metadata={"a": "b"})
    held.time.FromDatetime(NOON)
    answer = tracker_pb2.ListResourcesResponse(resources=[held], next_page_token="t")
    server.answer("ListResources", answer, tracker_pb2.ListResourcesResponse())
    assert list(client.context("c").resources(page_size=1)) == [
        contextd.Resource("n", "t", "s", {"a": "b"}, NOON)
    ]
    assert [r.page_token for r in server.requests["ListResources"]] == ["", "t"]


@pytest.mark.parametrize("presence", Presence)
def test_the_status_tells_who_works_on_it(
    client: Any, server: FakeServer, presence: Presence
) -> None:
    name = "UNSPECIFIED" if presence is Presence.UNKNOWN else presence.name
    answer = tracker_pb2.GetContextStatusResponse(
        status=tracker_pb2.GetContextStatusResponse.Status.Value(f"STATUS_{name}"),
        version=3,
        fence=2,
        session_ids=["a", "b"],
        exclusive_session_id="b",
        guarded=True,
    )
    server.answer("GetContextStatus", answer)
    assert client.context("c").status() == contextd.ContextStatus(
        presence, 3, 2, ("a", "b"), "b", True
    )


def test_data_that_are_not_what_was_asked_for_are_told_as_that() -> None:
    activity = contextd.Activity("message", b"\xff", sequence=7)
    with pytest.raises(contextd.InvalidValue, match="activity 7"):
        activity.json()
    with pytest.raises(contextd.InvalidValue, match="activity 7"):
        _ = activity.text
