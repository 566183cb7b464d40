"""The client for asyncio itself."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Callable, Optional, Union

import grpc

from contextd import (
    _channel,
    _operations,
    _recovery,
    _requests,
    _sessions,
    _several,
    _subscribing,
    _tracked,
)
from contextd._calls import Settings
from contextd._rules import DEFAULT_NAMESPACE
from contextd.aio._runner import AsyncConnection, AsyncRunner, Token
from contextd.aio._streams import AsyncStreams
from contextd.aio.context import AsyncContext
from contextd.aio.live_view import AsyncLiveView
from contextd.aio.session import AsyncSession
from contextd.aio.state import AsyncContextState
from contextd.aio.subscription import AsyncSubscription
from contextd.batch import ContextUpdate, PointBatch
from contextd.connecting import OnCall, Tls
from contextd.errors import SessionLost
from contextd.events import EventType
from contextd.live_view import FOREVER, Following, OnEvent, OnRestart
from contextd.recovery import PointResult, Pruned, RecoveryPoint
from contextd.retry import RetryPolicy
from contextd.tracking import SessionInfo, UsageTotal
from contextd.v1 import context_manager_pb2 as pb
from contextd.v1 import recovery_pb2, tracker_pb2
from contextd.values import (
    ContextInfo,
    Namespace,
    NewContext,
    RetentionPolicy,
    ServerInfo,
    Snapshot,
    SnapshotResult,
    Value,
    Written,
)

_NO_VALUES: Mapping[str, Value] = {}
_NO_LABELS: Mapping[str, str] = {}


class AsyncClient:
    """A connection to a contextd server, for any number of tasks of one event loop.

    Made inside the running loop. The arguments are those of :class:`contextd.Client`, with the
    interceptors of ``grpc.aio``; ``token`` may be a coroutine function, too.

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
        namespace: str = DEFAULT_NAMESPACE,
        timeout: float = 10.0,
        retry: Optional[RetryPolicy] = None,
        coalescing: bool = True,
        tls: Optional[Tls] = None,
        token: Optional[Token] = None,
        interceptors: Sequence[grpc.aio.ClientInterceptor] = (),
        on_call: Optional[OnCall] = None,
        options: _channel.Options = (),
    ) -> None:
        """Prepares the connection."""
        _channel.check_token(address, token, tls)
        self._settings = Settings(
            namespace,
            timeout,
            retry or RetryPolicy(),
            address=address,
            coalescing=coalescing,
            on_call=on_call,
        )
        known = _channel.channel_options(options, tls)
        if tls is None:
            channel = grpc.aio.insecure_channel(address, known, interceptors=interceptors)
        else:
            channel = grpc.aio.secure_channel(
                address, _channel.credentials(tls), known, interceptors=interceptors
            )
        self._runner = AsyncRunner(AsyncConnection(channel, token))
        self._sessions: set[AsyncSession] = set()
        self._subscriptions: weakref.WeakSet[AsyncSubscription] = weakref.WeakSet()

    async def close(self) -> None:
        """Ends the connection. As :meth:`contextd.Client.close`."""
        if self._runner.connection.foreign:
            return
        for subscription in list(self._subscriptions):
            await subscription.aclose()
        for session in list(self._sessions):
            await session._abandon()
        await self._runner.close()

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

    def _namespace(self, namespace: Optional[str]) -> str:
        return self._settings.namespace if namespace is None else namespace

    def context(
        self,
        context_id: str,
        *,
        create_if_missing: Optional[NewContext] = None,
        namespace: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> AsyncContext:
        """Names a context, without a call. As :meth:`contextd.Client.context`."""
        operations = _recovery.RecoveryOperations(
            settings=self._settings.with_timeout(timeout),
            namespace=self._namespace(namespace),
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
            namespace=self._namespace(namespace),
            id_prefix=prefix,
            type=type,
            parent_id=parent_id,
            metadata=metadata or {},
            deleted=deleted,
            page_size=page_size,
        )
        async for row in self._runner.rows(_operations.list_contexts(self._settings, request)):
            yield row

    async def namespaces(self) -> AsyncIterator[Namespace]:
        """Lists the namespaces that hold anything, by name."""
        async for row in self._runner.rows(_operations.list_namespaces(self._settings)):
            yield row

    async def server_info(self, *, refresh: bool = False) -> ServerInfo:
        """Gets the server's version and limits. As :meth:`contextd.Client.server_info`."""
        return await self._runner.run(_operations.server_info(self._settings, refresh))

    def session(
        self,
        *,
        owner: str = "",
        ttl: Union[timedelta, float] = 60.0,
        metadata: Mapping[str, str] = _NO_LABELS,
        default_context_id: str = "",
        create_if_missing: Optional[NewContext] = None,
        max_active_contexts: int = 0,
        recovery_point_on_loss: bool = False,
        on_lost: Optional[Callable[[SessionLost], object]] = None,
        namespace: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> AsyncSession:
        """Prepares a session, without a call; ``async with`` begins it and ends it.

        As :meth:`contextd.Client.session`. ``on_lost`` is a plain function, called in the
        loop; what it raises goes to the loop's exception handler.

        Example:
            >>> async with client.session(owner="agent-7", on_lost=print) as session:
            ...     async with session.activate("chat-1", exclusive=True) as chat:
            ...         await chat.put("state", "working")
        """
        new = _sessions.NewSession(
            namespace=self._namespace(namespace),
            owner=owner,
            ttl=_requests.to_timedelta(ttl),
            metadata=metadata,
            default_context_id=default_context_id,
            create_if_missing=create_if_missing,
            max_active_contexts=max_active_contexts,
            recovery_point_on_loss=recovery_point_on_loss,
        )
        operations = _sessions.SessionOperations(self._settings.with_timeout(timeout), new)
        return AsyncSession(self._runner, operations, self._sessions, on_lost)

    async def sessions(
        self, *, owner: str = "", page_size: int = 0, namespace: Optional[str] = None
    ) -> AsyncIterator[SessionInfo]:
        """Lists the live sessions of everybody. As :meth:`contextd.Client.sessions`."""
        pages = _sessions.list_sessions(
            self._settings, self._namespace(namespace), owner, page_size
        )
        async for row in self._runner.rows(pages):
            yield row

    async def session_info(
        self, session_id: str, *, namespace: Optional[str] = None
    ) -> SessionInfo:
        """Gets what the server knows of anybody's session.

        As :meth:`contextd.Client.session_info`.
        """
        return await self._runner.run(
            _sessions.session_info(self._settings, self._namespace(namespace), session_id)
        )

    async def end_session(
        self,
        session_id: str,
        *,
        namespace: Optional[str] = None,
        request_id: Optional[str] = None,
    ) -> None:
        """Ends anybody's session. As :meth:`contextd.Client.end_session`."""
        await self._runner.run(
            _sessions.end_session(
                self._settings, self._namespace(namespace), session_id, request_id
            )
        )

    async def usage(self, *, namespace: Optional[str] = None) -> list[UsageTotal]:
        """Gets what models cost in a namespace. As :meth:`contextd.Client.usage`."""
        return await self._runner.run(
            _tracked.usage(self._settings, self._namespace(namespace), context_id="")
        )

    async def points(
        self,
        *,
        prefix: str = "",
        metadata: Mapping[str, str] = _NO_LABELS,
        entries: bool = False,
        attachments: bool = False,
        keys: Collection[str] = (),
        page_size: int = 0,
        namespace: Optional[str] = None,
    ) -> AsyncIterator[RecoveryPoint]:
        """Lists recovery points of many contexts. As :meth:`contextd.Client.points`."""
        request = recovery_pb2.ListRecoveryPointsRequest(
            namespace=self._namespace(namespace),
            id_prefix=prefix,
            page_size=page_size,
            metadata=metadata,
            with_entries=entries,
            with_attachments=attachments,
            keys=_recovery.several(keys),
        )
        async for row in self._runner.rows(_recovery.list_points(self._settings, request)):
            yield row

    async def prune_points(
        self,
        *,
        prefix: str = "",
        metadata: Mapping[str, str] = _NO_LABELS,
        policy: Optional[RetentionPolicy] = None,
        dry_run: bool = False,
        namespace: Optional[str] = None,
        request_id: Optional[str] = None,
    ) -> Pruned:
        """Drops recovery points of many contexts. As :meth:`contextd.Client.prune_points`."""
        return await self._runner.run(
            _recovery.prune_points(
                self._settings,
                self._namespace(namespace),
                prefix,
                metadata,
                policy,
                dry_run,
                request_id,
            )
        )

    async def snapshots(self, states: Iterable[AsyncContextState]) -> list[SnapshotResult]:
        """Gets whole states of several contexts. As :meth:`contextd.Client.snapshots`."""
        wanted = [state._operations for state in states]
        return await self._runner.run(_several.snapshots(self._settings, wanted))

    async def update_all(
        self, updates: Iterable[ContextUpdate], *, request_id: Optional[str] = None
    ) -> list[Written]:
        """Changes several contexts in one step. As :meth:`contextd.Client.update_all`."""
        wanted = list(updates)
        parts = [update._request() for update in wanted]
        leases = {lease for update in wanted if (lease := update._lease()) is not None}
        write = _several.write(self._settings, request_id)
        return await self._runner.run(_several.update_all(self._settings, parts, write, leases))

    async def batch_points(self, batch: PointBatch) -> list[PointResult]:
        """Does many operations on recovery points. As :meth:`contextd.Client.batch_points`."""
        return await self._runner.run(
            _recovery.batch_points(self._settings, batch._operations, batch._leases)
        )

    def subscribe(
        self,
        *,
        context_ids: Collection[str] = (),
        id_prefix: str = "",
        type: str = "",
        metadata: Mapping[str, str] = _NO_LABELS,
        event_types: Collection[EventType] = (),
        key_prefix: str = "",
        cursor: Optional[str] = None,
        from_oldest: bool = False,
        snapshot: bool = False,
        without_values: bool = False,
        progress: bool = False,
        progress_interval: Union[timedelta, float] = 10.0,
        reconnect_timeout: Optional[float] = None,
        namespace: Optional[str] = None,
    ) -> AsyncSubscription:
        """Prepares to tell what happens, in order. As :meth:`contextd.Client.subscribe`.

        Example:
            >>> async with client.subscribe(id_prefix="chat-") as events:
            ...     async for event in events:
            ...         print(event.type.value, event.context_id)
            created chat-8
        """
        request = _subscribing.new_request(
            namespace=self._namespace(namespace),
            context_ids=context_ids,
            id_prefix=id_prefix,
            type=type,
            metadata=metadata,
            event_types=event_types,
            key_prefix=key_prefix,
            cursor=cursor,
            from_oldest=from_oldest,
            snapshot=snapshot,
            without_values=without_values,
            progress_interval=progress_interval,
        )
        return self._subscription(request, progress, reconnect_timeout)

    def _subscription(
        self,
        request: tracker_pb2.SubscribeRequest,
        progress: bool,
        reconnect_timeout: Optional[float],
    ) -> AsyncSubscription:
        patience = self._settings.timeout if reconnect_timeout is None else reconnect_timeout
        feed = _subscribing.Feed(self._settings, request, progress, patience)
        subscription = AsyncSubscription(AsyncStreams(self._runner.subscribe, feed), feed)
        self._subscriptions.add(subscription)
        return subscription

    def view(
        self,
        *,
        context_ids: Collection[str] = (),
        id_prefix: str = "",
        type: str = "",
        metadata: Mapping[str, str] = _NO_LABELS,
        key_prefix: str = "",
        on_event: Optional[OnEvent] = None,
        on_restart: Optional[OnRestart] = None,
        progress_interval: Union[timedelta, float] = 10.0,
        reconnect_timeout: Optional[float] = None,
        namespace: Optional[str] = None,
    ) -> AsyncLiveView:
        """Prepares to keep contexts in memory. As :meth:`contextd.Client.view`.

        Example:
            >>> async with client.view(id_prefix="chat-") as view:
            ...     print(view.ids())
            ['chat-1', 'chat-7']
        """
        request = _subscribing.new_request(
            namespace=self._namespace(namespace),
            context_ids=context_ids,
            id_prefix=id_prefix,
            type=type,
            metadata=metadata,
            event_types=(),
            key_prefix=key_prefix,
            cursor=None,
            from_oldest=False,
            snapshot=True,
            without_values=False,
            progress_interval=progress_interval,
        )

        def subscribe() -> AsyncSubscription:
            return self._subscription(request, True, reconnect_timeout)

        async def read(context_id: str) -> Snapshot:
            timeout = None if reconnect_timeout is None else min(reconnect_timeout, FOREVER)
            context = self.context(context_id, namespace=namespace, timeout=timeout)
            return await context.snapshot(prefix=key_prefix)

        following = Following(self._settings, key_prefix, dict(metadata), on_event, on_restart)
        return AsyncLiveView(following, subscribe, read)
