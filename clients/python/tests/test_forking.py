"""Clients in a process that was forked from theirs.

Each program runs in a process of its own, so that no thread of the tests is copied.
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from contextd.v1 import context_manager_pb2 as pb
from fake import PATIENCE_SECONDS, FakeServer, Hang
from fake_events import caught_up

FOLDER = pathlib.Path(__file__).resolve().parents[1]

PROGRAM = """
import asyncio, os, sys, threading
from contextd import AsyncClient, Client, ClientClosed

address = sys.argv[1]
client = Client(address, timeout=60.0)
client.server_info()
events = client.subscribe().__enter__()
view = client.view()
view.start()
view.wait_ready()
waiting = threading.Thread(target=list, args=(events,), daemon=True)
waiting.start()

async def connect():
    asynchronous = AsyncClient(address, timeout=60.0)
    await asynchronous.server_info()
    return asynchronous

loop = asyncio.new_event_loop()
asynchronous = loop.run_until_complete(connect())

def refused(call):
    try:
        call()
    except ClientClosed as error:
        return "forked from" in str(error)
    return False

if os.fork() == 0:
    right = [
        refused(lambda: client.server_info(refresh=True)),
        refused(lambda: client.context("c").put("k", b"v")),
        refused(lambda: next(client.subscribe())),
        refused(lambda: next(events)),
        refused(view.wait_ready),
        refused(lambda: asyncio.run(asynchronous.server_info(refresh=True))),
    ]
    view.close()
    events.close()
    client.close()
    asyncio.run(asynchronous.close())
    print(right, flush=True)
    os._exit(0)
os.wait()
print(client.server_info(refresh=True).version, view.ready, waiting.is_alive())
client.close()
loop.run_until_complete(asynchronous.close())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_client_is_closed_in_a_process_that_was_forked(server: FakeServer) -> None:
    server.answer("GetServerInfo", pb.GetServerInfoResponse(version="1"))
    server.answer("Subscribe", [caught_up("1"), Hang()])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, server.address],
        env={**os.environ, "PYTHONPATH": str(FOLDER / "src")},
        capture_output=True,
        text=True,
        timeout=10 * PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{[True] * 6}\n1 True True\n"
