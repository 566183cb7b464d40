"""What ``transact`` hands to its function: a state to read, and changes to collect."""

from __future__ import annotations

from collections.abc import Collection, Iterator, MutableMapping
from typing import Any, Optional

from contextd import _requests
from contextd.errors import EntryNotFound
from contextd.v1 import resources_pb2
from contextd.values import Content, Snapshot, Value, to_content, to_json


class Draft(MutableMapping[str, bytes]):
    """One state of a context, and what is to become of it: a dictionary in memory.

    Reading sees what was written to it. Nothing is sent before the function that got the
    draft returns.

    Attributes:
        snapshot: The state that the draft began with. Version 0: the context does not
            exist yet.

    Example:
        >>> def move(draft):
        ...     draft["done"] = draft.pop("todo")
    """

    def __init__(self, snapshot: Snapshot, keys: Optional[Collection[str]] = None) -> None:
        """Begins with ``snapshot``; ``keys`` are those that were read, if not all were."""
        self.snapshot = snapshot
        self._labels: dict[str, str] = dict(snapshot.metadata)
        self._labelled = False  # Somebody looked at them.
        self._keys = None if keys is None else frozenset(keys)
        self._changed: dict[str, Optional[Content]] = {}

    def __getitem__(self, key: str) -> bytes:
        """Gives the value. Raises :class:`~contextd.EntryNotFound`, a ``KeyError``."""
        self._check(key)
        if key not in self._changed:
            return self.snapshot[key]
        content = self._changed[key]
        if content is None:
            raise EntryNotFound(key)
        return content.value

    def __setitem__(self, key: str, value: Value) -> None:
        """Sets the value."""
        self.put(key, value)

    def __delitem__(self, key: str) -> None:
        """Removes the entry. Raises :class:`~contextd.EntryNotFound`, a ``KeyError``."""
        if key not in self:
            raise EntryNotFound(key)
        self._changed[key] = None

    def __iter__(self) -> Iterator[str]:
        """Gives the keys in the order of their bytes."""
        kept = {key for key in self.snapshot if key not in self._changed}
        added = {key for key, content in self._changed.items() if content is not None}
        return iter(sorted(kept | added, key=str.encode))

    def __len__(self) -> int:
        """Counts the entries."""
        return sum(1 for _ in iter(self))

    def __repr__(self) -> str:
        """Says the version it began with, and how many entries were changed."""
        return f"<Draft of version {self.snapshot.version} changed={len(self._changed)}>"

    @property
    def metadata(self) -> dict[str, str]:
        """The labels, to be changed in place.

        A transaction that looks at them guards the whole context: labels have no versions
        of their own.
        """
        self._labelled = True
        return self._labels

    def put(self, key: str, value: Value, content_type: Optional[str] = None) -> None:
        """Sets the value and its content type."""
        self._check(key)
        self._changed[key] = to_content(value, content_type)

    def put_json(self, key: str, value: Any) -> None:  # noqa: ANN401  JSON holds anything
        """Sets the value to what :func:`~contextd.to_json` makes of ``value``."""
        self.put(key, to_json(value))

    def mutations(self) -> list[resources_pb2.Mutation]:
        """Gives the steps from the snapshot to what the draft is now; none: no change."""
        before = self.snapshot.metadata
        removed = [key for key, content in self._changed.items() if content is None]
        labels: dict[str, Optional[str]] = {
            key: self._labels.get(key)
            for key in sorted(before.keys() | self._labels.keys())
            if before.get(key) != self._labels.get(key)
        }
        return _requests.mutations(
            puts={key: content for key, content in self._changed.items() if content is not None},
            deletes=[key for key in removed if key in self.snapshot],
            metadata=labels,
        )

    def preconditions(self) -> list[resources_pb2.Precondition]:
        """Gives what must still hold: the entries that were read, or the whole state."""
        if self._keys is None or self._labelled:
            return _requests.preconditions(if_version=self.snapshot.version)
        versions = {
            key: self.snapshot.entry(key).version if key in self.snapshot else 0
            for key in sorted(self._keys)
        }
        return _requests.preconditions(if_entries=versions)

    def _check(self, key: str) -> None:
        if self._keys is not None and key not in self._keys:
            raise ValueError(f"the entry {key!r} is not among the keys of this transaction")
