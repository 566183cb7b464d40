"""How the synchronous client reads subscriptions: their I/O, all of it."""

from __future__ import annotations

import threading
import weakref
from typing import Callable, Optional, Protocol

import grpc

from contextd import _forking
from contextd._subscribing import Feed
from contextd._sync import error_of
from contextd.errors import ContextdError
from contextd.v1 import tracker_pb2 as pb

# Of a stream's patience: how often somebody looks whether it is over.
_LOOKS = 4


class Stream(Protocol):
    """What gRPC gives for a call that streams."""

    def __next__(self) -> pb.SubscribeResponse:
        """Waits for the next message."""

    def cancel(self) -> object:
        """Ends it."""


class Streams:
    """The streams of one subscription, one after the other.

    What always holds:

    1. After ``close`` nothing arrives any more, and who waits for something returns, soon.
    2. A stream is given up when somebody waited for a message for the feed's patience. How
       long nobody reads it does not count.
    3. What is dropped without ``close`` leaves no stream, and soon no thread.

    Threads: one receives, any closes. A thread of its own looks after the patience.

    Attributes:
        closed: Whether it is over.
    """

    def __init__(
        self,
        begin: Callable[[pb.SubscribeRequest], Stream],
        feed: Feed,
        clock: Callable[[], float],
    ) -> None:
        """Begins no stream yet; ``begin`` does."""
        self._begin = begin
        self._feed = feed
        self._clock = clock
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self.closed = False
        self._stream: Optional[Stream] = None
        self._watched = False
        self._waiting_since: Optional[float] = None
        self._silent = False
        _forking.tell(self)

    def forked(self) -> None:
        """Leaves the stream to the parent; a next one says why there is none."""
        self._lock = threading.Lock()
        self._stream = None

    def close(self) -> None:
        """Ends it, once and for all."""
        with self._lock:
            self.closed = True
            self._closed.set()
            stream = self._stream
        if stream is not None:
            stream.cancel()

    def receive(self) -> None:
        """Waits for one message and gives it to the feed. Without one it is closed.

        Raises:
            ContextdError: what happened, where a further stream would not help. It is closed.
        """
        while not self.closed:
            try:
                message = self._next()
                if message is not None:
                    self._feed.accept(message)
                    return
                delay = self._delay_after(self._feed.ended())
            except grpc.RpcError as error:
                delay = self._delay_after(error_of(error))
            self._closed.wait(delay)

    def _next(self) -> Optional[pb.SubscribeResponse]:
        stream = self._stream or self._open()
        if stream is None:
            return None
        self._waiting_since = self._clock()
        try:
            return next(stream, None)
        finally:
            self._waiting_since = None

    def _open(self) -> Optional[Stream]:
        with self._lock:
            if self.closed:
                return None
            self._silent = False
            self._stream = self._begin(self._feed.request())
        if not self._watched:
            self._watched = True
            pause = self._feed.patience / _LOOKS
            threading.Thread(
                target=watch,
                args=(weakref.ref(self), self._closed, pause),
                name="contextd-subscription",
                daemon=True,
            ).start()
        return self._stream

    def _delay_after(self, error: ContextdError) -> float:
        if self.closed:
            return 0.0
        self._stream = None
        try:
            return self._feed.delay_after(self._feed.silent() if self._silent else error)
        except ContextdError:
            self.close()
            raise

    def give_up_if_silent(self) -> None:
        """Ends the stream when somebody has waited too long for it to say anything."""
        since, stream = self._waiting_since, self._stream
        if since is None or stream is None or self._clock() - since < self._feed.patience:
            return
        self._silent = True
        stream.cancel()


def watch(reference: weakref.ref[Streams], closed: threading.Event, pause: float) -> None:
    """Looks after the silence, each ``pause`` seconds, until it is over or nobody has it."""
    while not closed.wait(pause):
        streams = reference()
        if streams is None:
            return
        streams.give_up_if_silent()
        del streams  # While it waits, it does not keep them.
