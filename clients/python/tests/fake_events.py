"""Messages of subscriptions, and a log that answers one as the server promises to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from contextd._subscribing import new_request
from contextd.v1 import resources_pb2, tracker_pb2
from contextd.v1.tracker_pb2 import SubscribeRequest, SubscribeResponse


def request(**changes: Any) -> SubscribeRequest:
    """What a client asks for, and what it asks for by default."""
    plain: dict[str, Any] = {
        "namespace": "tests",
        "context_ids": (),
        "id_prefix": "",
        "type": "",
        "metadata": {},
        "event_types": (),
        "key_prefix": "",
        "cursor": None,
        "from_oldest": False,
        "snapshot": False,
        "without_values": False,
        "progress_interval": 10.0,
    }
    return new_request(**{**plain, **changes})


def put(key: str, value: bytes = b"v", content_type: str = "") -> Any:
    step = resources_pb2.PutEntry(key=key, value=value, content_type=content_type)
    return resources_pb2.Mutation(put_entry=step)


def event(cursor: str, *mutations: Any, id: str = "c", version: int = 0, **fields: Any) -> Any:
    """An event of one context; without a version it has none."""
    fields.setdefault("type", tracker_pb2.EVENT_TYPE_UPDATED)
    context = resources_pb2.Context(namespace="tests", id=id, version=version)
    fields.setdefault("context", context)
    return tracker_pb2.Event(namespace="tests", cursor=cursor, mutations=mutations, **fields)


def told(*events: Any) -> SubscribeResponse:
    return SubscribeResponse(events=tracker_pb2.EventBatch(events=events))


def caught_up(cursor: str) -> SubscribeResponse:
    return SubscribeResponse(caught_up=tracker_pb2.CaughtUp(cursor=cursor))


def progress(cursor: str) -> SubscribeResponse:
    return SubscribeResponse(progress=tracker_pb2.Progress(cursor=cursor))


class FakeLog:
    """Answers subscriptions from a list of events, whose cursors count from 1.

    It is caught up when all are told. Each message has up to ``batch`` of them.
    """

    def __init__(self, events: Sequence[Any], batch: int = 1) -> None:
        self.events = events
        self.batch = batch

    def stream(self, request: SubscribeRequest) -> Iterator[SubscribeResponse]:
        at = int(request.cursor) if request.cursor else 0
        if not request.WhichOneof("start"):
            at = len(self.events)
        while at < len(self.events):
            batch = self.events[at : at + self.batch]
            at += len(batch)
            yield told(*batch)
        yield caught_up(str(at))
