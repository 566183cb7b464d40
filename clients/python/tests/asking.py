"""One question, asked by a client of its own, in either form."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Callable, Optional

from contextd import AsyncClient, Client, RetryPolicy
from fake import FakeClock


def ask(form: str, address: str, **options: Any) -> Any:
    """Asks what the server is, with a client of its own."""
    return _ask(form, address, None, options)


def ask_in_vain(form: str, address: str, **options: Any) -> Any:
    """Asks for an hour of a clock of its own, which only the waits between attempts move on.

    Each attempt has minutes of the time that really passes: it fails by what happens to it.
    """
    waits = RetryPolicy(initial_delay=1000.0, max_delay=1000.0)
    return _ask(form, address, FakeClock(), {"timeout": 3600.0, "retry": waits, **options})


def _ask(form: str, address: str, clock: Optional[FakeClock], options: dict[str, Any]) -> Any:
    async def ask_async() -> Any:
        async with AsyncClient(address, **options) as client:
            if clock is not None:
                _add_clock(client, clock, clock.async_sleep)
            return await client.server_info()

    if form == "async":
        return asyncio.run(ask_async())
    with Client(address, **options) as client:
        if clock is not None:
            _add_clock(client, clock, clock.sleep)
        return client.server_info()


def _add_clock(client: Any, clock: FakeClock, sleep: Callable[[float], Any]) -> None:
    client._settings = replace(client._settings, clock=clock, random=lambda: 1.0)
    client._runner.sleep = sleep
