"""How the synchronous client performs the steps of operations: its I/O, all of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, Callable, Optional, TypeVar, cast

import grpc

from contextd import _calls, _forking, _methods, errors
from contextd._calls import Operation, Pages
from contextd._coalescing import Lanes
from contextd.v1 import tracker_pb2
from contextd.v1.context_manager_pb2_grpc import ContextManagerStub
from contextd.v1.recovery_pb2_grpc import RecoveryStub
from contextd.v1.tracker_pb2_grpc import TrackerStub

T = TypeVar("T")


def error_of(error: grpc.RpcError) -> errors.ContextdError:
    """Reads what a call failed with."""
    call = cast(grpc.Call, error)
    return errors.from_status(call.code(), call.details() or "", call.trailing_metadata() or ())


class Connection:
    """A channel with what each call on it carries, until it is closed.

    Attributes:
        methods: The methods of all services by their names.
        closed: Whether the client was closed.
        foreign: Whether it is of the process that this one was forked from: closed too.
    """

    def __init__(self, channel: grpc.Channel, token: Optional[Callable[[], str]] = None) -> None:
        """Calls nobody."""
        self.closed = False
        self.foreign = False
        self._closing = threading.Event()
        self._channel = channel
        self._token = token
        manager = ContextManagerStub(channel)
        tracker = TrackerStub(channel)
        self.methods: dict[str, Any] = {
            **_methods.bound(manager, _methods.CONTEXT_MANAGER),
            **_methods.bound(tracker, _methods.TRACKER),
            **_methods.bound(RecoveryStub(channel), _methods.RECOVERY),
            "Subscribe": tracker.Subscribe,
        }
        _forking.tell(self)

    def forked(self) -> None:
        """Leaves the channel to the parent."""
        self.closed = self.foreign = True
        self._closing = threading.Event()
        self._closing.set()

    def _gone(self) -> errors.ClientClosed:
        return _forking.foreign() if self.foreign else errors.ClientClosed()

    def metadata(self) -> Optional[tuple[tuple[str, str], ...]]:
        """What an attempt carries; the token is asked for anew. Raises where it is closed."""
        if self.closed:
            raise self._gone()
        return None if self._token is None else (("authorization", f"Bearer {self._token()}"),)

    def error_of(self, error: grpc.RpcError) -> errors.ContextdError:
        """Reads what a call failed with: after :meth:`close` that, whatever else it says."""
        return self._gone() if self.closed else error_of(error)

    def sleep(self, seconds: float) -> None:
        """Lets so many seconds pass. Raises ``ClientClosed`` as soon as it is closed."""
        if self._closing.wait(seconds):
            raise self._gone()

    def close(self) -> None:
        """Ends it, the calls that are under way, and those that wait to be repeated."""
        self.closed = True
        self._closing.set()
        if not self.foreign:
            self._channel.close()


class Runner:
    """Performs operations, for any number of threads."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.sleep: Callable[[float], None] = connection.sleep
        self._methods = connection.methods
        self._lanes = Lanes(self.run)
        _forking.tell(self)

    def forked(self) -> None:
        """Leaves alone what waits in the parent."""
        self._lanes = Lanes(self.run)

    def close(self) -> None:
        """Ends all calls with ``ClientClosed``."""
        self.connection.close()
        self._lanes.close()

    def subscribe(self, request: tracker_pb2.SubscribeRequest) -> Any:  # noqa: ANN401  a stream
        """Begins a stream of events."""
        return self._methods["Subscribe"](request, metadata=self.connection.metadata())

    def run(self, operation: Operation[T]) -> T:
        """Performs all steps of an operation and gives its result."""
        try:
            step = next(operation)
            while True:
                try:
                    outcome = self._perform(step)
                except BaseException as error:
                    step = operation.throw(error)
                else:
                    step = operation.send(outcome)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def _perform(self, step: _calls.Step) -> object:
        if isinstance(step, _calls.Invoke):
            try:
                return self._invoke(step)
            except grpc.RpcError as error:
                raise self.connection.error_of(error) from error
        if isinstance(step, _calls.Coalesce):
            return self._lanes.perform(step)
        if isinstance(step, _calls.Sleep):
            self.sleep(step.seconds)
            return None
        return list(self.read(step.reader))

    def _invoke(self, step: _calls.Invoke) -> object:
        return self._methods[step.method](
            step.request, timeout=step.timeout, metadata=self.connection.metadata()
        )

    def rows(self, pages: Pages[T]) -> Iterator[T]:
        """Gives the rows of all pages; gets each page when its first row is asked for."""
        while pages.more:
            yield from self.run(pages.next())

    def read(self, reader: _calls.StreamReader[T]) -> Iterator[T]:
        """Gives what a reader reads, over as many streams as it takes."""
        while not reader.done:
            stream = self._methods[reader.method.name](
                reader.request(), timeout=reader.timeout, metadata=self.connection.metadata()
            )
            try:
                for response in stream:
                    yield from reader.accept(response)
                return
            except grpc.RpcError as error:
                delay = reader.delay_after(self.connection.error_of(error))
            finally:
                stream.cancel()
            self.sleep(delay)


class Stopped(Exception):
    """Somebody stopped the background."""


class BackgroundRunner(Runner):
    """Performs one operation in a thread of its own, which others wake and stop.

    What always holds:

    1. After ``stop`` the operation goes on with no further step: ``run`` raises ``Stopped``,
       soon, also out of a call that nobody answers.
    2. After ``wake`` no step waits any more; calls go on.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.sleep = self._wait
        self._lock = threading.Lock()
        self._awake = threading.Event()
        self._stopped = False
        self._call: Optional[grpc.Future[object]] = None

    def wake(self) -> None:
        """Ends the wait there is, and every later one."""
        self._awake.set()

    def stop(self) -> None:
        """Ends the operation."""
        with self._lock:
            self._stopped = True
            call = self._call
        self._awake.set()
        if call is not None:
            call.cancel()

    def _wait(self, seconds: float) -> None:
        self._awake.wait(seconds)
        if self._stopped:
            raise Stopped

    def _invoke(self, step: _calls.Invoke) -> object:
        with self._lock:
            if self._stopped:
                raise Stopped
            call = self._methods[step.method].future(
                step.request, timeout=step.timeout, metadata=self.connection.metadata()
            )
            self._call = call
        try:
            return call.result()
        except grpc.FutureCancelledError:
            raise Stopped from None
        finally:
            with self._lock:
                self._call = None
