"""Subscriptions: what happens, as it happens, with the synchronous client."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Optional

from contextd._streams import Streams
from contextd._subscribing import Feed
from contextd.events import Event


class Subscription(Iterator[Event]):
    """The events of a namespace, in order: an iterator that goes on by itself.

    Made by :meth:`Client.subscribe`. Iterating waits for the next event, until :meth:`close`.
    ``with`` closes at its end; at its beginning it waits for the server's first message, so
    that whatever happens from then on is told, also where no start was given.

    When the server restarts, the connection breaks or is dead, or nobody read for too
    long, it connects again and goes on behind the event that was handed out last: none
    comes twice, none is left out. It waits between the attempts as calls do, and tells of
    them in the log ``contextd``. As long as ``cursor`` is ``None``, which is before the first
    message of a subscription without a start, there is no position to go on at: then it
    begins with what happens from the new connection on.

    Events are handed out whole, those that the server sends in parts too. Up to one
    message of the server is in memory, and one event: up to 1 MiB, or a context's whole
    state where the subscription begins with a snapshot.

    One thread iterates; all else is safe from any. In a process that was forked it raises
    :class:`~contextd.ClientClosed`.

    Iterating and the beginning of the ``with`` raise, once, and then it is closed:
    :class:`~contextd.CursorCompacted` where the position is no longer kept by the server, also
    when the reader falls behind what is kept; :class:`~contextd.InvalidField` for a cursor or
    a condition that cannot be; :class:`~contextd.LimitReached` for too many subscriptions;
    :class:`~contextd.NotSupported` from a server without them; and after
    ``reconnect_timeout``, or the client's timeout, what kept it from connecting.

    Example:
        >>> with client.subscribe(cursor=load_cursor()) as events:
        ...     for event in events:
        ...         with transaction():
        ...             apply(event)
        ...             store_cursor(event.cursor)
    """

    def __init__(self, streams: Streams, feed: Feed) -> None:
        """Made by :meth:`Client.subscribe`."""
        self._streams = streams
        self._feed = feed

    @property
    def cursor(self) -> Optional[str]:
        """The position behind what was handed out: what to store, to go on there later.

        It moves on with the server's word that there was nothing to tell, too, when the
        next event is asked for. ``None``: no position is known yet.
        """
        return self._feed.cursor

    @property
    def caught_up(self) -> bool:
        """Whether all that had happened was handed out, so that what follows is live.

        Said when the next event is asked for. After a reconnect it is false until that
        is true again.
        """
        return self._feed.caught_up

    def __next__(self) -> Event:
        """Waits for the next event and hands it out."""
        while not self._streams.closed:
            event = self._feed.take()
            if event is not None:
                return event
            self._streams.receive()
        raise StopIteration

    def until_caught_up(self) -> Iterator[Event]:
        """Hands out events until all that had happened was handed out, and ends then.

        Iterating goes on afterwards with what follows.

        Example:
            >>> with client.subscribe(snapshot=True) as events:
            ...     for event in events.until_caught_up():
            ...         view.apply(event)
            ...     print(len(view.contexts), "contexts, and now:")
            ...     for event in events:
            ...         view.apply(event)
        """
        feed, streams = self._feed, self._streams
        while not feed.caught_up and not streams.closed:
            event = feed.take()
            if event is not None:
                yield event
            elif not feed.caught_up:
                streams.receive()

    def close(self) -> None:
        """Ends the iteration, also one that another thread waits in. Events are left alone."""
        self._streams.close()

    def __enter__(self) -> Subscription:
        """Waits for the server's first message."""
        try:
            while not self._feed.begun and not self._streams.closed:
                self._streams.receive()
        except BaseException:
            self.close()
            raise
        self._feed.settle()
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Closes it."""
        self.close()
