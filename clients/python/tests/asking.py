"""One question, asked by a client of its own, in either form."""

from __future__ import annotations

import asyncio
from typing import Any

from contextd import AsyncClient, Client


def ask(form: str, address: str, **options: Any) -> Any:
    """Asks what the server is, with a client of its own."""

    async def ask_async() -> Any:
        async with AsyncClient(address, **options) as client:
            return await client.server_info()

    if form == "async":
        return asyncio.run(ask_async())
    with Client(address, **options) as client:
        return client.server_info()
