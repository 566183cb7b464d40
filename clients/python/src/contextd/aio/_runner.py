"""How the client for asyncio performs the steps of operations: its I/O, all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING, Any, Callable, Optional, TypeVar, Union

import grpc

from contextd import _calls, _forking, _methods, errors
from contextd._calls import Operation, Pages
from contextd.aio._coalescing import AsyncLanes
from contextd.v1 import tracker_pb2
from contextd.v1.context_manager_pb2_grpc import ContextManagerStub
from contextd.v1.recovery_pb2_grpc import RecoveryStub
from contextd.v1.tracker_pb2_grpc import TrackerStub

if TYPE_CHECKING:
    from contextd.v1.context_manager_pb2_grpc import ContextManagerAsyncStub
    from contextd.v1.recovery_pb2_grpc import RecoveryAsyncStub
    from contextd.v1.tracker_pb2_grpc import TrackerAsyncStub

T = TypeVar("T")

Token = Callable[[], Union[str, Awaitable[str]]]
"""Gives the bearer token of a call."""

Metadata = tuple[tuple[str, str], ...]


def error_of(error: grpc.aio.AioRpcError) -> errors.ContextdError:
    """Reads what a call failed with."""
    return errors.from_status(error.code(), error.details() or "", error.trailing_metadata())


class AsyncConnection:
    """A channel with what each call on it carries, until it is closed.

    Attributes:
        methods: The methods of all services by their names.
        closed: Whether the client was closed.
        foreign: Whether it is of the process that this one was forked from: closed too.
    """

    def __init__(self, channel: grpc.aio.Channel, token: Optional[Token] = None) -> None:
        """Calls nobody."""
        self.closed = False
        self.foreign = False
        self._closing: Optional[asyncio.Event] = None
        self._channel = channel
        self._token = token
        manager: ContextManagerAsyncStub = ContextManagerStub(channel)
        tracker: TrackerAsyncStub = TrackerStub(channel)
        recovery: RecoveryAsyncStub = RecoveryStub(channel)
        self.methods: dict[str, Any] = {
            **_methods.bound(manager, _methods.CONTEXT_MANAGER),
            **_methods.bound(tracker, _methods.TRACKER),
            **_methods.bound(recovery, _methods.RECOVERY),
            "Subscribe": tracker.Subscribe,
        }
        _forking.tell(self)

    def forked(self) -> None:
        """Leaves the channel to the parent."""
        self.closed = self.foreign = True
        self._closing = None

    def _gone(self) -> errors.ClientClosed:
        return _forking.foreign() if self.foreign else errors.ClientClosed()

    def metadata(self) -> Optional[Awaitable[Metadata]]:
        """What an attempt carries; the token is asked for anew. Raises where it is closed.

        ``None``: nothing, which is not waited for: each call would wait.
        """
        if self.closed:
            raise self._gone()
        return None if self._token is None else self._with_token(self._token())

    async def _with_token(self, token: Union[str, Awaitable[str]]) -> Metadata:
        if not isinstance(token, str):
            token = await token
        return (("authorization", f"Bearer {token}"),)

    def ended_by_close(self) -> bool:
        """Whether a cancellation that came out of a call is that of :meth:`close`."""
        task = asyncio.current_task()
        # Before Python 3.11 a task does not know whether somebody cancelled it.
        cancelling: Optional[Callable[[], int]] = getattr(task, "cancelling", None)
        return self.closed and (cancelling is None or cancelling() == 0)

    async def sleep(self, seconds: float) -> None:
        """Lets so many seconds pass. Raises ``ClientClosed`` as soon as it is closed."""
        if self._closing is None:
            # Before Python 3.10 an event is of the loop that runs when it is made.
            self._closing = asyncio.Event()
        try:
            if not self.closed:
                await asyncio.wait_for(self._closing.wait(), seconds)
        except asyncio.TimeoutError:
            return
        raise self._gone()

    async def close(self) -> None:
        """Ends it, the calls that are under way, and those that wait to be repeated."""
        self.closed = True
        if self._closing is not None:
            self._closing.set()
        if not self.foreign:
            await self._channel.close()


class AsyncRunner:
    """Performs operations, for any number of tasks of one loop."""

    def __init__(
        self,
        connection: AsyncConnection,
        sleep: Optional[Callable[[float], Awaitable[None]]] = None,
    ) -> None:
        """Lets time pass with ``sleep``, where it is not as the connection does."""
        self.connection = connection
        self.sleep = connection.sleep if sleep is None else sleep
        self._methods = connection.methods
        self._lanes = AsyncLanes(self.run)

    async def close(self) -> None:
        """Ends all calls with ``ClientClosed``."""
        self._lanes.close()
        await self.connection.close()

    async def subscribe(self, request: tracker_pb2.SubscribeRequest) -> Any:  # noqa: ANN401
        """Begins a stream of events."""
        carried = self.connection.metadata()
        metadata = None if carried is None else await carried
        return self._methods["Subscribe"](request, metadata=metadata)

    async def run(self, operation: Operation[T]) -> T:
        """Performs all steps of an operation and gives its result."""
        try:
            step = next(operation)
            while True:
                try:
                    # The steps of nearly all operations first: each call is a call more.
                    if isinstance(step, _calls.Invoke):
                        outcome = await self._invoke(step)
                    elif isinstance(step, _calls.Coalesce):
                        outcome = await self._lanes.perform(step)
                    else:
                        outcome = await self._perform(step)
                except BaseException as error:
                    step = operation.throw(error)
                else:
                    step = operation.send(outcome)
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def _perform(self, step: Union[_calls.Sleep, _calls.Collect]) -> object:
        if isinstance(step, _calls.Sleep):
            await self.sleep(step.seconds)
            return None
        return [part async for part in self.read(step.reader)]

    async def _invoke(self, step: _calls.Invoke) -> object:
        carried = self.connection.metadata()
        metadata = None if carried is None else await carried
        try:
            return await self._methods[step.method](
                step.request, timeout=step.timeout, metadata=metadata
            )
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error
        except asyncio.CancelledError:
            if self.connection.ended_by_close():
                raise errors.ClientClosed from None
            raise

    async def rows(self, pages: Pages[T]) -> AsyncIterator[T]:
        """Gives the rows of all pages; gets each page when its first row is asked for."""
        while pages.more:
            for row in await self.run(pages.next()):
                yield row

    async def read(self, reader: _calls.StreamReader[T]) -> AsyncIterator[T]:
        """Gives what a reader reads, over as many streams as it takes."""
        while not reader.done:
            carried = self.connection.metadata()
            metadata = None if carried is None else await carried
            stream = self._methods[reader.method.name](
                reader.request(), timeout=reader.timeout, metadata=metadata
            )
            try:
                async for response in stream:
                    for part in reader.accept(response):
                        yield part
                return
            except grpc.aio.AioRpcError as error:
                delay = reader.delay_after(error_of(error))
            except asyncio.CancelledError:
                if self.connection.ended_by_close():
                    raise errors.ClientClosed from None
                raise
            finally:
                stream.cancel()
            await self.sleep(delay)
