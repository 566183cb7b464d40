"""Each operation of the cases, with the client: what is called, and what it gives."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import contextd
from conformance import results
from conformance.arguments import changes, converted, moment, values
from conformance.world import World

Arguments = dict[str, Any]
Operation = Callable[[World, Any, Arguments], Awaitable[Any]]


@dataclass(frozen=True)
class Call:
    """An operation that is one method: its name, and what to make of its result.

    Attributes:
        method: Of the client, or of the context or state.
        give: Makes a tree of the result.
        positional: Arguments that are given by position, in order.
        renamed: Arguments that the method calls differently.
        of: What it is a method of: ``client``, ``context`` or ``state``.
    """

    method: str
    give: Callable[[Any], Any]
    positional: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    of: str = "context"

    async def __call__(self, world: World, client: Any, arguments: Arguments) -> Any:
        """Calls it."""
        target = client if self.of == "client" else world.target(client, arguments)
        plain = converted(arguments)
        given = [plain.pop(name) for name in self.positional if name in plain]
        named = {self.renamed.get(name, name): one for name, one in plain.items()}
        return self.give(await world.got(getattr(target, self.method)(*given, **named)))


def _list(name: str, give: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda found: {name: [give(one) for one in found]}


def _nothing(_: object) -> Any:
    return {}


def _truncated(done: contextd.Truncated) -> Any:
    return done._asdict()


_POINTS = {"before_point": "before"}

CALLS: Mapping[str, Call] = {
    "info": Call("info", results.info),
    "get": Call("get_entry", results.entry, ("key",)),
    "get_json": Call("get_json", lambda found: {"json": found}, ("key",)),
    "snapshot": Call("snapshot", results.snapshot),
    "entries": Call("entries", _list("entries", results.entry)),
    "list_contexts": Call("contexts", _list("contexts", results.info), of="client"),
    "list_namespaces": Call(
        "namespaces", _list("namespaces", lambda one: one._asdict()), of="client"
    ),
    "server_info": Call("server_info", results.server_info, of="client"),
    "put": Call("put", results.written, ("key", "value")),
    "append": Call("append", results.written, ("key", "value")),
    "remove": Call("remove", results.written, ("key",)),
    "update": Call("update", results.written),
    "put_all": Call("put_all", results.written),
    "delete": Call("delete", lambda count: {"deleted_count": count}),
    "list_sessions": Call("sessions", _list("sessions", results.session), of="client"),
    "status": Call("status", results.status),
    "history": Call("history", _list("activities", results.activity)),
    "truncate_history": Call("truncate_history", _truncated),
    "optimize_history": Call("optimize_history", lambda done: done._asdict()),
    "files": Call("files", _list("files", results.file)),
    "resources": Call("resources", _list("resources", results.resource)),
    "checkpoint": Call("checkpoint", results.point, renamed={"point": "point_id"}),
    "point": Call("point", results.point),
    "points": Call("points", _list("points", results.point), renamed=_POINTS),
    "points_of_many": Call("points", _list("points", results.point), of="client"),
    "update_point": Call("update_point", results.point),
    "attach": Call("attach", _nothing, renamed={"add_attachments": "add"}),
    "delete_point": Call("delete_point", _nothing),
    "prune_points": Call("prune_points", lambda done: done._asdict()),
    "prune_points_of_many": Call("prune_points", lambda done: done._asdict(), of="client"),
    "sync": Call("sync", results.synced),
}


def _properties(arguments: Arguments) -> contextd.NewContext:
    """Takes those arguments that say how a context begins."""
    names = ["type", "parent_id", "metadata", "expiry", "recovery_policy", "create_parent"]
    taken = {name: arguments.pop(name) for name in names if name in arguments}
    return contextd.NewContext(**converted(taken))


async def create(world: World, client: Any, arguments: Arguments) -> Any:
    target = world.target(client, arguments)
    properties = _properties(arguments)
    return results.written(await world.got(target.create(properties, **converted(arguments))))


async def create_unnamed(world: World, client: Any, arguments: Arguments) -> Any:
    properties = _properties(arguments)
    made = await world.got(client.create("", properties, **converted(arguments)))
    return {"context_id": made.id}


async def contains(world: World, client: Any, arguments: Arguments) -> Any:
    target, key = world.target(client, arguments), arguments.pop("key")
    found = target.contains(key) if hasattr(target, "contains") else key in target
    return {"contains": await world.got(found)}


async def put_json(world: World, client: Any, arguments: Arguments) -> Any:
    target = world.target(client, arguments)
    return results.written(await world.got(target.put_json(**arguments)))


async def edit(world: World, client: Any, arguments: Arguments) -> Any:
    target, key, add = (world.target(client, arguments), arguments.pop("key"), arguments.pop("add"))

    def change(old: Any) -> str:
        return str(int(old or b"0") + add)

    return results.written(await world.got(target.edit(key, change, **arguments)))


async def transact(world: World, client: Any, arguments: Arguments) -> Any:
    target = world.target(client, arguments)
    added, new = arguments.pop("add_each", {}), values(arguments.pop("set", {}))

    def change(draft: contextd.Draft) -> None:
        for key, number in added.items():
            draft[key] = str(int(draft.get(key) or b"0") + number)
        for key, value in new.items():
            draft.put(key, value)

    await world.got(target.transact(change, **arguments))
    return {}


async def record(world: World, client: Any, arguments: Arguments) -> Any:
    target, plain = world.target(client, arguments), converted(arguments)
    return (await world.got(target.record(*plain.pop("activities"), **plain)))._asdict()


async def usage(world: World, client: Any, arguments: Arguments) -> Any:
    named = "context" in arguments or "activation" in arguments
    target = world.target(client, arguments) if named else client
    return {"totals": [results.usage(one) for one in await world.got(target.usage(**arguments))]}


async def snapshots(world: World, client: Any, arguments: Arguments) -> Any:
    states = [client.context(context_id) for context_id in arguments.pop("contexts")]
    found = await world.got(client.snapshots(states, **arguments))
    return {
        "results": [
            results.snapshot(one.snapshot)
            if one.error is None
            else {"error": results.failure(one.error)}
            for one in found
        ]
    }


def _update(world: World, client: Any, words: Arguments) -> contextd.ContextUpdate:
    target = world.target(client, words)
    guards = {name: words.pop(name) for name in ("if_version", "if_entries") if name in words}
    return contextd.ContextUpdate(target, changes(words), **guards)


async def update_all(world: World, client: Any, arguments: Arguments) -> Any:
    updates = [_update(world, client, dict(words)) for words in arguments.pop("updates")]
    done = await world.got(client.update_all(updates, **arguments))
    return {"results": [results.written(one) for one in done]}


# ---- Sessions. ----


async def start_session(world: World, client: Any, arguments: Arguments) -> Any:
    name = arguments.pop("as")
    session = client.session(**converted(arguments))
    await world.got(session.start())
    world.sessions[name] = session
    return {"session_id": session.id}


async def end_session(world: World, client: Any, arguments: Arguments) -> Any:
    if "session" in arguments:
        await world.got(world.sessions[arguments.pop("session")].end(**arguments))
    else:
        await world.got(client.end_session(**arguments))
    return {}


async def session_info(world: World, client: Any, arguments: Arguments) -> Any:
    if "session" in arguments:
        return results.session(
            await world.got(world.sessions[arguments.pop("session")].info(**arguments))
        )
    return results.session(await world.got(client.session_info(**arguments)))


async def wait_lost(world: World, _client: Any, arguments: Arguments) -> Any:
    session = world.sessions[arguments.pop("session")]
    return {"lost": await world.got(session.wait_lost(world.PATIENCE_SECONDS, **arguments))}


async def activate(world: World, _client: Any, arguments: Arguments) -> Any:
    session, name = world.sessions[arguments.pop("session")], arguments.pop("as", None)
    active = await world.got(session.activate(arguments.pop("context"), **arguments))
    world.activations[name] = active
    return {"fence": active.fence}


async def switch(world: World, _client: Any, arguments: Arguments) -> Any:
    session = world.sessions[arguments.pop("session")]
    await world.got(session.switch(arguments.pop("context"), **arguments))
    return {}


async def deactivate(world: World, _client: Any, arguments: Arguments) -> Any:
    active = world.activations[arguments.pop("activation")]
    await world.got(active.deactivate(**arguments))
    return {}


def _hold(world: World, client: Any, arguments: Arguments) -> Any:
    """The resource that is named. Its session is an argument of its own here."""
    session = world.sessions.get(arguments.pop("session", None))
    target = world.target(client, arguments)
    named = {name: arguments.pop(name) for name in ("type", "metadata") if name in arguments}
    return target.resource(arguments.pop("name"), session=session, **named)


async def acquire(world: World, client: Any, arguments: Arguments) -> Any:
    hold = _hold(world, client, arguments)
    return results.resource(await world.got(hold.acquire(**arguments)))


async def release(world: World, client: Any, arguments: Arguments) -> Any:
    await world.got(_hold(world, client, arguments).release(**arguments))
    return {}


# ---- Subscriptions. ----


async def subscribe(world: World, client: Any, arguments: Arguments) -> Any:
    name = arguments.pop("as")
    world.subscriptions[name] = subscription = client.subscribe(**converted(arguments))
    await world.entered(subscription)
    return {}


async def next_events(world: World, _client: Any, arguments: Arguments) -> Any:
    subscription, count = (world.subscriptions[arguments.pop("subscription")], arguments["count"])
    return {"events": [results.event(one) for one in await world.next_of(subscription, count)]}


async def events_until_caught_up(world: World, _client: Any, arguments: Arguments) -> Any:
    subscription = world.subscriptions[arguments.pop("subscription")]
    events = await world.got(subscription.until_caught_up(**arguments))
    return {"events": [results.event(one) for one in events], "cursor": subscription.cursor}


async def wait_compacted(world: World, client: Any, arguments: Arguments) -> Any:
    end = time.monotonic() + world.PATIENCE_SECONDS
    while time.monotonic() < end:
        subscription = client.subscribe(**arguments)
        try:
            await world.entered(subscription)
        except contextd.CursorCompacted:
            return {"compacted": True}
        await world.closed(subscription)
        await world.blocking(lambda: time.sleep(world.LOOK_SECONDS))
    return {"compacted": False}


async def close_subscription(world: World, _client: Any, arguments: Arguments) -> Any:
    await world.closed(world.subscriptions[arguments["subscription"]])
    return {}


# ---- Views. ----


async def view(world: World, client: Any, arguments: Arguments) -> Any:
    name = arguments.pop("as")
    subscription = client.subscribe(snapshot=True, **arguments)
    await world.entered(subscription)
    world.subscriptions[f"view {name}"] = subscription
    selected = {of: arguments[of] for of in ("key_prefix", "metadata") if of in arguments}
    made = world.view(client, **selected)
    for event in await world.got(subscription.until_caught_up()):
        await world.got(made.apply(event))
    world.views[name] = (made, subscription)
    return {}


async def view_until(world: World, _client: Any, arguments: Arguments) -> Any:
    held, subscription = world.views[arguments.pop("view")]
    context, gone = arguments.pop("context"), arguments.pop("gone", False)
    version = arguments.pop("version", 0)
    while True:
        found = held.contexts.get(context)
        if gone and found is None:
            return {}
        if not gone and found is not None and found.info.version >= version:
            return {
                "version": found.info.version,
                "metadata": dict(found.info.metadata),
                "entries": results.entry_map(found.entries),
            }
        for event in await world.next_of(subscription, 1):
            await world.got(held.apply(event))


async def view_contexts(world: World, _client: Any, arguments: Arguments) -> Any:
    held, _ = world.views[arguments.pop("view")]
    return {"contexts": sorted(held.contexts)}


# ---- Recovery. ----


def _at(arguments: Arguments) -> Arguments:
    """The state that ``at`` names, as arguments of their own."""
    named = dict(arguments.pop("at", {}))
    if "time" in named:
        named["time"] = moment(named["time"])
    return named


async def restore(world: World, client: Any, arguments: Arguments) -> Any:
    at = _at(arguments)
    target = world.target(client, arguments)
    done = await world.got(target.restore(**at, **arguments))
    plain = "version changed_entry_count safety_point_id revision replayed request_id"
    return results.fields(done, plain)


async def fork(world: World, client: Any, arguments: Arguments) -> Any:
    at = _at(arguments)
    target = world.target(client, arguments)
    made = target.fork(arguments.pop("to", ""), **at, **converted(arguments))
    return {"context_id": (await world.got(made)).id}


async def merge(world: World, client: Any, arguments: Arguments) -> Any:
    target = world.target(client, arguments)
    states = {
        name: world.target(client, dict(arguments.pop(name)))
        for name in ("source", "ancestor")
        if name in arguments
    }
    return results.merged(await world.got(target.merge(**states, **converted(arguments))))


async def diff(world: World, client: Any, arguments: Arguments) -> Any:
    before = world.target(client, dict(arguments.pop("before_state")))
    target = world.target(client, arguments)
    found = await world.got(target.diff(before, **arguments))
    return {"differences": [results.difference(one) for one in found]}


def _point_result(result: contextd.PointResult) -> Any:
    if result.error is not None:
        return {"error": results.failure(result.error)}
    return {"point": None if result.point is None else results.point(result.point)}


def _add(batch: contextd.PointBatch, world: World, client: Any, operation: Arguments) -> None:
    ((kind, words),) = operation.items()
    plain = dict(words)
    target = world.target(client, plain)
    plain = converted(plain)
    of_write = {name: plain.pop(name) for name in ("if_version", "request_id") if name in plain}
    if kind == "create":
        plain["id"] = plain.pop("point", "")
        batch.create(target, contextd.NewPoint(**plain), **of_write)
    elif kind == "get":
        batch.get(target, plain.pop("point", None), **plain)
    elif kind == "update":
        point = plain.pop("point")
        batch.update(target, point, contextd.PointUpdate(**plain), **of_write)
    else:
        batch.delete(target, plain.pop("point"), **plain, **of_write)


async def batch_points(world: World, client: Any, arguments: Arguments) -> Any:
    batch = contextd.PointBatch()
    for operation in arguments["operations"]:
        _add(batch, world, client, operation)
    found = await world.got(client.batch_points(batch))
    return {"results": [_point_result(one) for one in found]}


OPERATIONS: Mapping[str, Operation] = {
    **CALLS,
    **{
        made.__name__: made
        for made in (
            create,
            create_unnamed,
            contains,
            put_json,
            edit,
            transact,
            record,
            usage,
            snapshots,
            update_all,
            start_session,
            end_session,
            session_info,
            wait_lost,
            activate,
            switch,
            deactivate,
            acquire,
            release,
            subscribe,
            next_events,
            events_until_caught_up,
            wait_compacted,
            close_subscription,
            view,
            view_until,
            view_contexts,
            restore,
            fork,
            merge,
            diff,
            batch_points,
        )
    },
}
