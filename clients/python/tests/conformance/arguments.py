"""The arguments of the cases, as the client takes them: one name means one thing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

import contextd
from contextd import EventType, OnConflict

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def length(seconds: Optional[float]) -> Optional[timedelta]:
    return None if seconds is None else timedelta(seconds=seconds)


def value(written: Any) -> Any:
    """A value: text, bytes in hexadecimal, or one with a content type of its own."""
    if isinstance(written, dict):
        if written.keys() == {"hex"}:
            return bytes.fromhex(written["hex"])
        content = value(written["value"])
        plain = content.encode() if isinstance(content, str) else content
        return contextd.Content(plain, written["content_type"])
    return written


def values(written: Mapping[str, Any]) -> Any:
    return {key: None if one is None else value(one) for key, one in written.items()}


def expiry(written: Mapping[str, Any]) -> contextd.Expiry:
    return contextd.Expiry(length(written.get("ttl")), written.get("sliding", False))


def retention(written: Optional[Mapping[str, Any]]) -> Optional[contextd.RetentionPolicy]:
    if written is None:
        return None
    within = length(written.get("keep_within"))
    return contextd.RetentionPolicy(**{**written, "keep_within": within})


def policy(written: Mapping[str, Any]) -> contextd.RecoveryPolicy:
    every = length(written.get("point_every"))
    kept = retention(written.get("retention"))
    return contextd.RecoveryPolicy(**{**written, "retention": kept, "point_every": every})


def new_context(written: Optional[Mapping[str, Any]]) -> Any:
    return None if written is None else contextd.NewContext(**converted(written))


def activity(written: Mapping[str, Any]) -> contextd.Activity:
    plain = dict(written)
    file, model = plain.pop("file", None), plain.pop("model", None)
    if file is not None:
        plain["detail"] = contextd.FileOperation(**file)
    if model is not None:
        taken = timedelta(seconds=model.get("latency", 0))
        plain["detail"] = contextd.ModelUsage(**{**model, "latency": taken})
    return contextd.Activity(**{**plain, "data": value(plain.get("data", b""))})


def changes(written: Mapping[str, Any]) -> contextd.Changes:
    return contextd.Changes(**converted(written))


_CONVERTED: Mapping[str, Callable[[Any], Any]] = {
    "activities": lambda several: [activity(one) for one in several],
    "add_attachments": values,
    "appends": values,
    "changes": changes,
    "create_if_missing": new_context,
    "end": moment,
    "event_types": lambda names: [EventType(name) for name in names],
    "expiry": expiry,
    "from_time": moment,
    "on_conflict": OnConflict,
    "on_conflict_by_key": lambda rules: {key: OnConflict(rule) for key, rule in rules.items()},
    "policy": retention,
    "properties": new_context,
    "puts": values,
    "recovery_policy": policy,
    "set": values,
    "start": moment,
    "value": value,
}


def converted(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, each as the client takes it."""
    plain = {name: _CONVERTED.get(name, lambda same: same)(one) for name, one in arguments.items()}
    if isinstance(plain.get("attachments"), dict):
        plain["attachments"] = values(plain["attachments"])
    return plain
