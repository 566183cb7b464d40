#!/usr/bin/env python3
r"""Imports conversations with all that was done, while the server is killed again and again.

    $(clients/python/venv.sh)/bin/python tests/integration/replay_tracker.py FILE \
        --server bazel-bin/server/contextd --kills 20 --seed 1

FILE is that of replay_python.py, and so are contexts, labels and entries. Each worker has a
session. The update that puts a message also records it, as an activity of the type of its
role with the same bytes; an assistant's message is the use of a model besides, and each
tool message the use of a resource of the tool's name, taken and given back.

What a model used follows from the words of the messages: before the call they went in, the
first message's were cached, the answer's own came out. The expected totals are counted
from the file by itself, all in one pass, without the client.

The server is killed as replay_python.py does, and once more in the end. Then this must hold:

  1. What replay_python.py demands of the contexts.
  2. Each history has its activities without a gap, in order, with the bytes of the messages,
     and was written by sessions of the workers.
  3. Both directions of a history, pages of any size and lists by type tell the same.
  4. Usage is what was counted: in each context, and in the namespace.
  5. Every resource was taken and given back as often as counted, and is free now.

Exit status 0 when it does; else 1, and the first differences are printed.
"""

from __future__ import annotations

import argparse
import functools
import json
import pathlib
import queue
import random
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import replay_python
from replay_python import Conversation, Ledger, insist

from contextd import (
    Activity,
    Client,
    Context,
    ModelUsage,
    NewContext,
    Resource,
    ResourceEvent,
    ResourceKind,
    Session,
    UsageTotal,
    Written,
)
from contextd_process import ContextdProcess

WORKERS = 8
# Longer than any restart, and than all of a worker's repetitions of one call.
TTL_SECONDS = 600
INPUT_MICROS = 3
OUTPUT_MICROS = 12
WORD_LATENCY = timedelta(milliseconds=20)
PAGE_SIZE = 7


def words(message: Any) -> int:  # noqa: ANN401  any JSON value
    """Counts the words of a message."""
    return len((message.get("content") or "").split())


def usage_of(messages: list[Any], index: int) -> ModelUsage:
    """What the model used that wrote message ``index``, counted from 0."""
    before = sum(words(message) for message in messages[:index])
    own = words(messages[index])
    return ModelUsage(
        provider="openai",
        model="gpt-4o",
        mode="tools" if messages[index].get("tool_calls") else "text",
        input_tokens=before,
        output_tokens=own,
        cached_tokens=words(messages[0]) if index > 0 else 0,
        cost_micros=INPUT_MICROS * before + OUTPUT_MICROS * own,
        latency=WORD_LATENCY * own,
    )


# The import.


def write(context: Context, conversation: Conversation, index: int) -> Written:
    """Writes message ``index``, counted from 1, and records it; 0 is the creation."""
    write_id = replay_python.request_id(conversation, index)
    if index == 0:
        return context.create(NewContext(metadata=conversation.labels), request_id=write_id)
    messages = [json.loads(message) for message in conversation.messages]
    content = replay_python.content(conversation, index)
    role = messages[index - 1]["role"]
    done = [Activity(role, content)]
    if role == "assistant":
        done.append(Activity(detail=usage_of(messages, index - 1)))
    return context.update(
        {replay_python.entry_key(index): content}, activities=done, request_id=write_id
    )


def use_tool(context: Context, conversation: Conversation, index: int) -> None:
    """Takes the resource that message ``index`` used, if it did, and gives it back."""
    message = json.loads(conversation.messages[index - 1])
    if message["role"] != "tool":
        return
    write_id = replay_python.request_id(conversation, index)
    hold = context.resource(message["name"], type="tool")

    def acquire() -> Resource:
        return hold.acquire(request_id=f"{write_id}/acquire")

    insist(acquire)
    insist(functools.partial(hold.release, request_id=f"{write_id}/release"))


def import_one(session: Session, conversation: Conversation, ledger: Ledger) -> None:
    """Imports a conversation for a session."""
    context = session.context(conversation.id)
    for index in range(len(conversation.messages) + 1):
        written = insist(functools.partial(write, context, conversation, index))
        if index > 0:
            use_tool(context, conversation, index)
        ledger.acknowledge(conversation, index, written)
        if ledger.failed is not None:
            return


def replay(
    conversations: list[Conversation], server: ContextdProcess, kills: int, seed: int
) -> Ledger:
    """Imports all conversations while the server is killed ``kills`` times."""
    rng = random.Random(seed)
    ledger = Ledger()
    count = sum(len(conversation.messages) + 1 for conversation in conversations)
    moments = sorted(rng.choices(range(count), k=kills))
    waiting: queue.SimpleQueue[Conversation] = queue.SimpleQueue()
    for conversation in conversations:
        waiting.put(conversation)

    def work(client: Client, number: int) -> None:
        try:
            with client.session(owner=f"worker-{number}", ttl=TTL_SECONDS) as session:
                while ledger.failed is None:
                    conversation = replay_python.take(waiting)
                    if conversation is None:
                        break
                    import_one(session, conversation, ledger)
                insist(session.end)
        except BaseException as error:
            ledger.fail(error)

    killer = threading.Thread(
        target=replay_python.kill_at_random, args=(server, ledger, moments, rng)
    )
    with connect(server) as client:
        workers = [threading.Thread(target=work, args=(client, n)) for n in range(WORKERS)]
        for thread in [killer, *workers]:
            thread.start()
        for thread in [killer, *workers]:
            thread.join()
    if ledger.failed is not None:
        raise ledger.failed
    return ledger


def connect(server: ContextdProcess) -> Client:
    """Connects to the namespace of the import."""
    return Client(
        server.address,
        namespace=replay_python.NAMESPACE,
        timeout=replay_python.TIMEOUT_SECONDS,
    )


# The independent count.


class Counted(NamedTuple):
    """What a conversation adds up to."""

    activities: list[tuple[str, str]]
    usage: dict[str, Counter[str]]


def count_lines(path: pathlib.Path) -> dict[str, Counted]:
    """Counts what each conversation must come to, from the file alone.

    Activities are (type, name of the resource or model's mode). Usage is by mode.
    """
    counted: dict[str, Counted] = {}
    for line in path.read_text(encoding="utf-8").split("\n"):
        if not line.strip():
            continue
        record = json.loads(line)
        activities: list[tuple[str, str]] = []
        usage: dict[str, Counter[str]] = {}
        seen = first = 0
        for number, message in enumerate(record["messages"]):
            length = len(str(message.get("content") or "").split())
            activities.append((message["role"], ""))
            if message["role"] == "assistant":
                mode = "tools" if message.get("tool_calls") else "text"
                activities.append(("model_usage", mode))
                total = usage.setdefault(mode, Counter())
                total["calls"] += 1
                total["input"] += seen
                total["output"] += length
                total["cached"] += first
                total["micros"] += INPUT_MICROS * seen + OUTPUT_MICROS * length
            elif message["role"] == "tool":
                activities += [("resource", message["name"])] * 2
            first = length if number == 0 else first
            seen += length
        counted[record["id"]] = Counted(activities, usage)
    return counted


# The comparison.


def usage_differences(
    who: str, found: list[UsageTotal], expected: dict[str, Counter[str]]
) -> Iterator[str]:
    """Compares the totals of a context or of the namespace."""
    wanted = [
        UsageTotal(
            provider="openai",
            model="gpt-4o",
            mode=mode,
            currency="USD",
            call_count=total["calls"],
            input_tokens=total["input"],
            output_tokens=total["output"],
            cached_tokens=total["cached"],
            cost_micros=total["micros"],
            latency=WORD_LATENCY * total["output"],
        )
        for mode, total in sorted(expected.items())
    ]
    if found != wanted:
        yield f"{who}: the usage is {found}, not {wanted}"


def name_of(activity: Activity) -> str:
    """The name of the resource, or the mode of the model, that an activity is about."""
    if isinstance(activity.detail, ResourceEvent):
        return activity.detail.name
    return activity.detail.mode if isinstance(activity.detail, ModelUsage) else ""


def history_differences(
    context: Context, conversation: Conversation, expected: Counted
) -> Iterator[str]:
    """Compares the history of a context."""
    name = context.id
    history = list(context.history(page_size=PAGE_SIZE))
    if [(activity.type, name_of(activity)) for activity in history] != expected.activities:
        yield f"{name}: the history is {history}"
        return
    if [activity.sequence for activity in history] != list(range(1, len(history) + 1)):
        yield f"{name}: the history has gaps"
    messages = [activity.data for activity in history if activity.detail is None]
    if messages != conversation.messages:
        yield f"{name}: the activities hold other messages"
    if not all(activity.session_id for activity in history):
        yield f"{name}: an activity of no session"
    kinds = [a.detail.kind for a in history if isinstance(a.detail, ResourceEvent)]
    if kinds != [ResourceKind.ACQUIRED, ResourceKind.RELEASED] * (len(kinds) // 2):
        yield f"{name}: the resources were not taken and given back in turn"
    if list(context.history(newest_first=True)) != history[::-1]:
        yield f"{name}: backwards the history is another"
    for type_ in sorted({activity.type for activity in history}):
        of_type = [activity for activity in history if activity.type == type_]
        if list(context.history(types=[type_], page_size=PAGE_SIZE)) != of_type:
            yield f"{name}: the list of {type_} is another"


def differences(
    conversations: list[Conversation], expected: dict[str, Counted], client: Client
) -> Iterator[str]:
    """Compares what is stored with what was counted."""
    everything: dict[str, Counter[str]] = {}
    for conversation in conversations:
        context, counted = client.context(conversation.id), expected[conversation.id]
        yield from history_differences(context, conversation, counted)
        yield from usage_differences(context.id, context.usage(), counted.usage)
        for mode, total in counted.usage.items():
            everything.setdefault(mode, Counter()).update(total)
        held = list(context.resources())
        if held:
            yield f"{context.id}: it still holds {held}"
    yield from usage_differences("the namespace", client.usage(), everything)
    alive = list(client.sessions())
    if alive:
        yield f"sessions are still alive: {alive}"


def main(arguments: list[str]) -> int:
    """Runs the whole of it. Gives the exit status."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=pathlib.Path, help="conversations, one JSON object a line")
    parser.add_argument("--server", required=True, help="the program contextd")
    parser.add_argument("--kills", type=int, default=20, help="how often to kill (20)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args(arguments)

    with options.file.open(encoding="utf-8", newline="\n") as lines:
        conversations = [replay_python.parse(line) for line in lines if line.strip()]
    expected = count_lines(options.file)
    activities = [activity for counted in expected.values() for activity in counted.activities]
    print(
        f"seed {options.seed}: {len(conversations)} conversations, {len(activities)} activities",
        flush=True,
    )

    with tempfile.TemporaryDirectory(prefix="contextd-replay-") as folder:
        server = ContextdProcess(options.server, pathlib.Path(folder))
        try:
            server.start()
            ledger = replay(conversations, server, options.kills, options.seed)
            server.kill()
            server.start()
            with connect(server) as client:
                found = [
                    *replay_python.differences(conversations, client, ledger.versions),
                    *differences(conversations, expected, client),
                ]
        finally:
            server.kill()

    for difference in found[: replay_python.DIFFERENCES_SHOWN]:
        print(difference)
    by_type = Counter(type_ for type_, _ in activities)
    print(", ".join(f"{count} {type_}" for type_, count in sorted(by_type.items())))
    print(
        f"{len(ledger.versions)} writes acknowledged, {ledger.replayed} of them on a repetition, "
        f"{options.kills} kills: {len(found)} differences"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
