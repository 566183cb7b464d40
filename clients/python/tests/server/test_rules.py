"""Requests that break a rule: what the client says before it sends them is what the server says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from contextd import _methods, _rules
from contextd._sync import Connection, error_of
from contextd.errors import InvalidField
from contextd.v1 import context_manager_pb2, recovery_pb2, resources_pb2, tracker_pb2
from contextd_process import ContextdProcess

# Names that are wrong anywhere, and what is too long where a name may have N bytes.
CONTROLS = ("a\nb", "\x85", "a\0b", "\0")

# Requests are made of dictionaries, which their types do not tell of.
manager: Any = context_manager_pb2
recovery: Any = recovery_pb2
tracker: Any = tracker_pb2

CONTEXT = {"namespace": "n", "context_id": "c"}
STATE = resources_pb2.StateRef(namespace="n", context_id="c")
PUT = {"put_entry": {"key": "k"}}


def update(**mutation: Any) -> Message:
    request: Message = manager.UpdateContextRequest(**CONTEXT, mutations=[PUT, mutation])
    return request


def merge(**fields: Any) -> Message:
    sides = {"namespace": "n", "source": STATE, "target_context_id": "t"}
    request: Message = recovery.MergeContextRequest(**{**sides, **fields})
    return request


def names(limit: int, least: int) -> list[str]:
    """Wrong names of a field."""
    return ["é" * (limit // 2) + "xy", *CONTROLS] + [""] * least


def texts(limit: int) -> list[str]:
    return ["x" * (limit + 1), "a\0b"]


def wrong_names() -> Iterator[Message]:
    for bad in ("x" * 64, "é", "Abc", "a b", "-a", "a\nb", "a\0b"):
        yield manager.ListContextsRequest(namespace=bad)
        yield tracker.SummarizeUsageRequest(namespace=bad)
    for bad in names(256, 1):
        yield manager.UpdateContextRequest(context_id=bad, mutations=[PUT])
        yield manager.DeleteContextRequest(context_id=bad)
        yield manager.GetContextRequest(state={"context_id": bad})
        yield tracker.RecordActivitiesRequest(context_id=bad)
        yield tracker.ListFilesRequest(context_id=bad)
        yield recovery.SyncContextRequest(context_id=bad)
        yield tracker.GetContextStatusRequest(context_id=bad)
        yield tracker.DeactivateContextRequest(context_id=bad)
        yield recovery.MergeContextRequest(source=STATE, namespace="n", target_context_id=bad)
        yield tracker.SubscribeRequest(context_ids=["c", bad])
        yield tracker.GetSessionRequest(session_id=bad)
        yield tracker.AcquireResourceRequest(**CONTEXT, session_id="s", name=bad)
    for bad in names(256, 0):
        yield manager.CreateContextRequest(context_id=bad)
        yield manager.ListContextsRequest(id_prefix=bad)
        yield manager.ListContextsRequest(parent_id=bad)
        yield tracker.ListSessionsRequest(owner=bad)
        yield tracker.StartSessionRequest(owner=bad)
        yield tracker.StartSessionRequest(default_context_id=bad)
        yield tracker.SummarizeUsageRequest(context_id=bad)
        yield recovery.ForkContextRequest(source=STATE, context_id=bad)
        yield manager.CreateContextRequest(properties={"parent_id": bad})
        yield manager.DeleteContextRequest(**CONTEXT, write={"session_id": bad})
    for bad in names(64, 0):
        yield manager.CreateContextRequest(properties={"type": bad})
        yield manager.ListContextsRequest(type=bad)
        yield tracker.SubscribeRequest(type=bad)
        yield tracker.AcquireResourceRequest(**CONTEXT, session_id="s", name="r", type=bad)
    for bad in names(512, 1):
        yield update(put_entry={"key": bad})
        yield update(append_entry={"key": bad})
        yield update(delete_entry={"key": bad})
        yield manager.GetContextRequest(state=STATE, keys=["k", bad])
        yield recovery.GetRecoveryPointRequest(**CONTEXT, keys=[bad])
        yield manager.UpdateContextRequest(
            **CONTEXT,
            mutations=[PUT],
            preconditions=[{"context_version": 1}, {"entry": {"key": bad}}],
        )
        yield recovery.CreateRecoveryPointRequest(**CONTEXT, attachments=[{"key": bad}])
        yield merge(on_conflict_by_key={bad: 1})
        yield recovery.UpdateRecoveryPointRequest(
            **CONTEXT, recovery_point_id="p", delete_attachments=[bad]
        )
    for bad in names(512, 0):
        yield update(delete_entries={"prefix": bad})
        yield manager.GetContextRequest(state=STATE, key_prefix=bad)
        yield manager.ReadEntriesRequest(state=STATE, after_key=bad)
        yield manager.ReadEntriesRequest(state=STATE, before_key=bad)
        yield recovery.DiffStatesRequest(before=STATE, after=STATE, key_prefix=bad)
    for bad in names(128, 1):
        yield recovery.DeleteRecoveryPointRequest(**CONTEXT, recovery_point_id=bad)
        yield recovery.UpdateRecoveryPointRequest(**CONTEXT, recovery_point_id=bad)
    for bad in names(128, 0):
        yield recovery.CreateRecoveryPointRequest(**CONTEXT, recovery_point_id=bad)
        yield recovery.CreateRecoveryPointRequest(**CONTEXT, from_recovery_point_id=bad)
        yield recovery.RestoreContextRequest(**CONTEXT, recovery_point_id=bad)
        yield recovery.ListRecoveryPointsRequest(**CONTEXT, ancestors_of=bad)
    for bad in names(63, 1):
        yield update(set_metadata={"key": bad})
        yield update(delete_metadata={"key": bad})
        yield manager.ListContextsRequest(metadata={bad: ""})
        yield manager.CreateContextRequest(properties={"metadata": {bad: ""}})
        yield tracker.StartSessionRequest(metadata={bad: ""})
        yield recovery.UpdateRecoveryPointRequest(
            **CONTEXT, recovery_point_id="p", set_metadata={bad: ""}
        )


def wrong_texts() -> Iterator[Message]:
    for bad in texts(1024):
        yield update(set_metadata={"key": "k", "value": bad})
        yield manager.ListContextsRequest(metadata={"k": bad})
    for bad in texts(128):
        yield update(put_entry={"key": "k", "content_type": bad})
        yield update(append_entry={"key": "k", "content_type": bad})
        yield manager.DeleteContextRequest(**CONTEXT, write={"request_id": bad})
    for bad in texts(2048):
        yield tracker.ListFilesRequest(**CONTEXT, path_prefix=bad)
        yield update(record_activity={"file": {"path": bad}})
    for bad in texts(64):
        yield update(record_activity={"file": {"path": "p", "operation": bad}})
    for bad in texts(256):
        yield update(record_activity={"file": {"path": "p", "source": bad}})


def wrong_activities() -> Iterator[Message]:
    yield update(record_activity={})
    yield update(record_activity={"type": "x" * 65})
    yield update(record_activity={"type": "t", "content_type": "x" * 129})
    yield update(record_activity={"type": "t", "metadata": {"": ""}})
    yield update(record_activity={"file": {}})
    for currency in ("eur", "EURO", "€"):
        yield update(record_activity={"model": {"currency": currency}})
    for field in ("provider", "model", "mode"):
        yield update(record_activity={"model": {field: "x" * 257}})
    yield update(record_activity={"model": {"latency": Duration(seconds=-1)}})
    yield tracker.RecordActivitiesRequest(**CONTEXT)
    yield tracker.RecordActivitiesRequest(**CONTEXT, activities=[{"type": "t"}, {}])
    yield tracker.RecordActivitiesRequest(**CONTEXT, activities=[{"type": "t"}] * 1001)
    yield tracker.ListActivitiesRequest(**CONTEXT, types=["t", ""])
    yield tracker.ListActivitiesRequest(**CONTEXT, types=["t"] * 101)
    yield tracker.ListActivitiesRequest(
        **CONTEXT, start_time=Timestamp(seconds=5), end_time=Timestamp(seconds=4)
    )
    yield tracker.TruncateHistoryRequest(**CONTEXT)
    yield tracker.TruncateHistoryRequest(**CONTEXT, from_sequence=0)


def wrong_counts() -> Iterator[Message]:
    labels = {f"k{index}": "" for index in range(65)}
    yield manager.UpdateContextRequest(**CONTEXT)
    yield manager.UpdateContextRequest(**CONTEXT, mutations=[PUT] * 10_001)
    yield manager.UpdateContextRequest(
        **CONTEXT,
        mutations=[PUT],
        preconditions=[{"context_version": 1}] * 1001,
    )
    yield manager.UpdateContextRequest(**CONTEXT, mutations=[{}])
    yield manager.ListContextsRequest(metadata=labels)
    yield manager.GetContextRequest(state=STATE, keys=["k"] * 10_001)
    yield manager.GetContextRequest()
    yield recovery.ForkContextRequest()
    yield tracker.SubscribeRequest(context_ids=["c"] * 1001)
    for page_size in (-1, 1001):
        yield manager.ListContextsRequest(page_size=page_size)
        yield manager.ListNamespacesRequest(page_size=page_size)
        yield tracker.ListSessionsRequest(page_size=page_size)
        yield recovery.ListRecoveryPointsRequest(page_size=page_size)
    yield recovery.BatchRecoveryPointsRequest()
    yield merge(on_conflict_by_key={f"k{index}": 1 for index in range(10_001)})
    yield tracker.StartSessionRequest(max_active_contexts=1001)


def wrong_lengths() -> Iterator[Message]:
    for seconds in (0, -1, 4_000_000_000):
        length = Duration(seconds=seconds)
        yield update(set_expiry={"ttl": length})
        yield manager.CreateContextRequest(properties={"expiry": {"ttl": length}})
        yield recovery.CreateRecoveryPointRequest(**CONTEXT, ttl=length)
        yield tracker.StartSessionRequest(ttl=length)
        yield tracker.SubscribeRequest(progress_interval=length)
        policy = {"point_every": length}
        yield update(set_recovery_policy={"policy": policy})
        yield update(set_recovery_policy={"policy": {"retention": {"keep_within": length}}})
    yield update(set_recovery_policy={"policy": {"retention": {}}})


def wrong_together() -> Iterator[Message]:
    own = {"parent_id": "c"}
    elsewhere = {"namespace": "m", "context_id": "c"}
    yield merge(source=elsewhere)
    yield merge(source={"context_id": "c"})
    yield merge(ancestor=elsewhere)
    yield recovery.DiffStatesRequest(before=STATE, after=elsewhere)
    yield manager.CreateContextRequest(context_id="c", properties=own)
    yield manager.UpdateContextRequest(**CONTEXT, mutations=[PUT], create_if_missing=own)
    yield tracker.ActivateContextRequest(**CONTEXT, session_id="s", takeover=True)
    yield tracker.ActivateContextRequest(**CONTEXT, session_id="s", guard=True)
    yield recovery.PruneRecoveryPointsRequest(**CONTEXT)
    yield recovery.CreateRecoveryPointRequest(
        **CONTEXT,
        mutations=[PUT, {"set_expiry": {}}],
    )
    twice = [{"key": "a"}, {"key": "a"}]
    yield recovery.CreateRecoveryPointRequest(**CONTEXT, attachments=twice)
    yield recovery.UpdateRecoveryPointRequest(
        **CONTEXT,
        recovery_point_id="p",
        put_attachments=[{"key": "a"}],
        delete_attachments=["b", "a"],
    )
    yield recovery.UpdateRecoveryPointRequest(
        **CONTEXT, recovery_point_id="p", ttl=Duration(seconds=1), clear_expiry=True
    )


def method_of(request: Message) -> str:
    return type(request).__name__[: -len("Request")]


def collect(answer: Any) -> None:
    """Reads a stream to its end."""
    list(answer)


def look_at(request: Message) -> None:
    """Checks a request, and shows what passes."""
    _rules.check(request)
    print(f"this passes: {type(request).__name__} {request}")


@pytest.mark.parametrize(
    "requests",
    [
        wrong_names,
        wrong_texts,
        wrong_activities,
        wrong_counts,
        wrong_lengths,
        wrong_together,
    ],
)
def test_what_is_wrong_is_told_in_the_words_of_the_server(
    process: ContextdProcess, requests: Any
) -> None:
    with grpc.insecure_channel(process.address) as channel:
        methods = Connection(channel).methods
        for request in requests():
            with pytest.raises(grpc.RpcError) as refused:
                collect(methods[method_of(request)](request, timeout=30))
            told = error_of(refused.value)
            with pytest.raises(InvalidField) as found:
                look_at(request)
            ours = (found.value.field, found.value.rule, found.value.message)
            assert ours == (told.details.get("field"), told.details.get("rule"), told.message)


def test_every_request_that_can_be_wrong_is_looked_at() -> None:
    used = {
        method.name
        for service in (_methods.CONTEXT_MANAGER, _methods.TRACKER, _methods.RECOVERY)
        for method in service
    }
    looked_at = {kind.__name__[: -len("Request")] for kind in _rules._RULES}
    # The server says what little can be wrong with these.
    unchecked = {"GetServerInfo", "RenewSession"}
    assert used - looked_at == unchecked
