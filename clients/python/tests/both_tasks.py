"""The module ``contextd.tasks`` as the client of a test has it, so that one test holds for both."""

from __future__ import annotations

from typing import Any

from contextd import tasks
from fake import Blocking


class BothTasks:
    """Opens task contexts and shared contexts on one client, synchronous or not."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self._asynchronous = isinstance(client, Blocking)

    def _of(self, plain: Any, asynchronous: Any) -> Any:
        return Blocking(self.client.loop, asynchronous) if self._asynchronous else plain

    def open(self, task_id: str, **options: Any) -> Any:
        kind = self._of(tasks.TaskContext, tasks.AsyncTaskContext)
        return kind.open(self.client, task_id, **options)

    def scope(self, data: Any, **options: Any) -> Any:
        if not self._asynchronous:
            return tasks.task_context(self.client, data, **options)
        scope = tasks.async_task_context(self.client.target, data, **options)
        return Blocking(self.client.loop, scope)

    def create_shared(self, name: str, **options: Any) -> Any:
        kind = self._of(tasks.SharedContext, tasks.AsyncSharedContext)
        return kind.create(self.client, name, **options)

    def open_shared(self, name: str, **options: Any) -> Any:
        kind = self._of(tasks.SharedContext, tasks.AsyncSharedContext)
        return kind.open(self.client, name, **options)
