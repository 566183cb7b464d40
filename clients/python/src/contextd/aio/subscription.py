"""Subscriptions: what happens, as it happens, with the client for asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Optional

from contextd._subscribing import Feed
from contextd.aio._streams import AsyncStreams
from contextd.events import Event


class AsyncSubscription(AsyncIterator[Event]):
    """The events of a namespace, in order. As :class:`contextd.Subscription`.

    Made by :meth:`AsyncClient.subscribe`. One task iterates, all else is for any of the loop.
    A wait for the next event may be cancelled, also by a timeout: the next one goes on, and
    nothing is left out. Who does not go on closes it. While the events of one message are handed
    out, the next message may arrive: that is in memory too.

    Example:
        >>> async with client.subscribe(cursor=load_cursor()) as events:
        ...     async for event in events:
        ...         await apply_and_store(event, event.cursor)
    """

    def __init__(self, streams: AsyncStreams, feed: Feed) -> None:
        """Made by :meth:`AsyncClient.subscribe`."""
        self._streams = streams
        self._feed = feed

    @property
    def cursor(self) -> Optional[str]:
        """The position behind what was handed out. As :attr:`contextd.Subscription.cursor`."""
        return self._feed.cursor

    @property
    def caught_up(self) -> bool:
        """Whether all was handed out. As :attr:`contextd.Subscription.caught_up`."""
        return self._feed.caught_up

    async def __anext__(self) -> Event:
        """Waits for the next event and hands it out."""
        while not self._streams.closed:
            event = self._feed.take()
            if event is not None:
                return event
            await self._streams.receive()
        raise StopAsyncIteration

    async def until_caught_up(self) -> AsyncIterator[Event]:
        """Hands out events until all was. As :meth:`contextd.Subscription.until_caught_up`."""
        feed, streams = self._feed, self._streams
        while not feed.caught_up and not streams.closed:
            event = feed.take()
            if event is not None:
                yield event
            elif not feed.caught_up:
                await streams.receive()

    async def aclose(self) -> None:
        """Ends the iteration, also one that another task waits in."""
        await self._streams.close()

    async def __aenter__(self) -> AsyncSubscription:
        """Waits for the server's first message."""
        try:
            while not self._feed.begun and not self._streams.closed:
                await self._streams.receive()
        except BaseException:
            await self.aclose()
            raise
        self._feed.settle()
        return self

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Closes it."""
        await self.aclose()
