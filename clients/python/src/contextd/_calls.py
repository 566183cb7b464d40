"""Calls without I/O: what to send, when to wait, when to give up.

An operation is a generator. It yields the steps that need the outside (a call, a delay, a
stream read to its end), is resumed with what came of them, and returns its result. A failed
step is thrown into it as a :class:`~contextd.ContextdError`. The synchronous and the
asynchronous client differ only in how they perform the steps, so that everything which
decides is here once.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, Callable, Generic, Optional, TypeVar, Union, cast

import grpc
from google.protobuf.message import Message

from contextd._methods import Method, Request, Response
from contextd.errors import ContextdError, DeadlineExceeded, StreamStalled
from contextd.retry import Attempts, RetryPolicy
from contextd.v1 import context_manager_pb2 as pb
from contextd.v1 import resources_pb2
from contextd.values import Entry, entry_of

T = TypeVar("T")


@dataclass(frozen=True)
class Invoke:
    """Step: send ``request`` and give its answer, within ``timeout`` seconds."""

    method: str
    request: Message
    timeout: float


@dataclass(frozen=True)
class Sleep:
    """Step: let so many seconds pass."""

    seconds: float


@dataclass(frozen=True)
class Collect:
    """Step: read the stream to its end and give the list of its entries."""

    reader: EntryReader


Step = Union[Invoke, Sleep, Collect]
Operation = Generator[Step, Any, T]


def _new_id() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True)
class Settings:
    """What all calls of a client have in common, and its seams to time and chance."""

    namespace: str
    timeout: float
    retry: RetryPolicy
    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    new_id: Callable[[], str] = _new_id

    def __post_init__(self) -> None:
        """Refuses what cannot work."""
        if not self.timeout > 0:
            raise ValueError("timeout must be above 0 seconds")

    def with_timeout(self, timeout: Optional[float]) -> Settings:
        """The same with another timeout, if one is given."""
        return self if timeout is None else replace(self, timeout=timeout)

    def attempts(self) -> Attempts:
        """Begins the attempts of a call now."""
        return Attempts(self.retry, self.timeout, self.clock, self.random)


def call(
    settings: Settings,
    method: Method[Request, Response],
    request: Request,
    request_id: Optional[str] = None,
) -> Operation[Response]:
    """Calls a method, again where that is safe and may help, until the deadline.

    It is the same request each time, so that a write keeps its request id.
    """
    attempts = settings.attempts()
    while True:
        try:
            return cast(Response, (yield Invoke(method.name, request, attempts.remaining())))
        except ContextdError as error:
            error.request_id = request_id
            delay = attempts.delay_after(error)
            if delay is None:
                raise
        yield Sleep(delay)


@dataclass
class Pages(Generic[T]):
    """A list that comes in pages. It has further ones while ``more``.

    Attributes:
        request: Asks for the next page.
        read: Gives the rows in an answer.
    """

    settings: Settings
    method: Method[Any, Any]
    request: Any
    read: Callable[[Any], list[T]]
    more: bool = True

    def next(self) -> Operation[list[T]]:
        """Gets the next page."""
        response = yield from call(self.settings, self.method, self.request)
        self.request.page_token = response.next_page_token
        self.more = response.next_page_token != ""
        return self.read(response)


class StreamAttempts:
    """The attempts of a stream that goes on where it broke.

    A stream that brought something begins the time and the delays anew. One that did not is
    over when its time is.
    """

    def __init__(self, settings: Settings) -> None:
        """Begins now."""
        self._settings = settings
        self._attempts = settings.attempts()
        self._progressed = False

    def remaining(self) -> float:
        """Seconds that the next stream may take to bring something."""
        return self._attempts.remaining()

    def progressed(self) -> None:
        """Notes that the stream brought something."""
        self._progressed = True

    def delay_after(self, error: ContextdError) -> float:
        """Seconds to wait before the next stream. Raises ``error`` where none may help."""
        if error.code is grpc.StatusCode.ABORTED and not error.reason:
            # What the server says of a stream that nobody reads may be stuck behind what was
            # not read; then it breaks the stream off, without a reason.
            error = StreamStalled(error.message, error.code)
        progressed, self._progressed = self._progressed, False
        if progressed:
            self._attempts = self._settings.attempts()
            if isinstance(error, (DeadlineExceeded, StreamStalled)):
                return 0.0
        delay = self._attempts.delay_after(error)
        if delay is None:
            raise error
        return delay


class EntryReader:
    """Reads the entries of one state in order, over as many streams as it takes.

    What always holds:

    1. All entries belong to one version: that of the first answer.
    2. No entry is given twice, none is left out, however often a stream breaks.
    3. It ends with an error when nothing came for the timeout.
    """

    def __init__(self, settings: Settings, request: pb.ReadEntriesRequest) -> None:
        """Begins where ``request`` does."""
        self._request = request
        self._limited = request.limit > 0
        self._attempts = StreamAttempts(settings)

    @property
    def timeout(self) -> float:
        """Seconds that the next stream may take."""
        return self._attempts.remaining()

    @property
    def done(self) -> bool:
        """Whether the limit is reached and no stream is needed."""
        return self._limited and self._request.limit == 0

    def request(self) -> pb.ReadEntriesRequest:
        """The request of the next stream: where to go on."""
        request = pb.ReadEntriesRequest()
        request.CopyFrom(self._request)
        return request

    def accept(self, response: pb.ReadEntriesResponse) -> list[Entry]:
        """Takes one message of the stream and gives the entries in it."""
        self._attempts.progressed()
        self._request.state.version = response.version
        if response.entries:
            last = response.entries[-1].key
            if self._request.reverse:
                self._request.before_key = last
            else:
                self._request.after_key = last
            if self._limited:
                self._request.limit -= min(len(response.entries), self._request.limit)
        return [entry_of(entry) for entry in response.entries]

    def delay_after(self, error: ContextdError) -> float:
        """Seconds to wait before the next stream. Raises ``error`` where none may help."""
        return self._attempts.delay_after(error)


def state_ref(namespace: str, context_id: str, version: int) -> resources_pb2.StateRef:
    """Names one state; version 0 is the newest."""
    ref = resources_pb2.StateRef(namespace=namespace, context_id=context_id)
    if version > 0:
        ref.version = version
    return ref
