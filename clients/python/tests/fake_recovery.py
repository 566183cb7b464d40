"""Answers of a server to what recovery points, forks and merges ask."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import grpc

from contextd import RecoveryPolicy, RetentionPolicy
from contextd.v1 import context_manager_pb2, resources_pb2
from contextd.v1 import recovery_pb2 as pb
from fake import Fail, FakeServer

NOON = datetime(2026, 3, 4, 12, 0, 0, 250000, timezone.utc)
WRITE = resources_pb2.WriteResult(revision=108)
REPLAYED = resources_pb2.WriteResult(revision=108, replayed=True)
TOO_LARGE = Fail(grpc.StatusCode.RESOURCE_EXHAUSTED, "RESPONSE_TOO_LARGE")
VERSION_CONFLICT = Fail(grpc.StatusCode.ABORTED, "VERSION_CONFLICT", {"current_version": "8"})
SLOW = Fail(grpc.StatusCode.ABORTED, "STREAM_STALLED")
LATE = Fail(grpc.StatusCode.DEADLINE_EXCEEDED)
POLICY = RecoveryPolicy(RetentionPolicy(3, 10, timedelta(days=7)), 50, timedelta(minutes=5))


def entry(key: str, value: bytes = b"v", version: int = 0, content_type: str = "") -> Any:
    return resources_pb2.Entry(key=key, value=value, version=version, content_type=content_type)


def point(id: str = "p", *attachments: Any, **fields: Any) -> pb.RecoveryPoint:
    fields.setdefault("version", 7)
    return pb.RecoveryPoint(
        namespace="tests", context_id="c", id=id, attachments=attachments, **fields
    )


def created(id: str = "p", **fields: Any) -> pb.CreateRecoveryPointResponse:
    return pb.CreateRecoveryPointResponse(
        recovery_point=point(id, **fields), version=7, write=WRITE
    )


def context(version: int = 7, id: str = "c", **fields: Any) -> resources_pb2.Context:
    return resources_pb2.Context(namespace="tests", id=id, version=version, **fields)


def got(*entries: Any, **fields: Any) -> context_manager_pb2.GetContextResponse:
    return context_manager_pb2.GetContextResponse(context=context(**fields, entries=entries))


def part(*keys: str, version: int = 7) -> context_manager_pb2.ReadEntriesResponse:
    return context_manager_pb2.ReadEntriesResponse(
        version=version, entries=[entry(key) for key in keys]
    )


def merged(version: int = 8, **fields: Any) -> pb.MergeContextResponse:
    fields.setdefault("applied", True)
    return pb.MergeContextResponse(version=version, write=WRITE, **fields)


def forked(id: str = "fork") -> pb.ForkContextResponse:
    return pb.ForkContextResponse(context=context(8, id), write=WRITE)


def answer_writes(server: FakeServer, *but: str, first: Sequence[Fail] = ()) -> None:
    """Lets all writes go well, after ``first``, in all but what the test is about."""
    for method, answer in {
        "CreateRecoveryPoint": created(),
        "UpdateRecoveryPoint": pb.UpdateRecoveryPointResponse(recovery_point=point(), write=WRITE),
        "DeleteRecoveryPoint": pb.DeleteRecoveryPointResponse(write=WRITE),
        "PruneRecoveryPoints": pb.PruneRecoveryPointsResponse(write=WRITE),
        "RestoreContext": pb.RestoreContextResponse(context=context(), write=WRITE),
        "ForkContext": forked(),
        "MergeContext": merged(),
        "UpdateContext": context_manager_pb2.UpdateContextResponse(version=8, write=WRITE),
        "DeleteContext": context_manager_pb2.DeleteContextResponse(deleted_count=1, write=WRITE),
    }.items():
        if method not in but:
            server.answer(method, *first, answer)
