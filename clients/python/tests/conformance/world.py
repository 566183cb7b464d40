"""What a case has: its server, clients, sessions and subscriptions, with one of both clients.

The operations are written once, as coroutines. With the client for threads nothing in them ever
waits: each call blocks, so that a coroutine is done in one go, in whatever thread begins it.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, Optional

import contextd
from conformance import language
from conformance.arguments import moment, new_context
from conformance.security import Security
from contextd_process import ContextdProcess


class World:
    """What the steps of one case work on."""

    PATIENCE_SECONDS = 30.0
    LOOK_SECONDS = 0.05

    def __init__(
        self,
        namespace: str,
        server: ContextdProcess,
        addresses: dict[str, str],
        own_server: bool,
        security: Optional[Security] = None,
    ) -> None:
        """Takes the case's server, with its TLS, and the addresses of those that are none."""
        self.server = server
        self.own_server = own_server
        self.names: dict[str, Any] = {"namespace": namespace}
        self.sessions: dict[str, Any] = {}
        self.activations: dict[Optional[str], Any] = {}
        self.subscriptions: dict[str, Any] = {}
        self.views: dict[str, Any] = {}
        self.clients: dict[str, Any] = {}
        self.background: dict[str, Any] = {}
        self._namespace = namespace
        self._addresses = addresses
        self._security = security

    def open_client(
        self, name: str, address: str = "server", tls: str = "", **options: Any
    ) -> None:
        """Makes a client of the case; ``tls`` says how it is secured."""
        where = self.server.address if address == "server" else self._addresses[address]
        if "token" in options:
            token = options["token"]
            options["token"] = lambda: token
        if address == "server" and self._security is not None:
            options["tls"] = self._security.tls(tls)
        elif tls:
            raise AssertionError("the server of the case has no TLS")
        plain = {"namespace": self._namespace, "timeout": self.PATIENCE_SECONDS, **options}
        self.clients[name] = self._client(where, **plain)

    def target(self, client: Any, arguments: dict[str, Any]) -> Any:
        """The context or state that the arguments name; takes those out that do."""
        at = arguments.pop("at", None)
        found = self._context(client, arguments)
        if at is None:
            return found
        if "time" in at:
            at = {"time": moment(at["time"])}
        return found.at(**at)

    def _context(self, client: Any, arguments: dict[str, Any]) -> Any:
        if "activation" in arguments:
            return self.activations[arguments.pop("activation")]
        options = {
            name: arguments.pop(name)
            for name in ("create_if_missing", "namespace", "timeout")
            if name in arguments
        }
        if "create_if_missing" in options:
            options["create_if_missing"] = new_context(options["create_if_missing"])
        source = self.sessions[arguments.pop("session")] if "session" in arguments else client
        return source.context(arguments.pop("context"), **options)

    # ---- What differs between the two clients. ----

    def _client(self, address: str, **options: Any) -> Any:
        return contextd.Client(address, **options)

    def view(self, client: Any, **how: Any) -> Any:
        """Makes a view that takes events of a subscription."""
        return contextd.View(lambda of: client.context(of).snapshot(), **how)

    async def got(self, result: Any) -> Any:
        """Waits for a result, and collects what comes piece by piece."""
        return list(result) if isinstance(result, Iterator) else result

    async def entered(self, thing: Any) -> None:
        """Does what the beginning of a ``with`` does."""
        thing.__enter__()

    async def closed(self, thing: Any) -> None:
        """Closes a client or a subscription."""
        thing.close()

    async def next_of(self, subscription: Any, count: int) -> list[Any]:
        """Waits for so many events."""
        patience = threading.Timer(self.PATIENCE_SECONDS, subscription.close)
        patience.start()
        try:
            events = [event for _, event in zip(range(count), subscription)]
        finally:
            patience.cancel()
        if len(events) < count:
            raise language.Mismatch(f"{len(events)} events came, and no more")
        return events

    async def blocking(self, wait: Callable[[], Any]) -> Any:
        """Does what blocks."""
        return wait()

    async def together(self, steps: list[Coroutine[Any, Any, None]]) -> None:
        """Does all at once, and raises what the first one failed with that failed."""
        running = [_Thread(step) for step in steps]
        failures = [thread.finish() for thread in running]
        for failure in filter(None, failures):
            raise failure

    async def in_order(self, steps: list[Coroutine[Any, Any, None]]) -> None:
        """Begins all in their order; calls that block are made one after the other."""
        for step in steps:
            await step

    def begin(self, name: str, steps: Coroutine[Any, Any, None]) -> None:
        """Begins steps in the background."""
        self.background[name] = _Thread(steps)

    async def finish(self, name: str) -> None:
        """Waits for them, and raises what they failed with."""
        failure = self.background.pop(name).finish()
        if failure is not None:
            raise failure

    async def end(self) -> None:
        """Gives everything back, the last that was made first."""
        for subscription in reversed(self.subscriptions.values()):
            await self.closed(subscription)
        for client in reversed(self.clients.values()):
            await self.closed(client)
        for name in list(self.background):
            with contextlib.suppress(Exception):
                await self.finish(name)


class _Thread:
    """A coroutine that never waits, in a thread of its own."""

    def __init__(self, steps: Coroutine[Any, Any, None]) -> None:
        self._steps = steps
        self._failure: Optional[BaseException] = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            run_to_end(self._steps)
        except BaseException as failure:
            self._failure = failure

    def finish(self) -> Optional[BaseException]:
        """Waits for its end; gives what it failed with."""
        self._thread.join()
        return self._failure


def run_to_end(steps: Coroutine[Any, Any, None]) -> None:
    """Does a coroutine that never waits."""
    try:
        steps.send(None)
    except StopIteration:
        return
    raise AssertionError("with the client for threads nothing waits")


class AsyncWorld(World):
    """The same with the client for asyncio."""

    def _client(self, address: str, **options: Any) -> Any:
        return contextd.AsyncClient(address, **options)

    async def got(self, result: Any) -> Any:
        if isinstance(result, Awaitable):
            return await result
        if inspect.isasyncgen(result):
            return [one async for one in result]
        return result

    async def entered(self, thing: Any) -> None:
        await thing.__aenter__()

    async def closed(self, thing: Any) -> None:
        await (thing.aclose() if hasattr(thing, "aclose") else thing.close())

    async def next_of(self, subscription: Any, count: int) -> list[Any]:
        events: list[Any] = []

        async def collect() -> None:
            while len(events) < count:
                events.append(await subscription.__anext__())

        try:
            await asyncio.wait_for(collect(), self.PATIENCE_SECONDS)
        except (asyncio.TimeoutError, StopAsyncIteration):
            raise language.Mismatch(f"{len(events)} events came, and no more") from None
        return events

    async def blocking(self, wait: Callable[[], Any]) -> Any:
        return await asyncio.to_thread(wait)

    async def together(self, steps: list[Coroutine[Any, Any, None]]) -> None:
        for failure in await asyncio.gather(*steps, return_exceptions=True):
            if isinstance(failure, BaseException):
                raise failure

    async def in_order(self, steps: list[Coroutine[Any, Any, None]]) -> None:
        await self.together(steps)

    def view(self, client: Any, **how: Any) -> Any:
        return contextd.AsyncView(lambda of: client.context(of).snapshot(), **how)

    def begin(self, name: str, steps: Coroutine[Any, Any, None]) -> None:
        self.background[name] = asyncio.ensure_future(steps)

    async def finish(self, name: str) -> None:
        await self.background.pop(name)
