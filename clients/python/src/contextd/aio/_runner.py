"""How the client for asyncio performs the steps of operations: its I/O, all of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING, Any, Callable, TypeVar, cast

import grpc

from contextd import _calls, _methods, errors
from contextd._calls import Operation, Pages
from contextd.v1.context_manager_pb2_grpc import ContextManagerStub
from contextd.v1.recovery_pb2_grpc import RecoveryStub
from contextd.v1.tracker_pb2_grpc import TrackerStub

if TYPE_CHECKING:
    from contextd.v1.context_manager_pb2_grpc import ContextManagerAsyncStub
    from contextd.v1.recovery_pb2_grpc import RecoveryAsyncStub
    from contextd.v1.tracker_pb2_grpc import TrackerAsyncStub

T = TypeVar("T")


def error_of(error: grpc.aio.AioRpcError) -> errors.ContextdError:
    """Reads what a call failed with."""
    return errors.from_status(error.code(), error.details() or "", error.trailing_metadata())


class AsyncRunner:
    """Performs operations, for any number of tasks of one loop."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.channel = channel
        self.sleep = sleep
        manager: ContextManagerAsyncStub = ContextManagerStub(channel)
        tracker: TrackerAsyncStub = TrackerStub(channel)
        recovery: RecoveryAsyncStub = RecoveryStub(channel)
        self.subscribe = tracker.Subscribe
        self._methods: dict[str, Any] = {
            **_methods.bound(manager, _methods.CONTEXT_MANAGER),
            **_methods.bound(tracker, _methods.TRACKER),
            **_methods.bound(recovery, _methods.RECOVERY),
        }

    async def run(self, operation: Operation[T]) -> T:
        """Performs all steps of an operation and gives its result."""
        try:
            step = next(operation)
            while True:
                try:
                    outcome = await self._perform(step)
                except errors.ContextdError as error:
                    step = operation.throw(error)
                else:
                    step = operation.send(outcome)
        except StopIteration as stop:
            return cast(T, stop.value)

    async def _perform(self, step: _calls.Step) -> object:
        if isinstance(step, _calls.Invoke):
            try:
                return await self._methods[step.method](step.request, timeout=step.timeout)
            except grpc.aio.AioRpcError as error:
                raise error_of(error) from error
        if isinstance(step, _calls.Sleep):
            await self.sleep(step.seconds)
            return None
        return [part async for part in self.read(step.reader)]

    async def rows(self, pages: Pages[T]) -> AsyncIterator[T]:
        """Gives the rows of all pages; gets each page when its first row is asked for."""
        while pages.more:
            for row in await self.run(pages.next()):
                yield row

    async def read(self, reader: _calls.StreamReader[T]) -> AsyncIterator[T]:
        """Gives what a reader reads, over as many streams as it takes."""
        while not reader.done:
            stream = self._methods[reader.method.name](reader.request(), timeout=reader.timeout)
            try:
                async for response in stream:
                    for part in reader.accept(response):
                        yield part
                return
            except grpc.aio.AioRpcError as error:
                delay = reader.delay_after(error_of(error))
            finally:
                stream.cancel()
            await self.sleep(delay)
