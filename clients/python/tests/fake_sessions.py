"""Answers of a server for a session that goes well, and what became of one."""

from __future__ import annotations

import threading
from typing import Any

import grpc

from contextd.v1 import context_manager_pb2, resources_pb2, tracker_pb2
from fake import Fail, FakeServer

UNKNOWN = Fail(grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND", {"session_id": "s-1"})
WRITE = resources_pb2.WriteResult(revision=108)


def activation(context_id: str, fence: int = 0) -> Any:
    return tracker_pb2.Activation(context_id=context_id, fence=fence, exclusive=fence != 0)


def session(*activations: Any, current: str = "") -> Any:
    return tracker_pb2.Session(
        namespace="tests", id="s-1", activations=activations, current_context_id=current
    )


def answer_sessions(server: FakeServer, *but: str) -> None:
    """Lets a session, and what it writes, go well in all but what the test is about."""
    context = resources_pb2.Context(id="c", version=7)
    pb, manager = tracker_pb2, context_manager_pb2
    for method, answer in {
        "StartSession": pb.StartSessionResponse(session=session(), write=WRITE),
        "RenewSession": pb.RenewSessionResponse(),
        "EndSession": pb.EndSessionResponse(write=WRITE),
        "ActivateContext": pb.ActivateContextResponse(activation=activation("c", 7)),
        "DeactivateContext": pb.DeactivateContextResponse(session=session()),
        "AcquireResource": pb.AcquireResourceResponse(
            resource=pb.Resource(name="r", session_id="s-1")
        ),
        "ReleaseResource": pb.ReleaseResourceResponse(write=WRITE),
        "RecordActivities": pb.RecordActivitiesResponse(first_sequence=1, last_sequence=1),
        "TruncateHistory": pb.TruncateHistoryResponse(removed_count=1),
        "OptimizeHistory": pb.OptimizeHistoryResponse(removed_count=1),
        "CreateContext": manager.CreateContextResponse(context=context),
        "UpdateContext": manager.UpdateContextResponse(version=8, write=WRITE),
        "DeleteContext": manager.DeleteContextResponse(deleted_count=1),
        "GetContext": manager.GetContextResponse(context=context),
    }.items():
        if method not in but:
            server.answer(method, answer)


def threads_of_sessions() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("contextd-session-")]
