"""How operations of many tasks go out together: the lanes of the client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Callable, Optional

from google.protobuf.message import Message

from contextd._calls import Coalesce, Operation
from contextd._calls import send as send_one
from contextd._kinds import KIND_OF, KINDS
from contextd._lane import Lane, Name, Outcome, Part, name_of, send, too_late
from contextd.errors import ClientClosed


class _TaskPart(Part):
    """An operation that a task waits for.

    Attributes:
        future: Where the task waits.
        end: When its time is over, by the loop's clock.
    """

    __slots__ = ("end", "future", "step")

    future: asyncio.Future[Message]
    end: float
    step: Coalesce

    def wake(self, outcome: Outcome) -> None:
        if isinstance(outcome, Exception):
            self.future.set_exception(outcome)
        else:
            self.future.set_result(outcome)

    def expire(self) -> None:
        """Notes that its time is over."""
        self.settle(too_late(self.step))

    def cancel(self) -> None:
        """Lets its task end with asyncio's own exception."""
        if not self.over:
            self.give_up()
            self.future.cancel()


class AsyncLanes:
    """The operations of all tasks of one loop.

    A task that finds room makes its own call, alone, at once. What waits is sent by a further task
    for each call, not for each operation.
    """

    def __init__(self, run: Callable[[Operation[object]], Awaitable[object]]) -> None:
        """Sends with ``run``."""
        self._run = run
        self._closed = False
        self._lanes = {kind: Lane(kind) for kind in KINDS}
        # What tasks wait for, and what looks next whether the time of one is over.
        self._waiting: set[_TaskPart] = set()
        self._timer: Optional[asyncio.TimerHandle] = None
        self._sending: set[asyncio.Task[None]] = set()

    async def perform(self, step: Coalesce) -> object:
        """Has an operation done and gives its answer. Raises what it failed with."""
        if self._closed:
            raise ClientClosed
        lane = self._lanes[KIND_OF[step.method.name]]
        name = name_of(step)
        if lane.go_alone(name):
            return await self._alone(step, lane, name)
        loop = asyncio.get_running_loop()
        part = _TaskPart(step, name)
        lane.add(part)
        part.step = step
        part.future = loop.create_future()
        part.end = loop.time() + step.settings.timeout
        if self._timer is None or part.end < self._timer.when():
            self._look_at(part.end)
        self._waiting.add(part)
        if not lane.full:
            self._send_waiting(step, lane)
        try:
            return await part.future
        finally:
            self._waiting.remove(part)
            part.give_up()

    async def _alone(self, step: Coalesce, lane: Lane, name: Name) -> object:
        """Makes the plain call: there was room."""
        try:
            return await self._run(
                send_one(step.settings, step.method, step.request, step.request_id)
            )
        finally:
            if lane.waiting == 0:
                lane.came_back(name)
            else:
                asyncio.get_running_loop().call_soon(self._came_back, step, lane, name)

    def _look_at(self, when: float) -> None:
        """Looks then whose time is over: one timer for all, which few of them need."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(when, self._expire)

    def _expire(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for part in self._waiting:
            if part.end <= now:
                part.expire()
        later = [part.end for part in self._waiting if part.end > now]
        if later:
            self._look_at(min(later))

    # What is out is taken back as soon as the tasks have run that have their outcomes now: what
    # those ask for next goes into the same call.

    def _came_back(self, step: Coalesce, lane: Lane, name: Name) -> None:
        lane.came_back(name)
        self._send_waiting(step, lane)

    def _done(self, step: Coalesce, lane: Lane, group: list[Part]) -> None:
        lane.done(group)
        self._send_waiting(step, lane)

    def _send_waiting(self, step: Coalesce, lane: Lane) -> None:
        """Sends what there is room for."""
        following = lane.take()
        while following is not None:
            task = asyncio.get_running_loop().create_task(self._send(step, lane, following))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
            following = lane.take()

    async def _send(self, step: Coalesce, lane: Lane, group: list[Part]) -> None:
        try:
            await self._run(send(step.settings, lane.kind, group))
        except BaseException:
            # The whole loop is ended, or there is a defect: nobody waits for ever.
            for part in group:
                assert isinstance(part, _TaskPart)
                part.cancel()
            raise
        finally:
            asyncio.get_running_loop().call_soon(self._done, step, lane, group)

    def close(self) -> None:
        """Ends what waits, and takes nothing any more."""
        self._closed = True
        for lane in self._lanes.values():
            for part in lane.close():
                part.settle(ClientClosed())
