"""Which operations go out together, and when. Without I/O, and without a thread.

A lane has a few calls under way at most. An operation that finds room goes out at once, alone;
the others wait, and go together as soon as there is room: the call that is under way is the
delay. See "Coalescing" in the project's docs/clients.md.
"""

from __future__ import annotations

import copy
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Any, Optional, Protocol, Union, cast

import grpc
from google.protobuf.message import Message

from contextd._calls import Coalesce, Operation, Settings, Sleep
from contextd._calls import send as send_one
from contextd._methods import Method
from contextd.errors import (
    Cancelled,
    ClientClosed,
    ContextdError,
    DeadlineExceeded,
    Overloaded,
    Unavailable,
    WrongServer,
)

CALLS_IN_FLIGHT = 2
"""How many calls of a lane are under way at most."""

CALL_OPERATIONS_MAX = 1_000
"""How many operations a call holds at most. The server allows as many."""

CALL_BYTES_MAX = 1 << 20
"""Bytes of requests that a call holds at most; a larger operation goes alone."""

WAITING_MAX = 10_000
"""How many operations of a lane wait at most."""

WAITING_BYTES_MAX = 64 << 20
"""Bytes of requests that wait at most."""

# What is left of a call's time is never nothing.
_TIMEOUT_MIN = 0.001

# What a whole call ends with that was repeated to its deadline, or that no operation of it caused.
_OF_ALL = (Unavailable, Overloaded, DeadlineExceeded, Cancelled, ClientClosed, WrongServer)

Outcome = Union[Message, Exception]
"""The answer, or what was raised: not always by us, but also by a token or an interceptor."""

Name = tuple[str, str]
"""Which context: its namespace and its id."""


def name_of(step: Coalesce) -> Name:
    """The context that an operation is of."""
    request: Any = step.request
    return request.namespace, request.context_id


class Part:
    """One operation in a lane.

    Attributes:
        method: What it is as a call of its own.
        request: Its request; changed by nobody any more.
        name: Its context: those of one context keep their order, those of one call are of one
            namespace.
        size: Bytes of the request.
        deadline: When its caller gives up, by the clock of the settings.
        over: Whether it has its outcome, or its caller gave up.
    """

    __slots__ = (
        "deadline",
        "method",
        "name",
        "over",
        "request",
        "request_id",
        "size",
    )

    def __init__(self, step: Coalesce, name: Optional[Name] = None) -> None:
        """Is in no lane yet. ``name`` is that of the step, where it is known already."""
        self.method = step.method
        self.request: Any = step.request
        self.request_id = step.request_id
        self.name = name or name_of(step)
        self.size: int = step.request.ByteSize()
        self.deadline = step.settings.clock() + step.settings.timeout
        self.over = False

    def wake(self, outcome: Outcome) -> None:
        """Tells its caller the outcome: called once, unless the caller gave up."""
        raise NotImplementedError

    def settle(self, outcome: Outcome) -> None:
        """Gives it its outcome, if nobody gave up before."""
        if not self.over:
            self.over = True
            self.wake(outcome)

    def fail(self, error: Exception) -> None:
        """Lets it end with an error of its own, made of one that others have too."""
        if not isinstance(error, ContextdError):
            self.settle(error)
            return
        own = copy.copy(error)
        own.request_id = self.request_id
        own.__cause__ = error
        self.settle(own)

    def give_up(self) -> None:
        """Notes that nobody wants the outcome any more."""
        self.over = True


class Kind(Protocol):
    """What can go together in a lane, and how."""

    batch: Method[Any, Any]

    def build(self, parts: Sequence[Part]) -> Message:
        """Makes one request of several operations."""

    def read(self, response: Any, parts: Sequence[Part]) -> list[Optional[Outcome]]:  # noqa: ANN401
        """Reads what became of each. ``None``: the answer had no room to tell, ask alone."""


class _Waiting:
    """What waits in a namespace: the operations of each context, and whose turn it is."""

    def __init__(self) -> None:
        self.by_context: dict[str, deque[Part]] = {}
        # The contexts that have none under way, in turn.
        self.ready: deque[str] = deque()


class Lane:
    """The operations of one kind that a client has under way, and those that wait.

    What always holds:

    1. At most ``CALLS_IN_FLIGHT`` groups are out: what :meth:`take` gave and :meth:`done` did not
       take back, and what went alone.
    2. Of one context the operations of one group at most are out, and they go out in the order in
       which they were added.
    3. A group is of one namespace, of ``CALL_OPERATIONS_MAX`` operations at most, and of
       ``CALL_BYTES_MAX`` bytes, unless it is a single operation that has more.
    4. Who calls :meth:`add`, :meth:`done` or :meth:`came_back` takes until nothing is to take.
       Then nothing waits that has room, but for what would leave the next call without its share:
       calls of one size cost less than a large one and many small ones.

    Threads: the caller's lock. Each step takes constant time, or time for each operation that it
    takes.
    """

    def __init__(self, kind: Kind) -> None:
        """Holds nothing."""
        self.kind = kind
        self._out = 0
        self._out_parts = 0
        self._busy: set[Name] = set()
        self._namespaces: OrderedDict[str, _Waiting] = OrderedDict()
        self._waiting = 0
        self._waiting_bytes = 0

    @property
    def waiting(self) -> int:
        """How many operations wait."""
        return self._waiting

    @property
    def full(self) -> bool:
        """Whether there is no room: nothing is to take."""
        return self._out == CALLS_IN_FLIGHT

    def add(self, part: Part) -> None:
        """Puts an operation behind those of its context.

        Raises:
            Overloaded: too many wait already.
        """
        if self._waiting >= WAITING_MAX or self._waiting_bytes + part.size > WAITING_BYTES_MAX:
            raise Overloaded(
                f"{self._waiting} operations of {self._waiting_bytes} bytes wait in this client: "
                "send less at once",
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                "OVERLOADED",
            )
        self._queue(part).append(part)
        self._waiting += 1
        self._waiting_bytes += part.size

    def go_alone(self, name: Name) -> bool:
        """Lets an operation of the context go out at once, where there is room and none waits.

        It is as if it had been added and taken; :meth:`came_back` takes it back.
        """
        if self._waiting or self._out == CALLS_IN_FLIGHT or name in self._busy:
            return False
        self._out += 1
        self._out_parts += 1
        self._busy.add(name)
        return True

    def came_back(self, name: Name) -> None:
        """Takes an operation back that went out alone."""
        self._out -= 1
        self._out_parts -= 1
        self._free(name)

    def take(self) -> Optional[list[Part]]:
        """Gives the group that goes out now. ``None``: nothing is to go, or there is no room."""
        while self._waiting and self._out < CALLS_IN_FLIGHT:
            found = next(
                ((name, there) for name, there in self._namespaces.items() if there.ready), None
            )
            if found is None:
                return None
            namespace, waiting = found
            # The next group is another namespace's, where there is another.
            self._namespaces.move_to_end(namespace)
            group = self._fill(namespace, waiting)
            if group:
                self._out += 1
                self._out_parts += len(group)
                self._busy.update([part.name for part in group])
                return group
        return None

    def done(self, group: Sequence[Part]) -> None:
        """Takes a group back; of its operations those that are not over wait again, in front."""
        self._out -= 1
        self._out_parts -= len(group)
        for part in reversed(group):
            if not part.over:
                self._queue(part).appendleft(part)
                self._waiting += 1
                self._waiting_bytes += part.size
        for name in {part.name for part in group}:
            self._free(name)

    def _free(self, name: Name) -> None:
        """Notes that nothing of a context is out any more: what waits of it has its turn."""
        self._busy.remove(name)
        namespace, context_id = name
        waiting = self._namespaces.get(namespace)
        if waiting is not None and context_id in waiting.by_context:
            waiting.ready.append(context_id)

    def close(self) -> list[Part]:
        """Gives all that wait, and holds them no more."""
        waiting = [
            part
            for there in self._namespaces.values()
            for queue in there.by_context.values()
            for part in queue
        ]
        self._namespaces.clear()
        self._waiting = self._waiting_bytes = 0
        return waiting

    def _queue(self, part: Part) -> deque[Part]:
        """The queue of its context; a new one has its turn unless the context is under way."""
        namespace, context_id = part.name
        waiting = self._namespaces.get(namespace)
        if waiting is None:
            waiting = self._namespaces[namespace] = _Waiting()
        queue = waiting.by_context.get(context_id)
        if queue is None:
            queue = waiting.by_context[context_id] = deque()
            if part.name not in self._busy:
                waiting.ready.append(context_id)
        return queue

    def _share(self) -> int:
        """How many operations a call has when all that there are were shared out."""
        return -(-(self._waiting + self._out_parts) // CALLS_IN_FLIGHT)

    def _fill(self, namespace: str, waiting: _Waiting) -> list[Part]:
        """Takes what goes into one call, context after context."""
        group: list[Part] = []
        share = self._share()
        size = 0
        full = False
        while waiting.ready and len(group) < share and not full:
            context_id = waiting.ready.popleft()
            queue = waiting.by_context[context_id]
            began = len(group)
            while queue and not full:
                part = queue[0]
                if not part.over:
                    full = bool(group) and (
                        len(group) == CALL_OPERATIONS_MAX or size + part.size > CALL_BYTES_MAX
                    )
                    if full:
                        break
                    group.append(part)
                    size += part.size
                queue.popleft()
                self._waiting -= 1
                self._waiting_bytes -= part.size
            if not queue:
                del waiting.by_context[context_id]
            elif len(group) == began:
                waiting.ready.appendleft(context_id)
        if not waiting.by_context:
            del self._namespaces[namespace]
        return group


def send(settings: Settings, kind: Kind, group: Sequence[Part]) -> Operation[None]:
    """Has the operations of a group done, and gives each its outcome as soon as it is known.

    Its time is that of the operation that has most.
    """
    attempts = settings.attempts(_left(settings, max(part.deadline for part in group)))
    while True:
        group = [part for part in group if not part.over]
        if len(group) < 2:
            break
        time_left = max(attempts.remaining(), _TIMEOUT_MIN)
        refused = yield from _send_together(settings, kind, group, time_left)
        if not refused:
            return
        delay = attempts.delay_after(
            max((error for _, error in refused), key=lambda error: error.retry_delay or 0.0)
        )
        if delay is None:
            for part, error in refused:
                part.fail(error)
            return
        group = [part for part, _ in refused]
        try:
            yield Sleep(delay)
        except ContextdError as error:  # The client was closed.
            for part in group:
                part.fail(error)
            return
    for part in group:
        yield from _send_alone(settings, part)


def _send_together(
    settings: Settings, kind: Kind, group: Sequence[Part], timeout: float
) -> Operation[list[tuple[Part, Overloaded]]]:
    """Sends a group once; gives those of it that an overloaded server refused."""
    outcomes: Sequence[Optional[Outcome]]
    try:
        response = yield from send_one(settings, kind.batch, kind.build(group), timeout=timeout)
    except _OF_ALL as error:
        for part in group:
            part.fail(error)
        return []
    except ContextdError:
        # One of them may be the reason: it must not be the others' fault.
        outcomes = [None] * len(group)
    except Exception as error:
        # The program's own code raised it, before anything was sent: of all of them.
        for part in group:
            part.fail(error)
        return []
    else:
        outcomes = _complete(kind.read(response, group), group)
    refused = []
    for part, outcome in zip(group, outcomes):
        if outcome is None:
            yield from _send_alone(settings, part)
        elif isinstance(outcome, Overloaded):
            refused.append((part, outcome))
        elif isinstance(outcome, Exception):
            part.fail(outcome)
        else:
            part.settle(outcome)
    return refused


def _complete(
    outcomes: Sequence[Optional[Outcome]], group: Sequence[Part]
) -> Sequence[Optional[Outcome]]:
    if len(outcomes) == len(group):
        return outcomes
    error = ContextdError(f"the server answered {len(outcomes)} of {len(group)} operations")
    return [error] * len(group)


def _send_alone(settings: Settings, part: Part) -> Operation[None]:
    if part.over:
        return
    timeout = _left(settings, part.deadline)
    try:
        outcome = yield from send_one(settings, part.method, part.request, part.request_id, timeout)
    except Exception as error:
        part.settle(error)
    else:
        part.settle(cast(Message, outcome))


def _left(settings: Settings, deadline: float) -> float:
    return max(deadline - settings.clock(), _TIMEOUT_MIN)


def too_late(step: Coalesce) -> DeadlineExceeded:
    """What an operation ends with whose time was over before anybody answered."""
    error = DeadlineExceeded(
        f"no answer in {step.settings.timeout:g} s", grpc.StatusCode.DEADLINE_EXCEEDED
    )
    error.request_id = step.request_id
    return error
