"""What happens to a context: history, files, usage, resources, with the synchronous client."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Optional

from contextd._sync import Runner
from contextd._tracked import TrackedOperations
from contextd.state import ContextState
from contextd.tracking import (
    Activity,
    ContextStatus,
    Optimized,
    Recordable,
    Recorded,
    Resource,
    TrackedFile,
    Truncated,
    UsageTotal,
)

if TYPE_CHECKING:
    from contextd.session import Session

_NO_LABELS: Mapping[str, str] = {}


class ResourceHold:
    """A named resource of a context, for a session. Made by :meth:`Context.resource`.

    ``with`` takes it and gives it back; so do :meth:`acquire` and :meth:`release`. At the
    end of the ``with`` an error tells that the resource was not held to the end, unless the
    program's own exception is under way. No error is what the program did itself: it
    ended the session, or deleted the context.

    Attributes:
        name: The resource's name.
        resource: What the server tells of it. ``None`` while it is not held.
    """

    def __init__(
        self,
        runner: Runner,
        operations: TrackedOperations,
        name: str,
        type: str,
        metadata: Mapping[str, str],
    ) -> None:
        """Made by :meth:`Context.resource`."""
        self.name = name
        self.resource: Optional[Resource] = None
        self._runner = runner
        self._operations = operations
        self._type = type
        self._metadata = metadata

    def __repr__(self) -> str:
        """Says name and context, without a call."""
        return f"<{type(self).__name__} {self.name!r} of {self._operations.id!r}>"

    def acquire(self, *, request_id: Optional[str] = None) -> Resource:
        """Takes it. What the session holds already stays as it is.

        Raises:
            ResourceHeld: another session holds it.
            SessionLost: the session is lost.
            ContextNotFound: there is no such context; none is created.
            StaleFence: the activation that writes is not in force.
            LimitReached: the session holds 1,000 already.
        """
        operation = self._operations.acquire(self.name, self._type, self._metadata, request_id)
        self.resource = self._runner.run(operation)
        return self.resource

    def release(self, *, request_id: Optional[str] = None) -> None:
        """Gives it back.

        Raises:
            ResourceNotHeld: the session does not hold it.
            SessionLost: the session is lost, and with it all that it held.
        """
        self._runner.run(self._operations.release(self.name, request_id))
        self.resource = None

    def __enter__(self) -> ResourceHold:
        """Takes it."""
        self.acquire()
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Gives it back, if that was not done."""
        if self.resource is None:
            return
        self.resource = None
        failed = kind is not None
        operations = self._operations.leaving(failed)
        self._runner.run(operations.leave(operations.release(self.name, None), failed))


class TrackedContext(ContextState):
    """What is known of a context beside its entries. See :class:`Context`."""

    def record(self, *activities: Recordable, request_id: Optional[str] = None) -> Recorded:
        """Adds to the history: all the activities, in order, or none.

        An activity changes no entry and makes no new version. ``update(activities=...)``
        records in the same step as a change.

        Args:
            activities: 1 to 1,000 of :class:`~contextd.Activity`,
                :class:`~contextd.FileOperation` and :class:`~contextd.ModelUsage`. The server
                sets sequence, time and session.
            request_id: For a write that the caller may repeat; by default a new one.

        Raises:
            LimitReached: an activity is too large, or there are too many different models.

        Example:
            >>> chat.record(Activity("message", "Hello!"), FileOperation("a.py", "read"))
            Recorded(first_sequence=1, last_sequence=2, ...)
        """
        return self._runner.run(self._operations.record(activities, request_id))

    def history(
        self,
        *,
        types: Collection[str] = (),
        start: Optional[datetime] = None,
        end: Optional[datetime] = None,
        newest_first: bool = False,
        from_sequence: int = 0,
        page_size: int = 0,
    ) -> Iterator[Activity]:
        """Lists the history by sequence, page after page as it is iterated.

        Args:
            types: Only activities of these types, at most 100. Empty: of all.
            start: Only from this time on, which names its time zone.
            end: Only before this time.
            newest_first: From the newest to the oldest.
            from_sequence: Begin with this one, in either direction. 0: at the end that the
                order begins with.
            page_size: Activities asked for at once, up to 1,000. 0: the server's 100.

        Example:
            >>> for activity in chat.history(types=["message"], newest_first=True):
            ...     print(activity.sequence, activity.text)
            7 Thank you.
            1 Hello!
        """
        yield from self._runner.rows(
            self._operations.history(types, start, end, newest_first, from_sequence, page_size)
        )

    def truncate_history(
        self,
        from_sequence: Optional[int] = None,
        *,
        from_time: Optional[datetime] = None,
        request_id: Optional[str] = None,
    ) -> Truncated:
        """Drops the activities before a sequence, or before a time. Files and usage stay.

        Args:
            from_sequence: The first to keep, from 1.
            from_time: The time of the first to keep, which names its time zone. One of the two
                must be given.
            request_id: For a write that the caller may repeat; by default a new one.

        Example:
            >>> chat.truncate_history(7).removed_count
            6
        """
        return self._runner.run(
            self._operations.truncate_history(from_sequence, from_time, request_id)
        )

    def optimize_history(
        self,
        *,
        max_bytes: int = 0,
        max_count: int = 0,
        deduplicate: bool = False,
        dry_run: bool = False,
        request_id: Optional[str] = None,
    ) -> Optimized:
        """Makes the history smaller: first drops repeats, then keeps the newest that fit.

        What is kept has no hole: the first that does not fit ends it. The newest of all is
        always kept.

        Args:
            max_bytes: Keep the newest whose data and metadata add up to this. 0: no bound.
            max_count: Keep at most so many. 0: no bound.
            deduplicate: Of activities with the same type, data and detail keep the newest.
            dry_run: Tell what would be dropped, and drop nothing.
            request_id: For a write that the caller may repeat; by default a new one.

        Raises:
            HeadMoved: a large history changed again and again meanwhile.

        Example:
            >>> chat.optimize_history(max_bytes=1_000_000, deduplicate=True).removed_count
            12
        """
        return self._runner.run(
            self._operations.optimize_history(
                max_bytes, max_count, deduplicate, dry_run, request_id
            )
        )

    def files(self, prefix: str = "", *, page_size: int = 0) -> Iterator[TrackedFile]:
        """Lists the files that were touched, by path, each with its last operation.

        Args:
            prefix: Only paths that begin with it.
            page_size: Files asked for at once, up to 1,000. 0: the server's 100.
        """
        yield from self._runner.rows(self._operations.files(prefix, page_size))

    def usage(self) -> list[UsageTotal]:
        """Gets what models cost in this context, by provider, model, mode and currency.

        :meth:`Client.usage` tells it of a namespace.
        """
        return self._runner.run(self._operations.usage())

    def status(self) -> ContextStatus:
        """Asks who has the context active. One that does not exist is no error."""
        return self._runner.run(self._operations.status())

    def resources(self, *, page_size: int = 0) -> Iterator[Resource]:
        """Lists the resources that are held, by name.

        Args:
            page_size: Resources asked for at once, up to 1,000. 0: the server's 100.
        """
        yield from self._runner.rows(self._operations.resources(page_size))

    def resource(
        self,
        name: str,
        *,
        session: Optional[Session] = None,
        type: str = "",
        metadata: Mapping[str, str] = _NO_LABELS,
    ) -> ResourceHold:
        """Names a resource, to be held by a session: one session at a time. Without a call.

        It is given back with the session too, however that ends, and with the context.

        Args:
            name: 1 to 256 bytes; the context's own.
            session: Who holds it. ``None``: the session that this context was activated in.
            type: What kind of resource it is, at most 64 bytes.
            metadata: Labels.

        Example:
            >>> with chat.resource("browser", session=session):
            ...     book_the_flight()
        """
        lease = None if session is None else session._operations.lease
        return ResourceHold(self._runner, self._operations.by(lease), name, type, metadata)
