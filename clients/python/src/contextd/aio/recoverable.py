"""Recovery points of a context, and what brings it back, with the client for asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime, timedelta
from typing import Optional, Union

from contextd import _requests
from contextd._recovery import to_at
from contextd.aio.tracked import AsyncTrackedContext
from contextd.recovery import (
    Changes,
    DraftChange,
    NewPoint,
    Point,
    PointUpdate,
    Pruned,
    RecoveryPoint,
    Restored,
    Synced,
)
from contextd.values import RetentionPolicy, Value

_NO_VALUES: Mapping[str, Value] = {}
_NO_REMOVABLE_VALUES: Mapping[str, Optional[Value]] = {}
_NO_LABELS: Mapping[str, str] = {}
_NO_REMOVABLE_LABELS: Mapping[str, Optional[str]] = {}
_NO_VERSIONS: Mapping[str, int] = {}


class AsyncRecoverableContext(AsyncTrackedContext):
    """What is kept of a context beside its newest state. As :class:`contextd.Context`."""

    async def checkpoint(
        self,
        point_id: str = "",
        *,
        metadata: Mapping[str, str] = _NO_LABELS,
        attachments: Mapping[str, Value] = _NO_VALUES,
        ttl: Optional[Union[timedelta, float]] = None,
        pinned: bool = False,
        replace: bool = False,
        from_point: Optional[Point] = None,
        changes: Union[Changes, DraftChange, None] = None,
        move_head: bool = False,
        if_version: Optional[int] = None,
        if_entries: Mapping[str, int] = _NO_VERSIONS,
        request_id: Optional[str] = None,
    ) -> RecoveryPoint:
        """Makes a recovery point. As :meth:`contextd.Context.checkpoint`."""
        new = NewPoint(
            id=point_id,
            metadata=metadata,
            attachments=attachments,
            ttl=ttl,
            pinned=pinned,
            replace=replace,
            from_point=from_point,
            move_head=move_head,
        )
        guards = _requests.preconditions(if_version, if_entries)
        return await self._runner.run(self._operations.checkpoint(new, changes, guards, request_id))

    async def point(
        self,
        point: Optional[Point] = None,
        *,
        entries: bool = False,
        attachments: bool = False,
        keys: Collection[str] = (),
    ) -> RecoveryPoint:
        """Gets a recovery point. As :meth:`contextd.Context.point`."""
        request = self._operations.get_request(point, entries, attachments, keys)
        return await self._runner.run(self._operations.point(request))

    async def points(
        self,
        *,
        metadata: Mapping[str, str] = _NO_LABELS,
        before: Optional[Point] = None,
        ancestors_of: Optional[Point] = None,
        entries: bool = False,
        attachments: bool = False,
        keys: Collection[str] = (),
        page_size: int = 0,
    ) -> AsyncIterator[RecoveryPoint]:
        """Lists the recovery points, newest first. As :meth:`contextd.Context.points`."""
        pages = self._operations.points(
            metadata, before, ancestors_of, entries, attachments, keys, page_size
        )
        async for point in self._runner.rows(pages):
            yield point

    async def update_point(
        self,
        point: Point,
        *,
        metadata: Mapping[str, Optional[str]] = _NO_REMOVABLE_LABELS,
        attachments: Mapping[str, Optional[Value]] = _NO_REMOVABLE_VALUES,
        add_attachments: Mapping[str, Value] = _NO_VALUES,
        ttl: Optional[Union[timedelta, float]] = None,
        clear_expiry: bool = False,
        pinned: Optional[bool] = None,
        request_id: Optional[str] = None,
    ) -> RecoveryPoint:
        """Changes what lies beside a state. As :meth:`contextd.Context.update_point`."""
        update = PointUpdate(metadata, attachments, add_attachments, ttl, clear_expiry, pinned)
        request = self._operations.update_request(point, update, request_id)
        return await self._runner.run(self._operations.update_point(request))

    async def attach(
        self,
        point: Point,
        attachments: Mapping[str, Optional[Value]] = _NO_REMOVABLE_VALUES,
        *,
        add: Mapping[str, Value] = _NO_VALUES,
        request_id: Optional[str] = None,
    ) -> None:
        """Puts data beside a point, made or not. As :meth:`contextd.Context.attach`."""
        update = PointUpdate(attachments=attachments, add_attachments=add, allow_missing=True)
        request = self._operations.update_request(point, update, request_id)
        await self._runner.run(self._operations.attach(request))

    async def delete_point(
        self,
        point: Point,
        *,
        request_id: Optional[str] = None,
    ) -> None:
        """Drops a recovery point. As :meth:`contextd.Context.delete_point`."""
        request = self._operations.delete_request(point, request_id)
        await self._runner.run(self._operations.delete_point(request))

    async def prune_points(
        self,
        *,
        metadata: Mapping[str, str] = _NO_LABELS,
        policy: Optional[RetentionPolicy] = None,
        dry_run: bool = False,
        request_id: Optional[str] = None,
    ) -> Pruned:
        """Drops recovery points. As :meth:`contextd.Context.prune_points`."""
        return await self._runner.run(
            self._operations.prune_points(metadata, policy, dry_run, request_id)
        )

    async def restore(
        self,
        point: Optional[Point] = None,
        *,
        version: Optional[int] = None,
        time: Optional[datetime] = None,
        safety_point: bool = False,
        undelete: bool = False,
        if_version: Optional[int] = None,
        request_id: Optional[str] = None,
    ) -> Restored:
        """Sets the context back to an earlier state. As :meth:`contextd.Context.restore`."""
        state = self._operations.on(to_at(version, point, time, ""))
        return await self._runner.run(state.restore(safety_point, undelete, if_version, request_id))

    async def sync(
        self,
        have_version: int = 0,
    ) -> Synced:
        """Gets what leads to the newest version. As :meth:`contextd.Context.sync`."""
        return await self._runner.run(self._operations.sync(have_version))
