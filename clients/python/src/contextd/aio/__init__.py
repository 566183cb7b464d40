"""The client for asyncio. It does what :mod:`contextd.client` does, and waits in the loop."""

from contextd.aio.client import AsyncClient
from contextd.aio.context import AsyncBranch, AsyncContext
from contextd.aio.live_view import AsyncLiveView
from contextd.aio.session import AsyncActiveContext, AsyncSession
from contextd.aio.state import AsyncContextState
from contextd.aio.subscription import AsyncSubscription
from contextd.aio.tracked import AsyncResourceHold
from contextd.aio.view import AsyncView

__all__ = [
    "AsyncActiveContext",
    "AsyncBranch",
    "AsyncClient",
    "AsyncContext",
    "AsyncContextState",
    "AsyncLiveView",
    "AsyncResourceHold",
    "AsyncSession",
    "AsyncSubscription",
    "AsyncView",
]
