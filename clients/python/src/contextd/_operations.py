"""Every operation of the client, without I/O. See ``_calls.py`` for how they run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Callable, Optional, TypeVar

from contextd import _pieces, _requests, _rules, values
from contextd._calls import (
    Collect,
    EntryReader,
    Operation,
    Pages,
    Settings,
    Sleep,
    call,
    call_together,
)
from contextd._lease import Writer
from contextd._methods import (
    CREATE,
    DELETE,
    GET,
    LIST,
    NAMESPACES,
    SERVER_INFO,
    UPDATE,
    Method,
    Request,
    Response,
)
from contextd.draft import Draft
from contextd.errors import (
    Conflict,
    ContextNotFound,
    EntryNotFound,
    ResponseTooLarge,
    StateNotRetained,
)
from contextd.v1 import context_manager_pb2 as pb
from contextd.v1 import resources_pb2

T = TypeVar("T")

_EMPTY = values.Snapshot(0, {}, [])


def list_contexts(settings: Settings, request: pb.ListContextsRequest) -> Pages[values.ContextInfo]:
    """Lists contexts."""
    return Pages(settings, LIST, request, lambda page: [values.info_of(c) for c in page.contexts])


def list_namespaces(settings: Settings) -> Pages[values.Namespace]:
    """Lists the namespaces that hold anything."""

    def read(page: pb.ListNamespacesResponse) -> list[values.Namespace]:
        return [values.Namespace(n.name, n.context_count, n.size_bytes) for n in page.namespaces]

    return Pages(settings, NAMESPACES, pb.ListNamespacesRequest(), read)


def server_info(settings: Settings, refresh: bool = False) -> Operation[values.ServerInfo]:
    """Gets what the server is; asks it the first time, or again."""
    known = settings.known
    if refresh or known.server is None:
        response = yield from call(settings, SERVER_INFO, pb.GetServerInfoRequest())
        known.server = values.server_info_of(response)
    return known.server


@dataclass(frozen=True)
class ContextOperations:
    """The operations on one context, or on the state of it that ``at`` names.

    Where there is a ``writer``, every write is its session's, and of its activation.
    """

    settings: Settings
    namespace: str
    id: str
    at: _requests.At = _requests.NEWEST
    create_if_missing: Optional[values.NewContext] = None
    writer: Optional[Writer] = None

    def state(self) -> resources_pb2.StateRef:
        """Names the state."""
        return _requests.state_ref(self.namespace, self.id, self.at)

    def check_named(self, request_id: Optional[str] = None) -> None:
        """Raises ``InvalidField`` where no id would stand for all of the namespace, or any."""
        _rules.check_id("context_id", self.id, request_id)

    # Reads.

    def _get(
        self,
        view: pb.ContextView.ValueType,
        keys: Collection[str] = (),
        prefix: str = "",
    ) -> Operation[resources_pb2.Context]:
        request = pb.GetContextRequest(
            state=self.state(),
            view=view,
            keys=_requests.to_keys(keys),
            key_prefix=_requests.to_key(prefix),
        )
        response = yield from call(self.settings, GET, request)
        return response.context

    def info(self) -> Operation[values.ContextInfo]:
        """Gets everything but the entries."""
        context = yield from self._get(pb.CONTEXT_VIEW_BASIC)
        return values.info_of(context)

    def contains(self, key: str) -> Operation[bool]:
        """Asks whether there is an entry, without its value."""
        context = yield from self._get(pb.CONTEXT_VIEW_KEYS, [key])
        return len(context.entries) > 0

    def entry(self, key: str) -> Operation[values.Entry]:
        """Gets one entry."""
        context = yield from self._get(pb.CONTEXT_VIEW_FULL, [key])
        if not context.entries:
            raise EntryNotFound(key)
        return values.entry_of(context.entries[0])

    def reader(
        self,
        prefix: str = "",
        after: str = "",
        before: str = "",
        reverse: bool = False,
        limit: int = 0,
        keys_only: bool = False,
        version: int = 0,
    ) -> EntryReader:
        """Prepares to read entries in order."""
        request = pb.ReadEntriesRequest(
            state=self.state(),
            key_prefix=_requests.to_key(prefix),
            after_key=_requests.to_key(after),
            before_key=_requests.to_key(before),
            reverse=reverse,
            limit=limit,
            keys_only=keys_only,
        )
        return EntryReader(self.settings, request, version)

    def snapshot(
        self, keys: Optional[Collection[str]] = None, prefix: str = ""
    ) -> Operation[values.Snapshot]:
        """Gets a state with its entries, in pieces when it does not fit into one message."""
        nothing = keys is not None and not keys and not prefix
        view = pb.CONTEXT_VIEW_BASIC if nothing else pb.CONTEXT_VIEW_FULL
        try:
            context = yield from self._get(view, keys or (), prefix)
        except ResponseTooLarge:
            return (yield from self._large_snapshot(keys, prefix))
        return values.snapshot_of(context)

    def _large_snapshot(
        self, keys: Optional[Collection[str]], prefix: str
    ) -> Operation[values.Snapshot]:
        for attempt in range(self.settings.retry.attempts):
            info = yield from self.info()
            state = self
            if not self.at.point_id:
                state = replace(self, at=_requests.At(info.version))
            try:
                entries = yield from state._pieces(keys, prefix, info.version)
                return values.Snapshot(info.version, info.metadata, entries)
            except StateNotRetained:
                # So many changes came while it was read that its version is gone.
                if not self.at.is_newest or attempt + 1 == self.settings.retry.attempts:
                    raise
        raise AssertionError("attempts is at least 1")

    def _pieces(
        self, keys: Optional[Collection[str]], prefix: str, version: int
    ) -> Operation[list[values.Entry]]:
        found: dict[str, values.Entry] = {}
        if keys is None or prefix:
            read: list[values.Entry] = yield Collect(self.reader(prefix, version=version))
            found = {entry.key: entry for entry in read}
        for key in set(keys or ()) - found.keys():
            try:
                found[key] = yield from self.entry(key)
            except EntryNotFound:
                continue
        return [found[key] for key in sorted(found, key=str.encode)]

    # Writes.

    def _write(self, request_id: Optional[str], fenced: bool = True) -> resources_pb2.WriteOptions:
        """What a write says about itself; only what is ``fenced`` may carry a fence."""
        write = resources_pb2.WriteOptions()
        self._set_write(write, request_id, fenced)
        return write

    def _set_write(
        self, write: resources_pb2.WriteOptions, request_id: Optional[str], fenced: bool = True
    ) -> str:
        """Fills in what a write says about itself; gives its request id."""
        write_id = self.settings.new_id() if request_id is None else request_id
        write.request_id = write_id
        if self.writer is not None:
            write.session_id = self.writer.lease.id
            write.fence = self.writer.fence if fenced else 0
        return write_id

    def _send(
        self, method: Method[Request, Response], request: Request, request_id: str
    ) -> Operation[Response]:
        """Calls a method that writes."""
        return self._guarded(call(self.settings, method, request, request_id))

    def _send_together(
        self, method: Method[Request, Response], request: Request, request_id: str
    ) -> Operation[Response]:
        """Calls a method that writes, perhaps in one call with others."""
        return self._guarded(call_together(self.settings, method, request, request_id))

    def _guarded(self, operation: Operation[T]) -> Operation[T]:
        return operation if self.writer is None else self.writer.lease.guard(operation)

    def _new_context(self) -> Optional[resources_pb2.NewContext]:
        create = self.create_if_missing
        return None if create is None else _requests.new_context(create)

    def create(
        self,
        properties: values.NewContext,
        puts: Mapping[str, values.Value],
        request_id: Optional[str],
    ) -> Operation[tuple[str, values.Written]]:
        """Creates the context; gives its id, which the server makes up where ``id`` is empty."""
        write = self._write(request_id, fenced=False)
        request = pb.CreateContextRequest(
            namespace=self.namespace,
            context_id=self.id,
            properties=_requests.new_context(properties),
            mutations=_requests.mutations(puts),
            write=write,
        )
        response = yield from self._send(CREATE, request, write.request_id)
        context = response.context
        return context.id, values.written_of(context.version, response.write, write.request_id)

    def _change_request(
        self,
        mutations: Collection[resources_pb2.Mutation] = (),
        preconditions: Collection[resources_pb2.Precondition] = (),
    ) -> pb.UpdateContextRequest:
        """What asks for a change; without what a write says about itself."""
        # Filled in where it stands: each message that is given to another is copied.
        request = pb.UpdateContextRequest(namespace=self.namespace, context_id=self.id)
        if mutations:
            request.mutations.extend(mutations)
        if preconditions:
            request.preconditions.extend(preconditions)
        if self.create_if_missing is not None:
            _requests.set_new_context(request.create_if_missing, self.create_if_missing)
        return request

    def part_of_batch(
        self,
        mutations: Collection[resources_pb2.Mutation],
        preconditions: Collection[resources_pb2.Precondition],
    ) -> pb.UpdateContextRequest:
        """The same as a part of an atomic batch, which has the request id.

        Raises ``SessionLost`` or ``ClientClosed`` where it is a session's that is over.
        """
        if self.writer is not None:
            self.writer.lease.check()
        request = self._change_request(mutations, preconditions)
        self._set_write(request.write, "")
        return request

    def update(
        self,
        mutations: Collection[resources_pb2.Mutation],
        preconditions: Collection[resources_pb2.Precondition] = (),
        request_id: Optional[str] = None,
    ) -> Operation[values.Written]:
        """Changes the context: all the mutations, or none."""
        request = self._change_request(mutations, preconditions)
        return self._change(request, request_id, checked=False)

    def put(
        self, key: str, content: values.Content, request_id: Optional[str] = None
    ) -> Operation[values.Written]:
        """Sets one entry. As :meth:`update`, in fewer steps: it is what programs do most."""
        request = self._change_request()
        _requests.set_put_entry(request.mutations.add(), key, content)
        checked = (
            request_id is None
            and self.create_if_missing is None
            and self.writer is None
            and _rules.is_plain_put(self.namespace, self.id, key, content.content_type)
        )
        return self._change(request, request_id, checked)

    def _change(
        self, request: pb.UpdateContextRequest, request_id: Optional[str], checked: bool
    ) -> Operation[values.Written]:
        """Sends a change, perhaps in one call with others."""
        write_id = self._set_write(request.write, request_id)
        operation = call_together(self.settings, UPDATE, request, write_id, checked)
        response = yield from self._guarded(operation)
        return values.written_of(response.version, response.write, write_id)

    def put_all(
        self,
        puts: Mapping[str, values.Value],
        metadata: Mapping[str, Optional[str]],
        if_version: Optional[int],
    ) -> Operation[values.Written]:
        """Writes any number of entries, in as many changes as it takes."""
        server = yield from server_info(self.settings)
        steps = _pieces.steps(puts, _pieces.size_of(server))
        pieces = _pieces.grouped(steps, _pieces.size_of(server))
        labels = _requests.mutations(metadata=metadata)
        following = next(pieces, [])
        guards = _requests.preconditions(if_version)
        while True:
            piece, following = following, next(pieces, [])
            if following:
                yield from self.update(piece, guards)
            else:
                return (yield from self.update([*piece, *labels], guards))
            guards = []

    def delete(
        self,
        recursive: bool,
        purge: bool,
        allow_missing: bool,
        if_version: Optional[int],
        request_id: Optional[str],
    ) -> Operation[int]:
        """Deletes the context; gives how many are gone."""
        write = self._write(request_id)
        request = pb.DeleteContextRequest(
            namespace=self.namespace,
            context_id=self.id,
            preconditions=_requests.preconditions(if_version),
            allow_missing=allow_missing,
            recursive=recursive,
            purge=purge,
            write=write,
        )
        response = yield from self._send(DELETE, request, write.request_id)
        return response.deleted_count

    def _lost(self, attempt: int, conflict: Conflict) -> Operation[None]:
        """Waits after the lost race number ``attempt``, or gives up with its error."""
        retry = self.settings.retry
        if attempt + 1 >= retry.attempts:
            raise conflict
        yield Sleep(retry.delay_after_conflict(attempt, self.settings.random()))

    def _old_entry(self, key: str) -> Operation[Optional[values.Entry]]:
        try:
            return (yield from self.entry(key))
        except EntryNotFound:
            return None
        except ContextNotFound:
            if self.create_if_missing is None:
                raise
            return None

    def edit(
        self, key: str, change: Callable[[Optional[bytes]], Optional[values.Value]]
    ) -> Operation[values.Written]:
        """Sets an entry to what ``change`` makes of it, if nobody else did meanwhile."""
        attempt = 0
        while True:
            old = yield from self._old_entry(key)
            new = change(None if old is None else old.value)
            if new is None:
                step = _requests.delete_entry(key)
            else:
                content = values.to_content(new)
                if old is not None and not content.content_type:
                    content = values.Content(content.value, old.content_type)
                step = _requests.put_entry(key, content)
            guard = _requests.preconditions(if_entries={key: 0 if old is None else old.version})
            try:
                return (yield from self.update([step], guard))
            except Conflict as conflict:
                yield from self._lost(attempt, conflict)
            attempt += 1

    def _old_snapshot(self, keys: Optional[Collection[str]]) -> Operation[values.Snapshot]:
        try:
            return (yield from self.snapshot(keys))
        except ContextNotFound:
            if self.create_if_missing is None:
                raise
            return _EMPTY

    def transact(
        self, change: Callable[[Draft], T], keys: Optional[Collection[str]]
    ) -> Operation[T]:
        """Writes what ``change`` does to a draft, if nobody else did meanwhile."""
        attempt = 0
        while True:
            draft = Draft((yield from self._old_snapshot(keys)), keys)
            result = change(draft)
            mutations = draft.mutations()
            if not mutations:
                return result
            try:
                yield from self.update(mutations, draft.preconditions())
            except Conflict as conflict:
                yield from self._lost(attempt, conflict)
            else:
                return result
            attempt += 1
