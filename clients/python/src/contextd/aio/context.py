"""One context, to read and to write, with the client for asyncio."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Callable, Optional, TypeVar, Union

from contextd import _requests
from contextd._recovery import BranchPlan, RecoveryOperations, to_at
from contextd.aio.recoverable import AsyncRecoverableContext
from contextd.aio.state import AsyncContextState
from contextd.draft import Draft
from contextd.recovery import Merged, OnConflict, Point
from contextd.tracking import Recordable
from contextd.v1 import resources_pb2
from contextd.values import Expiry, NewContext, RecoveryPolicy, Value, Written, to_content, to_json

T = TypeVar("T")

_NO_VALUES: Mapping[str, Value] = {}
_NO_LABELS: Mapping[str, Optional[str]] = {}
_NO_VERSIONS: Mapping[str, int] = {}
_NO_RULES: Mapping[str, OnConflict] = {}


class AsyncContext(AsyncRecoverableContext):
    """One context: a dictionary with versions, on the server.

    Made by :meth:`AsyncClient.context`; making one calls nobody. Arguments, results and
    errors are those of :class:`contextd.Context`.
    """

    def at(
        self,
        version: Optional[int] = None,
        *,
        point: Optional[Point] = None,
        time: Optional[datetime] = None,
    ) -> AsyncContextState:
        """Gives an earlier state, to read. As :meth:`contextd.Context.at`."""
        at = to_at(version, point, time)
        if at.is_newest:
            raise ValueError("say which state: its version, its recovery point or its time")
        operations = RecoveryOperations(self._operations.settings, self.namespace, self.id, at)
        return AsyncContextState(self._runner, operations)

    async def create(
        self,
        properties: Optional[NewContext] = None,
        puts: Mapping[str, Value] = _NO_VALUES,
        *,
        request_id: Optional[str] = None,
    ) -> Written:
        """Creates the context with the entries ``puts``. As :meth:`contextd.Context.create`."""
        self._operations.check_named(request_id)
        return (await self._create(properties, puts, request_id))[1]

    async def _create(
        self,
        properties: Optional[NewContext],
        puts: Mapping[str, Value],
        request_id: Optional[str],
    ) -> tuple[str, Written]:
        properties = NewContext() if properties is None else properties
        return await self._runner.run(self._operations.create(properties, puts, request_id))

    async def put(
        self,
        key: str,
        value: Value,
        *,
        content_type: Optional[str] = None,
        request_id: Optional[str] = None,
    ) -> Written:
        """Sets a value and its content type. As :meth:`contextd.Context.put`."""
        content = to_content(value, content_type)
        return await self._runner.run(self._operations.put(key, content, request_id))

    async def put_json(
        self,
        key: str,
        value: Any,  # noqa: ANN401  JSON holds anything
        *,
        request_id: Optional[str] = None,
    ) -> Written:
        """Sets a value to the JSON form of ``value``. See :func:`~contextd.to_json`."""
        return await self.put(key, to_json(value), request_id=request_id)

    async def append(
        self,
        key: str,
        value: Value,
        *,
        expected_size: Optional[int] = None,
        request_id: Optional[str] = None,
    ) -> Written:
        """Adds bytes to the end of a value. As :meth:`contextd.Context.append`."""
        step = _requests.append_entry(key, to_content(value), expected_size)
        return await self._update([step], request_id)

    async def remove(self, key: str, *, request_id: Optional[str] = None) -> Written:
        """Removes an entry. A missing one is no error."""
        return await self._update([_requests.delete_entry(key)], request_id)

    async def update(
        self,
        puts: Mapping[str, Value] = _NO_VALUES,
        *,
        deletes: Iterable[str] = (),
        delete_prefixes: Iterable[str] = (),
        appends: Mapping[str, Value] = _NO_VALUES,
        metadata: Mapping[str, Optional[str]] = _NO_LABELS,
        expiry: Optional[Expiry] = None,
        activities: Iterable[Recordable] = (),
        recovery_policy: Optional[RecoveryPolicy] = None,
        if_version: Optional[int] = None,
        if_entries: Mapping[str, int] = _NO_VERSIONS,
        request_id: Optional[str] = None,
    ) -> Written:
        """Changes the context in one step. As :meth:`contextd.Context.update`."""
        steps = _requests.mutations(
            puts,
            deletes=deletes,
            delete_prefixes=delete_prefixes,
            appends=appends,
            metadata=metadata,
            expiry=expiry,
            activities=activities,
            recovery_policy=recovery_policy,
        )
        guards = _requests.preconditions(if_version, if_entries)
        return await self._runner.run(self._operations.update(steps, guards, request_id))

    async def put_all(
        self,
        puts: Mapping[str, Value],
        *,
        metadata: Mapping[str, Optional[str]] = _NO_LABELS,
        if_version: Optional[int] = None,
    ) -> Written:
        """Sets any number of entries, in several changes. As :meth:`contextd.Context.put_all`."""
        return await self._runner.run(self._operations.put_all(puts, metadata, if_version))

    async def _update(
        self, steps: list[resources_pb2.Mutation], request_id: Optional[str]
    ) -> Written:
        return await self._runner.run(self._operations.update(steps, (), request_id))

    async def set_recovery_policy(
        self, policy: Optional[RecoveryPolicy], *, request_id: Optional[str] = None
    ) -> Written:
        """Sets the policy for recovery points; ``None``: the server's.

        As :meth:`contextd.Context.set_recovery_policy`.
        """
        return await self._update([_requests.set_recovery_policy(policy)], request_id)

    async def edit(self, key: str, change: Callable[[Optional[bytes]], Optional[Value]]) -> Written:
        """Reads a value, changes it, and writes it back. As :meth:`contextd.Context.edit`.

        ``change`` is a plain function: it runs in the loop and should be quick.
        """
        return await self._runner.run(self._operations.edit(key, change))

    async def transact(
        self, change: Callable[[Draft], T], *, keys: Optional[Collection[str]] = None
    ) -> T:
        """Lets ``change`` work on a draft and writes it. As :meth:`contextd.Context.transact`.

        ``change`` is a plain function: it runs in the loop and should be quick.
        """
        return await self._runner.run(self._operations.transact(change, keys))

    async def delete(
        self,
        *,
        recursive: bool = False,
        purge: bool = False,
        allow_missing: bool = False,
        if_version: Optional[int] = None,
        request_id: Optional[str] = None,
    ) -> int:
        """Deletes the context; gives how many are gone. As :meth:`contextd.Context.delete`."""
        return await self._runner.run(
            self._operations.delete(recursive, purge, allow_missing, if_version, request_id)
        )

    async def fork(
        self,
        context_id: str = "",
        *,
        point: Optional[Point] = None,
        version: Optional[int] = None,
        time: Optional[datetime] = None,
        with_history: bool = False,
        with_points: bool = False,
        properties: Optional[NewContext] = None,
        request_id: Optional[str] = None,
    ) -> AsyncContext:
        """Makes a new context from a state of this one. As :meth:`contextd.Context.fork`."""
        state = self._operations.on(to_at(version, point, time, "source."))
        operations = await self._runner.run(
            state.fork(context_id, with_history, with_points, properties, request_id)
        )
        return AsyncContext(self._runner, operations)

    def branch(
        self,
        context_id: str = "",
        *,
        point: Optional[Point] = None,
        version: Optional[int] = None,
        time: Optional[datetime] = None,
        with_history: bool = False,
        with_points: bool = False,
        ttl: Optional[Union[timedelta, float]] = None,
    ) -> AsyncBranch:
        """Prepares a fork for the length of ``async with``. As :meth:`contextd.Context.branch`.

        Example:
            >>> async with chat.branch() as attempt:
            ...     await attempt.put("answer", "42")
            ...     await attempt.merge()
        """
        state = self._operations.on(to_at(version, point, time, "source."))
        return AsyncBranch(self, state.branch(context_id, with_history, with_points, ttl))

    async def merge(
        self,
        source: AsyncContextState,
        *,
        ancestor: Optional[AsyncContextState] = None,
        on_conflict: OnConflict = OnConflict.RAISE,
        on_conflict_by_key: Mapping[str, OnConflict] = _NO_RULES,
        dry_run: bool = False,
        safety_point: bool = False,
        if_version: Optional[int] = None,
        request_id: Optional[str] = None,
    ) -> Merged:
        """Brings what changed in ``source`` into this. As :meth:`contextd.Context.merge`."""
        return await self._runner.run(
            self._operations.merge(
                source._operations,
                None if ancestor is None else ancestor._operations,
                on_conflict,
                on_conflict_by_key,
                dry_run,
                safety_point,
                if_version,
                request_id,
            )
        )


class AsyncBranch(AsyncContext):
    """A fork of a context for the length of ``async with``. As :class:`contextd.Branch`."""

    def __init__(self, origin: AsyncContext, plan: BranchPlan) -> None:
        """Made by :meth:`AsyncContext.branch`."""
        super().__init__(origin._runner, plan.operations)
        self.origin = origin
        self._plan = plan

    async def __aenter__(self) -> AsyncBranch:
        """Makes the fork."""
        try:
            await self._runner.run(self._plan.begin())
        except BaseException as error:
            if self._plan.may_have_begun(error):
                await self._runner.run(self._plan.end(failed=True))
            raise
        return self

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Deletes the fork."""
        await self._runner.run(self._plan.end(failed=kind is not None))

    async def merge(
        self,
        source: Optional[AsyncContextState] = None,
        *,
        ancestor: Optional[AsyncContextState] = None,
        on_conflict: OnConflict = OnConflict.RAISE,
        on_conflict_by_key: Mapping[str, OnConflict] = _NO_RULES,
        dry_run: bool = False,
        safety_point: bool = False,
        if_version: Optional[int] = None,
        request_id: Optional[str] = None,
    ) -> Merged:
        """Merges the branch back into its origin. As :meth:`contextd.Branch.merge`."""
        target, merged = (self.origin, self) if source is None else (self, source)
        return await self._runner.run(
            target._operations.merge(
                merged._operations,
                None if ancestor is None else ancestor._operations,
                on_conflict,
                on_conflict_by_key,
                dry_run,
                safety_point,
                if_version,
                request_id,
            )
        )
