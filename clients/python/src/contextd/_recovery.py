"""Every operation on recovery points, forks, merges and earlier states, without I/O."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Optional, Union

import grpc

from contextd import _requests, _rules, recovery, values
from contextd._calls import Collect, Operation, Pages, Settings, Sleep, call, call_together
from contextd._differences import DiffReader, SyncReader
from contextd._lease import Lease, Writer
from contextd._methods import (
    BATCH_POINTS,
    CREATE_POINT,
    DELETE_POINT,
    FORK,
    GET_POINT,
    LIST_POINTS,
    MERGE,
    PRUNE_POINTS,
    RESTORE,
    UPDATE_POINT,
)
from contextd._tracked import TrackedOperations
from contextd.draft import Draft
from contextd.errors import (
    Conflict,
    ContextdError,
    ContextExists,
    ContextNotFound,
    InvalidValue,
    MergeConflicts,
    NewerServer,
    Overloaded,
    RecoveryPointNotFound,
    ResponseTooLarge,
    SessionNotFound,
    from_failure,
)
from contextd.v1 import recovery_pb2 as pb
from contextd.v1 import resources_pb2

_ON_CONFLICT: Mapping[recovery.OnConflict, pb.MergeContextRequest.OnConflict.ValueType] = {
    recovery.OnConflict.RAISE: pb.MergeContextRequest.ON_CONFLICT_UNSPECIFIED,
    recovery.OnConflict.TARGET: pb.MergeContextRequest.ON_CONFLICT_TARGET,
    recovery.OnConflict.SOURCE: pb.MergeContextRequest.ON_CONFLICT_SOURCE,
}

_PINS: Mapping[Optional[bool], pb.UpdateRecoveryPointRequest.Pin.ValueType] = {
    None: pb.UpdateRecoveryPointRequest.PIN_UNSPECIFIED,
    True: pb.UpdateRecoveryPointRequest.PIN_ON,
    False: pb.UpdateRecoveryPointRequest.PIN_OFF,
}

# What is left of a call's time is never nothing.
_TIMEOUT_MIN = 0.001


def _attachments(attachments: Mapping[str, values.Value]) -> list[resources_pb2.Entry]:
    contents = ((key, values.to_content(value)) for key, value in attachments.items())
    return [
        resources_pb2.Entry(
            key=_requests.to_key(key), value=content.value, content_type=content.content_type
        )
        for key, content in contents
    ]


def mutations_of(changes: Optional[recovery.Changes]) -> list[resources_pb2.Mutation]:
    """The steps of a change; of none, none."""
    if changes is None:
        return []
    return _requests.mutations(
        changes.puts,
        deletes=changes.deletes,
        delete_prefixes=changes.delete_prefixes,
        appends=changes.appends,
        metadata=changes.metadata,
        expiry=changes.expiry,
        activities=changes.activities,
        recovery_policy=changes.recovery_policy,
    )


def _point_id(point: recovery.Point, field: str) -> str:
    """The id of a point; the empty one, which stands for the newest, is never meant."""
    point_id = recovery.id_of(point)
    _rules.check_id(field, point_id)
    return point_id


def to_at(
    version: Optional[int],
    point: Optional[recovery.Point],
    time: Optional[datetime],
    place: str = "state.",
) -> _requests.At:
    """Takes what the caller says of a state; nothing is the newest."""
    return _requests.to_at(version, None if point is None else recovery.id_of(point), time, place)


@dataclass(frozen=True)
class RecoveryOperations(TrackedOperations):
    """The operations on one context with those on its recovery points and earlier states."""

    def on(self, at: _requests.At) -> RecoveryOperations:
        """The same on another state."""
        return replace(self, at=at)

    def other(self, context_id: str) -> RecoveryOperations:
        """The same on another context that exists; a session still writes, but no activation."""
        writer = None if self.writer is None else Writer(self.writer.lease)
        return replace(
            self, id=context_id, at=_requests.NEWEST, create_if_missing=None, writer=writer
        )

    # Recovery points.

    def create_request(
        self,
        new: recovery.NewPoint,
        mutations: Collection[resources_pb2.Mutation],
        preconditions: Collection[resources_pb2.Precondition],
        request_id: Optional[str],
    ) -> pb.CreateRecoveryPointRequest:
        """Asks for a point; ``mutations`` stand for the changes of ``new``."""
        start = (
            "" if new.from_point is None else _point_id(new.from_point, "from_recovery_point_id")
        )
        return pb.CreateRecoveryPointRequest(
            namespace=self.namespace,
            context_id=self.id,
            recovery_point_id=new.id,
            from_recovery_point_id=start,
            mutations=mutations,
            move_head=new.move_head,
            metadata=new.metadata,
            attachments=_attachments(new.attachments),
            ttl=None if new.ttl is None else _requests.duration(_requests.to_timedelta(new.ttl)),
            pinned=new.pinned,
            create_if_missing=self._new_context(),
            replace=new.replace,
            preconditions=preconditions,
            write=self._write(request_id),
        )

    def checkpoint(
        self,
        new: recovery.NewPoint,
        changes: Union[recovery.Changes, recovery.DraftChange, None],
        preconditions: Collection[resources_pb2.Precondition],
        request_id: Optional[str],
    ) -> Operation[recovery.RecoveryPoint]:
        """Makes a point, with changes on top of the state that it begins from."""
        if callable(changes):
            if preconditions or request_id is not None:
                raise ValueError("with a function there are no further conditions and request ids")
            return self._checkpoint_draft(new, changes)
        request = self.create_request(new, mutations_of(changes), preconditions, request_id)
        return self._checkpoint(request)

    def _checkpoint(
        self, request: pb.CreateRecoveryPointRequest
    ) -> Operation[recovery.RecoveryPoint]:
        response = yield from self._send_together(CREATE_POINT, request, request.write.request_id)
        return _told(response, request.recovery_point_id)

    def _checkpoint_draft(
        self, new: recovery.NewPoint, change: recovery.DraftChange
    ) -> Operation[recovery.RecoveryPoint]:
        """Makes a point of what ``change`` makes of a draft, if nobody changed what it read.

        The state of a point does not change: what begins from one needs no condition.
        """
        base = self
        if new.from_point is not None:
            base = self.on(
                _requests.At(point_id=_point_id(new.from_point, "from_recovery_point_id"))
            )
        attempt = 0
        while True:
            draft = Draft((yield from base._old_snapshot(None)))
            change(draft)
            guard = draft.preconditions() if base is self else []
            request = self.create_request(new, draft.mutations(), guard, None)
            try:
                return (yield from self._checkpoint(request))
            except Conflict as conflict:
                yield from self._lost(attempt, conflict)
            attempt += 1

    def get_request(
        self,
        point: Optional[recovery.Point],
        entries: bool,
        attachments: bool,
        keys: Collection[str],
    ) -> pb.GetRecoveryPointRequest:
        """Asks for a point. ``None``: the newest."""
        return pb.GetRecoveryPointRequest(
            namespace=self.namespace,
            context_id=self.id,
            recovery_point_id="" if point is None else _point_id(point, "recovery_point_id"),
            with_entries=entries,
            with_attachments=attachments,
            keys=several(keys),
        )

    def point(self, request: pb.GetRecoveryPointRequest) -> Operation[recovery.RecoveryPoint]:
        """Gets a point, its entries in pieces when they do not fit into one message."""
        try:
            response = yield from call_together(self.settings, GET_POINT, request)
        except ResponseTooLarge:
            if not request.with_entries:
                raise
            return (yield from self._large_point(request))
        return recovery.point_of(response.recovery_point, response.entries)

    def _large_point(
        self, request: pb.GetRecoveryPointRequest
    ) -> Operation[recovery.RecoveryPoint]:
        request.with_entries = False
        response = yield from call(self.settings, GET_POINT, request)
        point = recovery.point_of(response.recovery_point)
        state = self.on(_requests.At(point_id=point.id))
        entries = yield from state._pieces(request.keys or None, "", point.version)
        return replace(point, entries={entry.key: entry for entry in entries})

    def points(
        self,
        metadata: Mapping[str, str],
        before: Optional[recovery.Point],
        ancestors_of: Optional[recovery.Point],
        entries: bool,
        attachments: bool,
        keys: Collection[str],
        page_size: int,
    ) -> Pages[recovery.RecoveryPoint]:
        """Lists the points."""
        self.check_named()
        request = pb.ListRecoveryPointsRequest(
            namespace=self.namespace,
            context_id=self.id,
            page_size=page_size,
            metadata=metadata,
            before_recovery_point_id=""
            if before is None
            else _point_id(before, "before_recovery_point_id"),
            ancestors_of="" if ancestors_of is None else _point_id(ancestors_of, "ancestors_of"),
            with_entries=entries,
            with_attachments=attachments,
            keys=several(keys),
        )
        return list_points(self.settings, request)

    def update_request(
        self, point: recovery.Point, update: recovery.PointUpdate, request_id: Optional[str]
    ) -> pb.UpdateRecoveryPointRequest:
        """Asks for a change of what lies beside the state of a point."""
        puts = {key: value for key, value in update.attachments.items() if value is not None}
        length = None if update.ttl is None else _requests.to_timedelta(update.ttl)
        return pb.UpdateRecoveryPointRequest(
            namespace=self.namespace,
            context_id=self.id,
            recovery_point_id=recovery.id_of(point),
            set_metadata={k: v for k, v in update.metadata.items() if v is not None},
            delete_metadata=[key for key, value in update.metadata.items() if value is None],
            put_attachments=_attachments(puts),
            add_attachments=_attachments(update.add_attachments),
            delete_attachments=[k for k, value in update.attachments.items() if value is None],
            ttl=None if length is None else _requests.duration(length),
            clear_expiry=update.clear_expiry,
            pin=_PINS[update.pinned],
            allow_missing=update.allow_missing,
            write=self._write(request_id),
        )

    def update_point(
        self, request: pb.UpdateRecoveryPointRequest
    ) -> Operation[recovery.RecoveryPoint]:
        """Changes what lies beside the state of a point."""
        response = yield from self._send_together(UPDATE_POINT, request, request.write.request_id)
        return _told(response, request.recovery_point_id)

    def attach(self, request: pb.UpdateRecoveryPointRequest) -> Operation[None]:
        """Keeps attachments for a point, whether or not it was made yet."""
        yield from self._send_together(UPDATE_POINT, request, request.write.request_id)

    def delete_request(
        self, point: recovery.Point, request_id: Optional[str]
    ) -> pb.DeleteRecoveryPointRequest:
        """Asks to drop a point."""
        return pb.DeleteRecoveryPointRequest(
            namespace=self.namespace,
            context_id=self.id,
            recovery_point_id=recovery.id_of(point),
            write=self._write(request_id),
        )

    def delete_point(self, request: pb.DeleteRecoveryPointRequest) -> Operation[None]:
        """Drops a point."""
        yield from self._send_together(DELETE_POINT, request, request.write.request_id)

    def prune_points(
        self,
        metadata: Mapping[str, str],
        policy: Optional[values.RetentionPolicy],
        dry_run: bool,
        request_id: Optional[str],
    ) -> Operation[recovery.Pruned]:
        """Drops points that are not kept."""
        write = self._write(request_id)
        self.check_named(write.request_id)
        request = prune_request(
            self.namespace, "", metadata, policy, dry_run, write, context_id=self.id
        )
        response = yield from self._send(PRUNE_POINTS, request, write.request_id)
        return _pruned(response, write.request_id)

    # Whole states.

    def restore(
        self,
        safety_point: bool,
        undelete: bool,
        if_version: Optional[int],
        request_id: Optional[str],
    ) -> Operation[recovery.Restored]:
        """Sets the context back to this state."""
        write = self._write(request_id)
        request = pb.RestoreContextRequest(
            namespace=self.namespace,
            context_id=self.id,
            safety_point=safety_point,
            undelete=undelete,
            preconditions=_requests.preconditions(if_version),
            write=write,
        )
        if self.at.point_id:
            request.recovery_point_id = self.at.point_id
        elif self.at.version:
            request.version = self.at.version
        elif self.at.time is not None:
            request.time.CopyFrom(_requests.timestamp(self.at.time))
        response = yield from self._send(RESTORE, request, write.request_id)
        if not response.HasField("context"):
            raise _gone(f"the context {self.id!r} was restored, and is gone again")
        return recovery.restored_of(response, write.request_id)

    def fork(
        self,
        context_id: str,
        with_history: bool,
        with_points: bool,
        properties: Optional[values.NewContext],
        request_id: Optional[str],
    ) -> Operation[RecoveryOperations]:
        """Makes a context from this state; gives the operations on it."""
        write = self._write(request_id, fenced=False)
        request = pb.ForkContextRequest(
            source=self.state(),
            context_id=context_id,
            with_history=with_history,
            with_recovery_points=with_points,
            properties=None if properties is None else _requests.new_context(properties),
            write=write,
        )
        response = yield from self._send(FORK, request, write.request_id)
        if not response.HasField("context"):
            raise _gone(f"the context {self.id!r} was forked, and the fork is gone again")
        return self.other(response.context.id)

    def branch(
        self,
        context_id: str,
        with_history: bool,
        with_points: bool,
        ttl: Optional[Union[timedelta, float]],
    ) -> BranchPlan:
        """Prepares a fork of this state that somebody deletes."""
        branch_id = context_id or f"branch-{self.settings.new_id()}"
        expiry = None if ttl is None else values.Expiry(_requests.to_timedelta(ttl))
        named = bool(context_id)
        return BranchPlan(self, self.other(branch_id), with_history, with_points, expiry, named)

    def merge(
        self,
        source: RecoveryOperations,
        ancestor: Optional[RecoveryOperations],
        on_conflict: recovery.OnConflict,
        on_conflict_by_key: Mapping[str, recovery.OnConflict],
        dry_run: bool,
        safety_point: bool,
        if_version: Optional[int],
        request_id: Optional[str],
    ) -> Operation[recovery.Merged]:
        """Brings what changed in a source since a common state into this context."""
        write = self._write(request_id)
        request = pb.MergeContextRequest(
            source=source.state(),
            namespace=self.namespace,
            target_context_id=self.id,
            ancestor=None if ancestor is None else ancestor.state(),
            on_conflict=_ON_CONFLICT[on_conflict],
            on_conflict_by_key={key: _ON_CONFLICT[r] for key, r in on_conflict_by_key.items()},
            dry_run=dry_run,
            safety_point=safety_point,
            preconditions=_requests.preconditions(if_version),
            write=write,
        )
        response = yield from self._send(MERGE, request, write.request_id)
        merged = recovery.merged_of(response, write.request_id, dry_run)
        if merged.applied or dry_run:
            return merged
        error = MergeConflicts(merged.conflicts, merged.conflict_count)
        error.request_id = write.request_id
        raise error

    def _fixed(self) -> Operation[resources_pb2.StateRef]:
        """Names the state as it is now, so that the name stands for no other later."""
        fixed = self
        if not self.at.version and not self.at.point_id:
            info = yield from self.info()
            fixed = self.on(_requests.At(info.version))
        return fixed.state()

    def diff(
        self, before: RecoveryOperations, prefix: str, without_values: bool
    ) -> Operation[DiffReader]:
        """Prepares to read what differs from another state."""
        # Checked as it was said: whatever names the states as they are now is another request.
        said = pb.DiffStatesRequest(before=before.state(), after=self.state(), key_prefix=prefix)
        _rules.check(said)
        request = pb.DiffStatesRequest(
            before=(yield from before._fixed()),
            after=(yield from self._fixed()),
            key_prefix=prefix,
            without_values=without_values,
        )
        return DiffReader(self.settings, request)

    def sync(self, have_version: int) -> Operation[recovery.Synced]:
        """Reads what leads from a version to the newest one."""
        request = pb.SyncContextRequest(
            namespace=self.namespace, context_id=self.id, have_version=have_version
        )
        found: list[recovery.Synced] = yield Collect(SyncReader(self.settings, request))
        if not found:
            raise ContextdError("the server did not say what the context is now")
        return found[0]


@dataclass(frozen=True)
class BranchPlan:
    """A fork that is made, and deleted again.

    Attributes:
        source: What is forked.
        operations: The operations on the fork.
        named: Whether the caller gave the fork its id.
    """

    source: RecoveryOperations
    operations: RecoveryOperations
    with_history: bool
    with_points: bool
    expiry: Optional[values.Expiry]
    named: bool

    def begin(self) -> Operation[None]:
        """Makes the fork."""
        properties = None
        if self.expiry is not None:
            info = yield from self.source.info()
            properties = values.NewContext(
                type=info.type,
                parent_id=info.parent_id,
                expiry=self.expiry,
                recovery_policy=info.recovery_policy,
            )
        yield from self.source.fork(
            self.operations.id, self.with_history, self.with_points, properties, None
        )

    def may_have_begun(self, error: BaseException) -> bool:
        """Whether the fork may be there although ``begin`` was left with an error.

        What has an id that the caller knows may be somebody else's.
        """
        return not self.named and not isinstance(error, ContextExists)

    def end(self, failed: bool) -> Operation[None]:
        """Deletes the fork and what is below it, also where the session is over."""
        operations = self.operations.leaving(failed)
        writer = operations.writer
        if writer is not None and (writer.lease.ended or writer.lease.loss() is not None):
            operations = replace(operations, writer=None)
        delete = operations.delete(
            recursive=True, purge=False, allow_missing=True, if_version=None, request_id=None
        )
        yield from operations.leave(delete, failed)


def _gone(message: str) -> ContextNotFound:
    """What a repeat that came late stands for: to it, the answer is as of now."""
    return ContextNotFound(message, grpc.StatusCode.NOT_FOUND, "CONTEXT_NOT_FOUND")


def _told(
    response: Union[pb.CreateRecoveryPointResponse, pb.UpdateRecoveryPointResponse], point_id: str
) -> recovery.RecoveryPoint:
    """The point that a write answers with."""
    if not response.HasField("recovery_point"):
        raise RecoveryPointNotFound(
            f"the recovery point {point_id!r} was written, and is gone again",
            grpc.StatusCode.NOT_FOUND,
            "RECOVERY_POINT_NOT_FOUND",
        )
    return recovery.point_of(response.recovery_point)


def several(keys: Collection[str]) -> Collection[str]:
    """Raises ``InvalidValue`` for a single string, and where one is none."""
    if isinstance(keys, str):
        raise InvalidValue("keys are several strings, not one")
    return _requests.to_keys(keys)


def list_points(
    settings: Settings, request: pb.ListRecoveryPointsRequest
) -> Pages[recovery.RecoveryPoint]:
    """Lists points."""

    def read(page: pb.ListRecoveryPointsResponse) -> list[recovery.RecoveryPoint]:
        return [recovery.point_of(row.recovery_point, row.entries) for row in page.recovery_points]

    return Pages(settings, LIST_POINTS, request, read)


def prune_request(
    namespace: str,
    prefix: str,
    metadata: Mapping[str, str],
    policy: Optional[values.RetentionPolicy],
    dry_run: bool,
    write: resources_pb2.WriteOptions,
    context_id: str = "",
) -> pb.PruneRecoveryPointsRequest:
    """Asks to drop points of one context, or of all whose ids begin with ``prefix``."""
    return pb.PruneRecoveryPointsRequest(
        namespace=namespace,
        context_id=context_id,
        id_prefix=prefix,
        metadata=metadata,
        policy=None if policy is None else _requests.retention_policy(policy),
        dry_run=dry_run,
        write=write,
    )


def _pruned(response: pb.PruneRecoveryPointsResponse, request_id: str) -> recovery.Pruned:
    result = response.write
    return recovery.Pruned(
        response.removed_count, response.kept_count, result.revision, result.replayed, request_id
    )


def prune_points(
    settings: Settings,
    namespace: str,
    prefix: str,
    metadata: Mapping[str, str],
    policy: Optional[values.RetentionPolicy],
    dry_run: bool,
    request_id: Optional[str],
) -> Operation[recovery.Pruned]:
    """Drops points of many contexts."""
    write_id = settings.new_id() if request_id is None else request_id
    write = resources_pb2.WriteOptions(request_id=write_id)
    request = prune_request(namespace, prefix, metadata, policy, dry_run, write)
    return _pruned((yield from call(settings, PRUNE_POINTS, request, write_id)), write_id)


def _request_id(operation: pb.BatchRecoveryPointsRequest.Operation) -> Optional[str]:
    """That of a write of a batch; a read has none."""
    kind = operation.WhichOneof("kind")
    if kind == "create":
        return operation.create.write.request_id
    if kind == "update":
        return operation.update.write.request_id
    return operation.delete.write.request_id if kind == "delete" else None


def _result_of(
    operation: pb.BatchRecoveryPointsRequest.Operation,
    result: pb.BatchRecoveryPointsResponse.Result,
) -> recovery.PointResult:
    kind = result.WhichOneof("outcome")
    error: ContextdError
    if kind == "failure":
        error = from_failure(result.failure)
    elif kind == "get":
        got = result.get
        return recovery.PointResult(recovery.point_of(got.recovery_point, got.entries))
    elif kind == "delete":
        return recovery.PointResult()
    elif kind is not None:
        written = result.create if kind == "create" else result.update
        found = written.HasField("recovery_point")
        return recovery.PointResult(recovery.point_of(written.recovery_point) if found else None)
    else:
        error = NewerServer("a result of another kind came")
    error.request_id = _request_id(operation)
    return recovery.PointResult(error=error)


def _of_session(result: recovery.PointResult, lease: Optional[Lease]) -> recovery.PointResult:
    """The same, in the words of the session for which it was done."""
    if lease is None or not isinstance(result.error, SessionNotFound):
        return result
    return recovery.PointResult(error=lease.explain(result.error))


def batch_points(
    settings: Settings,
    operations: Sequence[pb.BatchRecoveryPointsRequest.Operation],
    leases: Sequence[Optional[Lease]],
) -> Operation[list[recovery.PointResult]]:
    """Does all the operations, in their order, each for the session that it names, if any.

    Where an overloaded server refused some, all are sent again: the order stays, and what was
    written already has its request id.
    """
    request = pb.BatchRecoveryPointsRequest(operations=operations)
    attempts = settings.attempts()
    while True:
        left = settings.with_timeout(max(attempts.remaining(), _TIMEOUT_MIN))
        response = yield from call(left, BATCH_POINTS, request)
        results = [_result_of(*pair) for pair in zip(operations, response.results)]
        results = [_of_session(*pair) for pair in zip(results, leases)]
        refused = [result.error for result in results if isinstance(result.error, Overloaded)]
        if not refused:
            return results
        delay = attempts.delay_after(max(refused, key=lambda error: error.retry_delay or 0.0))
        if delay is None:
            return results
        yield Sleep(delay)
        if attempts.remaining() == 0.0:  # It took longer than it should have.
            return results
