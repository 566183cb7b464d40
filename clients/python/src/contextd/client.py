"""The synchronous client. See :mod:`contextd.aio` for asyncio."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any, Callable, Optional, TypeVar, cast, overload

import grpc

from contextd import _calls, _channel, _operations, _requests, errors
from contextd._calls import Operation, Settings
from contextd.draft import Draft
from contextd.retry import RetryPolicy
from contextd.v1 import context_manager_pb2 as pb
from contextd.v1 import resources_pb2
from contextd.v1.context_manager_pb2_grpc import ContextManagerStub
from contextd.values import (
    ContextInfo,
    Entry,
    Expiry,
    Namespace,
    NewContext,
    ServerInfo,
    Snapshot,
    Value,
    Written,
    to_content,
    to_json,
)

T = TypeVar("T")

_NO_VALUES: Mapping[str, Value] = {}
_NO_LABELS: Mapping[str, Optional[str]] = {}
_NO_VERSIONS: Mapping[str, int] = {}


def _error(error: grpc.RpcError) -> errors.ContextdError:
    call = cast(grpc.Call, error)
    return errors.from_status(call.code(), call.details() or "", call.trailing_metadata() or ())


class _Runner:
    """Performs the steps of operations: the I/O of the client, all of it."""

    def __init__(self, stub: ContextManagerStub) -> None:
        self.sleep: Callable[[float], None] = time.sleep
        self._stub = stub
        self._methods = {
            method.name: cast(Callable[..., Any], getattr(stub, method.name))
            for method in _calls.UNARY
        }

    def run(self, operation: Operation[T]) -> T:
        try:
            step = next(operation)
            while True:
                try:
                    outcome = self._perform(step)
                except errors.ContextdError as error:
                    step = operation.throw(error)
                else:
                    step = operation.send(outcome)
        except StopIteration as stop:
            return cast(T, stop.value)

    def _perform(self, step: _calls.Step) -> object:
        if isinstance(step, _calls.Invoke):
            try:
                return self._methods[step.method](step.request, timeout=step.timeout)
            except grpc.RpcError as error:
                raise _error(error) from error
        if isinstance(step, _calls.Sleep):
            self.sleep(step.seconds)
            return None
        return list(self.read(step.reader))

    def read(self, reader: _calls.EntryReader) -> Iterator[Entry]:
        while not reader.done:
            stream = self._stub.ReadEntries(reader.request(), timeout=reader.timeout)
            try:
                for response in stream:
                    yield from reader.accept(response)
                return
            except grpc.RpcError as error:
                delay = reader.delay_after(_error(error))
            finally:
                stream.cancel()
            self.sleep(delay)


class ContextState:
    """Reads one context: its newest state, or the one that :meth:`Context.at` named.

    Every read may raise :class:`~contextd.ContextNotFound`; those of an earlier state also
    :class:`~contextd.StateNotRetained`.
    """

    def __init__(self, runner: _Runner, operations: _operations.ContextOperations) -> None:
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
        at = f" at={self._operations.at}" if self._operations.at else ""
        return f"<{type(self).__name__} {self.id!r} namespace={self.namespace!r}{at}>"

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


class Context(ContextState):
    """One context: a dictionary with versions, on the server.

    Made by :meth:`Client.context`; making one calls nobody. Values are written as bytes or
    ``str`` (see :mod:`contextd.values`) and read as bytes. Every write carries a request id
    and is repeated where that is safe; pass ``request_id`` to make your own repetitions safe
    too. Safe to use from many threads.

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
        operations = _operations.ContextOperations(
            self._operations.settings, self.namespace, self.id, version
        )
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


class Client:
    """A connection to a contextd server, for any number of threads.

    Args:
        address: ``host:port``.
        namespace: Isolates: contexts of other namespaces are not seen.
        timeout: Seconds for each call, all its repetitions included.
        retry: How calls are repeated.
        options: Further options of the gRPC channel.

    Making one calls nobody; the first call connects.

    Example:
        >>> with Client("127.0.0.1:7420") as client:
        ...     chat = client.create("chat-1")
        ...     chat["system"] = "You are helpful."
        ...     print(chat.get_text("system"))
        You are helpful.
    """

    def __init__(
        self,
        address: str = "127.0.0.1:7420",
        *,
        namespace: str = "default",
        timeout: float = 10.0,
        retry: Optional[RetryPolicy] = None,
        options: _channel.Options = (),
    ) -> None:
        """Prepares the connection."""
        self._settings = Settings(namespace, timeout, retry or RetryPolicy())
        self._channel = grpc.insecure_channel(address, _channel.channel_options(options))
        self._runner = _Runner(ContextManagerStub(self._channel))

    def close(self) -> None:
        """Ends the connection; calls that are under way are cancelled."""
        self._channel.close()

    def __enter__(self) -> Client:
        """Gives the client itself."""
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Ends the connection."""
        self.close()

    def context(
        self,
        context_id: str,
        *,
        create_if_missing: Optional[NewContext] = None,
        namespace: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> Context:
        """Names a context, without a call.

        Args:
            context_id: 1 to 256 bytes of UTF-8.
            create_if_missing: Let a write create the context like this when there is none.
                Reads never create one.
            namespace: Another than the client's.
            timeout: Another than the client's, in seconds.
        """
        operations = _operations.ContextOperations(
            settings=self._settings.with_timeout(timeout),
            namespace=self._settings.namespace if namespace is None else namespace,
            id=context_id,
            create_if_missing=create_if_missing,
        )
        return Context(self._runner, operations)

    def create(
        self,
        context_id: str = "",
        properties: Optional[NewContext] = None,
        puts: Mapping[str, Value] = _NO_VALUES,
        *,
        namespace: Optional[str] = None,
        request_id: Optional[str] = None,
    ) -> Context:
        """Creates a context; without an id the server makes one up.

        Raises:
            ContextExists: there is one.
            ParentNotFound: its parent does not exist.

        Example:
            >>> client.create(properties=NewContext(type="chat"), puts={"system": "Be brief."}).id
            '0f8b8c1e-...'
        """
        created_id, _ = self.context(context_id, namespace=namespace)._create(
            properties, puts, request_id
        )
        return self.context(created_id, namespace=namespace)

    def contexts(
        self,
        *,
        prefix: str = "",
        type: str = "",
        parent_id: str = "",
        metadata: Optional[Mapping[str, str]] = None,
        deleted: bool = False,
        page_size: int = 0,
        namespace: Optional[str] = None,
    ) -> Iterator[ContextInfo]:
        """Lists contexts in the order of their ids, page after page as it is iterated.

        Args:
            prefix: Only ids that begin with it.
            type: Only contexts of this type.
            parent_id: Only the children of this one.
            metadata: Only those with all these labels.
            deleted: Those that were deleted and can still be brought back, instead.
            page_size: Contexts asked for at once, up to 1,000. 0: the server's 100.
            namespace: Another than the client's.

        Example:
            >>> [context.id for context in client.contexts(metadata={"user": "mia"})]
            ['chat-1', 'chat-7']
        """
        request = pb.ListContextsRequest(
            namespace=self._settings.namespace if namespace is None else namespace,
            id_prefix=prefix,
            type=type,
            parent_id=parent_id,
            metadata=metadata or {},
            deleted=deleted,
            page_size=page_size,
        )
        more = True
        while more:
            page = _operations.list_contexts(self._settings, request)
            rows, request.page_token = self._runner.run(page)
            yield from rows
            more = request.page_token != ""

    def namespaces(self) -> Iterator[Namespace]:
        """Lists the namespaces that hold anything, by name."""
        request = pb.ListNamespacesRequest()
        more = True
        while more:
            page = _operations.list_namespaces(self._settings, request)
            rows, request.page_token = self._runner.run(page)
            yield from rows
            more = request.page_token != ""

    def server_info(self) -> ServerInfo:
        """Asks the server for its version and its limits."""
        return self._runner.run(_operations.server_info(self._settings))
