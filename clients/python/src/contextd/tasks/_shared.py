"""Every operation on a shared context, without I/O. See ``contextd/_calls.py``.

How it is stored: the entry ``RIGHTS`` holds owner and grants, the entries below ``DATA`` the data,
as JSON. Every write is one recovery point that the context takes on, on the condition that the
entry ``RIGHTS`` is still that by which the write was allowed: no change of rights comes between the
check and the write.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Callable, Optional

import grpc

from contextd import _requests
from contextd._calls import Operation
from contextd._recovery import RecoveryOperations
from contextd.errors import (
    Conflict,
    ContextExists,
    ContextNotFound,
    RecoveryPointNotFound,
    VersionConflict,
)
from contextd.recovery import Changes, NewPoint, RecoveryPoint
from contextd.tasks.rights import EVERYONE, AccessDenied, Right, Rights, Scope, SharedVersion
from contextd.values import (
    NewContext,
    RecoveryPolicy,
    RetentionPolicy,
    Snapshot,
    Value,
    to_json,
)

RIGHTS = "shared/rights"
DATA = "shared/data/"
TYPE = "shared"

_BY, _ACTION = "shared/by", "shared/action"
_PAGE_SIZE = 1000

Decision = Callable[[Snapshot, Rights], Changes]
"""What a write is to change of the state and the rights that it read."""


def id_of(scope: Scope, name: str) -> str:
    """Gives the id of the context."""
    return f"shared/{scope.value}/{name}"


def check_actor(actor: str) -> str:
    """Gives the actor. Raises ``ValueError`` for what is nobody in particular."""
    if actor in ("", EVERYONE):
        raise ValueError(f"an actor has a name of its own, not {actor!r}")
    return actor


def _puts(values: Mapping[str, Any]) -> dict[str, Value]:
    return {DATA + key: to_json(value) for key, value in values.items()}


def _rights_put(rights: Rights) -> dict[str, Value]:
    return {RIGHTS: to_json(rights.to_json())}


def _version_of(point: RecoveryPoint) -> SharedVersion:
    labels = point.metadata
    return SharedVersion(
        point.version, labels.get(_BY, ""), labels.get(_ACTION, ""), point.create_time, point.id
    )


def first_rights(
    scope: Scope, owner: str, readers: Iterable[str], writers: Iterable[str]
) -> Rights:
    """Gives the rights that a shared context begins with."""
    if isinstance(readers, str) or isinstance(writers, str):
        raise TypeError("readers and writers are several names, not one")
    grants = dict.fromkeys(readers, Right.READ)
    if scope is Scope.COMMUNITY:
        grants[EVERYONE] = Right.READ
    grants.update(dict.fromkeys(writers, Right.WRITE))
    return Rights(check_actor(owner), grants)


@dataclass(frozen=True)
class SharedOperations:
    """The operations on a shared context, by one actor, over those on its context."""

    context: RecoveryOperations
    actor: str

    # Rights.

    def _allowed(self, state: Snapshot, right: Right) -> Rights:
        """Gives the rights of a state. Raises unless they allow it."""
        if RIGHTS not in state:
            raise ContextNotFound(
                f"{self.context.id!r} is no shared context: it has no entry {RIGHTS!r}",
                grpc.StatusCode.NOT_FOUND,
            )
        rights = Rights.from_json(state[RIGHTS])
        if not rights.allow(self.actor, right):
            raise AccessDenied(self.context.id, self.actor, right)
        return rights

    def rights(self) -> Operation[Rights]:
        """Gets who may do what."""
        state = yield from self.context.snapshot([RIGHTS])
        return self._allowed(state, Right.READ)

    def grant(self, who: str, right: Right) -> Operation[None]:
        """Lets somebody do something, instead of what it was allowed before."""
        if right is Right.OWN:
            raise ValueError(
                "what is granted is Right.READ or Right.WRITE; a context has one owner"
            )
        if not who:
            raise ValueError("say to whom: an actor, or EVERYONE")
        yield from self._set_right("grant", who, right)

    def revoke(self, who: str) -> Operation[None]:
        """Lets somebody do nothing any more, unless everyone may."""
        yield from self._set_right("revoke", who, None)

    def _set_right(self, action: str, who: str, right: Optional[Right]) -> Operation[None]:
        def decide(state: Snapshot, rights: Rights) -> Changes:
            del state
            if who == rights.owner:
                raise ValueError(f"{who!r} is the owner, who may do everything")
            grants = {name: has for name, has in rights.grants.items() if name != who}
            if right is not None:
                grants[who] = right
            return Changes(_rights_put(replace(rights, grants=grants)))

        yield from self._write(Right.OWN, action, decide)

    # Reads.

    def get(
        self,
        key: str,
        default: Any,  # noqa: ANN401  JSON holds anything
    ) -> Operation[Any]:
        """Gets one value."""
        state = yield from self.context.snapshot([RIGHTS, DATA + key])
        self._allowed(state, Right.READ)
        return state.entry(DATA + key).json() if DATA + key in state else default

    def data(self, version: Optional[int]) -> Operation[dict[str, Any]]:
        """Gets all data, now or at a version."""
        state = yield from self.context.snapshot([RIGHTS], DATA)
        self._allowed(state, Right.READ)
        if version is not None:
            point = yield from self._point(version)
            at = self.context.on(_requests.At(point_id=point.id))
            state = yield from at.snapshot(prefix=DATA)
        return {
            entry.key[len(DATA) :]: entry.json()
            for entry in state.entries()
            if entry.key.startswith(DATA)
        }

    def version(self) -> Operation[int]:
        """Gets the version there is."""
        state = yield from self.context.snapshot([RIGHTS])
        self._allowed(state, Right.READ)
        return state.version

    def versions(self, limit: Optional[int]) -> Operation[list[SharedVersion]]:
        """Lists the versions to come back to, newest first."""
        if limit is not None and limit < 0:
            raise ValueError("limit is at least 0")
        yield from self.version()
        found: list[SharedVersion] = []
        pages = self.context.points({}, None, None, False, False, (), _PAGE_SIZE)
        while pages.more and (limit is None or len(found) < limit):
            for point in (yield from pages.next()):
                if _ACTION in point.metadata:
                    found.append(_version_of(point))
        return found[:limit]

    def _point(self, version: int) -> Operation[RecoveryPoint]:
        pages = self.context.points({}, None, None, False, False, (), _PAGE_SIZE)
        while pages.more:
            for point in (yield from pages.next()):
                if point.version == version and _ACTION in point.metadata:
                    return point
        raise RecoveryPointNotFound(
            f"version {version} of {self.context.id!r} is not kept; versions() lists what is",
            grpc.StatusCode.NOT_FOUND,
        )

    # Writes.

    def create(
        self, scope: Scope, rights: Rights, data: Mapping[str, Any], versions_kept: int
    ) -> Operation[SharedVersion]:
        """Creates it."""
        if versions_kept < 1:
            raise ValueError("versions_kept is at least 1")
        properties = NewContext(
            TYPE,
            metadata={"scope": scope.value, "owner": rights.owner},
            recovery_policy=RecoveryPolicy(RetentionPolicy(keep_last=versions_kept)),
        )
        context = replace(self.context, create_if_missing=properties)
        changes = Changes({**_rights_put(rights), **_puts(data)})
        guards = _requests.preconditions(if_version=0)
        try:
            point = yield from context.checkpoint(self._new("create"), changes, guards, None)
        except VersionConflict as conflict:
            raise ContextExists(
                f"there is a shared context {self.context.id!r} already; open it",
                grpc.StatusCode.ALREADY_EXISTS,
                "CONTEXT_EXISTS",
                {"version": str(conflict.current_version)},
            ) from conflict
        return _version_of(point)

    def update(
        self,
        action: str,
        values: Mapping[str, Any],
        deletes: Collection[str],
        if_version: Optional[int],
    ) -> Operation[SharedVersion]:
        """Changes data in one step."""
        changes = Changes(_puts(values), [DATA + key for key in _several(deletes)])

        def decide(state: Snapshot, rights: Rights) -> Changes:
            del state, rights
            return changes

        return (yield from self._write(Right.WRITE, action, decide, (), if_version))

    def edit(self, key: str, change: Callable[[Any], Any]) -> Operation[SharedVersion]:
        """Sets a value to what ``change`` makes of it, if nobody else did meanwhile."""
        name = DATA + key

        def decide(state: Snapshot, rights: Rights) -> Changes:
            del rights
            old = state.entry(name).json() if name in state else None
            return Changes({name: to_json(change(old))})

        return (yield from self._write(Right.WRITE, "edit", decide, [name]))

    def rollback(self, version: int) -> Operation[SharedVersion]:
        """Makes the data what they were at a version; the rights stay."""
        yield from self.version()
        point = yield from self._point(version)

        def decide(state: Snapshot, rights: Rights) -> Changes:
            del state
            return Changes(_rights_put(rights))

        return (yield from self._write(Right.WRITE, "rollback", decide, from_point=point))

    def drop(self) -> Operation[None]:
        """Deletes it, with all its versions."""
        attempt = 0
        while True:
            state = yield from self.context.snapshot([RIGHTS])
            self._allowed(state, Right.OWN)
            try:
                yield from self.context.delete(False, True, False, state.version, None)
            except Conflict as conflict:
                yield from self.context._lost(attempt, conflict)
            else:
                return
            attempt += 1

    def _new(self, action: str, from_point: Optional[RecoveryPoint] = None) -> NewPoint:
        labels = {_BY: self.actor, _ACTION: action}
        return NewPoint(metadata=labels, from_point=from_point, move_head=True)

    def _write(
        self,
        right: Right,
        action: str,
        decide: Decision,
        keys: Collection[str] = (),
        if_version: Optional[int] = None,
        from_point: Optional[RecoveryPoint] = None,
    ) -> Operation[SharedVersion]:
        """Checks the right and writes, if neither rights nor ``keys`` changed between."""
        attempt = 0
        while True:
            state = yield from self.context.snapshot([RIGHTS, *keys])
            changes = decide(state, self._allowed(state, right))
            versions = {
                key: state.entry(key).version if key in state else 0 for key in (RIGHTS, *keys)
            }
            guards = _requests.preconditions(if_version, versions)
            new = self._new(action, from_point)
            try:
                return _version_of((yield from self.context.checkpoint(new, changes, guards, None)))
            except VersionConflict:
                raise  # The caller's own condition.
            except Conflict as conflict:
                yield from self.context._lost(attempt, conflict)
            attempt += 1


def _several(keys: Collection[str]) -> Collection[str]:
    if isinstance(keys, str):
        raise TypeError("deletes are several keys, not one")
    return keys
