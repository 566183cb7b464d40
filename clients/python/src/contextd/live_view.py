"""Views that follow a namespace by themselves, with the synchronous client."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Callable, Optional

from contextd import _forking
from contextd._calls import Settings
from contextd.errors import ClientClosed, ContextNotFound, CursorCompacted
from contextd.events import Event, EventType
from contextd.subscription import Subscription
from contextd.values import Snapshot
from contextd.view import ViewedContext, ViewState

_log = logging.getLogger("contextd")

OnEvent = Callable[[Event], object]
OnRestart = Callable[[CursorCompacted], object]

FOREVER = 1e8
"""As many seconds as a call's deadline can be away: three years."""


@dataclass(frozen=True)
class Following:
    """What a view follows, and whom it tells.

    Attributes:
        settings: The client's.
        key_prefix: Only entries of such keys.
        metadata: Only contexts that have all these labels.
        on_event: Told of each event that was taken.
        on_restart: Told when it begins anew.
    """

    settings: Settings
    key_prefix: str
    metadata: Mapping[str, str]
    on_event: Optional[OnEvent]
    on_restart: Optional[OnRestart]


class LiveViewState:
    """What both kinds of view that follow by themselves have in common.

    What always holds:

    1. Each context's entries and labels are those of one version, that of its ``info``.
    2. When it is ready it holds all that it selects, as of ``cursor`` or later.
    3. Once it has ended, nothing changes any more.

    Threads: one follows, any read.
    """

    def __init__(self, following: Following) -> None:
        """Knows nothing yet."""
        self._following = following
        self._changed = threading.Condition()
        self._known = ViewState(following.key_prefix, following.metadata)
        self._beginnings = 0
        self._cursor: Optional[str] = None
        self._ready = False
        self._error: Optional[Exception] = None
        # Beginnings in a row that were never ready.
        self._failed = 0
        _forking.tell(self)

    def forked(self) -> None:
        """Nobody follows here any more."""
        self._changed = threading.Condition()
        self._error = self._error or _forking.foreign()

    @property
    def ready(self) -> bool:
        """Whether it holds all that there is. False while it begins, also anew, and at its end."""
        return self._ready and self._error is None

    @property
    def beginnings(self) -> int:
        """How often it began with a snapshot: 1, and one more each time that events were lost."""
        return self._beginnings

    @property
    def cursor(self) -> Optional[str]:
        """The position up to which events were taken. ``None``: it has not begun."""
        return self._cursor

    @property
    def error(self) -> Optional[Exception]:
        """Why it has ended: :class:`~contextd.ClientClosed` where it, or its client, was closed.

        ``None``: it has not.
        """
        return self._error

    def get(self, context_id: str) -> Optional[ViewedContext]:
        """Gives a copy of what it knows of a context. ``None``: it has none of this id."""
        with self._changed:
            known = self._known.contexts.get(context_id)
            return None if known is None else ViewedContext(known.info, dict(known.entries))

    def ids(self) -> list[str]:
        """Gives the ids of the contexts that it holds, in order."""
        with self._changed:
            return sorted(self._known.contexts)

    @contextlib.contextmanager
    def read(self) -> Iterator[Mapping[str, ViewedContext]]:
        """Gives all contexts by their ids, for a ``with`` in which the view stands still.

        Nothing is copied: what it gives must not be changed, or kept.

        Example:
            >>> with view.read() as contexts:
            ...     print(sum(len(known.entries) for known in contexts.values()))
        """
        with self._changed:
            yield self._known.contexts

    def _begin(self) -> None:
        with self._changed:
            self._known = ViewState(self._following.key_prefix, self._following.metadata)
            self._beginnings += 1

    def _take(self, event: Event) -> bool:
        """Does what an event tells. False: nothing was done, the context must be read."""
        with self._changed:
            return self._known._take(event)

    def _take_read(self, event: Event, snapshot: Optional[Snapshot]) -> None:
        with self._changed:
            self._known._take_read(event, snapshot)

    def _taken(self, event: Event) -> None:
        """Notes that all was done that an event tells, and tells of it."""
        with self._changed:
            self._cursor = event.cursor
            if event.type is EventType.CAUGHT_UP:
                self._ready = True
                self._failed = 0
                self._ring()
        if event.type not in (EventType.CAUGHT_UP, EventType.PROGRESS):
            self._tell("on_event", self._following.on_event, event)

    def _lost(self, lost: CursorCompacted) -> float:
        """Notes that events were lost. Gives the seconds to wait before it begins anew."""
        with self._changed:
            self._ready = False
        _log.warning("a view lost events, and begins anew: %s", lost)
        self._tell("on_restart", self._following.on_restart, lost)
        self._failed += 1
        if self._failed == 1:
            return 0.0
        # It was lost while it began, which may happen again.
        settings = self._following.settings
        return settings.retry.delay(self._failed - 2, settings.random())

    def _end(self, error: Exception) -> None:
        with self._changed:
            if self._error is None:
                self._error = error
            self._ring()

    def _ring(self) -> None:
        """Wakes who waits for a change. Called with the lock held."""
        self._changed.notify_all()

    def _tell(self, name: str, hook: Optional[Callable[..., object]], said: object) -> None:
        if hook is None:
            return
        try:
            hook(said)
        except Exception:
            _log.exception("%s of a view raised", name)


def view_closed() -> ClientClosed:
    """Why a view that was closed has ended."""
    return ClientClosed("the view was closed")


class LiveView(LiveViewState):
    """Contexts in memory, kept as the server has them by a subscription of its own.

    Made by :meth:`Client.view`. ``with`` begins it, waits until it holds what there is, and closes
    it; :meth:`start`, :meth:`wait_ready` and :meth:`close` do the same where there is no ``with``.

    A thread follows the events. What an event does not tell whole is read. Where events were
    lost, because the server no longer keeps them, it begins anew by itself: it forgets what it
    held, calls ``on_restart``, and is not ``ready`` until it holds all again.

    It ends with an error where a subscription does, where a context cannot be read, and with
    :class:`~contextd.NewerServer` for an event that this client does not know. What it held can
    still be read then, and after it was closed.

    Safe to use from many threads. In a process that was forked it has ended.

    Example:
        >>> with client.view(id_prefix="chat-") as view:
        ...     chat = view.get("chat-1")
        ...     print(chat.info.version, chat.entries["system"].text)
        3 You are helpful.
    """

    def __init__(
        self,
        following: Following,
        subscribe: Callable[[], Subscription],
        reader: Callable[[str], Snapshot],
    ) -> None:
        """Made by :meth:`Client.view`."""
        super().__init__(following)
        self._subscribe = subscribe
        self._reader = reader
        self._subscription: Optional[Subscription] = None
        self._closed = threading.Event()
        self._thread: Optional[threading.Thread] = None

    def start(self) -> LiveView:
        """Begins it, and does not wait for it.

        Raises:
            RuntimeError: it has begun before.
        """
        with self._changed:
            if self._thread is not None:
                raise RuntimeError("the view has begun already; make another one")
            self._thread = threading.Thread(target=self._follow, name="contextd-view", daemon=True)
        self._thread.start()
        return self

    def wait_ready(self, timeout: Optional[float] = None) -> bool:
        """Waits until it holds all that there is, or ``timeout`` seconds have passed.

        Gives ``ready``. Raises what it has ended with.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._error is not None, timeout)
            if self._error is not None:
                raise self._error
            return self._ready

    def wait_ended(self, timeout: Optional[float] = None) -> bool:
        """Waits until it has ended, or ``timeout`` seconds have passed; gives whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: self._error is not None, timeout)

    def close(self) -> None:
        """Ends it. No error where it has ended.

        Waits until the thread has ended: nothing changes any more, and nobody is told of anything.
        """
        with self._changed:
            self._closed.set()
            subscription, thread = self._subscription, self._thread
        if subscription is not None:
            subscription.close()
        if thread is None:
            self._end(view_closed())
        elif thread is not threading.current_thread():
            thread.join()

    def __enter__(self) -> LiveView:
        """Begins it and waits until it holds all that there is."""
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Closes it."""
        self.close()

    def _follow(self) -> None:
        try:
            while not self._closed.is_set():
                try:
                    self._follow_one()
                except CursorCompacted as lost:
                    self._closed.wait(self._lost(lost))
            self._end(view_closed())
        except Exception as error:
            self._end(view_closed() if self._closed.is_set() else error)

    def _follow_one(self) -> None:
        """Follows one subscription, from a snapshot on."""
        self._begin()
        subscription = self._subscribe()
        with self._changed:
            self._subscription = subscription
        try:
            # Whoever closes sets the mark first, and then looks for what to close.
            while not self._closed.is_set():
                event = next(subscription, None)
                if event is None:
                    raise ClientClosed
                if not self._take(event):
                    self._read(event)
                self._taken(event)
        finally:
            subscription.close()

    def _read(self, event: Event) -> None:
        try:
            snapshot = self._reader(event.context_id)
        except ContextNotFound:
            self._take_read(event, None)
        else:
            self._take_read(event, snapshot)
