"""Who may do what with a shared context, and what is told of its versions."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Optional

import grpc

from contextd.errors import ContextdError, InvalidValue
from contextd.values import json_of

EVERYONE = "*"
"""Stands for every actor, in a grant."""


class Scope(enum.Enum):
    """What a shared context belongs to: its name is one within that."""

    COMMUNITY = "community"
    """Everyone may read it, from the beginning."""
    SESSION = "session"
    TASK = "task"
    AGENT = "agent"


class Right(enum.Enum):
    """What somebody may do."""

    READ = "read"
    WRITE = "write"
    """Change data, come back to a version, and read."""
    OWN = "own"
    """Grant, revoke and drop, and all else. The owner has it; it is not granted."""


@dataclass(frozen=True)
class Rights:
    """Who may do what.

    Attributes:
        owner: Who may do everything, always.
        grants: What others may do. :data:`EVERYONE` stands for all.
    """

    owner: str
    grants: Mapping[str, Right]

    def allow(self, actor: str, right: Right) -> bool:
        """Tells whether ``actor`` has the right.

        Example:
            >>> rights = Rights("planner", {"critic": Right.READ})
            >>> rights.allow("critic", Right.READ), rights.allow("critic", Right.WRITE)
            (True, False)
        """
        if actor == self.owner:
            return True
        granted = {self.grants.get(actor), self.grants.get(EVERYONE)}
        enough = {Right.READ: {Right.READ, Right.WRITE}, Right.WRITE: {Right.WRITE}}
        return bool(granted & enough.get(right, set()))

    def to_json(self) -> dict[str, Any]:
        """Gives what is stored."""
        grants = {who: right.value for who, right in sorted(self.grants.items())}
        return {"owner": self.owner, "grants": grants}

    @classmethod
    def from_json(cls, value: bytes) -> Rights:
        """Reads what is stored. Raises :class:`~contextd.InvalidValue` where it is no rights."""
        stored = json_of(value, "what is stored of the rights")
        try:
            grants = {who: Right(right) for who, right in stored["grants"].items()}
            return cls(stored["owner"], grants)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InvalidValue(
                f"what is stored of the rights tells no rights: {error!r}"
            ) from error


class SharedVersion(NamedTuple):
    """A state of a shared context to come back to, and who made it.

    Attributes:
        version: Its number: that of the context's version.
        by: The actor.
        action: What was done: ``create``, ``set``, ``delete``, ``update``, ``edit``, ``rollback``,
            ``grant`` or ``revoke``.
        time: When, in UTC.
        point_id: The recovery point that keeps it.
    """

    version: int
    by: str
    action: str
    time: Optional[datetime]
    point_id: str


class AccessDenied(ContextdError):
    """A shared context does not grant the actor what it wanted to do. Nothing was done.

    This is told by the client, not by the server.

    Attributes:
        context_id: The context.
        actor: Who wanted to do it.
        right: The right that it does not have.
    """

    def __init__(self, context_id: str, actor: str, right: Right) -> None:
        super().__init__(
            f"{context_id!r} does not grant {actor!r} the right to {right.value}; "
            "its owner can grant it"
            if right is not Right.OWN
            else f"{context_id!r} is not owned by {actor!r}; ask its owner",
            grpc.StatusCode.PERMISSION_DENIED,
        )
        self.context_id = context_id
        self.actor = actor
        self.right = right
        self.args = (context_id, actor, right)
