"""Shared contexts, with the synchronous client. See :mod:`contextd.tasks.aio` for asyncio."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Callable, Optional, TypeVar

from contextd._calls import Operation
from contextd.client import Client
from contextd.context import Context
from contextd.tasks._shared import SharedOperations, check_actor, first_rights, id_of
from contextd.tasks.rights import Right, Rights, Scope, SharedVersion

T = TypeVar("T")

_NO_DATA: Mapping[str, Any] = {}


class SharedContext:
    """Data of several agents, with an owner, readers, writers and versions, as one of them sees it.

    Made by :meth:`create` and :meth:`open`. Values are what JSON can hold. Nothing is kept in the
    program: each method asks the server, and checks what the actor may do each time.

    **The rights are a convention among programs that cooperate.** This module checks them; the
    server does not, and an actor is whoever a program says it is. A program that uses another
    client, or ``context``, can read and write all of it. They keep agents from mistakes, not
    from malice. A namespace alone keeps names apart, not people.

    Among programs that use this module there is no gap: a write is made only if the rights are
    still those by which it was allowed, and of a write and a revocation one is first.

    Every write makes a version, to look at and to come back to, and says who made it.

    Every method may raise :class:`AccessDenied`, :class:`~contextd.ContextNotFound`, and what the
    methods of :class:`~contextd.Context` raise; writes also :class:`~contextd.Conflict` where
    others were faster again and again. Safe to use from many threads.

    Attributes:
        context: The context that it is stored in.

    Example:
        >>> plan = SharedContext.create(client, "trip-1", owner="planner", data={"city": "Rome"})
        >>> plan.grant("critic", Right.READ)
        >>> plan.acting_as("critic").get("city")
        'Rome'
    """

    def __init__(self, context: Context, actor: str) -> None:
        """Made by :meth:`create` and :meth:`open`."""
        self.context = context
        self._operations = SharedOperations(context._operations, check_actor(actor))

    @classmethod
    def create(
        cls,
        client: Client,
        name: str,
        *,
        owner: str,
        scope: Scope = Scope.TASK,
        data: Mapping[str, Any] = _NO_DATA,
        readers: Iterable[str] = (),
        writers: Iterable[str] = (),
        versions_kept: int = 100,
        namespace: Optional[str] = None,
    ) -> SharedContext:
        """Creates one; gives it as its owner sees it.

        Args:
            client: The client.
            name: Its name in the scope: the id of the community, session, task or agent, with a
                name behind it where that has more than one.
            owner: Who may do everything.
            scope: What it belongs to. One of a community may be read by everyone.
            data: What it begins with.
            readers: Who may read it.
            writers: Who may read it and change it.
            versions_kept: How many versions there are to come back to.
            namespace: Another than the client's.

        Raises:
            ContextExists: there is one of this scope and name.
        """
        rights = first_rights(scope, owner, readers, writers)
        shared = cls(client.context(id_of(scope, name), namespace=namespace), owner)
        shared._run(shared._operations.create(scope, rights, data, versions_kept))
        return shared

    @classmethod
    def open(
        cls,
        client: Client,
        name: str,
        *,
        actor: str,
        scope: Scope = Scope.TASK,
        namespace: Optional[str] = None,
    ) -> SharedContext:
        """Opens one for an actor, who may at least read it.

        Args:
            client: The client.
            name: Its name in the scope.
            actor: Who reads and writes.
            scope: What it belongs to.
            namespace: Another than the client's.
        """
        shared = cls(client.context(id_of(scope, name), namespace=namespace), actor)
        shared.rights()
        return shared

    def acting_as(self, actor: str) -> SharedContext:
        """Gives the same for another actor, without a call."""
        return type(self)(self.context, actor)

    def _run(self, operation: Operation[T]) -> T:
        return self.context._runner.run(operation)

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

    def rights(self) -> Rights:
        """Gets who may do what."""
        return self._run(self._operations.rights())

    def grant(self, who: str, right: Right) -> None:
        """Lets an actor, or :data:`EVERYONE`, read or write. Only the owner may.

        It takes the place of what ``who`` was granted before: ``Right.READ`` takes writing away.

        Raises:
            ValueError: ``who`` is the owner, or the right is ``Right.OWN``.
        """
        self._run(self._operations.grant(who, right))

    def revoke(self, who: str) -> None:
        """Takes away what an actor, or :data:`EVERYONE`, was granted. Only the owner may.

        Nothing that the actor writes is stored after this returned.
        """
        self._run(self._operations.revoke(who))

    # Data.

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401  JSON holds anything
        """Gets a value, or the default."""
        return self._run(self._operations.get(key, default))

    def data(self, *, version: Optional[int] = None) -> dict[str, Any]:
        """Gets all data as a dictionary: now, or at a version that is kept.

        What the actor may do now counts, also for a version.

        Raises:
            RecoveryPointNotFound: that version is not kept.
        """
        return self._run(self._operations.data(version))

    def set(
        self,
        key: str,
        value: Any,  # noqa: ANN401  JSON holds anything
        *,
        if_version: Optional[int] = None,
    ) -> SharedVersion:
        """Sets a value, whether or not there is one.

        Args:
            key: At most 500 bytes.
            value: What JSON can hold.
            if_version: The version that there must be.

        Raises:
            VersionConflict: there is another version than ``if_version``.
        """
        return self._run(self._operations.update("set", {key: value}, (), if_version))

    def delete(self, key: str, *, if_version: Optional[int] = None) -> SharedVersion:
        """Removes a value. A missing one is no error."""
        return self._run(self._operations.update("delete", {}, (key,), if_version))

    def update(
        self,
        values: Mapping[str, Any] = _NO_DATA,
        *,
        deletes: Collection[str] = (),
        if_version: Optional[int] = None,
    ) -> SharedVersion:
        """Sets and removes several values in one step.

        Example:
            >>> plan.update({"city": "Rome", "days": 3}, deletes=["draft"]).version
            4
        """
        return self._run(self._operations.update("update", values, deletes, if_version))

    def edit(self, key: str, change: Callable[[Any], Any]) -> SharedVersion:
        """Sets a value to what ``change`` makes of it, if nobody else set it meanwhile.

        Else it is read again and ``change`` called again: it should do nothing but compute. It is
        called with ``None`` where there is no value.

        Example:
            >>> plan.edit("votes", lambda votes: (votes or 0) + 1)
            SharedVersion(version=5, by='planner', action='edit', ...)
        """
        return self._run(self._operations.edit(key, change))

    # Versions.

    def version(self) -> int:
        """Gets the number of the version there is."""
        return self._run(self._operations.version())

    def versions(self, limit: Optional[int] = None) -> list[SharedVersion]:
        """Gets the versions to come back to, newest first, and who made them by what."""
        return self._run(self._operations.versions(limit))

    def rollback(self, version: int) -> SharedVersion:
        """Makes the data what they were at a version. The rights stay as they are now.

        It makes a new version in one step: what was between stays to come back to.

        Raises:
            RecoveryPointNotFound: that version is not kept.

        Example:
            >>> plan.rollback(plan.versions()[1].version).action
            'rollback'
        """
        return self._run(self._operations.rollback(version))

    def drop(self) -> None:
        """Deletes it with all its versions, for ever. Only the owner may."""
        self._run(self._operations.drop())
