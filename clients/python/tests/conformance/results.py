"""What the client gives, as plain trees: maps, lists, texts, numbers, true and false, null."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

import contextd
from conformance.language import WORDS
from contextd import events, tracking

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def time(moment: Optional[datetime]) -> Optional[int]:
    return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)


def seconds(length: Optional[timedelta]) -> Optional[float]:
    return None if length is None else length.total_seconds()


def value(data: bytes) -> Any:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"hex": data.hex()}


def fields(thing: Any, names: str) -> dict[str, Any]:
    """Those fields that are plain."""
    return {name: getattr(thing, name) for name in names.split()}


def written(done: contextd.Written) -> Any:
    return fields(done, "version revision replayed request_id")


def entry(found: Optional[contextd.Entry]) -> Any:
    if found is None:
        return None
    return {"value": value(found.value), **fields(found, "key content_type version")}


def entry_map(found: Mapping[str, contextd.Entry]) -> Any:
    return {key: value(one.value) for key, one in found.items()}


def retention(policy: Optional[contextd.RetentionPolicy]) -> Any:
    if policy is None:
        return None
    return {
        **fields(policy, "keep_last keep_every"),
        "keep_within": seconds(policy.keep_within),
    }


def policy(found: Optional[contextd.RecoveryPolicy]) -> Any:
    if found is None:
        return None
    return {
        "retention": retention(found.retention),
        "point_every_changes": found.point_every_changes,
        "point_every": seconds(found.point_every),
    }


def state(found: Optional[contextd.StateRef]) -> Any:
    if found is None:
        return None
    return {
        **fields(found, "context_id version"),
        "point": found.point_id,
        "time": time(found.time),
    }


def info(found: contextd.ContextInfo) -> Any:
    plain = "namespace id type parent_id version revision entry_count size_bytes fence"
    times = "create_time update_time expire_time delete_time"
    return {
        **fields(found, plain),
        **{name: time(getattr(found, name)) for name in times.split()},
        "metadata": dict(found.metadata),
        "recovery_policy": policy(found.recovery_policy),
        "forked_from": state(found.forked_from),
    }


def snapshot(found: contextd.Snapshot) -> Any:
    return {
        "version": found.version,
        "metadata": dict(found.metadata),
        "entries": {key: value(found[key]) for key in found},
    }


def server_info(found: contextd.ServerInfo) -> Any:
    return {
        **fields(found, "version log_id"),
        "settings": dict(found.settings),
        "features": list(found.features),
    }


def activation(found: contextd.Activation) -> Any:
    return {**fields(found, "context_id exclusive fence"), "time": time(found.time)}


def session(found: contextd.SessionInfo) -> Any:
    return {
        **fields(found, "namespace id owner current_context_id"),
        "metadata": dict(found.metadata),
        "create_time": time(found.create_time),
        "expire_time": time(found.expire_time),
        "activations": [activation(one) for one in found.activations],
    }


def status(found: contextd.ContextStatus) -> Any:
    return {
        **fields(found, "version fence exclusive_session_id guarded"),
        "presence": found.presence.value,
        "session_ids": list(found.session_ids),
    }


def _file(detail: object) -> Any:
    if not isinstance(detail, contextd.FileOperation):
        return None
    return fields(detail, "path operation source")


def _model(detail: object) -> Any:
    if not isinstance(detail, contextd.ModelUsage):
        return None
    plain = "provider model mode input_tokens output_tokens cached_tokens cost_micros currency"
    return {**fields(detail, plain), "latency": seconds(detail.latency)}


def _resource_event(detail: object) -> Any:
    if not isinstance(detail, tracking.ResourceEvent):
        return None
    return {**fields(detail, "name type"), "kind": detail.kind.value}


def activity(found: contextd.Activity) -> Any:
    return {
        **fields(found, "sequence type content_type session_id"),
        "time": time(found.time),
        "data": value(found.data),
        "metadata": dict(found.metadata),
        "file": _file(found.detail),
        "model": _model(found.detail),
        "resource": _resource_event(found.detail),
    }


def file(found: contextd.TrackedFile) -> Any:
    return {
        **fields(found.last_operation, "path operation source"),
        "operation_count": found.operation_count,
        "time": time(found.time),
    }


def usage(found: contextd.UsageTotal) -> Any:
    plain = "provider model mode currency call_count input_tokens output_tokens cached_tokens"
    return {**fields(found, plain + " cost_micros"), "latency": seconds(found.latency)}


def resource(found: contextd.Resource) -> Any:
    return {
        **fields(found, "name type session_id"),
        "metadata": dict(found.metadata),
        "time": time(found.time),
    }


def point(found: contextd.RecoveryPoint) -> Any:
    plain = "namespace context_id id parent_id sequence version pinned entry_count size_bytes"
    return {
        **fields(found, plain + " revision"),
        "create_time": time(found.create_time),
        "expire_time": time(found.expire_time),
        "origin": found.origin.value,
        "metadata": dict(found.metadata),
        "attachments": entry_map(found.attachments),
        "entries": entry_map(found.entries),
    }


def conflict(found: contextd.MergeConflict) -> Any:
    sides = {name: entry(getattr(found, name)) for name in ("ancestor", "target", "source")}
    return {**fields(found, "key in_metadata"), **sides}


def merged(found: contextd.Merged) -> Any:
    plain = "applied version changed_entry_count conflict_count safety_point_id revision"
    return {
        **fields(found, plain + " replayed request_id"),
        "conflicts": [conflict(one) for one in found.conflicts],
    }


def difference(found: Any) -> Any:
    if isinstance(found, contextd.EntryDifference):
        before, after = entry(found.before), entry(found.after)
        return {"kind": "entry", "key": found.key, "before": before, "after": after}
    return {"kind": "label", **fields(found, "key before after")}


def synced(found: contextd.Synced) -> Any:
    return {
        **fields(found, "from_version version full"),
        "differences": [difference(one) for one in found.differences],
    }


def _content(step: Any) -> Any:
    return {**fields(step, "key content_type"), "value": value(step.value)}


_MUTATIONS: Mapping[type, tuple[str, Callable[[Any], Any]]] = {
    events.Put: ("put", _content),
    events.Append: ("append", _content),
    events.Splice: ("splice", lambda step: {**_content(step), "kept_size": step.kept_size}),
    events.Delete: ("delete", lambda step: fields(step, "key")),
    events.DeletePrefix: ("delete_prefix", lambda step: fields(step, "prefix")),
    events.SetMetadata: ("set_metadata", lambda step: fields(step, "key value")),
    events.DeleteMetadata: ("delete_metadata", lambda step: fields(step, "key")),
    events.SetExpiry: (
        "set_expiry",
        lambda step: {"ttl": seconds(step.expiry.ttl), "sliding": step.expiry.sliding},
    ),
    events.SetRecoveryPolicy: ("set_recovery_policy", lambda step: {"policy": policy(step.policy)}),
    contextd.Activity: ("activity", activity),
}


def mutation(step: Any) -> Any:
    kind, give = _MUTATIONS[type(step)]
    return {"kind": kind, **give(step)}


def event(found: contextd.Event) -> Any:
    return {
        **fields(found, "cursor revision reset session_id recovery_point_id"),
        "type": found.type.value,
        "context_id": None if found.context is None else found.context.id,
        "version": None if found.context is None else found.context.version,
        "mutations": [mutation(step) for step in found.mutations],
        "entries": [entry(one) for one in found.entries],
        "trimmed": [{"first": gone.first, "last": gone.last} for gone in found.trimmed],
    }


def failure(error: contextd.ContextdError) -> Any:
    """A failure, with the typed fields of its class and of the classes above it."""
    names = [kind.__name__ for kind in type(error).__mro__]
    typed: dict[str, Any] = {}
    for name in names:
        for field in WORDS["errors"].get(name, {}).get("fields", ()):
            typed[field] = getattr(error, field)
    if "conflicts" in typed:
        typed["conflicts"] = [conflict(one) for one in typed["conflicts"]]
    return {
        **typed,
        "class": "Contextd" if names[0] == "ContextdError" else names[0],
        "is": [name for name in names[1:] if name in WORDS["errors"]],
        "status": error.code.name,
        "details": dict(error.details),
        **fields(error, "reason message request_id"),
    }
