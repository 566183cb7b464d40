"""What becomes of clients in a process that is forked from theirs: they are closed there.

A fork copies the sockets of a channel, not the threads that serve it, and perhaps locks that nobody
opens any more. gRPC copes with some of that, not where a call is under way: then both processes
would write to one connection.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol

from contextd.errors import ClientClosed


class Forked(Protocol):
    """What is told that this is another process."""

    def forked(self) -> None:
        """Leaves what is the parent's alone. Only one thread is there, and nothing is under way."""


_known: weakref.WeakSet[Forked] = weakref.WeakSet()


def tell(thing: Forked) -> None:
    """Has it told after each fork, in the child."""
    _known.add(thing)


def foreign() -> ClientClosed:
    """Why a client cannot be used in a forked process."""
    return ClientClosed(
        "the client belongs to the process that this one was forked from: make another one here"
    )


def _forked() -> None:
    for thing in list(_known):
        thing.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
