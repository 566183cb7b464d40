"""Recovery points of a context, and what brings it back, with the synchronous client."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Optional, Union

from contextd import _requests
from contextd._recovery import to_at
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
from contextd.tracked import TrackedContext
from contextd.values import RetentionPolicy, Value

_NO_VALUES: Mapping[str, Value] = {}
_NO_REMOVABLE_VALUES: Mapping[str, Optional[Value]] = {}
_NO_LABELS: Mapping[str, str] = {}
_NO_REMOVABLE_LABELS: Mapping[str, Optional[str]] = {}
_NO_VERSIONS: Mapping[str, int] = {}


class RecoverableContext(TrackedContext):
    """What is kept of a context beside its newest state. See :class:`Context`.

    A recovery point is named by its id, or by the :class:`~contextd.RecoveryPoint` itself.
    """

    def checkpoint(
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
        """Makes a recovery point: a state that is kept, to come back to.

        It costs what changed since the last one, whatever the size of the context.

        Args:
            point_id: 1 to 128 bytes, unique in the context. Empty: the server makes one up.
            metadata: Labels of the point; at most 64.
            attachments: Data to lie beside the state, by key, of up to 10,000 keys.
            ttl: How long it is kept, in seconds or as a ``timedelta``. ``None``: until the
                retention policy or a delete drops it.
            pinned: No policy drops it.
            replace: A point of this id that exists takes all this on; it keeps its sequence, and
                attachments that are not given anew.
            from_point: Begin from this point's state instead of the context's.
            changes: What to do on top of that state, for the new point: :class:`~contextd.Changes`,
                or a function that works on a :class:`~contextd.Draft`, as with :meth:`transact`.
                Without ``move_head`` only entries and labels can be changed, and the context itself
                stays as it is.
            move_head: The context takes on the point's state, in the same change.
            if_version: The version that the context must have. 0: it must not exist. A function
                guards what it read by itself: with one, these three are not to be given.
            if_entries: The versions that must have set the entries. 0: there must be none.
            request_id: For a write that the caller may repeat; by default a new one.

        Raises:
            RecoveryPointExists: there is one of this id, and it is not to be replaced.
            RecoveryPointPinned: the one to be replaced is pinned.
            RecoveryPointNotFound: there is no ``from_point``.
            VersionConflict, EntryConflict: a condition does not hold. With a function: others were
                faster each time.

        Example:
            >>> point = chat.checkpoint("step-7", metadata={"by": "planner"})
            >>> chat.checkpoint("step-7b", from_point=point, changes=Changes({"plan": "B"}))
            >>> chat.restore(point)
        """
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
        return self._runner.run(self._operations.checkpoint(new, changes, guards, request_id))

    def point(
        self,
        point: Optional[Point] = None,
        *,
        entries: bool = False,
        attachments: bool = False,
        keys: Collection[str] = (),
    ) -> RecoveryPoint:
        """Gets a recovery point, also of a context that was deleted and can be brought back.

        ``context.at(point=...)`` reads its state without getting all of it, while the context is
        there.

        Args:
            point: Which one. ``None``: the newest.
            entries: With the entries of its state.
            attachments: With what lies beside it.
            keys: Only these entries and attachments. Empty: all.

        Raises:
            RecoveryPointNotFound: there is none of this id.
            NoRecoveryPoints: the newest was asked for, and there is none.
            ResponseTooLarge: the attachments do not fit into a message; ask for some ``keys``.
            ContextNotFound: the context is not there, nor is it one that can be brought back; or it
                was deleted, and the entries do not fit into a message.

        Example:
            >>> chat.point("step-7", attachments=True).attachments["task"].text
            'Book the flight.'
        """
        request = self._operations.get_request(point, entries, attachments, keys)
        return self._runner.run(self._operations.point(request))

    def points(
        self,
        *,
        metadata: Mapping[str, str] = _NO_LABELS,
        before: Optional[Point] = None,
        ancestors_of: Optional[Point] = None,
        entries: bool = False,
        attachments: bool = False,
        keys: Collection[str] = (),
        page_size: int = 0,
    ) -> Iterator[RecoveryPoint]:
        """Lists the recovery points, newest first, page after page as it is iterated.

        Args:
            metadata: Only those with all these labels of their own.
            before: Only those made before this one.
            ancestors_of: Only the points that this one's state was made from, nearest first.
            entries: With the entries of their states.
            attachments: With what lies beside them.
            keys: Only these entries and attachments. Empty: all.
            page_size: Points asked for at once, up to 1,000. 0: the server's 100.

        Example:
            >>> for point in chat.points(metadata={"by": "planner"}):
            ...     print(point.sequence, point.id)
            7 step-7
        """
        pages = self._operations.points(
            metadata, before, ancestors_of, entries, attachments, keys, page_size
        )
        yield from self._runner.rows(pages)

    def update_point(
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
        """Changes what lies beside the state of a point. The state itself never changes.

        Args:
            point: Which one.
            metadata: Labels to set; ``None`` removes one.
            attachments: Attachments to set; ``None`` removes one.
            add_attachments: Attachments to set where there is none of that key.
            ttl: How long it is kept from now on, in seconds or as a ``timedelta``. ``None``: as it
                is.
            clear_expiry: It is no longer dropped by itself.
            pinned: Whether no policy drops it. ``None``: as it is.
            request_id: For a write that the caller may repeat; by default a new one.

        Raises:
            RecoveryPointNotFound: there is no such point.
        """
        update = PointUpdate(metadata, attachments, add_attachments, ttl, clear_expiry, pinned)
        request = self._operations.update_request(point, update, request_id)
        return self._runner.run(self._operations.update_point(request))

    def attach(
        self,
        point: Point,
        attachments: Mapping[str, Optional[Value]] = _NO_REMOVABLE_VALUES,
        *,
        add: Mapping[str, Value] = _NO_VALUES,
        request_id: Optional[str] = None,
    ) -> None:
        """Puts data beside a point, also one that is still to be made with this id.

        Args:
            point: Which one.
            attachments: Attachments to set; ``None`` removes one.
            add: Attachments to set where there is none of that key.
            request_id: For a write that the caller may repeat; by default a new one.

        Example:
            >>> chat.attach("step-8", add={"writes/agent-1": result})
        """
        update = PointUpdate(attachments=attachments, add_attachments=add, allow_missing=True)
        request = self._operations.update_request(point, update, request_id)
        self._runner.run(self._operations.attach(request))

    def delete_point(
        self,
        point: Point,
        *,
        request_id: Optional[str] = None,
    ) -> None:
        """Drops a recovery point, pinned or not. Its children take its parent.

        Raises:
            RecoveryPointNotFound: there is no such point.
        """
        request = self._operations.delete_request(point, request_id)
        self._runner.run(self._operations.delete_point(request))

    def prune_points(
        self,
        *,
        metadata: Mapping[str, str] = _NO_LABELS,
        policy: Optional[RetentionPolicy] = None,
        dry_run: bool = False,
        request_id: Optional[str] = None,
    ) -> Pruned:
        """Drops recovery points: those with labels, and those of no use to a policy.

        Pinned points stay. :meth:`Client.prune_points` does it in many contexts.

        Args:
            metadata: Drop points with all these labels. Empty: none for that.
            policy: Drop points that no rule of it keeps. ``None``: none for that. One of the two
                must be given.
            dry_run: Tell what would be dropped, and drop nothing.
            request_id: For a write that the caller may repeat; by default a new one.

        Example:
            >>> chat.prune_points(policy=RetentionPolicy(keep_last=10)).removed_count
            32
        """
        return self._runner.run(
            self._operations.prune_points(metadata, policy, dry_run, request_id)
        )

    def restore(
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
        """Sets the context back to an earlier state, as a new version: nothing between is lost.

        Args:
            point: To the state of this recovery point.
            version: To this version, while the server keeps it.
            time: To what was the newest state at this time, which names its time zone. None of the
                three: to the newest recovery point; of a deleted context, to its last state.
            safety_point: Keep the state before the restore as a recovery point.
            undelete: Bring back a deleted context, with its history and recovery points, without
                expiry and resources.
            if_version: The version that the context must have.
            request_id: For a write that the caller may repeat; by default a new one.

        Raises:
            RecoveryPointNotFound: there is no such point.
            NoRecoveryPoints: the newest was asked for, and there is none.
            StateNotRetained: that version, or the state of that time, is not kept any more.
            ContextNotFound: there is none; or it was deleted, and is not to be brought back.
            ContextExists: it is to be brought back, and is there.
            HeadMoved: the context changed again and again meanwhile.

        Example:
            >>> chat.restore("step-7", safety_point=True).changed_entry_count
            3
        """
        state = self._operations.on(to_at(version, point, time, ""))
        return self._runner.run(state.restore(safety_point, undelete, if_version, request_id))

    def sync(
        self,
        have_version: int = 0,
    ) -> Synced:
        """Gets what leads from a version that the program has to the newest, all of it in memory.

        The cost is that of what differs, whatever the size of the context.

        Args:
            have_version: What the program has. 0: nothing.

        Example:
            >>> synced = chat.sync(version)
            >>> synced.apply(entries)
            >>> version = synced.version
        """
        return self._runner.run(self._operations.sync(have_version))
