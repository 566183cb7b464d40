"""One state of a context, to read, with the client for asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import Any, Optional, TypeVar, overload

from contextd import errors
from contextd._recovery import RecoveryOperations
from contextd.aio._runner import AsyncRunner
from contextd.recovery import Difference
from contextd.values import ContextInfo, Entry, Snapshot

T = TypeVar("T")


class AsyncContextState:
    """Reads one context: its newest state, or the one that :meth:`AsyncContext.at` named.

    Every read may raise :class:`~contextd.ContextNotFound`; those of an earlier state also
    :class:`~contextd.StateNotRetained` and :class:`~contextd.RecoveryPointNotFound`.
    """

    def __init__(self, runner: AsyncRunner, operations: RecoveryOperations) -> None:
        """Made by :meth:`AsyncClient.context` and :meth:`AsyncContext.at`."""
        self._runner = runner
        self._operations = operations

    @property
    def id(self) -> str:
        """The id."""
        return self._operations.id

    @property
    def namespace(self) -> str:
        """The namespace."""
        return self._operations.namespace

    def __repr__(self) -> str:
        """Says id and namespace, without a call."""
        at = self._operations.at
        named = f" at={at}" if not at.is_newest else ""
        return f"<{type(self).__name__} {self.id!r} namespace={self.namespace!r}{named}>"

    async def info(self) -> ContextInfo:
        """Gets everything but the entries: version, metadata, times, sizes."""
        return await self._runner.run(self._operations.info())

    async def version(self) -> int:
        """Gets the number of the state."""
        return (await self.info()).version

    async def metadata(self) -> dict[str, str]:
        """Gets the labels."""
        return dict((await self.info()).metadata)

    async def count(self) -> int:
        """Counts the entries, on the server: what ``len`` is for a :class:`~contextd.Context`."""
        return (await self.info()).entry_count

    async def contains(self, key: str) -> bool:
        """Asks whether there is such an entry, without its value."""
        return await self._runner.run(self._operations.contains(key))

    @overload
    async def get(self, key: str) -> Optional[bytes]: ...
    @overload
    async def get(self, key: str, default: T) -> bytes | T: ...
    async def get(self, key: str, default: object = None) -> object:
        """Gets a value, or ``default`` when there is no such entry.

        Example:
            >>> await chat.get("system")
            b'You are helpful.'
        """
        try:
            return (await self.get_entry(key)).value
        except errors.EntryNotFound:
            return default

    async def get_entry(self, key: str) -> Entry:
        """Gets a value with its version and content type.

        Raises:
            EntryNotFound: there is no such entry.
        """
        return await self._runner.run(self._operations.entry(key))

    async def get_text(self, key: str) -> str:
        """Gets a value as text. Raises :class:`~contextd.EntryNotFound`, ``UnicodeDecodeError``."""
        return (await self.get_entry(key)).text

    async def get_json(self, key: str) -> Any:  # noqa: ANN401  JSON holds anything
        """Gets a value read as JSON. Raises :class:`~contextd.EntryNotFound`, ``ValueError``."""
        return (await self.get_entry(key)).json()

    def __aiter__(self) -> AsyncIterator[str]:
        """Gives the keys in the order of their bytes."""
        return self.keys()

    async def keys(self, prefix: str = "") -> AsyncIterator[str]:
        """Gets the keys that begin with ``prefix``, in the order of their bytes."""
        async for entry in self.entries(prefix, keys_only=True):
            yield entry.key

    async def values(self, prefix: str = "") -> AsyncIterator[bytes]:
        """Gets the values whose keys begin with ``prefix``, in the order of the keys."""
        async for entry in self.entries(prefix):
            yield entry.value

    async def items(self, prefix: str = "") -> AsyncIterator[tuple[str, bytes]]:
        """Gets keys and values, in the order of the keys.

        Example:
            >>> async for key, value in chat.items(prefix="messages/"):
            ...     print(key, value)
        """
        async for entry in self.entries(prefix):
            yield entry.key, entry.value

    async def entries(
        self,
        prefix: str = "",
        *,
        after: str = "",
        before: str = "",
        reverse: bool = False,
        limit: int = 0,
        keys_only: bool = False,
    ) -> AsyncIterator[Entry]:
        """Streams entries of one state. As :meth:`contextd.ContextState.entries`."""
        reader = self._operations.reader(prefix, after, before, reverse, limit, keys_only)
        async for entry in self._runner.read(reader):
            yield entry

    async def snapshot(
        self, keys: Optional[Collection[str]] = None, *, prefix: str = ""
    ) -> Snapshot:
        """Gets a whole state into memory, or only ``keys`` and those of ``prefix``.

        Keys that do not exist are left out.
        """
        return await self._runner.run(self._operations.snapshot(keys, prefix))

    async def diff(
        self, before: AsyncContextState, *, prefix: str = "", without_values: bool = False
    ) -> AsyncIterator[Difference]:
        """Streams what differs in this state from ``before``.

        As :meth:`contextd.ContextState.diff`.
        """
        reader = await self._runner.run(
            self._operations.diff(before._operations, prefix, without_values)
        )
        async for difference in self._runner.read(reader):
            yield difference
