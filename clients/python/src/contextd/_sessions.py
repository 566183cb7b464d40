"""Every operation on sessions, without I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Optional

import grpc

from contextd import _requests, tracking
from contextd._calls import Invoke, Operation, Pages, Settings, Sleep, call
from contextd._lease import Lease, Writer
from contextd._methods import (
    ACTIVATE,
    END,
    RENEW,
    SESSION,
    SESSIONS,
    START,
    SWITCH,
    Method,
    Request,
    Response,
)
from contextd._recovery import RecoveryOperations
from contextd._tracked import LEAVE_SECONDS
from contextd.errors import ClientClosed, ContextdError, SessionNotFound
from contextd.v1 import resources_pb2
from contextd.v1 import tracker_pb2 as pb
from contextd.values import NewContext


def list_sessions(
    settings: Settings, namespace: str, owner: str, page_size: int
) -> Pages[tracking.SessionInfo]:
    """Lists the live sessions of a namespace."""
    request = pb.ListSessionsRequest(namespace=namespace, owner=owner, page_size=page_size)

    def read(page: pb.ListSessionsResponse) -> list[tracking.SessionInfo]:
        return [tracking.session_of(session) for session in page.sessions]

    return Pages(settings, SESSIONS, request, read)


def session_info(
    settings: Settings, namespace: str, session_id: str
) -> Operation[tracking.SessionInfo]:
    """Gets what the server knows of any session."""
    request = pb.GetSessionRequest(namespace=namespace, session_id=session_id)
    response = yield from call(settings, SESSION, request)
    return tracking.session_of(response.session)


def end_session(
    settings: Settings, namespace: str, session_id: str, request_id: Optional[str]
) -> Operation[None]:
    """Ends any session. One that is not there is no error."""
    write_id = settings.new_id() if request_id is None else request_id
    request = pb.EndSessionRequest(
        namespace=namespace,
        session_id=session_id,
        write=resources_pb2.WriteOptions(request_id=write_id),
    )
    yield from call(settings, END, request, write_id)


@dataclass(frozen=True)
class NewSession:
    """What a session begins with."""

    namespace: str
    owner: str
    ttl: timedelta
    metadata: Mapping[str, str]
    default_context_id: str
    create_if_missing: Optional[NewContext]
    max_active_contexts: int
    recovery_point_on_loss: bool = False


class SessionOperations:
    """The operations on a session that this program begins.

    Attributes:
        lease: Whether the program can still rely on it.
    """

    def __init__(self, settings: Settings, new: NewSession) -> None:
        self.settings = settings
        self.new = new
        self.lease = Lease(new.namespace, new.ttl.total_seconds(), settings.clock)

    def start(self) -> Operation[tracking.SessionInfo]:
        """Begins it."""
        self.lease.expect_new()
        new, write_id = self.new, self.settings.new_id()
        create = new.create_if_missing
        request = pb.StartSessionRequest(
            namespace=new.namespace,
            owner=new.owner,
            metadata=new.metadata,
            ttl=_requests.duration(new.ttl),
            default_context_id=new.default_context_id,
            create_if_missing=None if create is None else _requests.new_context(create),
            max_active_contexts=new.max_active_contexts,
            recovery_point_on_loss=new.recovery_point_on_loss,
            write=resources_pb2.WriteOptions(request_id=write_id),
        )
        since = self.settings.clock()
        response = yield from call(self.settings, START, request, write_id)
        if not response.HasField("session"):  # A repeat came late.
            raise _gone("the session began, and has ended already")
        if self.settings.clock() - since > self.lease.term / 3:
            # The first of several attempts may have begun it: its term is partly over.
            since = self.settings.clock()
            yield from call(self.settings, RENEW, self._renewal(response.session.id))
        self.lease.begin(response.session.id, since)
        return tracking.session_of(response.session)

    def _renewal(self, session_id: str) -> pb.RenewSessionRequest:
        return pb.RenewSessionRequest(namespace=self.new.namespace, session_id=session_id)

    def renew(self) -> Operation[None]:
        """Gives it a full term from now on."""
        since = self.settings.clock()
        yield from self._of_session(RENEW, self._renewal(self.lease.id))
        self.lease.renewed(since)

    def keep(self) -> Operation[None]:
        """Renews it again and again; ends when it is lost."""
        settings, lease = self.settings, self.lease
        request = self._renewal(lease.id)
        timeout = min(lease.term / 3, settings.timeout)
        failed = 0
        delay = self._pause()
        while True:
            yield Sleep(min(delay, lease.remaining()))
            if lease.loss() is not None:
                return
            since = settings.clock()
            try:
                yield Invoke(RENEW.name, request, min(timeout, lease.remaining()))
            except SessionNotFound:
                lease.lose()
                return
            except ClientClosed:  # It began while the client was closed.
                return
            except ContextdError as error:
                delay = max(settings.retry.delay(failed, settings.random()), error.retry_delay or 0)
                failed += 1
            else:
                lease.renewed(since)
                failed = 0
                delay = self._pause()

    def _pause(self) -> float:
        """Seconds from a renewal to the next: a third of the term, less up to a quarter of it."""
        return self.lease.term / 3 * (0.75 + 0.25 * self.settings.random())

    def end(self, timeout: Optional[float] = None) -> Operation[None]:
        """Ends it; tells the server where that may still know it."""
        if self.lease.end():
            settings = self.settings.with_timeout(timeout)
            yield from end_session(settings, self.new.namespace, self.lease.id, None)
            self.lease.end_known()

    def leave(self) -> Operation[None]:
        """Ends it at the end of a ``with``: if nobody answers, it ends by itself."""
        try:
            yield from self.end(min(self.settings.timeout, LEAVE_SECONDS))
        except ContextdError:
            return

    def abandon(self) -> None:
        """Gives it up without telling anybody: it ends by itself."""
        if self.lease.end():
            self.lease.end_known()

    def _of_session(
        self,
        method: Method[Request, Response],
        request: Request,
        request_id: Optional[str] = None,
    ) -> Operation[Response]:
        operation = call(self.settings, method, request, request_id)
        return (yield from self.lease.guard(operation))

    def info(self) -> Operation[tracking.SessionInfo]:
        """Gets what the server knows of it."""
        request = pb.GetSessionRequest(namespace=self.new.namespace, session_id=self.lease.id)
        response = yield from self._of_session(SESSION, request)
        return tracking.session_of(response.session)

    def context(
        self, context_id: str, fence: int = 0, create: Optional[NewContext] = None
    ) -> RecoveryOperations:
        """The operations on a context, written by this session."""
        return RecoveryOperations(
            settings=self.settings,
            namespace=self.new.namespace,
            id=context_id,
            create_if_missing=create,
            writer=Writer(self.lease, fence),
        )

    def activate(
        self,
        context_id: str,
        exclusive: bool,
        takeover: bool,
        guard: bool,
        request_id: Optional[str],
    ) -> Operation[tracking.Activation]:
        """Activates a context."""
        write_id = self.settings.new_id() if request_id is None else request_id
        request = pb.ActivateContextRequest(
            namespace=self.new.namespace,
            session_id=self.lease.id,
            context_id=context_id,
            exclusive=exclusive,
            takeover=takeover,
            guard=guard,
            write=resources_pb2.WriteOptions(request_id=write_id),
        )
        response = yield from self._of_session(ACTIVATE, request, write_id)
        if not response.HasField("activation"):  # To a repeat the answer is as of now.
            return tracking.Activation(context_id, exclusive=False, fence=0, time=None)
        return tracking.activation_of(response.activation)

    def switch(self, context_id: str, request_id: Optional[str]) -> Operation[tracking.Activation]:
        """Makes a context the current one; gives its activation."""
        write_id = self.settings.new_id() if request_id is None else request_id
        request = pb.SwitchContextRequest(
            namespace=self.new.namespace,
            session_id=self.lease.id,
            context_id=context_id,
            write=resources_pb2.WriteOptions(request_id=write_id),
        )
        response = yield from self._of_session(SWITCH, request, write_id)
        if not response.HasField("session"):
            raise _gone("the session has ended")
        found = activation_in(tracking.session_of(response.session), context_id)
        # To a repeat the session is as it is now: it may have gone on since.
        return found or tracking.Activation(context_id, exclusive=False, fence=0, time=None)


def _gone(message: str) -> SessionNotFound:
    """What a repeat that came late stands for."""
    return SessionNotFound(message, grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND")


def activation_in(session: tracking.SessionInfo, context_id: str) -> Optional[tracking.Activation]:
    """Finds the activation of a context. ``None``: it is not active."""
    return next((a for a in session.activations if a.context_id == context_id), None)
