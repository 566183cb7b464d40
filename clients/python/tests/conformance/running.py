"""Does the steps of a case, and compares."""

from __future__ import annotations

import copy
import threading
from collections import ChainMap
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from typing import Any, Optional

import contextd
from conformance import language, results
from conformance.language import Case, Mismatch
from conformance.operations import OPERATIONS
from conformance.world import World

Names = MutableMapping[str, Any]
Step = Mapping[str, Any]


class NotOffered(Exception):
    """The client does not offer an operation yet."""


async def run_case(case: Case, world: World) -> None:
    """Does all steps. Raises :class:`Mismatch`, which names the step, where one is wrong."""
    world.open_client("")
    try:
        for index, step in enumerate(case.steps):
            try:
                await run_step(step, world, world.names)
            except Mismatch as wrong:
                raise Mismatch(f"step {index}: {wrong}") from wrong
            except NotOffered:
                raise
            except Exception as wrong:
                raise AssertionError(f"step {index}: {type(wrong).__name__}: {wrong}") from wrong
    finally:
        await world.end()


async def run_step(step: Step, world: World, names: Names) -> None:
    """Does one step with what is inside it, compares, and saves."""
    operation, arguments = language.operation_of(step)
    if operation in _STEPS_OF_STEPS:
        await _STEPS_OF_STEPS[operation](world, names, arguments)
        return
    failure: Optional[contextd.ContextdError] = None
    result: Any = None
    try:
        result = await _perform(operation, step, language.filled(arguments, names), world, names)
    except contextd.ContextdError as error:
        failure = error
    _compare(step, operation, result, failure, names)
    for name, path in step.get("save", {}).items():
        names[name] = language.part_of(result, path)


def _compare(
    step: Step, operation: str, result: Any, failure: Optional[contextd.ContextdError], names: Names
) -> None:
    if "error" in step:
        if failure is None:
            raise Mismatch(f"{operation} did not fail, but gave {language.shown(result)}")
        expected = step["error"]
        if isinstance(expected, str):
            expected = {"class": expected}
        language.check(language.filled(expected, names), results.failure(failure))
    elif failure is not None:
        raise Mismatch(f"{operation} failed: {type(failure).__name__}: {failure}") from failure
    if "expect" in step:
        language.check(language.filled(step["expect"], names), result)


async def _perform(
    operation: str, step: Step, arguments: dict[str, Any], world: World, names: Names
) -> Any:
    client = world.clients[language.filled(step.get("client", ""), names)]
    if operation in _ON_THE_WORLD:
        return await _ON_THE_WORLD[operation](world, client, arguments)
    if operation not in OPERATIONS:
        raise NotOffered(f"the client does not offer {operation}")
    return await OPERATIONS[operation](world, client, copy.copy(arguments))


# ---- The client and the server. ----


async def _open_client(world: World, _client: Any, arguments: dict[str, Any]) -> Any:
    world.open_client(arguments.pop("as"), **arguments)
    return {}


async def _close_client(world: World, client: Any, _arguments: dict[str, Any]) -> Any:
    await world.closed(client)
    return {}


def _own(world: World) -> Any:
    if not world.own_server:
        raise AssertionError("only a case with a server of its own stops it")
    return world.server


async def _start_server(world: World, _client: Any, arguments: dict[str, Any]) -> Any:
    server = _own(world)
    if "flags" in arguments:
        server.flags = flags_of(arguments["flags"])
    await world.blocking(server.start)
    return {}


async def _kill_server(world: World, _client: Any, _arguments: dict[str, Any]) -> Any:
    await world.blocking(_own(world).kill)
    return {}


async def _stop_server(world: World, _client: Any, _arguments: dict[str, Any]) -> Any:
    status = await world.blocking(_own(world).stop)
    if status != 0:
        raise Mismatch(f"the server ended with {status}")
    return {}


async def _restart_server(world: World, client: Any, arguments: dict[str, Any]) -> Any:
    how = {"kill": _kill_server, "stop": _stop_server}[arguments.pop("how", "kill")]
    await how(world, client, {})
    return await _start_server(world, client, arguments)


async def _tell(_world: World, _client: Any, arguments: dict[str, Any]) -> Any:
    return arguments


_ON_THE_WORLD: Mapping[str, Callable[[World, Any, dict[str, Any]], Awaitable[Any]]] = {
    "open_client": _open_client,
    "close_client": _close_client,
    "start_server": _start_server,
    "kill_server": _kill_server,
    "stop_server": _stop_server,
    "restart_server": _restart_server,
    "tell": _tell,
}


def flags_of(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The server's flags for settings by their names."""
    return tuple(
        word
        for name, value in settings.items()
        for word in (f"--{name.replace('_', '-')}", str(value))
    )


# ---- Steps of steps. ----


def _round(names: Names, arguments: Step, count: int) -> Names:
    """The names in one round of a ``repeat``: what is saved there is seen everywhere."""
    if "as" not in arguments:
        return names
    return _Scope(names, arguments["as"], count)


class _Scope(ChainMap[str, Any]):
    """Names with one more. What is set goes to those of the case."""

    def __init__(self, names: Names, name: str, value: object) -> None:
        super().__init__({name: value}, names)
        self._names = names

    def __setitem__(self, name: str, value: Any) -> None:
        self._names[name] = value


async def _repeat(world: World, names: Names, arguments: Step) -> None:
    for count in language.rounds(arguments["times"]):
        await _one_round(world, _round(names, arguments, count), arguments["steps"])


async def _one_round(world: World, names: Names, steps: list[Step]) -> None:
    for step in steps:
        await run_step(step, world, names)


def _each(world: World, names: Names, arguments: Step) -> list[Coroutine[Any, Any, None]]:
    """All steps, and each round of a ``repeat``."""
    begun: list[Coroutine[Any, Any, None]] = []
    for step in arguments["steps"]:
        operation, inner = language.operation_of(step)
        if operation == "repeat":
            begun += [
                _one_round(world, _round(names, inner, count), inner["steps"])
                for count in language.rounds(inner["times"])
            ]
        else:
            begun.append(run_step(step, world, names))
    return begun


async def _concurrently(world: World, names: Names, arguments: Step) -> None:
    await world.together(_each(world, names, arguments))


async def _in_order(world: World, names: Names, arguments: Step) -> None:
    await world.in_order(_each(world, names, arguments))


class _Passed:
    """Counts the steps that passed in the background."""

    def __init__(self) -> None:
        self._count = 0
        self._over = False
        self._changed = threading.Condition()

    def add(self, count: int = 0, *, over: bool = False) -> None:
        with self._changed:
            self._count += count
            self._over = self._over or over
            self._changed.notify_all()

    def wait(self, count: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._count >= count)


async def _counted(world: World, names: Names, steps: list[Step], passed: _Passed) -> None:
    try:
        for step in steps:
            operation, inner = language.operation_of(step)
            if operation == "repeat":
                for count in language.rounds(inner["times"]):
                    await _one_round(world, _round(names, inner, count), inner["steps"])
                    passed.add(1)
            else:
                await run_step(step, world, names)
                passed.add(1)
    finally:
        passed.add(over=True)


async def _begin(world: World, names: Names, arguments: Step) -> None:
    passed = _Passed()
    world.begin(arguments["as"], _counted(world, names, arguments["steps"], passed))
    await world.blocking(lambda: passed.wait(arguments.get("passed", 0)))


async def _finish(world: World, _names: Names, arguments: Step) -> None:
    await world.finish(arguments["as"])


_STEPS_OF_STEPS: Mapping[str, Callable[[World, Names, Step], Awaitable[None]]] = {
    "repeat": _repeat,
    "concurrently": _concurrently,
    "in_order": _in_order,
    "begin": _begin,
    "finish": _finish,
}
