"""Task contexts, with the client for asyncio."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Callable, Optional, TypeVar, Union

from contextd._calls import Operation
from contextd.aio import AsyncClient, AsyncContext, AsyncSession
from contextd.tasks._task import S, TaskOperations, new_task
from contextd.tasks.task import LOG
from contextd.tasks.updates import ContextUpdate, OptimizedContext, Switch, TaskSummary
from contextd.tracking import FileOperation, ModelUsage, Resource, TrackedFile, UsageTotal
from contextd.values import NewContext

T = TypeVar("T")

_NO_LABELS: Mapping[str, str] = {}
_NO_SWITCHES: Mapping[str, Switch] = {}


async def _call(cleanup: Callable[[], object]) -> None:
    """Calls a cleanup: a plain function, or one that is to be awaited."""
    result = cleanup()
    if inspect.isawaitable(result):
        await result


class AsyncTaskContext:
    """One task: its history, files, model usage, resources, labels and switches, on the server.

    Made by :meth:`open`, or for the length of ``async with`` by :func:`async_task_context`.
    Attributes, arguments, results and errors are those of :class:`contextd.tasks.TaskContext`.
    """

    def __init__(
        self, context: AsyncContext, session: Optional[AsyncSession] = None, transient: bool = False
    ) -> None:
        """Made by :meth:`open` and :func:`async_task_context`."""
        self.context = context
        self.session = session
        self._transient = transient
        self._operations = TaskOperations(context._operations)
        self._held: dict[str, AsyncExitStack] = {}

    @classmethod
    async def open(
        cls,
        client: AsyncClient,
        task_id: str,
        *,
        metadata: Mapping[str, str] = _NO_LABELS,
        switches: Mapping[str, Switch] = _NO_SWITCHES,
        type: str = "task",
        parent_id: str = "",
        create: bool = True,
        session: Optional[AsyncSession] = None,
        namespace: Optional[str] = None,
    ) -> AsyncTaskContext:
        """As :meth:`TaskContext.open`."""
        new = new_task({"task_id": task_id, "metadata": metadata, "switches": switches})
        if session is None:
            context = client.context(new.id, namespace=namespace)
        else:
            context = session.context(new.id)
        task = cls(context, session)
        if not create:
            await context.info()
        elif await task._run(task._operations.create(new, NewContext(type, parent_id))):
            return task
        await task._run(task._operations.seed(new))
        return task

    async def _run(self, operation: Operation[T]) -> T:
        return await self.context._runner.run(operation)

    @property
    def id(self) -> str:
        """The id."""
        return self.context.id

    def __repr__(self) -> str:
        """Says id and namespace, without a call."""
        return f"<{type(self).__name__} {self.id!r} namespace={self.context.namespace!r}>"

    # The end of a scope.

    async def __aenter__(self) -> AsyncTaskContext:
        """Gives the task itself."""
        return self

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Gives the resources back, the last one first."""
        stack = AsyncExitStack()
        if self._transient:
            stack.push_async_exit(self._delete)
        for held in self._held.values():
            stack.push_async_exit(held)
        self._held.clear()
        try:
            await stack.__aexit__(kind, error, traceback)
        except Exception:
            if kind is None:
                raise
            LOG.warning("the end of the task %r failed", self.id, exc_info=True)

    async def _delete(self, kind: Optional[type[BaseException]], *_: object) -> None:
        await self._run(self._operations.delete(failed=kind is not None))

    # History.

    async def add_context_update(
        self,
        type: str,
        data: Any = None,  # noqa: ANN401  JSON holds anything
        metadata: Mapping[str, str] = _NO_LABELS,
    ) -> int:
        """As :meth:`TaskContext.add_context_update`."""
        return await self._run(self._operations.add_context_update(type, data, metadata))

    async def get_context_history(
        self,
        types: Collection[str] = (),
        *,
        start: Optional[datetime] = None,
        end: Optional[datetime] = None,
        session_id: str = "",
        newest_first: bool = False,
        limit: Optional[int] = None,
    ) -> list[ContextUpdate]:
        """Gets the history, in memory. As :meth:`TaskContext.get_context_history`."""
        return await self._run(
            self._operations.get_context_history(types, start, end, session_id, newest_first, limit)
        )

    async def optimize_context(
        self,
        *,
        max_bytes: int = 0,
        max_count: int = 0,
        max_age: Optional[timedelta] = None,
        deduplicate: bool = True,
    ) -> OptimizedContext:
        """Makes the history smaller. As :meth:`TaskContext.optimize_context`."""
        return await self._run(
            self._operations.optimize_context(max_bytes, max_count, max_age, deduplicate)
        )

    # Files and models.

    async def track_file_operation(self, path: str, operation: str, source: str = "") -> int:
        """As :meth:`TaskContext.track_file_operation`."""
        file = FileOperation(path, operation, source)
        return await self._run(self._operations.track_file_operation(file))

    async def get_file_operations(self, prefix: str = "") -> dict[str, TrackedFile]:
        """As :meth:`TaskContext.get_file_operations`."""
        return await self._run(self._operations.get_file_operations(prefix))

    async def current_files(self, prefix: str = "") -> list[str]:
        """As :meth:`TaskContext.current_files`."""
        return await self._run(self._operations.current_files(prefix))

    async def track_model_usage(
        self,
        model: str,
        provider: str = "",
        mode: str = "",
        *,
        input_tokens: int = 0,
        output_tokens: int = 0,
        cached_tokens: int = 0,
        cost_micros: int = 0,
        currency: str = "",
        latency: timedelta = timedelta(0),
    ) -> int:
        """As :meth:`TaskContext.track_model_usage`."""
        usage = ModelUsage(
            provider=provider,
            model=model,
            mode=mode,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cached_tokens=cached_tokens,
            cost_micros=cost_micros,
            currency=currency,
            latency=latency,
        )
        return await self._run(self._operations.track_model_usage(usage))

    async def get_model_usage(self) -> list[UsageTotal]:
        """Gets what models cost, by provider, model, mode and currency."""
        return await self._run(self._operations.context.usage())

    # Resources.

    async def acquire_resource(
        self,
        name: str,
        *,
        type: str = "",
        metadata: Mapping[str, str] = _NO_LABELS,
        cleanup: Optional[Callable[[], object]] = None,
    ) -> Resource:
        """As :meth:`TaskContext.acquire_resource`."""
        hold = self.context.resource(name, session=self.session, type=type, metadata=metadata)
        resource = await hold.acquire()
        stack = self._held.get(name)
        if stack is None:
            stack = self._held[name] = AsyncExitStack()
            stack.push_async_exit(hold)
        if cleanup is not None:
            stack.push_async_callback(_call, cleanup)
        return resource

    async def release_resource(self, name: str) -> None:
        """As :meth:`TaskContext.release_resource`."""
        stack = self._held.pop(name, None)
        if stack is None:
            await self.context.resource(name, session=self.session).release()
        else:
            await stack.aclose()

    async def active_resources(self) -> list[Resource]:
        """Gets the resources of the task that are held, by any session, by name."""
        return await self._run(self._operations.active_resources())

    # Labels and switches.

    async def metadata(self) -> dict[str, str]:
        """Gets the labels. ``client.contexts(metadata=...)`` finds tasks by them."""
        return await self._run(self._operations.metadata())

    async def get_metadata(self, key: str, default: Optional[str] = None) -> Optional[str]:
        """Gets one label, or the default."""
        return await self._run(self._operations.get_metadata(key, default))

    async def set_metadata(self, key: str, value: Optional[str]) -> None:
        """Sets one label; ``None`` removes it. A task has at most 64."""
        await self._run(self._operations.set_metadata(key, value))

    async def switches(self) -> dict[str, Switch]:
        """Gets all switches."""
        return await self._run(self._operations.switches())

    async def get_switch(self, name: str, default: S) -> S:
        """As :meth:`TaskContext.get_switch`."""
        return await self._run(self._operations.get_switch(name, default))

    async def set_switch(self, name: str, value: Optional[Switch]) -> None:
        """Sets a switch to a bool, int, float or text; ``None`` removes it."""
        await self._run(self._operations.set_switch(name, value))

    # All of it.

    async def get_summary(self) -> TaskSummary:
        """Gets what the task adds up to. It is read in several calls."""
        return await self._run(self._operations.get_summary())

    async def to_dict(self) -> dict[str, Any]:
        """Exports everything as JSON can hold it, in memory. As :meth:`TaskContext.to_dict`."""
        return await self._run(self._operations.to_dict())


@asynccontextmanager
async def async_task_context(
    client: AsyncClient,
    data: Union[str, Mapping[str, Any]],
    *,
    owner: str = "",
    ttl: float = 60.0,
    exclusive: bool = True,
    takeover: bool = False,
    guard: bool = False,
    transient: bool = False,
    type: str = "task",
    parent_id: str = "",
    namespace: Optional[str] = None,
) -> AsyncIterator[AsyncTaskContext]:
    """Works on a task for the length of ``async with``. As :func:`contextd.tasks.task_context`.

    Example:
        >>> async with async_task_context(client, {"task_id": "trip-1"}) as task:
        ...     await task.track_file_operation("offers.md", "write", "search")
        1
    """
    new = new_task(data)
    async with client.session(owner=owner, ttl=ttl, namespace=namespace) as session:
        properties = NewContext(type, parent_id)
        context = session.context(new.id)
        operation = TaskOperations(context._operations).create(new, properties)
        created = await context._runner.run(operation)
        async with (
            session.activate(new.id, exclusive=exclusive, takeover=takeover, guard=guard) as active,
            AsyncTaskContext(active, session, transient) as task,
        ):
            if not created:
                await task._run(task._operations.seed(new))
            yield task
