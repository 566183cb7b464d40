"""Sessions: who works on which context, with the synchronous client."""

from __future__ import annotations

import contextlib
import threading
from types import TracebackType
from typing import Callable, Optional

from contextd._recovery import RecoveryOperations
from contextd._sessions import SessionOperations, activation_in
from contextd._sync import BackgroundRunner, Runner, Stopped
from contextd.context import Context
from contextd.errors import SessionLost
from contextd.tracking import Activation, SessionInfo
from contextd.values import NewContext


class ActiveContext(Context):
    """A context that is active in a session: a :class:`Context` whose writes are the session's.

    Made by :meth:`Session.activate`. When the activation is exclusive, every write carries its
    fence, and is refused with :class:`~contextd.StaleFence` once the activation is not in
    force. Reads go on. Every write may also raise :class:`~contextd.SessionLost`.

    ``with`` deactivates at its end. An error tells there that the activation did not last to
    the end, unless the program's own exception is under way. No error is what the program
    did itself: it ended the session, or deleted the context.

    Attributes:
        activation: What the server said of it when it was made.
    """

    def __init__(
        self, runner: Runner, operations: RecoveryOperations, activation: Activation
    ) -> None:
        """Made by :class:`Session`."""
        super().__init__(runner, operations)
        self.activation = activation
        self._active = True

    @property
    def fence(self) -> int:
        """The fence that every write carries. 0 when shared."""
        return self.activation.fence

    @property
    def exclusive(self) -> bool:
        """Whether no other session can have it exclusively."""
        return self.activation.exclusive

    def deactivate(self, *, request_id: Optional[str] = None) -> SessionInfo:
        """Ends the activation; gives the session after it.

        Raises:
            NotActive: it has ended.
            StaleFence: it was exclusive, and another exclusive one came after it.
            SessionLost: the session is lost, and with it all its activations.
        """
        session = self._runner.run(self._operations.deactivate(request_id))
        self._active = False
        return session

    def __enter__(self) -> ActiveContext:
        """Gives the context itself."""
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Deactivates, if that was not done."""
        if not self._active:
            return
        self._active = False
        failed = kind is not None
        operations = self._operations.leaving(failed)
        self._runner.run(operations.leave(operations.deactivate(None), failed))


class Session:
    """The presence of one program, or one of its agents, at the server.

    Made by :meth:`Client.session`. ``with`` begins it, keeps it alive, and ends it: its
    contexts are deactivated then, and its resources given back. :meth:`start` and
    :meth:`end` do the same where there is no ``with``.

    A thread renews it about three times in each term. While no server answers that is
    tried again, until the term is over: then the session is lost, and so it is when the
    server has ended it. The thread tells ``on_lost``; every later use raises
    :class:`~contextd.SessionLost`. A session that is lost stays lost: begin another one.

    The end of the ``with`` takes two seconds at most when the server is away, and raises
    nothing: the session then ends by itself when its term is over.

    Safe to use from many threads. In a process that was forked it is lost, and left alone.

    Example:
        >>> with client.session(owner="agent-7", ttl=30) as session:
        ...     with session.activate("chat-1", exclusive=True) as chat:
        ...         chat["state"] = "working"
    """

    def __init__(
        self,
        runner: Runner,
        operations: SessionOperations,
        running: set[Session],
        on_lost: Optional[Callable[[SessionLost], object]],
    ) -> None:
        """Made by :meth:`Client.session`."""
        self._runner = runner
        self._operations = operations
        self._lease = operations.lease
        self._lease.when_lost = self._found_lost
        self._running = running
        self._on_lost = on_lost
        self._over = threading.Event()
        self._background = BackgroundRunner(runner.connection)
        self._thread = threading.Thread(target=self._keep, daemon=True)

    @property
    def id(self) -> str:
        """The id that the server made. Empty before it has begun."""
        return self._lease.id

    @property
    def namespace(self) -> str:
        """The namespace."""
        return self._lease.namespace

    @property
    def lost(self) -> bool:
        """Whether it is over although the program did not end it. Without a call."""
        return self._lease.loss() is not None

    def wait_lost(self, timeout: Optional[float] = None) -> bool:
        """Waits until it is lost, or ended, or ``timeout`` seconds have passed; gives ``lost``."""
        if not self.lost:
            self._over.wait(timeout)
        return self.lost

    def __repr__(self) -> str:
        """Says id and namespace, without a call."""
        return f"<{type(self).__name__} {self.id!r} namespace={self.namespace!r}>"

    def start(self) -> Session:
        """Begins it and keeps it alive until :meth:`end`, or until the client is closed.

        Raises:
            InvalidField: the ttl, the owner or a label breaks a rule.
            LimitReached: there are too many sessions.
            RuntimeError: it has begun before.
        """
        self._runner.run(self._operations.start())
        self._running.add(self)
        self._thread.name = f"contextd-session-{self.id}"
        self._thread.start()
        return self

    def end(self) -> None:
        """Ends it. No error where it has ended, or is lost.

        Raises:
            Unavailable: no server answered; it ends by itself, or by another try.
        """
        self._stop()
        self._runner.run(self._operations.end())

    def __enter__(self) -> Session:
        """Begins it."""
        return self.start()

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Ends it."""
        self._stop()
        self._runner.run(self._operations.leave())

    def _abandon(self) -> None:
        """Lets it end by itself: its client is closed."""
        self._stop()
        self._operations.abandon()

    def _stop(self) -> None:
        """Ends the thread. Whether the session is lost has been told by then."""
        self._running.discard(self)
        if self.id and not self._lease.foreign:
            self._background.stop()
            if self._thread.is_alive() and threading.current_thread() is not self._thread:
                self._thread.join()
            self._over.set()

    def _found_lost(self) -> None:
        self._over.set()
        self._background.wake()

    def _keep(self) -> None:
        with contextlib.suppress(Stopped):
            self._background.run(self._operations.keep())
        loss = self._lease.loss()
        if loss is not None and self._on_lost is not None:
            self._on_lost(loss)

    def renew(self) -> None:
        """Gives it a full term from now on, beside the renewals that come by themselves."""
        self._runner.run(self._operations.renew())

    def info(self) -> SessionInfo:
        """Gets what the server knows of it."""
        return self._runner.run(self._operations.info())

    def context(
        self, context_id: str, *, create_if_missing: Optional[NewContext] = None
    ) -> Context:
        """Names a context, without a call, whose writes are this session's but of no activation.

        What it records names the session. See :meth:`Client.context`.
        """
        operations = self._operations.context(context_id, create=create_if_missing)
        return Context(self._runner, operations)

    def activate(
        self,
        context_id: str,
        *,
        exclusive: bool = False,
        takeover: bool = False,
        guard: bool = False,
        request_id: Optional[str] = None,
    ) -> ActiveContext:
        """Activates a context. It becomes the current one when there is none.

        Args:
            context_id: Which context. One that is missing is created where the session was
                made with ``create_if_missing``.
            exclusive: No other session may have it exclusively, and the writes of the
                :class:`ActiveContext` are refused once the activation is not in force.
            takeover: With ``exclusive``: end the exclusive activation of another session.
            guard: With ``exclusive``: refuse writes that carry no fence, too.
            request_id: For a write that the caller may repeat; by default a new one.

        Raises:
            ContextBusy: another session has it exclusively.
            ContextNotFound: there is no such context, and none is created.
            LimitReached: the session has as many active as it may.
            SessionLost: the session is lost.

        Example:
            >>> with session.activate("chat-1", exclusive=True) as chat:
            ...     chat["state"] = "working"
        """
        return self._active(
            self._runner.run(
                self._operations.activate(context_id, exclusive, takeover, guard, request_id)
            )
        )

    def switch(self, context_id: str, *, request_id: Optional[str] = None) -> ActiveContext:
        """Makes a context the current one, activating it first, shared, where necessary.

        Raises:
            ContextNotFound: there is no such context, and none is created.
            LimitReached: the session has as many active as it may.
            SessionLost: the session is lost.
        """
        return self._active(self._runner.run(self._operations.switch(context_id, request_id)))

    def current(self) -> Optional[ActiveContext]:
        """Asks for the context in the foreground. ``None``: there is none."""
        info = self.info()
        found = activation_in(info, info.current_context_id)
        return None if found is None else self._active(found)

    def contexts(self) -> list[ActiveContext]:
        """Asks for the active contexts, oldest activation first."""
        return [self._active(activation) for activation in self.info().activations]

    def _active(self, activation: Activation) -> ActiveContext:
        operations = self._operations.context(activation.context_id, activation.fence)
        return ActiveContext(self._runner, operations, activation)
