"""Shared contexts, with the client for asyncio."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Callable, Optional, TypeVar

from contextd._calls import Operation
from contextd.aio import AsyncClient, AsyncContext
from contextd.tasks._shared import SharedOperations, check_actor, first_rights, id_of
from contextd.tasks.rights import Right, Rights, Scope, SharedVersion

T = TypeVar("T")

_NO_DATA: Mapping[str, Any] = {}


class AsyncSharedContext:
    """Data of several agents, with an owner, readers, writers and versions, as one of them sees it.

    Made by :meth:`create` and :meth:`open`. What is said of :class:`contextd.tasks.SharedContext`
    holds: the rights are a convention among programs that cooperate, not a protection.
    """

    def __init__(self, context: AsyncContext, actor: str) -> None:
        """Made by :meth:`create` and :meth:`open`."""
        self.context = context
        self._operations = SharedOperations(context._operations, check_actor(actor))

    @classmethod
    async def create(
        cls,
        client: AsyncClient,
        name: str,
        *,
        owner: str,
        scope: Scope = Scope.TASK,
        data: Mapping[str, Any] = _NO_DATA,
        readers: Iterable[str] = (),
        writers: Iterable[str] = (),
        versions_kept: int = 100,
        namespace: Optional[str] = None,
    ) -> AsyncSharedContext:
        """Creates one; gives it as its owner sees it. As :meth:`SharedContext.create`."""
        rights = first_rights(scope, owner, readers, writers)
        shared = cls(client.context(id_of(scope, name), namespace=namespace), owner)
        await shared._run(shared._operations.create(scope, rights, data, versions_kept))
        return shared

    @classmethod
    async def open(
        cls,
        client: AsyncClient,
        name: str,
        *,
        actor: str,
        scope: Scope = Scope.TASK,
        namespace: Optional[str] = None,
    ) -> AsyncSharedContext:
        """Opens one for an actor, who may at least read it. As :meth:`SharedContext.open`."""
        shared = cls(client.context(id_of(scope, name), namespace=namespace), actor)
        await shared.rights()
        return shared

    def acting_as(self, actor: str) -> AsyncSharedContext:
        """Gives the same for another actor, without a call."""
        return type(self)(self.context, actor)

    async def _run(self, operation: Operation[T]) -> T:
        return await self.context._runner.run(operation)

    @property
    def id(self) -> str:
        """The id of the context."""
        return self.context.id

    @property
    def actor(self) -> str:
        """Who reads and writes."""
        return self._operations.actor

    def __repr__(self) -> str:
        """Says id and actor, without a call."""
        return f"<{type(self).__name__} {self.id!r} actor={self.actor!r}>"

    # Rights.

    async def rights(self) -> Rights:
        """Gets who may do what."""
        return await self._run(self._operations.rights())

    async def grant(self, who: str, right: Right) -> None:
        """Lets an actor, or :data:`EVERYONE`, read or write. As :meth:`SharedContext.grant`."""
        await self._run(self._operations.grant(who, right))

    async def revoke(self, who: str) -> None:
        """As :meth:`SharedContext.revoke`."""
        await self._run(self._operations.revoke(who))

    # Data.

    async def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401  JSON holds anything
        """Gets a value, or the default."""
        return await self._run(self._operations.get(key, default))

    async def data(self, *, version: Optional[int] = None) -> dict[str, Any]:
        """As :meth:`SharedContext.data`."""
        return await self._run(self._operations.data(version))

    async def set(
        self,
        key: str,
        value: Any,  # noqa: ANN401  JSON holds anything
        *,
        if_version: Optional[int] = None,
    ) -> SharedVersion:
        """Sets a value, whether or not there is one. As :meth:`SharedContext.set`."""
        return await self._run(self._operations.update("set", {key: value}, (), if_version))

    async def delete(self, key: str, *, if_version: Optional[int] = None) -> SharedVersion:
        """Removes a value. A missing one is no error."""
        return await self._run(self._operations.update("delete", {}, (key,), if_version))

    async def update(
        self,
        values: Mapping[str, Any] = _NO_DATA,
        *,
        deletes: Collection[str] = (),
        if_version: Optional[int] = None,
    ) -> SharedVersion:
        """Sets and removes several values in one step. As :meth:`SharedContext.update`."""
        return await self._run(self._operations.update("update", values, deletes, if_version))

    async def edit(self, key: str, change: Callable[[Any], Any]) -> SharedVersion:
        """As :meth:`SharedContext.edit`."""
        return await self._run(self._operations.edit(key, change))

    # Versions.

    async def version(self) -> int:
        """Gets the number of the version there is."""
        return await self._run(self._operations.version())

    async def versions(self, limit: Optional[int] = None) -> list[SharedVersion]:
        """Gets the versions to come back to, newest first, and who made them by what."""
        return await self._run(self._operations.versions(limit))

    async def rollback(self, version: int) -> SharedVersion:
        """Makes the data what they were at a version. As :meth:`SharedContext.rollback`."""
        return await self._run(self._operations.rollback(version))

    async def drop(self) -> None:
        """Deletes it with all its versions, for ever. Only the owner may."""
        await self._run(self._operations.drop())
