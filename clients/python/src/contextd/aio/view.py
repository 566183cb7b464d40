"""Contexts in memory, built from events, with the client for asyncio."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Callable

from contextd.errors import ContextNotFound
from contextd.events import Event
from contextd.values import Snapshot
from contextd.view import ViewState

_NO_LABELS: Mapping[str, str] = {}


class AsyncView(ViewState):
    """Contexts in memory, as the events of a subscription tell them. As :class:`contextd.View`.

    For one task. Without a reader, :class:`contextd.View` does as well.

    Example:
        >>> view = AsyncView(lambda id: client.context(id).snapshot())
        >>> async for event in client.subscribe(snapshot=True):
        ...     await view.apply(event)
    """

    def __init__(
        self,
        reader: Callable[[str], Awaitable[Snapshot]],
        *,
        key_prefix: str = "",
        metadata: Mapping[str, str] = _NO_LABELS,
    ) -> None:
        super().__init__(key_prefix, metadata)
        self._reader = reader

    async def apply(self, event: Event) -> None:
        """Does what the event tells. As :meth:`contextd.View.apply`."""
        if self._take(event):
            return
        try:
            snapshot = await self._reader(event.context_id)
        except ContextNotFound:
            self._take_read(event, None)
        else:
            self._take_read(event, snapshot)
