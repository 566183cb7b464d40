"""The client for asyncio. It does what :mod:`contextd.client` does, and waits in the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Collection, Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Callable, Optional, TypeVar, cast, overload

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

if TYPE_CHECKING:
    from contextd.v1.context_manager_pb2_grpc import ContextManagerAsyncStub

T = TypeVar("T")

_NO_VALUES: Mapping[str, Value] = {}
_NO_LABELS: Mapping[str, Optional[str]] = {}
_NO_VERSIONS: Mapping[str, int] = {}


def _error(error: grpc.aio.AioRpcError) -> errors.ContextdError:
    return errors.from_status(error.code(), error.details() or "", error.trailing_metadata())


class _Runner:
    """Performs the steps of operations: the I/O of the client, all of it."""

    def __init__(self, stub: ContextManagerAsyncStub) -> None:
        self.sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
        self._stub = stub
        self._methods = {
            method.name: cast(Callable[..., Awaitable[object]], getattr(stub, method.name))
            for method in _calls.UNARY
        }

    async def run(self, operation: Operation[T]) -> T:
        try:
            step = next(operation)
            while True:
                try:
                    outcome = await self._perform(step)
                except errors.ContextdError as error:
                    step = operation.throw(error)
                else:
                    step = operation.send(outcome)
        except StopIteration as stop:
            return cast(T, stop.value)

    async def _perform(self, step: _calls.Step) -> object:
        if isinstance(step, _calls.Invoke):
            try:
                return await self._methods[step.method](step.request, timeout=step.timeout)
            except grpc.aio.AioRpcError as error:
                raise _error(error) from error
        if isinstance(step, _calls.Sleep):
            await self.sleep(step.seconds)
            return None
        return [entry async for entry in self.read(step.reader)]

    async def read(self, reader: _calls.EntryReader) -> AsyncIterator[Entry]:
        while not reader.done:
            stream = self._stub.ReadEntries(reader.request(), timeout=reader.timeout)
            try:
                async for response in stream:
                    for entry in reader.accept(response):
                        yield entry
                return
            except grpc.aio.AioRpcError as error:
                delay = reader.delay_after(_error(error))
            finally:
                stream.cancel()
            await self.sleep(delay)


class AsyncContextState:
    """Reads one context: its newest state, or the one that :meth:`AsyncContext.at` named.

    Every read may raise :class:`~contextd.ContextNotFound`; those of an earlier state also
    :class:`~contextd.StateNotRetained`.
    """

    def __init__(self, runner: _Runner, operations: _operations.ContextOperations) -> None:
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
        at = f" at={self._operations.at}" if self._operations.at else ""
        return f"<{type(self).__name__} {self.id!r} namespace={self.namespace!r}{at}>"

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


class AsyncContext(AsyncContextState):
    """One context: a dictionary with versions, on the server.

    Made by :meth:`AsyncClient.context`; making one calls nobody. Arguments, results and
    errors are those of :class:`contextd.Context`.
    """

    def at(self, version: int) -> AsyncContextState:
        """Gives the state with this number, to read, while the server keeps it."""
        if version < 1:
            raise ValueError("a version is at least 1")
        operations = _operations.ContextOperations(
            self._operations.settings, self.namespace, self.id, version
        )
        return AsyncContextState(self._runner, operations)

    async def create(
        self,
        properties: Optional[NewContext] = None,
        puts: Mapping[str, Value] = _NO_VALUES,
        *,
        request_id: Optional[str] = None,
    ) -> Written:
        """Creates the context with the entries ``puts``. As :meth:`contextd.Context.create`."""
        if not self.id:
            raise ValueError("a context without an id is created by AsyncClient.create")
        return (await self._create(properties, puts, request_id))[1]

    async def _create(
        self,
        properties: Optional[NewContext],
        puts: Mapping[str, Value],
        request_id: Optional[str],
    ) -> tuple[str, Written]:
        properties = NewContext() if properties is None else properties
        return await self._runner.run(self._operations.create(properties, puts, request_id))

    async def put(
        self,
        key: str,
        value: Value,
        *,
        content_type: Optional[str] = None,
        request_id: Optional[str] = None,
    ) -> Written:
        """Sets a value and its content type. As :meth:`contextd.Context.put`."""
        content = to_content(value, content_type)
        return await self._update([_requests.put_entry(key, content)], request_id)

    async def put_json(
        self,
        key: str,
        value: Any,  # noqa: ANN401  JSON holds anything
        *,
        request_id: Optional[str] = None,
    ) -> Written:
        """Sets a value to the JSON form of ``value``. See :func:`~contextd.to_json`."""
        return await self.put(key, to_json(value), request_id=request_id)

    async def append(
        self,
        key: str,
        value: Value,
        *,
        expected_size: Optional[int] = None,
        request_id: Optional[str] = None,
    ) -> Written:
        """Adds bytes to the end of a value. As :meth:`contextd.Context.append`."""
        step = _requests.append_entry(key, to_content(value), expected_size)
        return await self._update([step], request_id)

    async def remove(self, key: str, *, request_id: Optional[str] = None) -> Written:
        """Removes an entry. A missing one is no error."""
        return await self._update([_requests.delete_entry(key)], request_id)

    async def update(
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
        """Changes the context in one step. As :meth:`contextd.Context.update`."""
        steps = _requests.mutations(
            puts,
            deletes=deletes,
            delete_prefixes=delete_prefixes,
            appends=appends,
            metadata=metadata,
            expiry=expiry,
        )
        guards = _requests.preconditions(if_version, if_entries)
        return await self._runner.run(self._operations.update(steps, guards, request_id))

    async def _update(
        self, steps: list[resources_pb2.Mutation], request_id: Optional[str]
    ) -> Written:
        return await self._runner.run(self._operations.update(steps, (), request_id))

    async def edit(self, key: str, change: Callable[[Optional[bytes]], Optional[Value]]) -> Written:
        """Reads a value, changes it, and writes it back. As :meth:`contextd.Context.edit`.

        ``change`` is a plain function: it runs in the loop and should be quick.
        """
        return await self._runner.run(self._operations.edit(key, change))

    async def transact(
        self, change: Callable[[Draft], T], *, keys: Optional[Collection[str]] = None
    ) -> T:
        """Lets ``change`` work on a draft and writes it. As :meth:`contextd.Context.transact`.

        ``change`` is a plain function: it runs in the loop and should be quick.
        """
        return await self._runner.run(self._operations.transact(change, keys))

    async def delete(
        self,
        *,
        recursive: bool = False,
        purge: bool = False,
        allow_missing: bool = False,
        if_version: Optional[int] = None,
        request_id: Optional[str] = None,
    ) -> int:
        """Deletes the context; gives how many are gone. As :meth:`contextd.Context.delete`."""
        return await self._runner.run(
            self._operations.delete(recursive, purge, allow_missing, if_version, request_id)
        )


class AsyncClient:
    """A connection to a contextd server, for any number of tasks of one event loop.

    Made inside the running loop. The arguments are those of :class:`contextd.Client`.

    Example:
        >>> async with AsyncClient("127.0.0.1:7420") as client:
        ...     chat = await client.create("chat-1")
        ...     await chat.put("system", "You are helpful.")
        ...     print(await chat.get_text("system"))
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
        self._channel = grpc.aio.insecure_channel(address, _channel.channel_options(options))
        self._runner = _Runner(ContextManagerStub(self._channel))

    async def close(self) -> None:
        """Ends the connection; calls that are under way are cancelled."""
        await self._channel.close()

    async def __aenter__(self) -> AsyncClient:
        """Gives the client itself."""
        return self

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Ends the connection."""
        await self.close()

    def context(
        self,
        context_id: str,
        *,
        create_if_missing: Optional[NewContext] = None,
        namespace: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> AsyncContext:
        """Names a context, without a call. As :meth:`contextd.Client.context`."""
        operations = _operations.ContextOperations(
            settings=self._settings.with_timeout(timeout),
            namespace=self._settings.namespace if namespace is None else namespace,
            id=context_id,
            create_if_missing=create_if_missing,
        )
        return AsyncContext(self._runner, operations)

    async def create(
        self,
        context_id: str = "",
        properties: Optional[NewContext] = None,
        puts: Mapping[str, Value] = _NO_VALUES,
        *,
        namespace: Optional[str] = None,
        request_id: Optional[str] = None,
    ) -> AsyncContext:
        """Creates a context; without an id the server makes one up.

        As :meth:`contextd.Client.create`.
        """
        created_id, _ = await self.context(context_id, namespace=namespace)._create(
            properties, puts, request_id
        )
        return self.context(created_id, namespace=namespace)

    async def contexts(
        self,
        *,
        prefix: str = "",
        type: str = "",
        parent_id: str = "",
        metadata: Optional[Mapping[str, str]] = None,
        deleted: bool = False,
        page_size: int = 0,
        namespace: Optional[str] = None,
    ) -> AsyncIterator[ContextInfo]:
        """Lists contexts in the order of their ids. As :meth:`contextd.Client.contexts`."""
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
            rows, request.page_token = await self._runner.run(page)
            for row in rows:
                yield row
            more = request.page_token != ""

    async def namespaces(self) -> AsyncIterator[Namespace]:
        """Lists the namespaces that hold anything, by name."""
        request = pb.ListNamespacesRequest()
        more = True
        while more:
            page = _operations.list_namespaces(self._settings, request)
            rows, request.page_token = await self._runner.run(page)
            for row in rows:
                yield row
            more = request.page_token != ""

    async def server_info(self) -> ServerInfo:
        """Asks the server for its version and its limits."""
        return await self._runner.run(_operations.server_info(self._settings))
