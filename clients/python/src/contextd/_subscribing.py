"""What a subscription asks for, what it hands out, and how it goes on. Without I/O."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from operator import attrgetter
from typing import NamedTuple, Optional, Union

import grpc

from contextd import _requests, _rules
from contextd._calls import Settings, StreamAttempts
from contextd.errors import ContextdError, Unavailable
from contextd.events import NUMBERS, Event, EventType, event_of, events_of
from contextd.v1 import tracker_pb2 as pb

_log = logging.getLogger("contextd")

_MORE = attrgetter("more")

# How loud the failures in a row are told: one is what a restart looks like.
_LEVELS: Mapping[int, int] = {1: logging.INFO, 2: logging.WARNING}

# A server that lives says something in each interval; it may miss some, and be late besides.
_SILENT_INTERVALS = 3
GRACE_SECONDS = 5.0


def new_request(
    *,
    namespace: str,
    context_ids: Collection[str],
    id_prefix: str,
    type: str,
    metadata: Optional[Mapping[str, str]],
    event_types: Collection[EventType],
    key_prefix: str,
    cursor: Optional[str],
    from_oldest: bool,
    snapshot: bool,
    without_values: bool,
    progress_interval: Union[timedelta, float],
) -> pb.SubscribeRequest:
    """Makes the request. Raises ``TypeError`` and ``ValueError`` for what cannot be meant."""
    if isinstance(context_ids, str):
        raise TypeError("context_ids are several strings, not one")
    if (cursor is not None) + from_oldest + snapshot > 1:
        raise ValueError("a subscription begins with cursor, from_oldest, snapshot or none of them")
    unknown = [kind for kind in event_types if kind not in NUMBERS]
    if unknown:
        raise ValueError(f"the server tells no events of the type {unknown[0]}")
    request = pb.SubscribeRequest(
        namespace=namespace,
        context_ids=context_ids,
        id_prefix=id_prefix,
        type=type,
        metadata=metadata or {},
        event_types=[NUMBERS[kind] for kind in event_types],
        key_prefix=key_prefix,
        without_values=without_values,
        progress_interval=_requests.duration(_requests.to_timedelta(progress_interval)),
    )
    if cursor is not None:
        request.cursor = cursor
    elif from_oldest:
        request.from_oldest = True
    elif snapshot:
        request.with_snapshot = True
    _rules.check(request)
    return request


class _Position(NamedTuple):
    """A cursor that the server told without an event, and why."""

    type: EventType
    cursor: str


class Feed:
    """The events of one subscription, over as many streams as it takes.

    What always holds:

    1. What is handed out is whole and in order, nothing twice and nothing left out: a stream
       that breaks is followed by one that begins behind what was handed out last.
    2. ``cursor`` and ``caught_up`` follow what was handed out, not what has arrived.
    3. One message at most has arrived and was not handed out, and one event whose further
       parts are to come.

    Threads: one; ``cursor`` and ``caught_up`` may be read from any.

    Attributes:
        cursor: The position behind what was handed out. ``None``: it is not known yet.
        caught_up: Whether all that had happened was handed out.
        begun: Whether the server has said anything.
        patience: Seconds without a message after which a stream is dead.
    """

    def __init__(
        self,
        settings: Settings,
        request: pb.SubscribeRequest,
        progress: bool,
        reconnect_timeout: float,
    ) -> None:
        """Begins where ``request`` does. With ``progress`` it hands out positions too."""
        self._settings = replace(settings, timeout=reconnect_timeout)
        self._request = request
        interval = request.progress_interval.ToTimedelta().total_seconds()
        self.patience = _SILENT_INTERVALS * interval + GRACE_SECONDS
        self._progress = progress
        self._attempts: Optional[StreamAttempts] = None
        self._failed = 0
        self._arrived: deque[Union[Event, _Position]] = deque()
        self._parts: Optional[pb.Event] = None
        self.cursor: Optional[str] = request.cursor if request.HasField("cursor") else None
        self.caught_up = False
        self.begun = False

    def request(self) -> pb.SubscribeRequest:
        """The request of the next stream: where to go on."""
        if self._attempts is None:
            self._attempts = StreamAttempts(self._settings)
        request = pb.SubscribeRequest()
        request.CopyFrom(self._request)
        if self.cursor is not None:
            request.cursor = self.cursor
        return request

    def accept(self, response: pb.SubscribeResponse) -> None:
        """Takes one message of the stream."""
        assert self._attempts is not None
        self._attempts.progressed()
        self.begun = True
        if self._failed:
            _log.info("the subscription goes on")
            self._failed = 0
        messages = list(response.events.events)
        if self._parts is None and not any(map(_MORE, messages)):
            self._arrived.extend(events_of(messages))
        else:
            for message in messages:
                self._join(message)
        kind = response.WhichOneof("kind")
        if kind == "caught_up":
            self._position(EventType.CAUGHT_UP, response.caught_up.cursor)
        elif kind == "progress":
            self._position(EventType.PROGRESS, response.progress.cursor)

    def _join(self, event: pb.Event) -> None:
        """Adds a part to those before it; the last one makes the event whole."""
        if self._parts is None:
            self._parts = event
        else:
            # Lists are joined, and the cursor is that of the newest part.
            self._parts.MergeFrom(event)
        if not event.more:
            self._arrived.append(event_of(self._parts))
            self._parts = None

    def _position(self, type: EventType, cursor: str) -> None:
        # Behind the first part of an event would be a gap in what was handed out.
        if self._parts is None:
            self._arrived.append(_Position(type, cursor))

    def take(self) -> Optional[Event]:
        """Hands out what is next. ``None``: a further message is needed."""
        arrived = self._arrived
        while arrived:
            last = arrived.popleft()
            if isinstance(last, Event):
                self.cursor = last.cursor
                return last
            self._reach(last)
            if self._progress:
                return Event(last.type, self._request.namespace, last.cursor)
        return None

    def settle(self) -> None:
        """Goes on over positions that nobody wants to see, up to the next event."""
        arrived = self._arrived
        while arrived and not self._progress and isinstance(arrived[0], _Position):
            self._reach(arrived[0])
            arrived.popleft()

    def _reach(self, position: _Position) -> None:
        self.cursor = position.cursor
        if position.type is EventType.CAUGHT_UP:
            self.caught_up = True

    def ended(self) -> ContextdError:
        """What it means that a stream ended without an error."""
        return Unavailable("the server ended the stream", grpc.StatusCode.UNAVAILABLE)

    def silent(self) -> ContextdError:
        """What it means that nothing came in time."""
        return Unavailable(
            f"nothing came for {self.patience:g} seconds", grpc.StatusCode.UNAVAILABLE
        )

    def delay_after(self, error: ContextdError) -> float:
        """Seconds to wait before the next stream. Raises ``error`` where none may help."""
        assert self._attempts is not None
        self._parts = None
        self.caught_up = False
        delay = self._attempts.delay_after(error)
        self._failed += 1
        level = _LEVELS.get(self._failed, logging.DEBUG)
        _log.log(level, "a subscription broke, and goes on in %.3f s: %s", delay, error)
        return delay
