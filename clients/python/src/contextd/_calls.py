"""Calls without I/O: what to send, when to wait, when to give up.

An operation is a generator. It yields the steps that need the outside (a call, a delay, a
stream read to its end), is resumed with what came of them, and returns its result. What a step
raises is thrown into it: a :class:`~contextd.ContextdError` where it failed,
anything else where the program's own code did, or ended it. The synchronous and the
asynchronous client differ only in how they perform the steps, so that everything which
decides is here once.
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Generic, Optional, TypeVar, Union

import grpc
from google.protobuf.message import Message

from contextd import _rules
from contextd._methods import READ, Method, Request, Response
from contextd.connecting import FinishedCall, OnCall
from contextd.errors import (
    ContextdError,
    DeadlineExceeded,
    StateNotRetained,
    StreamStalled,
    Unavailable,
)
from contextd.retry import Attempts, RetryPolicy
from contextd.v1 import context_manager_pb2 as pb
from contextd.values import Entry, ServerInfo, entry_of

T = TypeVar("T")

_log = logging.getLogger("contextd")


# Not frozen, these: each call makes some, and that costs less.


@dataclass
class Invoke:
    """Step: send ``request`` and give its answer, within ``timeout`` seconds."""

    method: str
    request: Message
    timeout: float


@dataclass
class Sleep:
    """Step: let so many seconds pass."""

    seconds: float


@dataclass
class Collect:
    """Step: read the stream to its end and give the list of what it held."""

    reader: StreamReader[Any]


@dataclass
class Coalesce:
    """Step: have a method called together with what others call meanwhile, and give its answer."""

    settings: Settings
    method: Method[Any, Any]
    request: Message
    request_id: Optional[str]


Step = Union[Invoke, Sleep, Collect, Coalesce]
Operation = Generator[Step, Any, T]

# Random ids without asking the system for each. A program's own `random.seed` does not change
# them, and a process that was forked has others.
_ids = random.Random()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ids.seed)

# What makes 128 random bits a UUID of version 4.
_UUID_MASK = ~(0xF000 << 64 | 0xC000 << 48)
_UUID_BITS = 0x4000 << 64 | 0x8000 << 48


def _new_id() -> str:
    """A random UUID."""
    digits = f"{_ids.getrandbits(128) & _UUID_MASK | _UUID_BITS:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@dataclass
class Known:
    """What a client has learned of its server.

    Attributes:
        server: What the server said of itself. ``None``: it was not asked yet.
    """

    server: Optional[ServerInfo] = None


@dataclass(frozen=True)
class Settings:
    """What all calls of a client have in common, and its seams to time and chance.

    Attributes:
        address: Where the server is, to be told in errors.
        coalescing: Whether operations go out together with others.
        on_call: Told of each call that is over.
        known: What was learned of the server.
    """

    namespace: str
    timeout: float
    retry: RetryPolicy
    clock: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    new_id: Callable[[], str] = _new_id
    address: str = ""
    coalescing: bool = False
    on_call: Optional[OnCall] = None
    known: Known = field(default_factory=Known)

    def __post_init__(self) -> None:
        """Refuses what cannot work."""
        if not self.timeout > 0:
            raise ValueError("timeout must be above 0 seconds")

    def with_timeout(self, timeout: Optional[float]) -> Settings:
        """The same with another timeout, if one is given."""
        return self if timeout is None else replace(self, timeout=timeout)

    def attempts(self, timeout: Optional[float] = None) -> Attempts:
        """Begins the attempts of a call now, for ``timeout`` seconds where it is given."""
        length = self.timeout if timeout is None else timeout
        return Attempts(self.retry, length, self.clock, self.random)


def call(
    settings: Settings,
    method: Method[Request, Response],
    request: Request,
    request_id: Optional[str] = None,
) -> Operation[Response]:
    """Calls a method, again where that is safe and may help, until the deadline.

    Raises ``InvalidField`` for what the server would refuse, without a call.
    """
    _rules.check(request, request_id)
    return (yield from send(settings, method, request, request_id))


def send(
    settings: Settings,
    method: Method[Request, Response],
    request: Request,
    request_id: Optional[str] = None,
    timeout: Optional[float] = None,
) -> Operation[Response]:
    """Calls a method with a request that was checked, as :func:`call` does.

    It is the same request each time, so that a write keeps its request id. ``timeout`` is instead
    of that of the settings.
    """
    attempts = settings.attempts(timeout)
    made = 0
    try:
        while True:
            time_left = attempts.time_left()
            made += 1
            try:
                response: Response = yield Invoke(method.name, request, time_left)
                break
            except ContextdError as error:
                delay = attempts.delay_after(error)
                if delay is None:
                    raise _failure(attempts, error)  # noqa: B904  it has its cause
                _log.debug("%s is repeated in %.3f s: %s", method.name, delay, error)
            yield Sleep(delay)
    except BaseException as error:
        if isinstance(error, ContextdError):
            error.request_id = request_id
            _explain(settings, error, attempts)
        _tell(settings, method, attempts, made, error)
        raise
    if settings.on_call is not None:
        _tell(settings, method, attempts, made, None)
    return response


def _failure(attempts: Attempts, last: ContextdError) -> ContextdError:
    """What a call fails with whose last attempt failed with ``last``."""
    failure = attempts.failure
    if failure is None or failure is last:
        return last
    failure.__cause__ = last
    return failure


# What gRPC says of a connection that was made and ended at once, and what may be behind it.
_CLOSED = "Socket closed"
_CLOSED_HINT = (
    " (a server that asks for TLS, or for a certificate, ends connections so too: see `tls`)"
)


def _explain(settings: Settings, error: ContextdError, attempts: Attempts) -> None:
    """Says where nobody answered, and for how long."""
    if isinstance(error, Unavailable) and settings.address:
        times = "once" if attempts.count == 1 else f"{attempts.count} times"
        error.message = (
            f"{settings.address} was tried {times} in {attempts.elapsed():.1f} s; "
            f"the last answer: {error.message}"
        )
        if _CLOSED in error.message:
            error.message += _CLOSED_HINT


def _tell(
    settings: Settings,
    method: Method[Any, Any],
    attempts: Attempts,
    made: int,
    error: Optional[BaseException],
) -> None:
    """Tells who wants to know of each call; what that raises does not touch the call."""
    if settings.on_call is None:
        return
    try:
        settings.on_call(FinishedCall(method.name, attempts.elapsed(), made, error))
    except Exception:
        _log.exception("on_call raised, told of %s", method.name)


def call_together(
    settings: Settings,
    method: Method[Request, Response],
    request: Request,
    request_id: Optional[str] = None,
    checked: bool = False,
) -> Operation[Response]:
    """Calls a method, in one call with what others call meanwhile, where the client does that.

    ``checked``: the request is known to keep the rules.
    """
    if not checked:
        _rules.check(request, request_id)
    if not settings.coalescing:
        return (yield from send(settings, method, request, request_id))
    response: Response = yield Coalesce(settings, method, request, request_id)
    return response


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
        """Seconds that the next stream may take to bring something.

        Raises what the last one failed with where there are none.
        """
        return self._attempts.time_left()

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
            expired = error.code is grpc.StatusCode.UNAUTHENTICATED
            if expired or isinstance(error, (DeadlineExceeded, StreamStalled)):
                return 0.0
        delay = self._attempts.delay_after(error)
        if delay is None:
            raise _failure(self._attempts, error)
        return delay


class StreamReader(Generic[T]):
    """Reads something over as many streams as it takes. It ends with an error when nothing came
    for the timeout.

    Attributes:
        method: What a stream is begun with.
    """

    method: Method[Any, Any]

    def __init__(self, settings: Settings) -> None:
        """Begins now."""
        self._attempts = StreamAttempts(settings)

    @property
    def timeout(self) -> float:
        """Seconds that the next stream may take."""
        return self._attempts.remaining()

    @property
    def done(self) -> bool:
        """Whether no stream is needed, or no further one."""
        return False

    def request(self) -> Message:
        """The request of the next stream: where to go on."""
        raise NotImplementedError

    def accept(self, response: Any) -> list[T]:  # noqa: ANN401  of each method its own
        """Takes one message of the stream and gives what is in it."""
        raise NotImplementedError

    def delay_after(self, error: ContextdError) -> float:
        """Seconds to wait before the next stream. Raises ``error`` where none may help."""
        return self._attempts.delay_after(error)


class EntryReader(StreamReader[Entry]):
    """Reads the entries of one state in order, over as many streams as it takes.

    What always holds:

    1. All entries belong to one version: ``version``, or that of the first answer.
    2. No entry is given twice, none is left out, however often a stream breaks.
    """

    method = READ

    def __init__(
        self, settings: Settings, request: pb.ReadEntriesRequest, version: int = 0
    ) -> None:
        """Begins where ``request`` does."""
        super().__init__(settings)
        _rules.check(request)
        self._request = request
        self._limited = request.limit > 0
        self._version = version

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
        self._expect(response.version)
        if response.entries:
            last = response.entries[-1].key
            if self._request.reverse:
                self._request.before_key = last
            else:
                self._request.after_key = last
            if self._limited:
                self._request.limit -= min(len(response.entries), self._request.limit)
        return [entry_of(entry) for entry in response.entries]

    def _expect(self, version: int) -> None:
        """Stays with the first version. A recovery point keeps its state longer than a version
        is kept: it is asked for again by its id, and is another only where it was replaced.
        """
        if not self._request.state.recovery_point_id:
            self._request.state.version = version
        elif self._version not in (0, version):
            raise StateNotRetained(
                f"the recovery point was replaced while version {self._version} of it was read",
                grpc.StatusCode.OUT_OF_RANGE,
            )
        self._version = version
