"""Task contexts and shared contexts: what agents keep of their work, on the server.

A task context is the history, the files, the model usage, the resources, the labels and the
switches of one task, as an object. Nothing of it is kept in the program: it is there again
when the program, or the server, was killed and started anew.

    >>> from contextd import Client
    >>> from contextd.tasks import task_context
    >>> with Client() as client, task_context(client, {"task_id": "trip-1"}) as task:
    ...     task.add_context_update("message", "Book a flight to Rome.")
    ...     task.track_file_operation("offers.md", "write", "search")

A shared context is data of several agents, with an owner, readers and writers, and versions to
come back to. Who may do what is a convention of the programs that use this module, not a
protection: see :class:`SharedContext`.
"""

from contextd.tasks.aio import AsyncSharedContext, AsyncTaskContext, async_task_context
from contextd.tasks.rights import (
    EVERYONE,
    AccessDenied,
    Right,
    Rights,
    Scope,
    SharedVersion,
)
from contextd.tasks.shared import SharedContext
from contextd.tasks.task import TaskContext, task_context
from contextd.tasks.updates import ContextUpdate, OptimizedContext, Switch, TaskSummary

__all__ = [
    "EVERYONE",
    "AccessDenied",
    "AsyncSharedContext",
    "AsyncTaskContext",
    "ContextUpdate",
    "OptimizedContext",
    "Right",
    "Rights",
    "Scope",
    "SharedContext",
    "SharedVersion",
    "Switch",
    "TaskContext",
    "TaskSummary",
    "async_task_context",
    "task_context",
]
