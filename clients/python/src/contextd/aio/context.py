"""One context, to read and to write, with the client for asyncio."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Callable, Optional, TypeVar

from contextd import _requests
from contextd._tracked import TrackedOperations
from contextd.aio.state import AsyncContextState
from contextd.aio.tracked import AsyncTrackedContext
from contextd.draft import Draft
from contextd.tracking import Recordable
from contextd.v1 import resources_pb2
from contextd.values import Expiry, NewContext, Value, Written, to_content, to_json

T = TypeVar("T")

_NO_VALUES: Mapping[str, Value] = {}
_NO_LABELS: Mapping[str, Optional[str]] = {}
_NO_VERSIONS: Mapping[str, int] = {}


class AsyncContext(AsyncTrackedContext):
    """One context: a dictionary with versions, on the server.

    Made by :meth:`AsyncClient.context`; making one calls nobody. Arguments, results and
    errors are those of :class:`contextd.Context`.
    """

    def at(self, version: int) -> AsyncContextState:
        """Gives the state with this number, to read, while the server keeps it."""
        if version < 1:
            raise ValueError("a version is at least 1")
        operations = TrackedOperations(self._operations.settings, self.namespace, self.id, version)
        return AsyncContextState(self._runner, operations)

    async def create(
        self,
        properties: Optional[NewContext] = None,
        puts: Mapping[str, Value] = _NO_VALUES,
        *,
        request_id: Optional[str] = None,
    ) -> Written:
        """Creates the context with the entries ``puts``. As :meth:`contextd.Context.create`."""
        if not self.id:
            raise ValueError("a context without an id is created by AsyncClient.create")
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
        return await self._update([_requests.put_entry(key, content)], request_id)

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
        )
        guards = _requests.preconditions(if_version, if_entries)
        return await self._runner.run(self._operations.update(steps, guards, request_id))

    async def _update(
        self, steps: list[resources_pb2.Mutation], request_id: Optional[str]
    ) -> Written:
        return await self._runner.run(self._operations.update(steps, (), request_id))

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
