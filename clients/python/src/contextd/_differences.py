"""How what differs between two states is read, over as many streams as it takes."""

from __future__ import annotations

from contextd import _rules, recovery
from contextd._calls import Settings, StreamReader
from contextd._methods import DIFF, SYNC
from contextd.v1 import recovery_pb2 as pb
from contextd.values import info_of


def _place(difference: pb.EntryDiff) -> tuple[bytes, bool]:
    """The place of a difference in their order; one that is told as two has two."""
    return difference.key.encode(), not difference.HasField("before")


class DiffReader(StreamReader[recovery.Difference]):
    """Reads the differences between two states, over as many streams as it takes.

    What always holds:

    1. No difference is given twice, none is left out: entries come in the order of their keys,
       and so do labels; a further stream begins anew, and what was given already is skipped.
    2. It ends, however much differs: each further stream has more time than the one before.
    """

    method = DIFF

    def __init__(self, settings: Settings, request: pb.DiffStatesRequest) -> None:
        """Takes two states that do not change."""
        super().__init__(settings)
        _rules.check(request)
        self._request = request
        self._streams = 0
        self._last_entry = (b"", True)
        self._last_label = b""

    @property
    def timeout(self) -> float:
        """Seconds that the next stream may take."""
        return super().timeout * max(1, self._streams)

    def request(self) -> pb.DiffStatesRequest:
        """The request of each stream."""
        self._streams += 1
        return self._request

    def accept(self, response: pb.DiffStatesResponse) -> list[recovery.Difference]:
        """Takes one message of the stream and gives what is new in it."""
        entries = [entry for entry in response.entries if _place(entry) > self._last_entry]
        labels = [label for label in response.metadata if label.key.encode() > self._last_label]
        if entries:
            self._last_entry = _place(entries[-1])
        if labels:
            self._last_label = labels[-1].key.encode()
        if entries or labels or self._streams == 1:
            self._attempts.progressed()
        return [
            *map(recovery.label_difference_of, labels),
            *map(recovery.entry_difference_of, entries),
        ]


class SyncReader(StreamReader[recovery.Synced]):
    """Reads what leads to the newest version, whole: a stream that breaks is begun anew.

    It ends, however much there is to read: each further stream has more time than the one before.
    """

    method = SYNC

    def __init__(self, settings: Settings, request: pb.SyncContextRequest) -> None:
        """Begins with the version that ``request`` names."""
        super().__init__(settings)
        _rules.check(request)
        self._request = request
        self._differences: list[recovery.EntryDifference] = []
        self._streams = 0
        self._most = 0
        self._full = False
        self._done = False

    @property
    def timeout(self) -> float:
        """Seconds that the next stream may take."""
        return super().timeout * max(1, self._streams)

    @property
    def done(self) -> bool:
        """Whether the last message has come."""
        return self._done

    def request(self) -> pb.SyncContextRequest:
        """The request of each stream."""
        self._streams += 1
        self._differences = []
        self._full = self._request.have_version == 0
        return self._request

    def accept(self, response: pb.SyncContextResponse) -> list[recovery.Synced]:
        """Takes one message of the stream. Gives what it came to with the last one."""
        self._full = self._full or response.full
        self._differences += map(recovery.entry_difference_of, response.entries)
        if len(self._differences) > self._most:
            self._most = len(self._differences)
            self._attempts.progressed()
        if not response.HasField("context"):
            return []
        self._done = True
        info = info_of(response.context)
        since = 0 if self._full else response.from_version
        return [recovery.Synced(since, self._full, info, tuple(self._differences))]
