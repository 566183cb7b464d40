"""How operations of many threads go out together: the lanes of the synchronous client."""

from __future__ import annotations

import threading
from typing import Any, Callable, Optional, cast

from google.protobuf.message import Message

from contextd._calls import Coalesce, Operation
from contextd._calls import send as send_one
from contextd._kinds import KIND_OF, KINDS
from contextd._lane import Lane, Name, Outcome, Part, name_of, send, too_late
from contextd.errors import ClientClosed


class _ThreadPart(Part):
    """An operation that a thread waits for, or leads.

    Attributes:
        outcome: What became of it. ``None``: it is not known yet.
        group: What this thread is to send, itself among it. ``None``: nothing.
    """

    __slots__ = ("bell", "group", "outcome")

    def __init__(self, step: Coalesce, name: Name) -> None:
        super().__init__(step, name)
        self.outcome: Optional[Outcome] = None
        self.group: Optional[list[Part]] = None
        self.bell = threading.Lock()
        self.bell.acquire()

    def wake(self, outcome: Outcome) -> None:
        self.outcome = outcome
        if self.group is None:
            self.bell.release()

    def lead(self, group: list[Part]) -> None:
        """Has its thread send a group."""
        self.group = group
        self.bell.release()


class Lanes:
    """The operations of all threads, sent by the threads that wait for them.

    What always holds:

    1. A thread that finds room sends its own operation, alone, at once: without others there is
       no other thread.
    2. A group is sent by the thread of that operation which has most time: nobody waits longer
       than its caller wanted.
    3. A thread that is interrupted while it sends leaves what others wait for to one of them.

    Threads: any number.
    """

    def __init__(self, run: Callable[[Operation[Any]], Any]) -> None:
        """Sends with ``run``."""
        self._run = run
        self._lock = threading.Lock()
        self._closed = False
        self._lanes = {kind: Lane(kind) for kind in KINDS}

    def perform(self, step: Coalesce) -> Message:
        """Has an operation done and gives its answer. Raises what it failed with."""
        lane = self._lanes[KIND_OF[step.method.name]]
        name = name_of(step)
        with self._lock:
            if self._closed:
                raise ClientClosed
            alone = lane.go_alone(name)
        if alone:
            return self._alone(step, lane, name)
        part = _ThreadPart(step, name)
        with self._lock:
            if self._closed:
                raise ClientClosed
            lane.add(part)
            self._hand_out(lane)
        return self._wait(step, lane, part)

    def _wait(self, step: Coalesce, lane: Lane, part: _ThreadPart) -> Message:
        """Waits for the outcome, or for the word to send a group."""
        try:
            if not part.bell.acquire(timeout=step.settings.timeout):
                self._give_up(part)
            if part.group is not None:
                self._run(send(step.settings, lane.kind, part.group))
        finally:
            if part.group is not None or part.outcome is None:
                self._leave(lane, part)
        if part.outcome is None:
            raise too_late(step)
        if isinstance(part.outcome, Exception):
            raise part.outcome
        return part.outcome

    def _alone(self, step: Coalesce, lane: Lane, name: Name) -> Message:
        """Makes the plain call: there was room."""
        try:
            operation = send_one(step.settings, step.method, step.request, step.request_id)
            return cast(Message, self._run(operation))
        finally:
            with self._lock:
                lane.came_back(name)
                self._hand_out(lane)

    def _give_up(self, part: _ThreadPart) -> None:
        """Waits no more, unless it was told to send a group in this moment."""
        with self._lock:
            if part.group is None:
                part.give_up()

    def _leave(self, lane: Lane, part: _ThreadPart) -> None:
        """Takes back what it was to send; others send what is left of it."""
        with self._lock:
            part.give_up()
            if part.group is not None:
                lane.done(part.group)
                self._hand_out(lane)

    def _hand_out(self, lane: Lane) -> None:
        group = lane.take()
        while group is not None:
            leader = group[0] if len(group) == 1 else max(group, key=lambda part: part.deadline)
            assert isinstance(leader, _ThreadPart)
            leader.lead(group)
            group = lane.take()

    def close(self) -> None:
        """Ends what waits, and takes nothing any more."""
        with self._lock:
            self._closed = True
            waiting = [part for lane in self._lanes.values() for part in lane.close()]
        for part in waiting:
            part.settle(ClientClosed())
