"""The synchronous client. See :mod:`contextd.aio` for asyncio."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
from contextd._streams import Streams
from contextd._sync import Connection, Runner
from contextd.batch import ContextUpdate, PointBatch
from contextd.connecting import OnCall, Tls
from contextd.context import Context
from contextd.errors import SessionLost
from contextd.events import EventType
from contextd.live_view import FOREVER, Following, LiveView, OnEvent, OnRestart
from contextd.recovery import PointResult, Pruned, RecoveryPoint
from contextd.retry import RetryPolicy
from contextd.session import Session
from contextd.state import ContextState
from contextd.subscription import Subscription
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

Interceptor = Union[
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
]

_NO_VALUES: Mapping[str, Value] = {}
_NO_LABELS: Mapping[str, str] = {}


class Client:
    """A connection to a contextd server, for any number of threads.

    Args:
        address: ``host:port``, or what gRPC's resolvers know: ``dns:///...``, ``unix:...``.
        namespace: Isolates: contexts of other namespaces are not seen.
        timeout: Seconds for each call, all its repetitions included.
        retry: How calls are repeated.
        coalescing: Let operations of several threads go out together. A thread that is alone
            does not notice.
        tls: Encrypt, with these certificates. ``None``: do not.
        token: Gives the bearer token that a call carries; asked before each attempt. Without
            ``tls`` it is refused for other machines, with :class:`InvalidValue`.
        interceptors: gRPC's own, such as those of OpenTelemetry.
        on_call: Told of each call when it is over.
        options: Further options of the gRPC channel.

    Making one calls nobody; the first call connects. In a process that was forked every use of it
    is :class:`ClientClosed`: make another one there.

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
        namespace: str = DEFAULT_NAMESPACE,
        timeout: float = 10.0,
        retry: Optional[RetryPolicy] = None,
        coalescing: bool = True,
        tls: Optional[Tls] = None,
        token: Optional[Callable[[], str]] = None,
        interceptors: Sequence[Interceptor] = (),
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
            channel = grpc.insecure_channel(address, known)
        else:
            channel = grpc.secure_channel(address, _channel.credentials(tls), known)
        channel = grpc.intercept_channel(channel, *interceptors)
        self._runner = Runner(Connection(channel, token))
        self._sessions: set[Session] = set()
        self._registering = threading.Lock()
        self._subscriptions: weakref.WeakSet[Subscription] = weakref.WeakSet()

    def close(self) -> None:
        """Ends the connection; calls that are under way end with :class:`ClientClosed`.

        Sessions that were not ended are no longer renewed, and end by themselves.
        Subscriptions are closed.
        """
        if self._runner.connection.foreign:
            return
        with self._registering:
            open_now = list(self._subscriptions)
        for subscription in open_now:
            subscription.close()
        for session in list(self._sessions):
            session._abandon()
        self._runner.close()

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

    def _namespace(self, namespace: Optional[str]) -> str:
        return self._settings.namespace if namespace is None else namespace

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
        operations = _recovery.RecoveryOperations(
            settings=self._settings.with_timeout(timeout),
            namespace=self._namespace(namespace),
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
            namespace=self._namespace(namespace),
            id_prefix=prefix,
            type=type,
            parent_id=parent_id,
            metadata=metadata or {},
            deleted=deleted,
            page_size=page_size,
        )
        yield from self._runner.rows(_operations.list_contexts(self._settings, request))

    def namespaces(self) -> Iterator[Namespace]:
        """Lists the namespaces that hold anything, by name."""
        yield from self._runner.rows(_operations.list_namespaces(self._settings))

    def server_info(self, *, refresh: bool = False) -> ServerInfo:
        """Gets the server's version and its limits: asks it once, and with ``refresh`` again."""
        return self._runner.run(_operations.server_info(self._settings, refresh))

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
    ) -> Session:
        """Prepares a session, without a call; ``with`` begins it and ends it.

        Args:
            owner: Who it stands for, such as an agent's or user's name.
            ttl: How long it lives without a renewal, in seconds or as a ``timedelta``: 1 s to
                24 h. It is renewed in the background.
            metadata: Labels; at most 64.
            default_context_id: Activated at once, shared, and the current one whenever no
                other is.
            create_if_missing: Let contexts that are missing be created like this when they are
                activated.
            max_active_contexts: How many may be active at once, 1 to 1,000. 0: 5.
            recovery_point_on_loss: Keep the state of each context that it holds exclusively as a
                recovery point when it is lost, not when it is ended.
            on_lost: Called once, in the session's own thread, when it is lost; it should be
                quick, and return. What it raises goes to ``threading.excepthook``.
            namespace: Another than the client's.
            timeout: Another than the client's, in seconds, for each call.

        Example:
            >>> with client.session(owner="agent-7", on_lost=print) as session:
            ...     session.activate("chat-1")["state"] = "working"
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
        return Session(self._runner, operations, self._sessions, on_lost)

    def sessions(
        self, *, owner: str = "", page_size: int = 0, namespace: Optional[str] = None
    ) -> Iterator[SessionInfo]:
        """Lists the live sessions of everybody, oldest first.

        Args:
            owner: Only those of this owner. Empty: all.
            page_size: Sessions asked for at once, up to 1,000. 0: the server's 100.
            namespace: Another than the client's.
        """
        yield from self._runner.rows(
            _sessions.list_sessions(self._settings, self._namespace(namespace), owner, page_size)
        )

    def session_info(self, session_id: str, *, namespace: Optional[str] = None) -> SessionInfo:
        """Gets what the server knows of anybody's session.

        Raises:
            SessionNotFound: there is none, or it has ended.
        """
        return self._runner.run(
            _sessions.session_info(self._settings, self._namespace(namespace), session_id)
        )

    def end_session(
        self,
        session_id: str,
        *,
        namespace: Optional[str] = None,
        request_id: Optional[str] = None,
    ) -> None:
        """Ends anybody's session: to them it is lost. No error where it has ended."""
        self._runner.run(
            _sessions.end_session(
                self._settings, self._namespace(namespace), session_id, request_id
            )
        )

    def usage(self, *, namespace: Optional[str] = None) -> list[UsageTotal]:
        """Gets what models cost in all contexts of a namespace, also in those that are gone."""
        return self._runner.run(
            _tracked.usage(self._settings, self._namespace(namespace), context_id="")
        )

    def points(
        self,
        *,
        prefix: str = "",
        metadata: Mapping[str, str] = _NO_LABELS,
        entries: bool = False,
        attachments: bool = False,
        keys: Collection[str] = (),
        page_size: int = 0,
        namespace: Optional[str] = None,
    ) -> Iterator[RecoveryPoint]:
        """Lists recovery points of many contexts, newest first, page after page as it is iterated.

        :meth:`Context.points` lists those of one.

        Args:
            prefix: Only of contexts whose ids begin with it. Empty: of the whole namespace.
            metadata: Only those with all these labels of their own.
            entries: With the entries of their states.
            attachments: With what lies beside them.
            keys: Only these entries and attachments. Empty: all.
            page_size: Points asked for at once, up to 1,000. 0: the server's 100.
            namespace: Another than the client's.
        """
        request = recovery_pb2.ListRecoveryPointsRequest(
            namespace=self._namespace(namespace),
            id_prefix=prefix,
            page_size=page_size,
            metadata=metadata,
            with_entries=entries,
            with_attachments=attachments,
            keys=_recovery.several(keys),
        )
        yield from self._runner.rows(_recovery.list_points(self._settings, request))

    def prune_points(
        self,
        *,
        prefix: str = "",
        metadata: Mapping[str, str] = _NO_LABELS,
        policy: Optional[RetentionPolicy] = None,
        dry_run: bool = False,
        namespace: Optional[str] = None,
        request_id: Optional[str] = None,
    ) -> Pruned:
        """Drops recovery points of many contexts: those with labels, those of no use to a policy.

        :meth:`Context.prune_points` does it with those of one. Pinned points stay.

        Args:
            prefix: Only of contexts whose ids begin with it. Empty: of the whole namespace.
            metadata: Drop points with all these labels. Empty: none for that.
            policy: Drop points that no rule of it keeps. ``None``: none for that. One of the two
                must be given.
            dry_run: Tell what would be dropped, and drop nothing.
            namespace: Another than the client's.
            request_id: As of other writes, but a prune of many contexts is not remembered by it: a
                repeat drops what is to be dropped then.

        Example:
            >>> client.prune_points(prefix="chat-", policy=RetentionPolicy(keep_last=10))
            Pruned(removed_count=42, kept_count=70, ...)
        """
        return self._runner.run(
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

    def snapshots(self, states: Iterable[ContextState]) -> list[SnapshotResult]:
        """Gets whole states of 1 to 1,000 contexts in one call, each with a result of its own.

        One for which the answer has no room is read by itself. The results are in the order of
        the states; :meth:`SnapshotResult.get` raises what could not be read.

        Args:
            states: Contexts, or earlier states of them.

        Example:
            >>> for result in client.snapshots([chat, plan.at(version=2)]):
            ...     print(result.get().version)
            4
            2
        """
        wanted = [state._operations for state in states]
        return self._runner.run(_several.snapshots(self._settings, wanted))

    def update_all(
        self, updates: Iterable[ContextUpdate], *, request_id: Optional[str] = None
    ) -> list[Written]:
        """Changes 1 to 1,000 contexts, none of them twice, in one step: everything, or nothing.

        Fails with the error of the part that failed; ``details["index"]`` is its place.

        Args:
            updates: What changes of each.
            request_id: For a write that the caller may repeat; by default a new one.

        Example:
            >>> client.update_all([
            ...     ContextUpdate(inbox, Changes(deletes=["mail-7"])),
            ...     ContextUpdate(archive, Changes({"mail-7": mail})),
            ... ])
        """
        wanted = list(updates)
        parts = [update._request() for update in wanted]
        leases = {lease for update in wanted if (lease := update._lease()) is not None}
        write = _several.write(self._settings, request_id)
        return self._runner.run(_several.update_all(self._settings, parts, write, leases))

    def batch_points(self, batch: PointBatch) -> list[PointResult]:
        """Does many operations on recovery points in one call, in their order, each on its own.

        Gives a result for each, in the same order; :meth:`PointResult.get` raises what an
        operation failed with. Where the answer would outgrow a message, what comes last tells less:
        a create or an update that was done has no point, and a get fails with
        :class:`ResponseTooLarge`.

        Args:
            batch: 1 to 1,000 operations. It can be given again: what was written is not written
                twice.
        """
        return self._runner.run(
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
    ) -> Subscription:
        """Prepares to tell what happens to contexts and sessions, in order, without a call.

        Iterating begins it, or ``with``. An event is told when all the conditions hold; those of
        sessions, when there is none on contexts.

        Args:
            context_ids: Only these contexts, up to 1,000, whether or not they exist yet.
            id_prefix: Only contexts whose id begins with it.
            type: Only contexts of this type.
            metadata: Only contexts with all these labels, before the change or after it.
            event_types: Only events of these types, and the snapshot.
            key_prefix: Only events that touch an entry whose key begins with it, or no entry; in
                a snapshot only these entries.
            cursor: Begin behind this position: that of an event, or of a subscription.
            from_oldest: Begin with the oldest event that the server keeps.
            snapshot: Begin with each context as it is, as an event of the type ``SNAPSHOT``, then
                what happened to it since. Without ``cursor``, ``from_oldest`` and ``snapshot``
                it begins with what happens from now on.
            without_values: Leave out the values of entries and the data of activities.
            progress: Hand out positions too, as events of the types ``CAUGHT_UP`` and
                ``PROGRESS``: so the cursor to store moves on although nothing happens.
            progress_interval: How long at most the server is silent, in seconds or as a
                ``timedelta``: 100 ms to 1 h. When nothing came for three times that and five
                seconds more, the connection is dead and another one is made.
            reconnect_timeout: Seconds for which it is tried, again and again, until the server says
                something. ``None``: the client's timeout; ``math.inf``: for ever.
            namespace: Another than the client's.

        Example:
            >>> with client.subscribe(id_prefix="chat-") as events:
            ...     for event in events:
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
    ) -> Subscription:
        patience = self._settings.timeout if reconnect_timeout is None else reconnect_timeout
        feed = _subscribing.Feed(self._settings, request, progress, patience)
        streams = Streams(self._runner.subscribe, feed, self._settings.clock)
        subscription = Subscription(streams, feed)
        with self._registering:
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
    ) -> LiveView:
        """Prepares to keep contexts in memory as the server has them, without a call.

        ``with`` begins it, and waits until it holds what there is. See :class:`LiveView`.

        Args:
            context_ids: Only these contexts, up to 1,000, whether or not they exist yet.
            id_prefix: Only contexts whose id begins with it.
            type: Only contexts of this type.
            metadata: Only contexts with all these labels; those that lose one leave the view.
            key_prefix: Only entries whose key begins with it.
            on_event: Told of each event that the view has taken, in order. It should be quick; what
                it raises is logged.
            on_restart: Told when events were lost, and the view begins anew with what there is.
            progress_interval: As that of :meth:`subscribe`.
            reconnect_timeout: As that of :meth:`subscribe`; also for reading a context.
            namespace: Another than the client's.

        Example:
            >>> with client.view(id_prefix="chat-") as view:
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

        def subscribe() -> Subscription:
            return self._subscription(request, True, reconnect_timeout)

        def read(context_id: str) -> Snapshot:
            timeout = None if reconnect_timeout is None else min(reconnect_timeout, FOREVER)
            context = self.context(context_id, namespace=namespace, timeout=timeout)
            return context.snapshot(prefix=key_prefix)

        following = Following(self._settings, key_prefix, dict(metadata), on_event, on_restart)
        return LiveView(following, subscribe, read)
