"""What goes together in one call, and how: the two kinds of lanes. Without I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from contextd._lane import Kind, Outcome, Part
from contextd._methods import (
    BATCH_POINTS,
    BATCH_UPDATE,
    CREATE_POINT,
    DELETE_POINT,
    GET_POINT,
    UPDATE,
    UPDATE_POINT,
)
from contextd.errors import NewerServer, ResponseTooLarge, from_failure
from contextd.v1 import context_manager_pb2, recovery_pb2

_UNKNOWN = "the server answered with an outcome that this version of the client does not know"


class Updates:
    """Updates of one context each."""

    batch = BATCH_UPDATE

    def build(self, parts: Sequence[Part]) -> context_manager_pb2.BatchUpdateContextsRequest:
        """Makes one request of them."""
        return context_manager_pb2.BatchUpdateContextsRequest(
            requests=[part.request for part in parts]
        )

    def read(
        self,
        response: context_manager_pb2.BatchUpdateContextsResponse,
        parts: Sequence[Part],  # noqa: ARG002  all are told of
    ) -> list[Optional[Outcome]]:
        """Reads what became of each."""
        return [self._outcome(index, result) for index, result in enumerate(response.results)]

    def _outcome(self, index: int, result: context_manager_pb2.UpdateResult) -> Outcome:
        kind = result.WhichOneof("outcome")
        if kind == "response":
            return result.response
        if kind == "failure":
            return from_failure(result.failure, f"requests[{index}].")
        return NewerServer(_UNKNOWN)


_FIELDS = {
    CREATE_POINT.name: "create",
    GET_POINT.name: "get",
    UPDATE_POINT.name: "update",
    DELETE_POINT.name: "delete",
}


class Points:
    """Work on one recovery point each."""

    batch = BATCH_POINTS

    def build(self, parts: Sequence[Part]) -> recovery_pb2.BatchRecoveryPointsRequest:
        """Makes one request of them."""
        request = recovery_pb2.BatchRecoveryPointsRequest()
        for part in parts:
            getattr(request.operations.add(), _FIELDS[part.method.name]).CopyFrom(part.request)
        return request

    def read(
        self, response: recovery_pb2.BatchRecoveryPointsResponse, parts: Sequence[Part]
    ) -> list[Optional[Outcome]]:
        """Reads what became of each. ``None``: the answer had no room to tell."""
        return [
            self._outcome(index, part, result)
            for index, (part, result) in enumerate(zip(parts, response.results))
        ]

    def _outcome(
        self, index: int, part: Part, result: recovery_pb2.BatchRecoveryPointsResponse.Result
    ) -> Optional[Outcome]:
        kind = result.WhichOneof("outcome")
        if kind is None:
            return NewerServer(_UNKNOWN)
        if kind == "failure":
            error = from_failure(
                result.failure, f"operations[{index}].{_FIELDS[part.method.name]}."
            )
            return None if isinstance(error, ResponseTooLarge) else error
        if kind == "create" and not result.create.HasField("recovery_point"):
            return None
        if (
            kind == "update"
            and not result.update.HasField("recovery_point")
            and not part.request.allow_missing
        ):
            return None
        outcome: Outcome = getattr(result, kind)
        return outcome


UPDATES = Updates()
POINTS = Points()

KINDS: tuple[Kind, ...] = (UPDATES, POINTS)
"""All of them: each is a lane of a client."""

KIND_OF: dict[str, Kind] = {UPDATE.name: UPDATES, **dict.fromkeys(_FIELDS, POINTS)}
"""The kinds by the methods that go together in them."""
