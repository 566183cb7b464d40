"""Every operation on what happens to one context, without I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Optional

import grpc

from contextd import _requests, tracking
from contextd._calls import Operation, Pages, Settings, call
from contextd._lease import Lease, Writer
from contextd._methods import (
    ACQUIRE,
    DEACTIVATE,
    FILES,
    HISTORY,
    OPTIMIZE,
    RECORD,
    RELEASE,
    RESOURCES,
    STATUS,
    TRUNCATE,
    USAGE,
)
from contextd._operations import ContextOperations
from contextd.errors import (
    ClientClosed,
    ContextdError,
    ContextNotFound,
    NotActive,
    ResourceNotHeld,
    StaleFence,
)
from contextd.v1 import tracker_pb2 as pb

# What the end of a `with` may take when the server is away: a session, and all that it
# holds, ends by itself.
LEAVE_SECONDS = 2.0


@dataclass(frozen=True)
class TrackedOperations(ContextOperations):
    """The operations on one context with those on its history, files, usage and resources."""

    def by(self, lease: Optional[Lease]) -> TrackedOperations:
        """The same context, written by a session. ``None``: by the one that has it already."""
        if lease is None:
            if self.writer is None:
                raise ValueError("a resource is held by a session: say which")
            return self
        if lease.namespace != self.namespace:
            raise ValueError(
                f"the session is of the namespace {lease.namespace!r}, "
                f"the context of {self.namespace!r}"
            )
        if self.writer is not None and self.writer.lease is lease:
            return self
        return replace(self, writer=Writer(lease))

    def leave(self, operation: Operation[object], failed: bool) -> Operation[None]:
        """Gives something back at the end of a ``with``.

        What is gone with its context, or with a session that the program ended, need not be
        given back. When the program has ``failed``, its own exception is the one to be told.
        """
        try:
            yield from operation
        except ContextNotFound:
            return
        except (NotActive, StaleFence):
            if failed or (yield from self._is_gone()):
                return
            raise
        except ContextdError as error:
            ended = self.writer is not None and self.writer.lease.ended
            if failed or (ended and isinstance(error, ClientClosed)):
                return
            raise

    def _is_gone(self) -> Operation[bool]:
        """Asks whether the context is there no more. False where that cannot be told."""
        try:
            return (yield from self.status()).presence is tracking.Presence.NON_EXISTENT
        except ContextdError:
            return False

    def leaving(self, failed: bool) -> TrackedOperations:
        """The same with the time that there is at the end of a ``with``."""
        if not failed:
            return self
        timeout = min(self.settings.timeout, LEAVE_SECONDS)
        return replace(self, settings=self.settings.with_timeout(timeout))

    # History.

    def status(self) -> Operation[tracking.ContextStatus]:
        """Asks who has the context active."""
        request = pb.GetContextStatusRequest(namespace=self.namespace, context_id=self.id)
        return tracking.status_of((yield from call(self.settings, STATUS, request)))

    def record(
        self, activities: Iterable[tracking.Recordable], request_id: Optional[str]
    ) -> Operation[tracking.Recorded]:
        """Adds to the history: all the activities, or none."""
        write = self._write(request_id)
        request = pb.RecordActivitiesRequest(
            namespace=self.namespace,
            context_id=self.id,
            activities=[_requests.activity(done) for done in activities],
            create_if_missing=self._new_context(),
            write=write,
        )
        response = yield from self._send(RECORD, request, write.request_id)
        return tracking.Recorded(
            response.first_sequence,
            response.last_sequence,
            response.write.revision,
            response.write.replayed,
            write.request_id,
        )

    def history(
        self,
        types: Collection[str],
        start: Optional[datetime],
        end: Optional[datetime],
        newest_first: bool,
        from_sequence: int,
        page_size: int,
    ) -> Pages[tracking.Activity]:
        """Lists the history."""
        if isinstance(types, str):
            raise TypeError("types are several strings, not one")
        request = pb.ListActivitiesRequest(
            namespace=self.namespace,
            context_id=self.id,
            page_size=page_size,
            types=types,
            start_time=None if start is None else _requests.timestamp(start),
            end_time=None if end is None else _requests.timestamp(end),
            newest_first=newest_first,
            from_sequence=from_sequence,
        )

        def read(page: pb.ListActivitiesResponse) -> list[tracking.Activity]:
            return [tracking.activity_of(activity) for activity in page.activities]

        return Pages(self.settings, HISTORY, request, read)

    def truncate_history(
        self,
        from_sequence: Optional[int],
        from_time: Optional[datetime],
        request_id: Optional[str],
    ) -> Operation[tracking.Truncated]:
        """Drops what is before a sequence or a time."""
        if (from_sequence is None) == (from_time is None):
            raise ValueError("either from_sequence or from_time says what is kept")
        write = self._write(request_id)
        request = pb.TruncateHistoryRequest(
            namespace=self.namespace, context_id=self.id, write=write
        )
        if from_time is not None:
            request.from_time.CopyFrom(_requests.timestamp(from_time))
        elif from_sequence is not None:
            request.from_sequence = from_sequence
        response = yield from self._send(TRUNCATE, request, write.request_id)
        result = response.write
        return tracking.Truncated(
            response.removed_count, result.revision, result.replayed, write.request_id
        )

    def optimize_history(
        self,
        max_bytes: int,
        max_count: int,
        deduplicate: bool,
        dry_run: bool,
        request_id: Optional[str],
    ) -> Operation[tracking.Optimized]:
        """Makes the history smaller."""
        write = self._write(request_id)
        request = pb.OptimizeHistoryRequest(
            namespace=self.namespace,
            context_id=self.id,
            max_bytes=max_bytes,
            max_count=max_count,
            deduplicate=deduplicate,
            dry_run=dry_run,
            write=write,
        )
        response = yield from self._send(OPTIMIZE, request, write.request_id)
        return tracking.Optimized(
            response.removed_count,
            response.removed_bytes,
            response.kept_count,
            response.kept_bytes,
            response.write.revision,
            response.write.replayed,
            write.request_id,
        )

    # Files, models, resources.

    def files(self, prefix: str, page_size: int) -> Pages[tracking.TrackedFile]:
        """Lists the files that were touched."""
        request = pb.ListFilesRequest(
            namespace=self.namespace,
            context_id=self.id,
            page_size=page_size,
            path_prefix=prefix,
        )

        def read(page: pb.ListFilesResponse) -> list[tracking.TrackedFile]:
            return [tracking.tracked_file_of(file) for file in page.files]

        return Pages(self.settings, FILES, request, read)

    def usage(self) -> Operation[list[tracking.UsageTotal]]:
        """Adds up what models cost in this context."""
        self.check_named()
        return usage(self.settings, self.namespace, self.id)

    def resources(self, page_size: int) -> Pages[tracking.Resource]:
        """Lists the resources that are held."""
        request = pb.ListResourcesRequest(
            namespace=self.namespace, context_id=self.id, page_size=page_size
        )

        def read(page: pb.ListResourcesResponse) -> list[tracking.Resource]:
            return [tracking.resource_of(resource) for resource in page.resources]

        return Pages(self.settings, RESOURCES, request, read)

    def acquire(
        self, name: str, type: str, metadata: Mapping[str, str], request_id: Optional[str]
    ) -> Operation[tracking.Resource]:
        """Takes a resource for the session that writes."""
        write = self._write(request_id)
        request = pb.AcquireResourceRequest(
            namespace=self.namespace,
            context_id=self.id,
            session_id=write.session_id,
            name=name,
            type=type,
            metadata=metadata,
            write=write,
        )
        response = yield from self._send(ACQUIRE, request, write.request_id)
        if not response.HasField("resource"):  # To a repeat the answer is as of now.
            raise ResourceNotHeld(
                f"the resource {name!r} was taken, and is not held any more",
                grpc.StatusCode.FAILED_PRECONDITION,
                "RESOURCE_NOT_HELD",
            )
        return tracking.resource_of(response.resource)

    def release(self, name: str, request_id: Optional[str]) -> Operation[None]:
        """Gives a resource back, also where the activation is over that it was taken in."""
        write = self._write(request_id, fenced=False)
        request = pb.ReleaseResourceRequest(
            namespace=self.namespace,
            context_id=self.id,
            session_id=write.session_id,
            name=name,
            write=write,
        )
        yield from self._send(RELEASE, request, write.request_id)

    def deactivate(self, request_id: Optional[str]) -> Operation[tracking.SessionInfo]:
        """Ends the activation that writes; behind an exclusive one a later one stays."""
        write = self._write(request_id)
        request = pb.DeactivateContextRequest(
            namespace=self.namespace,
            session_id=write.session_id,
            context_id=self.id,
            write=write,
        )
        response = yield from self._send(DEACTIVATE, request, write.request_id)
        return tracking.session_of(response.session)


def usage(
    settings: Settings, namespace: str, context_id: str
) -> Operation[list[tracking.UsageTotal]]:
    """Adds up what models cost in a context, or without an id in all the namespace."""
    request = pb.SummarizeUsageRequest(namespace=namespace, context_id=context_id)
    response = yield from call(settings, USAGE, request)
    return [tracking.usage_total_of(total) for total in response.totals]
