"""Sessions: who works on which context, with the client for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Generator
from types import TracebackType
from typing import Any, Callable, Optional

from contextd._calls import Operation
from contextd._recovery import RecoveryOperations
from contextd._sessions import SessionOperations, activation_in
from contextd.aio._runner import AsyncRunner
from contextd.aio.context import AsyncContext
from contextd.errors import SessionLost
from contextd.tracking import Activation, SessionInfo
from contextd.values import NewContext


class AsyncActiveContext(AsyncContext):
    """A context that is active in a session. As :class:`contextd.ActiveContext`.

    Made by :meth:`AsyncSession.activate`. ``async with`` deactivates at its end.

    Attributes:
        activation: What the server said of it when it was made.
    """

    def __init__(
        self, runner: AsyncRunner, operations: RecoveryOperations, activation: Activation
    ) -> None:
        """Made by :class:`AsyncSession`."""
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

    async def deactivate(self, *, request_id: Optional[str] = None) -> SessionInfo:
        """Ends the activation. As :meth:`contextd.ActiveContext.deactivate`."""
        session = await self._runner.run(self._operations.deactivate(request_id))
        self._active = False
        return session

    async def __aenter__(self) -> AsyncActiveContext:
        """Gives the context itself."""
        return self

    async def __aexit__(
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
        await self._runner.run(operations.leave(operations.deactivate(None), failed))


class Activating:
    """A call that activates: to be awaited, or entered with ``async with``, once."""

    def __init__(self, call: Coroutine[Any, Any, AsyncActiveContext]) -> None:
        """Made by :meth:`AsyncSession.activate` and :meth:`AsyncSession.switch`."""
        self._call = call
        self._context: Optional[AsyncActiveContext] = None

    def __await__(self) -> Generator[Any, Any, AsyncActiveContext]:
        """Gives the active context."""
        return self._call.__await__()

    async def __aenter__(self) -> AsyncActiveContext:
        """Gives the active context."""
        self._context = await self._call
        return self._context

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Deactivates."""
        assert self._context is not None
        await self._context.__aexit__(kind, error, traceback)


class AsyncSession:
    """The presence of one program, or one of its agents. As :class:`contextd.Session`.

    Made by :meth:`AsyncClient.session`. ``async with`` begins it, keeps it alive with a task
    of its own, and ends it. For the tasks of one loop; what keeps the loop busy for
    longer than the term loses the session.

    Example:
        >>> async with client.session(owner="agent-7", ttl=30) as session:
        ...     async with session.activate("chat-1", exclusive=True) as chat:
        ...         await chat.put("state", "working")
    """

    def __init__(
        self,
        runner: AsyncRunner,
        operations: SessionOperations,
        running: set[AsyncSession],
        on_lost: Optional[Callable[[SessionLost], object]],
    ) -> None:
        """Made by :meth:`AsyncClient.session`."""
        self._runner = runner
        self._operations = operations
        self._lease = operations.lease
        self._over = asyncio.Event()
        self._lease.when_lost = self._over.set
        self._running = running
        self._on_lost = on_lost
        self._stopped = False
        self._background = AsyncRunner(runner.connection, self._pause)
        self._task: Optional[asyncio.Task[None]] = None

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

    async def wait_lost(self, timeout: Optional[float] = None) -> bool:
        """Waits until it is lost, or ended, or ``timeout`` seconds have passed; gives ``lost``."""
        if not self.lost:
            await self._wait(timeout)
        return self.lost

    def __repr__(self) -> str:
        """Says id and namespace, without a call."""
        return f"<{type(self).__name__} {self.id!r} namespace={self.namespace!r}>"

    async def start(self) -> AsyncSession:
        """Begins it and keeps it alive. As :meth:`contextd.Session.start`."""
        await self._runner.run(self._operations.start())
        self._running.add(self)
        self._task = asyncio.create_task(self._keep())
        return self

    async def end(self) -> None:
        """Ends it. As :meth:`contextd.Session.end`."""
        await self._stop()
        await self._runner.run(self._operations.end())

    async def __aenter__(self) -> AsyncSession:
        """Begins it."""
        return await self.start()

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Ends it."""
        await self._stop()
        await self._runner.run(self._operations.leave())

    async def _abandon(self) -> None:
        """Lets it end by itself: its client is closed."""
        await self._stop()
        self._operations.abandon()

    async def _stop(self) -> None:
        """Ends the task. Whether the session is lost has been told by then."""
        self._running.discard(self)
        if self._task is not None and not self._lease.foreign:
            self._stopped = True
            self._over.set()
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._tell()

    async def _wait(self, seconds: Optional[float]) -> None:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)

    async def _pause(self, seconds: float) -> None:
        await self._wait(seconds)
        if self._stopped:
            # Where the wait ended just then, it took the cancellation with it.
            raise asyncio.CancelledError

    async def _keep(self) -> None:
        await self._background.run(self._operations.keep())
        self._tell()

    def _tell(self) -> None:
        loss = self._lease.loss()
        on_lost, self._on_lost = self._on_lost, None if loss else self._on_lost
        if loss is None or on_lost is None:
            return
        try:
            on_lost(loss)
        except Exception as error:
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"on_lost of {self!r} failed", "exception": error}
            )

    async def renew(self) -> None:
        """Gives it a full term from now on, beside the renewals that come by themselves."""
        await self._runner.run(self._operations.renew())

    async def info(self) -> SessionInfo:
        """Gets what the server knows of it."""
        return await self._runner.run(self._operations.info())

    def context(
        self, context_id: str, *, create_if_missing: Optional[NewContext] = None
    ) -> AsyncContext:
        """Names a context whose writes are this session's. As :meth:`contextd.Session.context`."""
        operations = self._operations.context(context_id, create=create_if_missing)
        return AsyncContext(self._runner, operations)

    def activate(
        self,
        context_id: str,
        *,
        exclusive: bool = False,
        takeover: bool = False,
        guard: bool = False,
        request_id: Optional[str] = None,
    ) -> Activating:
        """Activates a context. As :meth:`contextd.Session.activate`.

        Example:
            >>> async with session.activate("chat-1", exclusive=True) as chat:
            ...     await chat.put("state", "working")
            >>> chat = await session.activate("chat-2")
        """
        return Activating(
            self._run(self._operations.activate(context_id, exclusive, takeover, guard, request_id))
        )

    def switch(self, context_id: str, *, request_id: Optional[str] = None) -> Activating:
        """Makes a context the current one. As :meth:`contextd.Session.switch`."""
        return Activating(self._run(self._operations.switch(context_id, request_id)))

    async def current(self) -> Optional[AsyncActiveContext]:
        """Asks for the context in the foreground. ``None``: there is none."""
        info = await self.info()
        found = activation_in(info, info.current_context_id)
        return None if found is None else self._active(found)

    async def contexts(self) -> list[AsyncActiveContext]:
        """Asks for the active contexts, oldest activation first."""
        return [self._active(activation) for activation in (await self.info()).activations]

    async def _run(self, operation: Operation[Activation]) -> AsyncActiveContext:
        return self._active(await self._runner.run(operation))

    def _active(self, activation: Activation) -> AsyncActiveContext:
        operations = self._operations.context(activation.context_id, activation.fence)
        return AsyncActiveContext(self._runner, operations, activation)
