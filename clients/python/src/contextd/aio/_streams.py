"""How the client for asyncio reads subscriptions: their I/O, all of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Callable, Optional

import grpc

from contextd._subscribing import Feed
from contextd.aio._runner import error_of
from contextd.errors import Cancelled, ContextdError
from contextd.v1 import tracker_pb2 as pb

if TYPE_CHECKING:
    Stream = grpc.aio.UnaryStreamCall[pb.SubscribeRequest, pb.SubscribeResponse]


class AsyncStreams:
    """The streams of one subscription, one after the other.

    What always holds:

    1. After ``close`` nothing arrives any more, and who waits for something returns, soon.
    2. A stream is given up when nothing came, from when somebody began to wait for it, for the
       feed's patience.
    3. Whoever waits may be cancelled: what was on its way arrives with the next wait.

    For the tasks of one loop: one receives, any closes.

    Attributes:
        closed: Whether it is over.
    """

    def __init__(
        self, begin: Callable[[pb.SubscribeRequest], Awaitable[Stream]], feed: Feed
    ) -> None:
        """Begins no stream yet; ``begin`` does."""
        self._begin = begin
        self._feed = feed
        self.closed = False
        self._closed = asyncio.Event()
        self._stream: Optional[Stream] = None
        self._message: Optional[asyncio.Future[pb.SubscribeResponse]] = None
        self._deadline = 0.0

    def __del__(self) -> None:
        """Leaves no stream where nobody closed it."""
        if self._stream is not None:
            self._stream.cancel()

    async def close(self) -> None:
        """Ends it, once and for all."""
        self.closed = True
        self._closed.set()
        await self._end()

    async def receive(self) -> None:
        """Waits for one message and gives it to the feed. Without one it is closed.

        Raises:
            ContextdError: what happened, where a further stream would not help. It is closed.
        """
        while not self.closed:
            try:
                message = await self._next()
            except ContextdError as error:
                await self._end()
                delay = await self._delay_after(error)
            else:
                if message is not None:
                    self._feed.accept(message)
                return
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._closed.wait(), delay)

    async def _next(self) -> Optional[pb.SubscribeResponse]:
        """Waits for a message. ``None``: it was closed."""
        loop = asyncio.get_running_loop()
        if self._stream is None:
            self._stream = await self._begin(self._feed.request())
        if self._message is None:
            self._message = asyncio.ensure_future(self._stream.__aiter__().__anext__())
            self._deadline = loop.time() + self._feed.patience
        message = self._message
        await asyncio.wait({message}, timeout=max(0.0, self._deadline - loop.time()))
        if self.closed:
            return None
        if not message.done():
            raise self._feed.silent()
        self._message = None
        try:
            return message.result()
        except StopAsyncIteration:
            raise self._feed.ended() from None
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error
        except asyncio.CancelledError:
            # Not this task was cancelled, but the stream, with the whole channel.
            raise Cancelled("the stream was cancelled", grpc.StatusCode.CANCELLED) from None

    async def _end(self) -> None:
        stream, message = self._stream, self._message
        self._stream = self._message = None
        if stream is not None:
            stream.cancel()
        if message is not None:
            await asyncio.gather(message, return_exceptions=True)

    async def _delay_after(self, error: ContextdError) -> float:
        try:
            return self._feed.delay_after(error)
        except ContextdError:
            await self.close()
            raise
