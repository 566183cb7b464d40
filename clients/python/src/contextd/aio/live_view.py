"""Views that follow a namespace by themselves, with the client for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from types import TracebackType
from typing import Callable, Optional

from contextd.aio.subscription import AsyncSubscription
from contextd.errors import ClientClosed, ContextNotFound, CursorCompacted
from contextd.events import Event
from contextd.live_view import Following, LiveViewState, view_closed
from contextd.values import Snapshot


class AsyncLiveView(LiveViewState):
    """Contexts in memory, kept as the server has them. As :class:`contextd.LiveView`.

    Made by :meth:`AsyncClient.view`. A task of its own follows the events, and calls ``on_event``
    and ``on_restart``. For the tasks of one loop.

    Example:
        >>> async with client.view(id_prefix="chat-") as view:
        ...     print(view.get("chat-1").entries["system"].text)
        You are helpful.
    """

    def __init__(
        self,
        following: Following,
        subscribe: Callable[[], AsyncSubscription],
        reader: Callable[[str], Awaitable[Snapshot]],
    ) -> None:
        """Made by :meth:`AsyncClient.view`."""
        super().__init__(following)
        self._subscribe = subscribe
        self._reader = reader
        self._subscription: Optional[AsyncSubscription] = None
        self._task: Optional[asyncio.Task[None]] = None
        # Those who wait for a change, each with what is set when there is one.
        self._bells: set[asyncio.Event] = set()

    async def start(self) -> AsyncLiveView:
        """Begins it, and does not wait for it. As :meth:`contextd.LiveView.start`."""
        if self._task is not None:
            raise RuntimeError("the view has begun already; make another one")
        self._task = asyncio.create_task(self._follow())
        return self

    async def wait_ready(self, timeout: Optional[float] = None) -> bool:
        """Waits until it holds all that there is. As :meth:`contextd.LiveView.wait_ready`."""
        await self._wait(lambda: self._ready or self._error is not None, timeout)
        if self._error is not None:
            raise self._error
        return self._ready

    async def wait_ended(self, timeout: Optional[float] = None) -> bool:
        """Waits until it has ended. As :meth:`contextd.LiveView.wait_ended`."""
        await self._wait(lambda: self._error is not None, timeout)
        return self._error is not None

    async def _wait(self, holds: Callable[[], bool], timeout: Optional[float]) -> None:
        async def wait() -> None:
            bell = asyncio.Event()
            self._bells.add(bell)
            try:
                while not holds():
                    bell.clear()
                    await bell.wait()
            finally:
                self._bells.discard(bell)

        if not holds():
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(wait(), timeout)

    def _ring(self) -> None:
        """Wakes who waits for a change."""
        for bell in self._bells:
            bell.set()

    async def aclose(self) -> None:
        """Ends it. As :meth:`contextd.LiveView.close`."""
        self._end(view_closed())
        if self._subscription is not None:
            await self._subscription.aclose()
        task = self._task
        if task is not None and task is not asyncio.current_task():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def __aenter__(self) -> AsyncLiveView:
        """Begins it and waits until it holds all that there is."""
        await self.start()
        try:
            await self.wait_ready()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Closes it."""
        await self.aclose()

    async def _follow(self) -> None:
        try:
            # A cancellation may be lost in a wait that was over just then: the mark is not.
            while self._error is None:
                try:
                    await self._follow_one()
                except CursorCompacted as lost:
                    await asyncio.sleep(self._lost(lost))
        except asyncio.CancelledError:
            self._end(view_closed())
            raise
        except Exception as error:
            self._end(error)

    async def _follow_one(self) -> None:
        """Follows one subscription, from a snapshot on."""
        self._begin()
        self._subscription = subscription = self._subscribe()
        try:
            async for event in subscription:
                if not self._take(event):
                    await self._read(event)
                self._taken(event)
            raise ClientClosed
        finally:
            await subscription.aclose()

    async def _read(self, event: Event) -> None:
        try:
            snapshot = await self._reader(event.context_id)
        except ContextNotFound:
            self._take_read(event, None)
        else:
            self._take_read(event, snapshot)
