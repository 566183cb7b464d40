"""Contexts in memory, built from events. See docs/events.md of the project, "Building a view"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Callable, Optional, Union

from contextd.errors import ContextNotFound, NewerServer
from contextd.events import (
    Append,
    Delete,
    DeletePrefix,
    Event,
    EventType,
    Mutation,
    Put,
    Splice,
    UnknownMutation,
)
from contextd.values import ContextInfo, Entry, Snapshot

_NO_LABELS: Mapping[str, str] = {}

_ENDS = frozenset({EventType.DELETED, EventType.EXPIRED})

# What there is to know of a context may begin with one of these.
_CHANGES = frozenset(
    {
        EventType.CREATED,
        EventType.UPDATED,
        EventType.RESTORED,
        EventType.FORKED,
        EventType.MERGED,
    }
)

# Recovery points lie beside the state. Where one comes with a change of the state, and does not
# tell it itself, another event of the same version does.
_BESIDE = frozenset(
    {
        EventType.RECOVERY_POINT_CREATED,
        EventType.RECOVERY_POINT_UPDATED,
        EventType.RECOVERY_POINT_DELETED,
    }
)


class ReadNeeded(Exception):
    """An event alone does not tell what became of a context, and the view has no reader.

    The view is as it was before the event.

    Attributes:
        context_id: The context.
    """

    def __init__(self, context_id: str) -> None:
        super().__init__(context_id)
        self.context_id = context_id

    def __str__(self) -> str:
        """Says what to do."""
        return f"to know the context {self.context_id!r} it must be read: give the view a reader"


@dataclass
class ViewedContext:
    """What a view knows of a context: to be read, and changed by the view with later events.

    Attributes:
        info: All but the entries. Where the context had to be read, times and sizes are those
            of the event before, until the next event.
        entries: The entries by their keys, in no particular order. A restore brings entries back
            with the versions they had, which its event does not tell: here they have its own.
    """

    info: ContextInfo
    entries: dict[str, Entry]


class ViewState:
    """What both kinds of view have in common.

    What always holds:

    1. A context's entries and labels are those of one version, that of its ``info``.
    2. An event of a version that is known already changes nothing: it may come again, and a
       context that was read may be newer than the events that follow.
    """

    def __init__(self, key_prefix: str, metadata: Mapping[str, str]) -> None:
        """Knows nothing yet."""
        self._key_prefix = key_prefix
        self._metadata = dict(metadata)
        self._contexts: dict[str, ViewedContext] = {}

    @property
    def contexts(self) -> Mapping[str, ViewedContext]:
        """The contexts by their ids. Changes with the view."""
        return MappingProxyType(self._contexts)

    def _take(self, event: Event) -> bool:
        """Does what an event tells. False: nothing was done, the context must be read."""
        if event.type is EventType.UNKNOWN:
            raise NewerServer(
                "the server tells an event that this version of the client does not know: "
                "a view cannot leave it out"
            )
        info = event.context
        if info is None:
            return True
        known = self._contexts.get(info.id)
        if event.type is EventType.SNAPSHOT:
            self._set(info, event.entries)
        elif known is not None and info.version < known.info.version:
            return True
        elif event.type in _ENDS:
            self._contexts.pop(info.id, None)
        elif known is not None and info.version == known.info.version:
            known.info = info
        elif event.type in _BESIDE and not event.mutations and not event.reset:
            return True
        elif not self._selects(info.metadata):
            self._contexts.pop(info.id, None)
        elif event.type is EventType.CREATED or known is not None:
            return self._change(event, info)
        else:
            return event.type not in _CHANGES
        return True

    def _change(self, event: Event, info: ContextInfo) -> bool:
        if event.reset or event.type is EventType.FORKED:
            return False
        if any(isinstance(step, UnknownMutation) for step in event.mutations):
            return False
        if event.type is EventType.CREATED:
            self._set(info, ())
        context = self._contexts[info.id]
        for step in event.mutations:
            self._apply(step, context.entries, info.version)
        context.info = info
        return True

    def _apply(self, step: Mutation, entries: dict[str, Entry], version: int) -> None:
        if isinstance(step, DeletePrefix):
            for key in [key for key in entries if key.startswith(step.prefix)]:
                del entries[key]
        elif isinstance(step, (Put, Append, Splice)) and step.key.startswith(self._key_prefix):
            entries[step.key] = _changed(entries.get(step.key), step, version)
        elif isinstance(step, Delete):
            entries.pop(step.key, None)

    def _take_read(self, event: Event, snapshot: Optional[Snapshot]) -> None:
        """Takes a context as it was read because of an event. ``None``: it is gone."""
        info = event.context
        assert info is not None
        if snapshot is None or not self._selects(snapshot.metadata):
            self._contexts.pop(info.id, None)
            return
        if snapshot.version < info.version:
            raise ValueError(
                f"the reader gave version {snapshot.version} of {info.id!r}, "
                f"which is older than the event's {info.version}"
            )
        info = replace(info, version=snapshot.version, metadata=snapshot.metadata)
        self._set(info, snapshot.entries())

    def _set(self, info: ContextInfo, entries: Iterable[Entry]) -> None:
        kept = {entry.key: entry for entry in entries if entry.key.startswith(self._key_prefix)}
        self._contexts[info.id] = ViewedContext(info, kept)

    def _selects(self, metadata: Mapping[str, str]) -> bool:
        return self._metadata.items() <= metadata.items()


def _changed(old: Optional[Entry], step: Union[Put, Append, Splice], version: int) -> Entry:
    """What a step makes of an entry, or of none. Raises ``ValueError`` where it does not fit."""
    if isinstance(step, Append) and old is not None:
        return Entry(step.key, old.value + step.value, old.content_type, version)
    kept = b""
    if isinstance(step, Splice):
        kept = b"" if old is None else old.value[: step.kept_size]
        if len(kept) != step.kept_size:
            raise ValueError(
                f"the value of {step.key!r} is shorter than what is kept of it: "
                "the view did not get all events, or not their values"
            )
    return Entry(step.key, kept + step.value, step.content_type, version)


class View(ViewState):
    """Contexts in memory, as the events of a subscription tell them.

    Give it each event of a subscription that begins with a snapshot, in order; then
    ``contexts`` holds all contexts that the subscription selects. A subscription that begins
    elsewhere gives those that are created from there on, and with a reader those that are
    changed. Events may be of all types, and have their values.

    An event may not be enough to know a context by: it was too large to be told, or the
    context was not selected before. It is read then, as it is at that moment, and what
    follows fits.

    Not safe to use from several threads at once.

    Args:
        reader: Gets a context with its entries, such as
            ``lambda id: client.context(id).snapshot()``. May raise
            :class:`~contextd.ContextNotFound`: it is gone by now.
        key_prefix: That of the subscription.
        metadata: That of the subscription: contexts that no longer have all these labels
            leave the view.

    Example:
        >>> view = View(lambda id: client.context(id).snapshot())
        >>> for event in client.subscribe(snapshot=True):
        ...     view.apply(event)
    """

    def __init__(
        self,
        reader: Optional[Callable[[str], Snapshot]] = None,
        *,
        key_prefix: str = "",
        metadata: Mapping[str, str] = _NO_LABELS,
    ) -> None:
        super().__init__(key_prefix, metadata)
        self._reader = reader

    def apply(self, event: Event) -> None:
        """Does what the event tells. Events of sessions, and positions, change nothing.

        Raises:
            ReadNeeded: the context must be read, and there is no reader.
            ValueError: the event does not fit what is known, or the reader gave what is older
                than the event. Drop the view, and begin again.
        """
        if self._take(event):
            return
        if self._reader is None:
            raise ReadNeeded(event.context_id)
        try:
            snapshot = self._reader(event.context_id)
        except ContextNotFound:
            self._take_read(event, None)
        else:
            self._take_read(event, snapshot)
