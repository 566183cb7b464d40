#!/usr/bin/env python3
r"""Imports conversations through the Python client while the server is killed again and again.

    $(clients/python/venv.sh)/bin/python tests/integration/replay_python.py FILE \
        --server bazel-bin/server/contextd --kills 50 --seed 1

FILE holds JSON lines: {"id": ..., "messages": [...]}. Each conversation becomes a context,
its other scalar members labels, and each message one update that puts the exact bytes of
that JSON value under messages/00000001 and so on. Request ids come from id and index, so
that what is not known to be done can be done again.

The server is killed with SIGKILL after numbers of messages that the seed chooses, sometimes
again while it recovers, and started again on the same directory. In the end it is killed
once more, and then this must hold:

  1. The contexts are those of the file, and no others.
  2. Each has the labels and the messages of its conversation, byte for byte, in order, and
     nothing else.
  3. Versions have no gap: the creation is 1, message n is n + 1, none is newer.
  4. Every version that was acknowledged is the one that is there.

Exit status 0 when it does; else 1, and the first differences are printed.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import json
import pathlib
import queue
import random
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Callable, NamedTuple, Optional, TypeVar

CLIENT = pathlib.Path(__file__).resolve().parents[2] / "clients" / "python"
sys.path[:0] = [str(CLIENT / "src"), str(CLIENT / "tests")]

from contextd import (  # noqa: E402
    AsyncClient,
    AsyncContext,
    Client,
    Content,
    Context,
    DeadlineExceeded,
    NewContext,
    Unavailable,
    Written,
)
from contextd_process import ContextdProcess  # noqa: E402

T = TypeVar("T")

NAMESPACE = "replay"
WORKERS = 8
# A call waits so long for a server that is starting; then it is made again, so often.
TIMEOUT_SECONDS = 10.0
ROUNDS_MAX = 30
DIFFERENCES_SHOWN = 20
# Of four kills, one hits the server that is just recovering from another.
KILL_RECOVERY_CHANCE = 0.25
RECOVERY_SECONDS = 0.05


class Conversation(NamedTuple):
    """One line of the file. Messages are the bytes between the commas, as they are written."""

    id: str
    labels: dict[str, str]
    messages: list[bytes]


def skip(text: str, at: int, expected: str = "") -> int:
    """Goes past white space, then ``expected``, then white space."""
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    if not text.startswith(expected, at):
        raise ValueError(f"no {expected!r} at character {at}")
    return skip(text, at + len(expected)) if expected else at


def elements(text: str, at: int, brackets: str) -> Iterator[tuple[Optional[str], int, int]]:
    """Gives name (of an object's members), begin and end of each value in a JSON text."""
    decode = json.JSONDecoder().raw_decode
    at = skip(text, at, brackets[0])
    while text[at] != brackets[1]:
        name = None
        if brackets == "{}":
            name, at = decode(text, at)
            at = skip(text, at, ":")
        begin = at
        _, at = decode(text, begin)
        yield name, begin, at
        at = skip(text, at)
        if text[at] != brackets[1]:
            at = skip(text, at, ",")


def parse(line: str) -> Conversation:
    """Reads one line of the file without losing a byte of its messages."""
    identity: Optional[str] = None
    labels: dict[str, str] = {}
    messages: list[bytes] = []
    for name, begin, end in elements(line, skip(line, 0), "{}"):
        value = json.loads(line[begin:end])
        if name == "id":
            identity = str(value)
        elif name == "messages":
            messages = [line[b:e].encode() for _, b, e in elements(line, begin, "[]")]
        elif name is not None and not isinstance(value, (dict, list)):
            labels[name] = value if isinstance(value, str) else line[begin:end]
    if not identity:
        raise ValueError("a conversation has no id")
    return Conversation(identity, labels, messages)


@dataclass
class Ledger:
    """What was acknowledged. Its condition is notified with every acknowledgement."""

    versions: dict[tuple[str, int], int] = field(default_factory=dict)
    replayed: int = 0
    failed: Optional[BaseException] = None
    changed: threading.Condition = field(default_factory=threading.Condition)

    def acknowledge(self, conversation: Conversation, index: int, written: Written) -> None:
        """Notes the version of message ``index``; 0 is the creation."""
        with self.changed:
            self.versions[conversation.id, index] = written.version
            self.replayed += written.replayed
            self.changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Notes that a worker gave up, and lets the others do so."""
        with self.changed:
            self.failed = self.failed or error
            self.changed.notify_all()

    def wait_for(self, count: int) -> bool:
        """Returns once so many were acknowledged; false: it will not come to that."""
        with self.changed:
            self.changed.wait_for(lambda: self.failed or len(self.versions) >= count)
            return self.failed is None


def request_id(conversation: Conversation, index: int) -> str:
    """The same again for the same write, in any run."""
    return f"replay/{conversation.id}/{index}"


def entry_key(index: int) -> str:
    """Where message ``index`` lies, counted from 1."""
    return f"messages/{index:08d}"


def content(conversation: Conversation, index: int) -> Content:
    """Message ``index``, as it is written."""
    return Content(conversation.messages[index - 1], "application/json")


def insist(write: Callable[[], T]) -> T:
    """Repeats a write, with its request id, until somebody answers."""
    for _ in range(ROUNDS_MAX - 1):
        try:
            return write()
        except (Unavailable, DeadlineExceeded):
            continue
    return write()


def import_one(context: Context, conversation: Conversation, ledger: Ledger) -> None:
    """Imports a conversation through the synchronous client."""

    def write(index: int) -> Written:
        write_id = request_id(conversation, index)
        if index == 0:
            return context.create(NewContext(metadata=conversation.labels), request_id=write_id)
        return context.put(entry_key(index), content(conversation, index), request_id=write_id)

    for index in range(len(conversation.messages) + 1):
        ledger.acknowledge(conversation, index, insist(functools.partial(write, index)))
        if ledger.failed is not None:
            return


async def import_one_async(
    context: AsyncContext, conversation: Conversation, ledger: Ledger
) -> None:
    """Imports a conversation through the asynchronous client."""

    async def write(index: int) -> Written:
        write_id = request_id(conversation, index)
        if index == 0:
            properties = NewContext(metadata=conversation.labels)
            return await context.create(properties, request_id=write_id)
        return await context.put(
            entry_key(index), content(conversation, index), request_id=write_id
        )

    for index in range(len(conversation.messages) + 1):
        for remaining in reversed(range(ROUNDS_MAX)):
            try:
                ledger.acknowledge(conversation, index, await write(index))
                break
            except (Unavailable, DeadlineExceeded):
                if remaining == 0:
                    raise
        if ledger.failed is not None:
            return


def take(conversations: queue.SimpleQueue[Conversation]) -> Optional[Conversation]:
    """Gives the next conversation; ``None`` when all are taken."""
    try:
        return conversations.get_nowait()
    except queue.Empty:
        return None


def import_in_threads(
    address: str, conversations: queue.SimpleQueue[Conversation], ledger: Ledger
) -> None:
    """Imports with one client and as many threads as there are workers."""

    def work(client: Client) -> None:
        try:
            while (conversation := take(conversations)) is not None and ledger.failed is None:
                import_one(client.context(conversation.id), conversation, ledger)
        except BaseException as error:
            ledger.fail(error)

    with Client(address, namespace=NAMESPACE, timeout=TIMEOUT_SECONDS) as client:
        threads = [threading.Thread(target=work, args=(client,)) for _ in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


async def import_in_tasks(
    address: str, conversations: queue.SimpleQueue[Conversation], ledger: Ledger
) -> None:
    """Imports with one client and as many tasks as there are workers."""

    async def work(client: AsyncClient) -> None:
        try:
            while (conversation := take(conversations)) is not None and ledger.failed is None:
                await import_one_async(client.context(conversation.id), conversation, ledger)
        except BaseException as error:
            ledger.fail(error)

    async with AsyncClient(address, namespace=NAMESPACE, timeout=TIMEOUT_SECONDS) as client:
        await asyncio.gather(*(work(client) for _ in range(WORKERS)))


def kill_at_random(
    server: ContextdProcess, ledger: Ledger, moments: list[int], rng: random.Random
) -> None:
    """Kills the server when so many writes were acknowledged, and starts it again."""
    try:
        while moments and ledger.wait_for(moments.pop(0)):
            server.kill()
            server.launch()
            while moments and rng.random() < KILL_RECOVERY_CHANCE:
                moments.pop(0)
                if server.ends_within(rng.uniform(0, RECOVERY_SECONDS)):
                    break
                server.kill()
                server.launch()
            server.wait_ready()
    except BaseException as error:
        ledger.fail(error)


def replay(
    conversations: list[Conversation], server: ContextdProcess, kills: int, seed: int, mode: str
) -> Ledger:
    """Imports all conversations while the server is killed ``kills`` times."""
    rng = random.Random(seed)
    ledger = Ledger()
    writes = sum(len(conversation.messages) + 1 for conversation in conversations)
    moments = sorted(rng.choices(range(writes), k=kills))
    waiting: queue.SimpleQueue[Conversation] = queue.SimpleQueue()
    for conversation in conversations:
        waiting.put(conversation)
    killer = threading.Thread(target=kill_at_random, args=(server, ledger, moments, rng))
    killer.start()
    importers = []
    if mode in ("sync", "both"):
        arguments = (server.address, waiting, ledger)
        importers.append(threading.Thread(target=import_in_threads, args=arguments))
    for importer in importers:
        importer.start()
    if mode in ("async", "both"):
        asyncio.run(import_in_tasks(server.address, waiting, ledger))
    for thread in [*importers, killer]:
        thread.join()
    if ledger.failed is not None:
        raise ledger.failed
    return ledger


def differences(
    conversations: list[Conversation], client: Client, versions: dict[tuple[str, int], int]
) -> Iterator[str]:
    """Compares what is stored with what was imported and acknowledged."""
    stored = {info.id: info for info in client.contexts()}
    expected = {conversation.id for conversation in conversations}
    yield from (f"{name}: the file has no such conversation" for name in stored.keys() - expected)
    for conversation in conversations:
        name, count = conversation.id, len(conversation.messages)
        info = stored.get(name)
        if info is None:
            yield f"{name}: it is not there"
            continue
        if info.metadata != conversation.labels:
            yield f"{name}: the labels are {dict(info.metadata)}"
        if info.version != count + 1:
            yield f"{name}: the version is {info.version}, not {count + 1}"
        entries = list(client.context(name).entries())
        keys = [entry.key for entry in entries]
        if keys != [entry_key(index) for index in range(1, count + 1)]:
            yield f"{name}: the entries are {keys}"
            continue
        if versions.get((name, 0)) != 1:
            yield f"{name}: the creation was acknowledged as {versions.get((name, 0))}"
        for index, (entry, message) in enumerate(zip(entries, conversation.messages), start=1):
            if entry.value != message:
                yield f"{name}: message {index} is {entry.value!r}, not {message!r}"
            if not entry.version == index + 1 == versions.get((name, index)):
                yield (
                    f"{name}: message {index} has version {entry.version}, "
                    f"acknowledged was {versions.get((name, index))}"
                )


def main(arguments: list[str]) -> int:
    """Runs the whole of it. Gives the exit status."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=pathlib.Path, help="conversations, one JSON object a line")
    parser.add_argument("--server", required=True, help="the program contextd")
    parser.add_argument("--kills", type=int, default=20, help="how often to kill (20)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--client", choices=["sync", "async", "both"], default="both")
    options = parser.parse_args(arguments)

    with options.file.open(encoding="utf-8", newline="\n") as lines:
        conversations = [parse(line) for line in lines if line.strip()]
    messages = sum(len(conversation.messages) for conversation in conversations)
    print(
        f"seed {options.seed}: {len(conversations)} conversations, {messages} messages", flush=True
    )

    with tempfile.TemporaryDirectory(prefix="contextd-replay-") as folder:
        server = ContextdProcess(options.server, pathlib.Path(folder))
        try:
            server.start()
            ledger = replay(conversations, server, options.kills, options.seed, options.client)
            server.kill()
            server.start()
            with Client(server.address, namespace=NAMESPACE) as client:
                found = list(differences(conversations, client, ledger.versions))
        finally:
            server.kill()

    for difference in found[:DIFFERENCES_SHOWN]:
        print(difference)
    print(
        f"{len(ledger.versions)} writes acknowledged, {ledger.replayed} of them on a repetition, "
        f"{options.kills} kills: {len(found)} differences"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
