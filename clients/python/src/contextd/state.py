"""One state of a context, to read, with the synchronous client."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Optional, TypeVar, overload

from contextd import errors
from contextd._recovery import RecoveryOperations
from contextd._sync import Runner
from contextd.recovery import Difference
from contextd.values import ContextInfo, Entry, Snapshot

T = TypeVar("T")


class ContextState:
    """Reads one context: its newest state, or the one that :meth:`Context.at` named.

    Every read may raise :class:`~contextd.ContextNotFound`; those of an earlier state also
    :class:`~contextd.StateNotRetained` and :class:`~contextd.RecoveryPointNotFound`.
    """

    def __init__(self, runner: Runner, operations: RecoveryOperations) -> None:
        """Made by :meth:`Client.context` and :meth:`Context.at`."""
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

    def __bool__(self) -> bool:
        """Is always true, without a call; ``len`` says whether there are entries."""
        return True

    def info(self) -> ContextInfo:
        """Gets everything but the entries: version, metadata, times, sizes."""
        return self._runner.run(self._operations.info())

    def version(self) -> int:
        """Gets the number of the state."""
        return self.info().version

    def metadata(self) -> dict[str, str]:
        """Gets the labels."""
        return dict(self.info().metadata)

    def __len__(self) -> int:
        """Counts the entries, on the server."""
        return self.info().entry_count

    def __contains__(self, key: object) -> bool:
        """Asks whether there is such an entry, without its value."""
        return isinstance(key, str) and self._runner.run(self._operations.contains(key))

    def __getitem__(self, key: str) -> bytes:
        """Gets a value.

        Raises:
            EntryNotFound: there is no such entry; a ``KeyError``.

        Example:
            >>> chat["messages/00000001"]
            b'{"role":"user","content":"hello"}'
        """
        return self.get_entry(key).value

    @overload
    def get(self, key: str) -> Optional[bytes]: ...
    @overload
    def get(self, key: str, default: T) -> bytes | T: ...
    def get(self, key: str, default: object = None) -> object:
        """Gets a value, or ``default`` when there is no such entry."""
        try:
            return self[key]
        except errors.EntryNotFound:
            return default

    def get_entry(self, key: str) -> Entry:
        """Gets a value with its version and content type.

        Raises:
            EntryNotFound: there is no such entry.
        """
        return self._runner.run(self._operations.entry(key))

    def get_text(self, key: str) -> str:
        """Gets a value as text. Raises :class:`~contextd.EntryNotFound`, ``UnicodeDecodeError``."""
        return self.get_entry(key).text

    def get_json(self, key: str) -> Any:  # noqa: ANN401  JSON holds anything
        """Gets a value read as JSON. Raises :class:`~contextd.EntryNotFound`, ``ValueError``."""
        return self.get_entry(key).json()

    def __iter__(self) -> Iterator[str]:
        """Gives the keys in the order of their bytes."""
        return self.keys()

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Gives the keys that begin with ``prefix``, in the order of their bytes."""
        return (entry.key for entry in self.entries(prefix, keys_only=True))

    def values(self, prefix: str = "") -> Iterator[bytes]:
        """Gives the values whose keys begin with ``prefix``, in the order of the keys."""
        return (entry.value for entry in self.entries(prefix))

    def items(self, prefix: str = "") -> Iterator[tuple[str, bytes]]:
        """Gives keys and values, in the order of the keys.

        Example:
            >>> for key, value in chat.items(prefix="messages/"):
            ...     print(key, value)
        """
        return ((entry.key, entry.value) for entry in self.entries(prefix))

    def entries(
        self,
        prefix: str = "",
        *,
        after: str = "",
        before: str = "",
        reverse: bool = False,
        limit: int = 0,
        keys_only: bool = False,
    ) -> Iterator[Entry]:
        """Streams entries of one state in the order of their keys, however many there are.

        All belong to one version, also where the stream breaks and is begun anew.

        Args:
            prefix: Only keys that begin with it.
            after: Only keys behind this one.
            before: Only keys before this one.
            reverse: From the last key to the first.
            limit: At most so many entries. 0: all.
            keys_only: Without the values.

        Raises:
            StateNotRetained: the state was overtaken by so many changes while it was read
                that the server no longer keeps it, and the stream broke.
        """
        yield from self._runner.read(
            self._operations.reader(prefix, after, before, reverse, limit, keys_only)
        )

    def snapshot(self, keys: Optional[Collection[str]] = None, *, prefix: str = "") -> Snapshot:
        """Gets a whole state into memory, or only ``keys`` and those of ``prefix``.

        Keys that do not exist are left out.

        Example:
            >>> state = chat.snapshot()
            >>> state.version, list(state)
            (3, ['messages/00000001', 'system'])
        """
        return self._runner.run(self._operations.snapshot(keys, prefix))

    def diff(
        self, before: ContextState, *, prefix: str = "", without_values: bool = False
    ) -> Iterator[Difference]:
        """Streams what differs in this state from ``before``, of the same context or of another.

        Entries come in the order of their keys, and so do labels. The cost is that of what
        differs, whatever the size of the contexts.

        Args:
            before: A context, or an earlier state of one, of the same namespace.
            prefix: Only entries whose keys begin with it.
            without_values: Only keys, content types and versions of the entries.

        Raises:
            StateNotRetained: one of the states was overtaken by so many changes meanwhile that
                the server no longer keeps it.

        Example:
            >>> for difference in chat.diff(chat.at(3)):
            ...     print(difference.key, difference.before, difference.after)
        """
        yield from self._runner.read(
            self._runner.run(self._operations.diff(before._operations, prefix, without_values))
        )
