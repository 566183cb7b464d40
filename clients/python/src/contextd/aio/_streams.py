"""How the client for asyncio reads subscriptions: their I/O, all of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Callable, Optional

import grpc

from contextd._subscribing import Feed
from contextd.aio._runner import error_of
from contextd.errors import Cancelled, ContextdError
from contextd.v1 import tracker_pb2 as pb

if TYPE_CHECKING:
    Stream = grpc.aio.UnaryStreamCall[pb.SubscribeRequest, pb.SubscribeResponse]


class _Reader:
    """Reads one stream, a message ahead of who takes them: it arrives while they work.

    What always holds:

    1. Who waits may be cancelled: nothing is lost.
    2. While a message is there that nobody waits for, no further one is asked for.

    It does not know who has it, so that it does not keep them.
    """

    def __init__(self, stream: Stream, feed: Feed) -> None:
        """Begins to read."""
        self._loop = asyncio.get_running_loop()
        self._stream = stream
        self._feed = feed
        self._arrived: deque[pb.SubscribeResponse] = deque()
        self._error: Optional[Exception] = None
        self._taker: Optional[asyncio.Future[None]] = None
        # When the patience of who waits is over, and what looks then.
        self._deadline: Optional[float] = None
        self._timer: Optional[asyncio.TimerHandle] = None
        self._task: Optional[asyncio.Task[None]] = self._loop.create_task(self._read())

    async def next(self) -> pb.SubscribeResponse:
        """Waits for a message.

        Raises:
            ContextdError: the stream is over, or nothing came for the feed's patience.
        """
        while not self._arrived:
            if self._error is not None:
                raise self._error
            await self._wait()
        message = self._arrived.popleft()
        if self._task is None and self._error is None and not self._arrived:
            self._task = self._loop.create_task(self._read())
        return message

    def cancel(self) -> None:
        """Ends the stream, as soon as the loop goes on."""
        if self._timer is not None:
            self._timer.cancel()
        self._stream.cancel()

    async def ended(self) -> None:
        """Waits until it is over."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def _read(self) -> None:
        """Reads until there is a message that nobody waits for."""
        try:
            wanted = True
            while wanted:
                message: Any = await self._stream.read()
                if message is grpc.aio.EOF:
                    raise self._feed.ended()
                self._arrived.append(message)
                self._deadline = None
                wanted = self._wake()
        except grpc.aio.AioRpcError as error:
            self._error = error_of(error)
            self._error.__cause__ = error
        except asyncio.CancelledError:
            # Nobody cancels this task, but the stream, also with the whole channel.
            self._error = Cancelled("the stream was cancelled", grpc.StatusCode.CANCELLED)
        except Exception as error:
            self._error = error
        self._task = None
        self._wake()

    def _wake(self) -> bool:
        """Tells who waits that there is something; gives whether anybody does."""
        taker, self._taker = self._taker, None
        if taker is None or taker.done():
            return False
        taker.set_result(None)
        return True

    async def _wait(self) -> None:
        # One timer for all waits, which few of them need.
        if self._deadline is None:
            self._deadline = self._loop.time() + self._feed.patience
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._look)
        self._taker = self._loop.create_future()
        await self._taker

    def _look(self) -> None:
        """Gives up where somebody has waited for too long."""
        self._timer = None
        if self._deadline is None or self._taker is None or self._taker.done():
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._look)
        else:
            self._error = self._feed.silent()
            self._wake()


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
        self._reader: Optional[_Reader] = None

    def __del__(self) -> None:
        """Leaves no stream where nobody closed it."""
        if self._reader is not None:
            self._reader.cancel()

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
                if self._reader is None:
                    stream = await self._begin(self._feed.request())
                    self._reader = _Reader(stream, self._feed)
                    if self.closed:  # While a token was waited for.
                        await self._end()
                        return
                message = await self._reader.next()
            except ContextdError as error:
                if self.closed:
                    return
                await self._end()
                delay = await self._delay_after(error)
            else:
                if not self.closed:
                    self._feed.accept(message)
                return
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._closed.wait(), delay)

    async def _end(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.cancel()
            await reader.ended()

    async def _delay_after(self, error: ContextdError) -> float:
        try:
            return self._feed.delay_after(error)
        except ContextdError:
            await self.close()
            raise
