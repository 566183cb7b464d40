"""One context, to read and to write, with the synchronous client."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Callable, Optional, TypeVar

from contextd import _requests
from contextd._tracked import TrackedOperations
from contextd.draft import Draft
from contextd.state import ContextState
from contextd.tracked import TrackedContext
from contextd.tracking import Recordable
from contextd.v1 import resources_pb2
from contextd.values import Expiry, NewContext, Value, Written, to_content, to_json

T = TypeVar("T")

_NO_VALUES: Mapping[str, Value] = {}
_NO_LABELS: Mapping[str, Optional[str]] = {}
_NO_VERSIONS: Mapping[str, int] = {}


class Context(TrackedContext):
    """One context: a dictionary with versions, on the server.

    Made by :meth:`Client.context`; making one calls nobody. Values are written as bytes or
    ``str`` (see :mod:`contextd.values`) and read as bytes. Every write carries a request id
    and is repeated where that is safe; pass ``request_id`` to make your own repetitions safe
    too. Safe to use from many threads.

    The context also has a history: :meth:`record` adds to it, and knows files and models.

    Every write may raise :class:`~contextd.ContextNotFound` (unless the context was made
    with ``create_if_missing``), :class:`~contextd.InvalidField`,
    :class:`~contextd.LimitReached`, :class:`~contextd.StorageFull`,
    :class:`~contextd.Unavailable` and :class:`~contextd.DeadlineExceeded`.
    """

    def at(self, version: int) -> ContextState:
        """Gives the state with this number, to read, while the server keeps it.

        Example:
            >>> chat.at(1)["system"]
            b'You are helpful.'
        """
        if version < 1:
            raise ValueError("a version is at least 1")
        operations = TrackedOperations(self._operations.settings, self.namespace, self.id, version)
        return ContextState(self._runner, operations)

    def create(
        self,
        properties: Optional[NewContext] = None,
        puts: Mapping[str, Value] = _NO_VALUES,
        *,
        request_id: Optional[str] = None,
    ) -> Written:
        """Creates the context with the entries ``puts``.

        Raises:
            ContextExists: there is one.
            ParentNotFound: its parent does not exist.
        """
        if not self.id:
            raise ValueError("a context without an id is created by Client.create")
        return self._create(properties, puts, request_id)[1]

    def _create(
        self,
        properties: Optional[NewContext],
        puts: Mapping[str, Value],
        request_id: Optional[str],
    ) -> tuple[str, Written]:
        properties = NewContext() if properties is None else properties
        return self._runner.run(self._operations.create(properties, puts, request_id))

    def __setitem__(self, key: str, value: Value) -> None:
        """Sets a value, whether or not there is one. See :meth:`put`."""
        self.put(key, value)

    def __delitem__(self, key: str) -> None:
        """Removes an entry; unlike with a dictionary, a missing one is no error."""
        self.remove(key)

    def put(
        self,
        key: str,
        value: Value,
        *,
        content_type: Optional[str] = None,
        request_id: Optional[str] = None,
    ) -> Written:
        """Sets a value and its content type, whether or not there is one.

        Args:
            key: 1 to 512 bytes of UTF-8.
            value: Up to the server's ``value_size_max`` bytes.
            content_type: ``None``: that of ``value``, which is empty for bytes.
            request_id: For a write that the caller may repeat; by default a new one.
        """
        content = to_content(value, content_type)
        return self._update([_requests.put_entry(key, content)], request_id)

    def put_json(
        self,
        key: str,
        value: Any,  # noqa: ANN401  JSON holds anything
        *,
        request_id: Optional[str] = None,
    ) -> Written:
        """Sets a value to the JSON form of ``value``. See :func:`~contextd.to_json`."""
        return self.put(key, to_json(value), request_id=request_id)

    def append(
        self,
        key: str,
        value: Value,
        *,
        expected_size: Optional[int] = None,
        request_id: Optional[str] = None,
    ) -> Written:
        """Adds bytes to the end of a value, creating the entry when missing.

        Args:
            key: The entry.
            value: What is added. Its content type is that of a new entry.
            expected_size: The bytes that the value must have before. ``None``: any.
            request_id: For a write that the caller may repeat; by default a new one.

        Raises:
            SizeMismatch: the value has another size.
        """
        step = _requests.append_entry(key, to_content(value), expected_size)
        return self._update([step], request_id)

    def remove(self, key: str, *, request_id: Optional[str] = None) -> Written:
        """Removes an entry. A missing one is no error."""
        return self._update([_requests.delete_entry(key)], request_id)

    def update(
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
        """Changes the context in one step: everything, or nothing.

        Args:
            puts: Entries to set.
            deletes: Keys to remove. They go before anything comes.
            delete_prefixes: Remove every entry whose key begins with one of these.
            appends: Bytes to add to the end of values.
            metadata: Labels to set; ``None`` removes one.
            expiry: How long the context lives from now on.
            activities: What to add to the history, in the same step. See :meth:`record`.
            if_version: The version that the context must have. 0: it must not exist.
            if_entries: The versions that must have set the entries. 0: there must be none.
            request_id: For a write that the caller may repeat; by default a new one.

        Raises:
            VersionConflict: the context has another version than ``if_version``.
            EntryConflict: an entry has another version than ``if_entries`` says.

        Example:
            >>> chat.update({"title": "Flight"}, metadata={"user": "mia"}, if_version=3).version
            4
        """
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
        return self._runner.run(self._operations.update(steps, guards, request_id))

    def _update(self, steps: list[resources_pb2.Mutation], request_id: Optional[str]) -> Written:
        return self._runner.run(self._operations.update(steps, (), request_id))

    def edit(self, key: str, change: Callable[[Optional[bytes]], Optional[Value]]) -> Written:
        """Reads a value, changes it, and writes it back, unless somebody else did meanwhile.

        Then it is done again, up to ``RetryPolicy.attempts`` times, so ``change`` may be
        called more than once and should do nothing else.

        Args:
            key: The entry.
            change: Gets the value, or ``None`` when there is no entry. Gives the new value, or
                ``None`` to remove it. Bytes keep the entry's content type.

        Raises:
            Conflict: others were faster each time.

        Example:
            >>> chat.edit("count", lambda old: str(int(old or 0) + 1))
        """
        return self._runner.run(self._operations.edit(key, change))

    def transact(
        self, change: Callable[[Draft], T], *, keys: Optional[Collection[str]] = None
    ) -> T:
        """Reads the context, lets ``change`` work on it, and writes what it did in one step.

        If the context changed meanwhile it is done again, up to ``RetryPolicy.attempts``
        times, so ``change`` may be called more than once and should do nothing else. When
        it changes nothing, nothing is written.

        Args:
            change: Works on a :class:`~contextd.Draft`; what it returns is returned.
            keys: Read, and guard, only these entries: other writers of other entries do not
                disturb. ``None``: the whole context.

        Raises:
            Conflict: others were faster each time.

        Example:
            >>> def move(draft):
            ...     draft["done"] = draft.pop("todo")
            >>> tasks.transact(move)
        """
        return self._runner.run(self._operations.transact(change, keys))

    def delete(
        self,
        *,
        recursive: bool = False,
        purge: bool = False,
        allow_missing: bool = False,
        if_version: Optional[int] = None,
        request_id: Optional[str] = None,
    ) -> int:
        """Deletes the context; gives how many contexts are gone.

        Args:
            recursive: Those below it too; else a context with children is not deleted.
            purge: For good: nothing of it can be brought back.
            allow_missing: No error when there is none.
            if_version: The version that it must have.
            request_id: For a write that the caller may repeat; by default a new one.

        Raises:
            HasChildren: contexts name it as their parent.
            VersionConflict: it has another version.
        """
        return self._runner.run(
            self._operations.delete(recursive, purge, allow_missing, if_version, request_id)
        )
