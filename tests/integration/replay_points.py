#!/usr/bin/env python3
r"""Imports conversations with a recovery point for each message, and comes back to all of them.

    $(clients/python/venv.sh)/bin/python tests/integration/replay_points.py FILE \
        --server bazel-bin/server/contextd --seed 1

FILE is that of replay_python.py, and so are contexts, labels and entries. Each message is put
together with a point, m00000001 and so on, in one change, and the point's metadata tells its
role. Then the server is killed and started again, and this must hold:

  1. The points of a context are its messages', newest first, and each is the parent of the next.
  2. The state of every point is the conversation up to its message, byte for byte.
  3. A fork from any point is that, too; it takes along the points up to there.
  4. A context that is restored to any point is that, too; what it was before is its safety point.

Every point is read; --samples of them, over all contexts, are forked and restored. Exit status
0 when all of it holds; else 1, and the first differences are printed.
"""

from __future__ import annotations

import argparse
import functools
import pathlib
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import replay_python
from replay_python import Conversation, insist

from contextd import Changes, Client, Context, Entry, NewContext, RecoveryPolicy, RetentionPolicy
from contextd_process import ContextdProcess

WORKERS = 8
# More than any conversation has messages, so that no policy drops one.
POINTS_MAX = 1_000_000


def point_id(index: int) -> str:
    """The point of message ``index``, counted from 1."""
    return f"m{index:08d}"


def import_one(context: Context, conversation: Conversation) -> int:
    """Imports a conversation. Gives the number of points."""
    write_id = functools.partial(replay_python.request_id, conversation)
    policy = RecoveryPolicy(retention=RetentionPolicy(keep_last=POINTS_MAX))
    properties = NewContext(metadata=conversation.labels, recovery_policy=policy)
    insist(lambda: context.create(properties, request_id=write_id(0)))
    for index in range(1, len(conversation.messages) + 1):
        content = replay_python.content(conversation, index)
        insist(
            functools.partial(
                context.checkpoint,
                point_id(index),
                metadata={"message": str(index)},
                changes=Changes({replay_python.entry_key(index): content}),
                move_head=True,
                request_id=write_id(index),
            )
        )
    return len(conversation.messages)


def state_differences(
    who: str, entries: Mapping[str, Entry], conversation: Conversation, count: int
) -> Iterator[str]:
    """Compares entries with the first ``count`` messages."""
    expected = {
        replay_python.entry_key(index): conversation.messages[index - 1]
        for index in range(1, count + 1)
    }
    found = {key: entry.value for key, entry in entries.items()}
    if found != expected:
        wrong = sorted(
            key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)
        )
        yield f"{who}: these entries are others: {wrong}"


def point_differences(context: Context, conversation: Conversation) -> Iterator[str]:
    """Compares all points of a context."""
    name, count = context.id, len(conversation.messages)
    points = list(context.points(entries=True))
    if [point.id for point in points] != [point_id(index) for index in range(count, 0, -1)]:
        yield f"{name}: the points are {[point.id for point in points]}"
        return
    for index, point in zip(range(count, 0, -1), points):
        who = f"{name} {point.id}"
        if point.parent_id != (point_id(index - 1) if index > 1 else ""):
            yield f"{who}: the parent is {point.parent_id!r}"
        if point.sequence != index or point.metadata != {"message": str(index)}:
            yield f"{who}: it is {point.sequence} with {dict(point.metadata)}"
        yield from state_differences(who, point.entries, conversation, index)


def entries_of(context: Context) -> Mapping[str, Entry]:
    """All entries of a context."""
    return {entry.key: entry for entry in context.entries()}


def fork_differences(
    client: Client, conversation: Conversation, index: int, number: int
) -> Iterator[str]:
    """Forks from a point, and drops the fork again."""
    who = f"a fork of {conversation.id} from {point_id(index)}"
    fork = client.context(conversation.id).fork(
        f"fork-{number}", point=point_id(index), with_points=True
    )
    yield from state_differences(who, entries_of(fork), conversation, index)
    if [point.id for point in fork.points()] != [point_id(n) for n in range(index, 0, -1)]:
        yield f"{who}: it has other points"
    fork.delete(purge=True)


def restore_differences(client: Client, conversation: Conversation, index: int) -> Iterator[str]:
    """Restores to a point, and to what was before."""
    context = client.context(conversation.id)
    who = f"{conversation.id} at {point_id(index)}"
    restored = context.restore(point_id(index), safety_point=True)
    yield from state_differences(who, entries_of(context), conversation, index)
    if restored.changed_entry_count != len(conversation.messages) - index:
        yield f"{who}: {restored.changed_entry_count} entries were changed"
    context.restore(restored.safety_point_id)
    count = len(conversation.messages)
    yield from state_differences(f"{who}, undone", entries_of(context), conversation, count)
    context.delete_point(restored.safety_point_id)


def differences(
    client: Client, conversations: list[Conversation], samples: int, seed: int
) -> Iterator[str]:
    """Compares all points, then samples of what is made of them."""
    rng = random.Random(seed)
    for conversation in conversations:
        yield from point_differences(client.context(conversation.id), conversation)
    every = [
        (conversation, index)
        for conversation in conversations
        for index in range(1, len(conversation.messages) + 1)
    ]
    for number, (conversation, index) in enumerate(rng.sample(every, min(samples, len(every)))):
        yield from fork_differences(client, conversation, index, number)
        yield from restore_differences(client, conversation, index)


def log_bytes(folder: pathlib.Path) -> int:
    """The bytes that the files below a folder hold."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def main(arguments: list[str]) -> int:
    """Runs the whole of it. Gives the exit status."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=pathlib.Path, help="conversations, one JSON object a line")
    parser.add_argument("--server", required=True, help="the program contextd")
    parser.add_argument("--samples", type=int, default=200, help="points to come back to (200)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args(arguments)

    with options.file.open(encoding="utf-8", newline="\n") as lines:
        conversations = [replay_python.parse(line) for line in lines if line.strip()]
    print(f"seed {options.seed}: {len(conversations)} conversations", flush=True)

    with tempfile.TemporaryDirectory(prefix="contextd-replay-") as name:
        folder = pathlib.Path(name)
        server = ContextdProcess(options.server, folder)
        connect = functools.partial(
            Client,
            namespace=replay_python.NAMESPACE,
            timeout=replay_python.TIMEOUT_SECONDS,
        )
        try:
            server.start()
            with connect(server.address) as client, ThreadPoolExecutor(WORKERS) as workers:
                begin = time.monotonic()
                points = sum(
                    workers.map(lambda c: import_one(client.context(c.id), c), conversations)
                )
                seconds = time.monotonic() - begin
            stored = log_bytes(folder)
            server.kill()
            server.start()
            begin = time.monotonic()
            with connect(server.address) as client:
                found = list(differences(client, conversations, options.samples, options.seed))
            checked = time.monotonic() - begin
        finally:
            server.kill()

    for difference in found[: replay_python.DIFFERENCES_SHOWN]:
        print(difference)
    print(
        f"{points} points in {seconds:.1f} s, {stored} bytes of files; "
        f"compared in {checked:.1f} s: {len(found)} differences"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
