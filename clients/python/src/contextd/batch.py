"""Changes of several contexts, and operations on recovery points, in one call."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Optional, Union

from contextd._lease import Lease
from contextd._recovery import mutations_of
from contextd._requests import preconditions
from contextd.recovery import Changes, NewPoint, Point, PointUpdate
from contextd.v1 import context_manager_pb2
from contextd.v1 import recovery_pb2 as pb

if TYPE_CHECKING:
    from contextd.aio.context import AsyncContext
    from contextd.aio.state import AsyncContextState
    from contextd.context import Context
    from contextd.state import ContextState

    _Context = Union[Context, AsyncContext]
    _State = Union[ContextState, AsyncContextState]

_Operation = pb.BatchRecoveryPointsRequest.Operation


@dataclass(frozen=True)
class ContextUpdate:
    """What changes of one context in :meth:`Client.update_all`.

    Attributes:
        context: The context, with its session and fence where it is a session's.
        changes: The steps.
        if_version: The version that the context must have. 0: it must not exist.
        if_entries: The versions that must have set the entries. 0: there must be none.
    """

    context: _Context
    changes: Changes
    if_version: Optional[int] = None
    if_entries: Mapping[str, int] = field(default_factory=dict)

    def _request(self) -> context_manager_pb2.UpdateContextRequest:
        guards = preconditions(self.if_version, self.if_entries)
        return self.context._operations.part_of_batch(mutations_of(self.changes), guards)

    def _lease(self) -> Optional[Lease]:
        return _lease_of(self.context)


def _lease_of(context: Union[_Context, _State]) -> Optional[Lease]:
    writer = context._operations.writer
    return None if writer is None else writer.lease


class PointBatch:
    """Operations on recovery points, of one context or many, to be done in one call.

    Collects up to 1,000 of them, without a call; :meth:`Client.batch_points` has them done, in
    their order, each on its own. All contexts are of one namespace. Every write gets its request
    id here: the same batch may be given again after an error.

    Example:
        >>> batch = PointBatch()
        >>> for agent in agents:
        ...     batch.create(agent.context, NewPoint(attachments={"task": agent.task}))
        >>> for result in client.batch_points(batch):
        ...     result.get()
    """

    def __init__(self) -> None:
        """Holds nothing yet."""
        self._operations: list[_Operation] = []
        # Whose session each operation names, if any.
        self._leases: list[Optional[Lease]] = []

    def __len__(self) -> int:
        """Counts the operations."""
        return len(self._operations)

    def create(
        self,
        context: _State,
        point: NewPoint,
        *,
        if_version: Optional[int] = None,
        request_id: Optional[str] = None,
    ) -> None:
        """Makes a point, as :meth:`Context.checkpoint` does.

        Args:
            context: Whose point; also one that is created on the way.
            point: What it is to be.
            if_version: The version that the context must have. 0: it must not exist.
            request_id: For a write that the caller may repeat; by default a new one.
        """
        guards = preconditions(if_version)
        request = context._operations.create_request(
            point, mutations_of(point.changes), guards, request_id
        )
        self._add(_Operation(create=request), _lease_of(context))

    def get(
        self,
        context: _State,
        point: Optional[Point] = None,
        *,
        entries: bool = False,
        attachments: bool = False,
        keys: Collection[str] = (),
    ) -> None:
        """Gets a point, as :meth:`Context.point` does, if it fits into the answer."""
        request = context._operations.get_request(point, entries, attachments, keys)
        self._add(_Operation(get=request), None)

    def update(
        self,
        context: _State,
        point: Point,
        update: PointUpdate,
        *,
        request_id: Optional[str] = None,
    ) -> None:
        """Changes what lies beside the state of a point, as :meth:`Context.update_point` does."""
        request = context._operations.update_request(point, update, request_id)
        self._add(_Operation(update=request), _lease_of(context))

    def delete(self, context: _State, point: Point, *, request_id: Optional[str] = None) -> None:
        """Drops a point, as :meth:`Context.delete_point` does."""
        request = context._operations.delete_request(point, request_id)
        self._add(_Operation(delete=request), _lease_of(context))

    def _add(self, operation: _Operation, lease: Optional[Lease]) -> None:
        self._operations.append(operation)
        self._leases.append(lease)
