"""Task contexts and shared contexts, with the client for asyncio."""

from contextd.tasks.aio.shared import AsyncSharedContext
from contextd.tasks.aio.task import AsyncTaskContext, async_task_context

__all__ = ["AsyncSharedContext", "AsyncTaskContext", "async_task_context"]
