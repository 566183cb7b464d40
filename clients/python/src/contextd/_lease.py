"""Whether a program can still rely on its session. Without I/O, and without a thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Generator
from dataclasses import dataclass
from typing import Any, Callable, Optional, TypeVar

import grpc

from contextd.errors import ClientClosed, ContextdError, SessionLost, SessionNotFound

T = TypeVar("T")

_REASON = "SESSION_NOT_FOUND"


class Lease:
    """What a program knows of a session that it began itself.

    What always holds:

    1. It is lost at the latest when the term has passed since the last renewal that was
       answered was *sent*. The server counts from when it came, which is later: the program
       knows before anybody else can have what the session held.
    2. What is lost stays lost, and what was ended is never lost.
    3. ``when_lost`` is called once at most, by whoever finds out, without a lock held.
    4. In a process that was forked from the one that began it, it is lost.

    Threads: any.

    Attributes:
        id: The session's id. Empty until it has begun.
        when_lost: Called when it is lost. Set before it begins.
    """

    def __init__(self, namespace: str, term: float, clock: Callable[[], float]) -> None:
        """Is not begun yet; ``term`` is in seconds of ``clock``."""
        self.namespace = namespace
        self.term = term
        self.id = ""
        self.when_lost: Callable[[], None] = lambda: None
        self._clock = clock
        self._lock = threading.Lock()
        self._process = 0
        self._deadline = 0.0
        self._why: Optional[str] = None
        self._ended = False
        self._gone = False

    def begin(self, session_id: str, since: float) -> None:
        """Begins, with a term that counts from ``since``."""
        self.expect_new()
        self._process = os.getpid()
        self._deadline = since + self.term
        self.id = session_id

    def expect_new(self) -> None:
        """Raises ``RuntimeError`` when it has begun already."""
        if self.id:
            raise RuntimeError(f"the session {self.id} has begun already; make another one")

    @property
    def foreign(self) -> bool:
        """Whether it belongs to the process that this one was forked from."""
        return self.id != "" and self._process != os.getpid()

    @property
    def ended(self) -> bool:
        """Whether the program ended it."""
        return self._ended

    def remaining(self) -> float:
        """Seconds until it is lost unless it is renewed; not below 0."""
        return max(0.0, self._deadline - self._clock())

    def renewed(self, since: float) -> None:
        """Notes the answer to a renewal that was sent at ``since``."""
        with self._lock:
            self._deadline = max(self._deadline, since + self.term)

    def lose(self) -> None:
        """Notes that the server does not know the session."""
        with self._lock:
            self._gone = True
        self._find("the server does not know it: it was not renewed in time, or was ended")

    def loss(self) -> Optional[SessionLost]:
        """Why it is lost. ``None``: it is not."""
        if self.foreign:
            return self._lost("it belongs to the process that this one was forked from")
        if self.id and self.remaining() == 0.0:
            self._find("it was not renewed in time")
        return None if self._why is None else self._lost(self._why)

    def end(self) -> bool:
        """Notes that the program ends it. Gives whether the server is to be told."""
        if not self.id or self.foreign:
            return False
        with self._lock:
            self._ended = True
            return not self._gone

    def end_known(self) -> None:
        """Notes that the server need not be told any more."""
        with self._lock:
            self._gone = True

    def check(self) -> None:
        """Raises unless the program can still rely on it.

        Raises:
            SessionLost: it is lost.
            ClientClosed: the program has ended it.
            RuntimeError: it has not begun.
        """
        if not self.id:
            raise RuntimeError("the session has not begun: use `with`, or start()")
        loss = self.loss()
        if loss is not None:
            raise loss
        if self._ended:
            raise self._closed()

    def guard(self, operation: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        """Runs an operation that names the session, if it is not lost, and notes when it is."""
        return guard_all([self], operation)

    def explain(self, error: SessionNotFound) -> ContextdError:
        """Notes that the server does not know it; gives what that means to the program."""
        self.lose()
        explained: ContextdError = self.loss() or self._closed()
        explained.request_id = error.request_id
        explained.__cause__ = error
        return explained

    def _find(self, why: str) -> None:
        with self._lock:
            if self._ended or self._why is not None:
                return
            self._why = why
        self.when_lost()

    def _closed(self) -> ClientClosed:
        return ClientClosed(f"the session {self.id} was ended by this program")

    def _lost(self, why: str) -> SessionLost:
        return SessionLost(
            f"the session {self.id} is lost: {why}",
            grpc.StatusCode.NOT_FOUND,
            _REASON,
            {"session_id": self.id},
        )


def guard_all(
    leases: Collection[Lease], operation: Generator[Any, Any, T]
) -> Generator[Any, Any, T]:
    """Runs an operation that names sessions, if none is lost, and notes when one is."""
    for lease in leases:
        lease.check()
    try:
        return (yield from operation)
    except SessionNotFound as error:
        # Of several the server names the one that it means.
        for lease in leases:
            if len(leases) == 1 or lease.id == error.session_id:
                raise lease.explain(error) from error
        raise


@dataclass(frozen=True)
class Writer:
    """Who writes: a session, with the fence of one of its exclusive activations, or 0."""

    lease: Lease
    fence: int = 0
