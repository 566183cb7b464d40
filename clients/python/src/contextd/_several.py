"""Operations on several contexts in one call, without I/O."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Optional, TypeVar

from contextd import _rules, values
from contextd._calls import Operation, Settings, call
from contextd._lease import Lease, guard_all
from contextd._methods import BATCH_GET, BATCH_UPDATE
from contextd._operations import ContextOperations
from contextd.errors import ContextdError, NewerServer, ResponseTooLarge, from_failure
from contextd.v1 import context_manager_pb2 as pb
from contextd.v1 import resources_pb2

T = TypeVar("T")


def _same_count(results: Sequence[T], wanted: int) -> Sequence[T]:
    if len(results) != wanted:
        raise NewerServer(f"{len(results)} results came for {wanted} requests")
    return results


def snapshots(
    settings: Settings, states: Sequence[ContextOperations]
) -> Operation[list[values.SnapshotResult]]:
    """Gets whole states. What is wrong with one is its own error, and it is not sent; one for
    which the answer has no room is read by itself.
    """
    parts = [
        pb.GetContextRequest(state=state.state(), view=pb.CONTEXT_VIEW_FULL) for state in states
    ]
    wrongs = _rules.check_parts("requests", parts)
    sent = [part for part, wrong in zip(parts, wrongs) if wrong is None]
    results: Sequence[pb.BatchGetContextsResponse.Result] = []
    if sent:
        response = yield from call(settings, BATCH_GET, pb.BatchGetContextsRequest(requests=sent))
        results = _same_count(response.results, len(sent))
    found: list[values.SnapshotResult] = []
    number = 0  # Among those that were sent.
    for state, wrong in zip(states, wrongs):
        if wrong is not None:
            found.append(values.SnapshotResult(error=wrong))
            continue
        one = _snapshot_result(results[number], number, len(found))
        number += 1
        if isinstance(one.error, ResponseTooLarge):
            try:
                one = values.SnapshotResult((yield from state.snapshot()))
            except ContextdError as error:
                one = values.SnapshotResult(error=error)
        found.append(one)
    return found


def _snapshot_result(
    result: pb.BatchGetContextsResponse.Result, number: int, place: int
) -> values.SnapshotResult:
    """The result of what was sent as ``number``, told as the caller's ``place``."""
    kind = result.WhichOneof("outcome")
    if kind == "failure":
        failure, sent = result.failure, f"requests[{number}]."
        if number != place and failure.metadata.get("field", "").startswith(sent):
            known = f"requests[{place}]."
            failure.metadata["field"] = known + failure.metadata["field"][len(sent) :]
            failure.message = failure.message.replace(sent, known, 1)
        return values.SnapshotResult(error=from_failure(failure))
    if kind == "response":
        return values.SnapshotResult(values.snapshot_of(result.response.context))
    return values.SnapshotResult(error=NewerServer("a result of another kind came"))


def write(settings: Settings, request_id: Optional[str]) -> resources_pb2.WriteOptions:
    """What a write of several contexts says about itself."""
    write_id = settings.new_id() if request_id is None else request_id
    return resources_pb2.WriteOptions(request_id=write_id)


def update_all(
    settings: Settings,
    updates: Sequence[pb.UpdateContextRequest],
    write: resources_pb2.WriteOptions,
    leases: Collection[Lease],
) -> Operation[list[values.Written]]:
    """Changes several contexts in one step, all of them or none, with the sessions that write."""
    request = pb.BatchUpdateContextsRequest(requests=updates, atomic=True, write=write)
    write_id = write.request_id
    operation = call(settings, BATCH_UPDATE, request, write_id)
    response = yield from guard_all(leases, operation)
    return [
        values.written_of(result.response.version, result.response.write, write_id)
        for result in _same_count(response.results, len(updates))
    ]
