"""Task contexts, with the synchronous client. See :mod:`contextd.tasks.aio` for asyncio."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Callable, Optional, TypeVar, Union

from contextd._calls import Operation
from contextd.client import Client
from contextd.context import Context
from contextd.session import Session
from contextd.tasks._task import S, TaskOperations, new_task
from contextd.tasks.updates import ContextUpdate, OptimizedContext, Switch, TaskSummary
from contextd.tracking import FileOperation, ModelUsage, Resource, TrackedFile, UsageTotal
from contextd.values import NewContext

T = TypeVar("T")

LOG = logging.getLogger("contextd")

_NO_LABELS: Mapping[str, str] = {}
_NO_SWITCHES: Mapping[str, Switch] = {}


class TaskContext:
    """One task: its history, files, model usage, resources, labels and switches, on the server.

    Made by :meth:`open`, or for the length of a ``with`` by :func:`task_context`. It holds no
    state of the task, just what is to be called when its resources are given back. Every method
    asks the server; what it wrote is on stable storage when it returns. What else there is to do
    with a context (entries, recovery points, branches, events) is done with :attr:`context`.

    Every method may raise what the methods of :class:`~contextd.Context` raise. In a scope that is
    exclusive, writes raise :class:`~contextd.StaleFence` once another worker took the task over.

    Safe to use from many threads, as long as each resource is of one of them.

    Attributes:
        context: The context. In a scope, its writes are those of the activation.
        session: The session that the resources are held by. ``None``: there is none.
    """

    def __init__(
        self, context: Context, session: Optional[Session] = None, transient: bool = False
    ) -> None:
        """Made by :meth:`open` and :func:`task_context`."""
        self.context = context
        self.session = session
        self._transient = transient
        self._operations = TaskOperations(context._operations)
        self._held: dict[str, ExitStack] = {}

    @classmethod
    def open(
        cls,
        client: Client,
        task_id: str,
        *,
        metadata: Mapping[str, str] = _NO_LABELS,
        switches: Mapping[str, Switch] = _NO_SWITCHES,
        type: str = "task",
        parent_id: str = "",
        create: bool = True,
        session: Optional[Session] = None,
        namespace: Optional[str] = None,
    ) -> TaskContext:
        """Opens a task without activating it: to look at it, or to record from the side.

        Args:
            client: The client.
            task_id: The id of its context. Empty: one is made up.
            metadata: Labels to set.
            switches: Switches to set.
            type: What type of context it is created as.
            parent_id: The task, or other context, that it is created under.
            create: Whether it is created where it does not exist.
            session: Whose the writes are, and who holds resources. ``None``: nobody's.
            namespace: Another than the client's. With a session it is the session's.

        Raises:
            ContextNotFound: there is no such task, and none is to be created.

        Example:
            >>> TaskContext.open(client, "trip-1").get_summary().file_count
            1
        """
        new = new_task({"task_id": task_id, "metadata": metadata, "switches": switches})
        if session is None:
            context = client.context(new.id, namespace=namespace)
        else:
            context = session.context(new.id)
        task = cls(context, session)
        if not create:
            context.info()
        elif task._run(task._operations.create(new, NewContext(type, parent_id))):
            return task
        task._run(task._operations.seed(new))
        return task

    def _run(self, operation: Operation[T]) -> T:
        return self.context._runner.run(operation)

    @property
    def id(self) -> str:
        """The id."""
        return self.context.id

    def __repr__(self) -> str:
        """Says id and namespace, without a call."""
        return f"<{type(self).__name__} {self.id!r} namespace={self.context.namespace!r}>"

    # The end of a scope.

    def __enter__(self) -> TaskContext:
        """Gives the task itself."""
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Gives the resources back, the last one first. One that fails keeps none of the others.

        What failed is raised, unless the program's own exception is under way: then it is just
        written to the log ``contextd``.
        """
        stack = ExitStack()
        if self._transient:
            stack.push(self._delete)
        for held in self._held.values():
            stack.push(held)
        self._held.clear()
        try:
            stack.__exit__(kind, error, traceback)
        except Exception:
            if kind is None:
                raise
            LOG.warning("the end of the task %r failed", self.id, exc_info=True)

    def _delete(self, kind: Optional[type[BaseException]], *_: object) -> None:
        self._run(self._operations.delete(failed=kind is not None))

    # History.

    def add_context_update(
        self,
        type: str,
        data: Any = None,  # noqa: ANN401  JSON holds anything
        metadata: Mapping[str, str] = _NO_LABELS,
    ) -> int:
        """Adds to the history; gives the update's number in it.

        Args:
            type: A name of your choice, such as ``message``; at most 64 bytes.
            data: Text and bytes are kept as they are, all else as JSON.
            metadata: Labels of the update.

        Raises:
            TypeError, ValueError: ``data`` has no form in JSON, or a label is no text.

        Example:
            >>> task.add_context_update("message", {"role": "user", "content": "Hello!"})
            1
        """
        return self._run(self._operations.add_context_update(type, data, metadata))

    def get_context_history(
        self,
        types: Collection[str] = (),
        *,
        start: Optional[datetime] = None,
        end: Optional[datetime] = None,
        session_id: str = "",
        newest_first: bool = False,
        limit: Optional[int] = None,
    ) -> list[ContextUpdate]:
        """Gets the history, in memory. :meth:`Context.history` lists it page by page.

        Args:
            types: Only updates of these types, at most 100. Empty: of all. What was tracked is
                ``file_operation``, ``model_usage`` and ``resource``.
            start: Only from this time on, which names its time zone.
            end: Only before this time.
            session_id: Only what this session recorded. Empty: of all.
            newest_first: From the newest to the oldest.
            limit: At most so many. ``None``: all.

        Example:
            >>> for update in task.get_context_history(["message"], newest_first=True, limit=10):
            ...     print(update.sequence, update.data["content"])
            1 Hello!
        """
        return self._run(
            self._operations.get_context_history(types, start, end, session_id, newest_first, limit)
        )

    def optimize_context(
        self,
        *,
        max_bytes: int = 0,
        max_count: int = 0,
        max_age: Optional[timedelta] = None,
        deduplicate: bool = True,
    ) -> OptimizedContext:
        """Makes the history smaller. Files and model usage stay, as do labels and switches.

        First goes what is too old, then what repeats, then the oldest of what does not fit. The
        newest that the age allows always stays.

        Args:
            max_bytes: Keep the newest whose data and metadata add up to this. 0: no bound.
            max_count: Keep at most so many. 0: no bound.
            max_age: Drop what was recorded longer ago, by the clock of this program. ``None``: no
                bound.
            deduplicate: Of updates with the same type, data and detail keep the newest.

        Example:
            >>> task.optimize_context(max_count=1000, max_age=timedelta(days=30))
            OptimizedContext(removed_count=12, kept_count=1000, kept_bytes=51200)
        """
        return self._run(
            self._operations.optimize_context(max_bytes, max_count, max_age, deduplicate)
        )

    # Files and models.

    def track_file_operation(self, path: str, operation: str, source: str = "") -> int:
        """Records that a file was touched; gives the update's number in the history.

        Args:
            path: As it is: two spellings of a path are two files.
            operation: Such as ``read``, ``write``, ``delete``.
            source: The tool or agent that did it.
        """
        file = FileOperation(path, operation, source)
        return self._run(self._operations.track_file_operation(file))

    def get_file_operations(self, prefix: str = "") -> dict[str, TrackedFile]:
        """Gets the files that were touched, by path, each with its last operation.

        Example:
            >>> task.get_file_operations()["offers.md"].last_operation.source
            'search'
        """
        return self._run(self._operations.get_file_operations(prefix))

    def current_files(self, prefix: str = "") -> list[str]:
        """Gets the paths of the files whose last operation is not that they were deleted.

        That is an operation ``delete``, ``deleted``, ``remove`` or ``removed``.
        """
        return self._run(self._operations.current_files(prefix))

    def track_model_usage(
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
        """Records a call of a model; gives the update's number in the history.

        The arguments are those of :class:`~contextd.ModelUsage`.

        Example:
            >>> task.track_model_usage("gpt-4o", "openai", input_tokens=1200, output_tokens=80)
            2
        """
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
        return self._run(self._operations.track_model_usage(usage))

    def get_model_usage(self) -> list[UsageTotal]:
        """Gets what models cost, by provider, model, mode and currency."""
        return self._run(self._operations.context.usage())

    # Resources.

    def acquire_resource(
        self,
        name: str,
        *,
        type: str = "",
        metadata: Mapping[str, str] = _NO_LABELS,
        cleanup: Optional[Callable[[], object]] = None,
    ) -> Resource:
        """Takes a named resource of the task: no other session has it meanwhile.

        It is given back by :meth:`release_resource`, at the end of the ``with``, and by the
        server with the session, however that ends.

        Args:
            name: 1 to 256 bytes.
            type: What kind of resource it is, at most 64 bytes.
            metadata: Labels.
            cleanup: Called in this program just before it is given back there, whatever happens.

        Raises:
            ResourceHeld: another session holds it.
            ValueError: the task was opened without a session.

        Example:
            >>> task.acquire_resource("browser", cleanup=browser.close)
            Resource(name='browser', ...)
        """
        hold = self.context.resource(name, session=self.session, type=type, metadata=metadata)
        resource = hold.acquire()
        stack = self._held.get(name)
        if stack is None:
            stack = self._held[name] = ExitStack()
            stack.push(hold)
        if cleanup is not None:
            stack.callback(cleanup)
        return resource

    def release_resource(self, name: str) -> None:
        """Gives a resource back, after its cleanup was called.

        Raises:
            ResourceNotHeld: the session does not hold it.
        """
        stack = self._held.pop(name, None)
        if stack is None:
            self.context.resource(name, session=self.session).release()
        else:
            stack.close()

    def active_resources(self) -> list[Resource]:
        """Gets the resources of the task that are held, by any session, by name."""
        return self._run(self._operations.active_resources())

    # Labels and switches.

    def metadata(self) -> dict[str, str]:
        """Gets the labels. ``client.contexts(metadata=...)`` finds tasks by them."""
        return self._run(self._operations.metadata())

    def get_metadata(self, key: str, default: Optional[str] = None) -> Optional[str]:
        """Gets one label, or the default."""
        return self._run(self._operations.get_metadata(key, default))

    def set_metadata(self, key: str, value: Optional[str]) -> None:
        """Sets one label; ``None`` removes it. A task has at most 64."""
        self._run(self._operations.set_metadata(key, value))

    def switches(self) -> dict[str, Switch]:
        """Gets all switches."""
        return self._run(self._operations.switches())

    def get_switch(self, name: str, default: S) -> S:
        """Gets what a switch is set to, or the default; its type is that of the default.

        Raises:
            InvalidValue: it is set to a value of another type.

        Example:
            >>> if task.get_switch("stream", False):
            ...     print(task.get_switch("max_steps", 20))
            50
        """
        return self._run(self._operations.get_switch(name, default))

    def set_switch(self, name: str, value: Optional[Switch]) -> None:
        """Sets a switch to a bool, int, float or text; ``None`` removes it."""
        self._run(self._operations.set_switch(name, value))

    # All of it.

    def get_summary(self) -> TaskSummary:
        """Gets what the task adds up to. It is read in several calls."""
        return self._run(self._operations.get_summary())

    def to_dict(self) -> dict[str, Any]:
        """Exports everything as JSON can hold it, in memory. It is read in several calls.

        Bytes that are no text are told as ``{"base64": ...}``, times as in ISO 8601, lengths of
        time in seconds.

        Example:
            >>> pathlib.Path("trip-1.json").write_text(json.dumps(task.to_dict()))
        """
        return self._run(self._operations.to_dict())


@contextmanager
def task_context(
    client: Client,
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
) -> Iterator[TaskContext]:
    """Works on a task for the length of a ``with``.

    Begins a session, creates the task if there is none, and activates it. At the end, whatever
    happens, the resources are given back, the last one first, the task is deleted if it is
    transient, and the session is ended. When the program is killed the server gives the resources
    back and ends the activation, at the latest ``ttl`` seconds after.

    Args:
        client: The client.
        data: The id, or a dictionary of ``task_id`` (none: one is made up), ``user_id`` and
            ``chat_id`` (both become labels), ``metadata`` (further labels) and ``switches``.
        owner: Who works: the session's owner.
        ttl: Seconds that the session lives on without being renewed.
        exclusive: No other session may have the task exclusively meanwhile, and writes after
            another one took it over are refused.
        takeover: Take it from another session that has it exclusively.
        guard: Refuse everybody's writes that are not of this scope.
        transient: Delete the task, and what is below it, at the end.
        type: What type of context it is created as.
        parent_id: The task, or other context, that it is created under.
        namespace: Another than the client's.

    Raises:
        ContextBusy: another session has it exclusively.

    Example:
        >>> with task_context(client, {"task_id": "trip-1", "user_id": "mia"}) as task:
        ...     task.acquire_resource("browser", cleanup=browser.close)
        ...     task.track_file_operation("offers.md", "write", "search")
        2
    """
    new = new_task(data)
    with client.session(owner=owner, ttl=ttl, namespace=namespace) as session:
        properties = NewContext(type, parent_id)
        context = session.context(new.id)
        created = context._runner.run(TaskOperations(context._operations).create(new, properties))
        with (
            session.activate(new.id, exclusive=exclusive, takeover=takeover, guard=guard) as active,
            TaskContext(active, session, transient) as task,
        ):
            if not created:
                task._run(task._operations.seed(new))
            yield task
