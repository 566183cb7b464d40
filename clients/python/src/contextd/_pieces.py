"""How what does not fit into one message is written in several. Without I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from contextd import _requests
from contextd._rules import MUTATIONS_MAX
from contextd.v1 import resources_pb2
from contextd.values import Content, ServerInfo, Value, to_content

PIECE_SIZE = 1 << 20
"""Bytes of one change at most, where the server takes messages of that size."""

# What a message has beside its values, at most: keys, ids, and what is around them.
_ROOM = 16 << 10

_UNITS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def size_of(server: ServerInfo) -> int:
    """How many bytes of steps go into one change."""
    written = re.fullmatch(r"(\d+)\s*(\w*)", server.settings.get("message_size_max", ""))
    if written is None or written[2] not in _UNITS:
        return PIECE_SIZE
    most = int(written[1]) * _UNITS[written[2]]
    return max(1, min(PIECE_SIZE, most - _ROOM))


def steps(puts: Mapping[str, Value], size: int) -> Iterator[resources_pb2.Mutation]:
    """The steps that set all of these; a value of more than ``size`` bytes comes in parts."""
    for key, value in puts.items():
        content = to_content(value)
        first = Content(content.value[:size], content.content_type)
        yield _requests.put_entry(key, first)
        for begin in range(size, len(content.value), size):
            part = Content(content.value[begin : begin + size], content.content_type)
            yield _requests.append_entry(key, part, expected_size=begin)


def grouped(
    steps: Iterable[resources_pb2.Mutation], size: int
) -> Iterator[list[resources_pb2.Mutation]]:
    """Takes steps together, as many as go into one change."""
    group: list[resources_pb2.Mutation] = []
    left = size
    for step in steps:
        needed = step.ByteSize()
        if group and (needed > left or len(group) == MUTATIONS_MAX):
            yield group
            group, left = [], size
        group.append(step)
        left -= needed
    if group:
        yield group
