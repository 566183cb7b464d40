"""What happens to a context: history, files, usage, resources, with the client for asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Optional

from contextd._tracked import TrackedOperations
from contextd.aio._runner import AsyncRunner
from contextd.aio.state import AsyncContextState
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
    from contextd.aio.session import AsyncSession

_NO_LABELS: Mapping[str, str] = {}


class AsyncResourceHold:
    """A named resource of a context, for a session. As :class:`contextd.ResourceHold`.

    ``async with`` takes it and gives it back; so do :meth:`acquire` and :meth:`release`.
    """

    def __init__(
        self,
        runner: AsyncRunner,
        operations: TrackedOperations,
        name: str,
        type: str,
        metadata: Mapping[str, str],
    ) -> None:
        """Made by :meth:`AsyncContext.resource`."""
        self.name = name
        self.resource: Optional[Resource] = None
        self._runner = runner
        self._operations = operations
        self._type = type
        self._metadata = metadata

    def __repr__(self) -> str:
        """Says name and context, without a call."""
        return f"<{type(self).__name__} {self.name!r} of {self._operations.id!r}>"

    async def acquire(self, *, request_id: Optional[str] = None) -> Resource:
        """Takes it. As :meth:`contextd.ResourceHold.acquire`."""
        operation = self._operations.acquire(self.name, self._type, self._metadata, request_id)
        self.resource = await self._runner.run(operation)
        return self.resource

    async def release(self, *, request_id: Optional[str] = None) -> None:
        """Gives it back. As :meth:`contextd.ResourceHold.release`."""
        await self._runner.run(self._operations.release(self.name, request_id))
        self.resource = None

    async def __aenter__(self) -> AsyncResourceHold:
        """Takes it."""
        await self.acquire()
        return self

    async def __aexit__(
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
        await self._runner.run(operations.leave(operations.release(self.name, None), failed))


class AsyncTrackedContext(AsyncContextState):
    """What is known of a context beside its entries. See :class:`AsyncContext`."""

    async def record(self, *activities: Recordable, request_id: Optional[str] = None) -> Recorded:
        """Adds to the history, all or none. As :meth:`contextd.Context.record`.

        Example:
            >>> await chat.record(Activity("message", "Hello!"), FileOperation("a.py", "read"))
            Recorded(first_sequence=1, last_sequence=2, ...)
        """
        return await self._runner.run(self._operations.record(activities, request_id))

    async def history(
        self,
        *,
        types: Collection[str] = (),
        start: Optional[datetime] = None,
        end: Optional[datetime] = None,
        newest_first: bool = False,
        from_sequence: int = 0,
        page_size: int = 0,
    ) -> AsyncIterator[Activity]:
        """Lists the history by sequence. As :meth:`contextd.Context.history`."""
        pages = self._operations.history(types, start, end, newest_first, from_sequence, page_size)
        async for activity in self._runner.rows(pages):
            yield activity

    async def truncate_history(
        self,
        from_sequence: Optional[int] = None,
        *,
        from_time: Optional[datetime] = None,
        request_id: Optional[str] = None,
    ) -> Truncated:
        """Drops the oldest activities. As :meth:`contextd.Context.truncate_history`."""
        return await self._runner.run(
            self._operations.truncate_history(from_sequence, from_time, request_id)
        )

    async def optimize_history(
        self,
        *,
        max_bytes: int = 0,
        max_count: int = 0,
        deduplicate: bool = False,
        dry_run: bool = False,
        request_id: Optional[str] = None,
    ) -> Optimized:
        """Makes the history smaller. As :meth:`contextd.Context.optimize_history`."""
        return await self._runner.run(
            self._operations.optimize_history(
                max_bytes, max_count, deduplicate, dry_run, request_id
            )
        )

    async def files(self, prefix: str = "", *, page_size: int = 0) -> AsyncIterator[TrackedFile]:
        """Lists the files that were touched, by path. As :meth:`contextd.Context.files`."""
        async for file in self._runner.rows(self._operations.files(prefix, page_size)):
            yield file

    async def usage(self) -> list[UsageTotal]:
        """Gets what models cost in this context. As :meth:`contextd.Context.usage`."""
        return await self._runner.run(self._operations.usage())

    async def status(self) -> ContextStatus:
        """Asks who has the context active. One that does not exist is no error."""
        return await self._runner.run(self._operations.status())

    async def resources(self, *, page_size: int = 0) -> AsyncIterator[Resource]:
        """Lists the resources that are held, by name. As :meth:`contextd.Context.resources`."""
        async for resource in self._runner.rows(self._operations.resources(page_size)):
            yield resource

    def resource(
        self,
        name: str,
        *,
        session: Optional[AsyncSession] = None,
        type: str = "",
        metadata: Mapping[str, str] = _NO_LABELS,
    ) -> AsyncResourceHold:
        """Names a resource, to be held by a session. As :meth:`contextd.Context.resource`.

        Example:
            >>> async with chat.resource("browser", session=session):
            ...     await book_the_flight()
        """
        lease = None if session is None else session._operations.lease
        operations = self._operations.by(lease)
        return AsyncResourceHold(self._runner, operations, name, type, metadata)
