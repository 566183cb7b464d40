"""The rules of requests that the server refuses a request for, checked before it is sent.

The words are the server's. Limits that are configured are the server's alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Callable, Optional

import grpc
from google.protobuf.message import Message

from contextd.errors import InvalidField
from contextd.v1 import context_manager_pb2 as manager
from contextd.v1 import recovery_pb2 as recovery
from contextd.v1 import tracker_pb2 as tracker

DEFAULT_NAMESPACE = "default"
NAMESPACE_SIZE_MAX = 63
CONTEXT_ID_SIZE_MAX = 256
CONTEXT_TYPE_SIZE_MAX = 64
ENTRY_KEY_SIZE_MAX = 512
CONTENT_TYPE_SIZE_MAX = 128
LABEL_KEY_SIZE_MAX = 63
LABEL_VALUE_SIZE_MAX = 1024
LABELS_MAX = 64
REQUEST_ID_SIZE_MAX = 128
SESSION_ID_SIZE_MAX = 256
OWNER_SIZE_MAX = 256
ACTIVITY_TYPE_SIZE_MAX = 64
FILE_PATH_SIZE_MAX = 2048
FILE_OPERATION_SIZE_MAX = 64
FILE_SOURCE_SIZE_MAX = 256
MODEL_NAME_SIZE_MAX = 256
RESOURCE_NAME_SIZE_MAX = 256
RESOURCE_TYPE_SIZE_MAX = 64
POINT_ID_SIZE_MAX = 128
MUTATIONS_MAX = 10_000
PRECONDITIONS_MAX = 1_000
KEYS_MAX = 10_000
BATCH_MAX = 1_000
PAGE_SIZE_MAX = 1_000
PAGE_SIZE_DEFAULT = 100
ACTIVITIES_MAX = 1_000
ACTIVITY_TYPES_MAX = 100
ATTACHMENTS_MAX = 10_000
FILTER_IDS_MAX = 1_000
FILTER_EVENT_TYPES_MAX = 64
SESSION_CONTEXTS_MAX = 1_000
SESSION_CONTEXTS_DEFAULT = 5
TTL_SECONDS_MAX = 100 * 365 * 86_400
SESSION_TTL_SECONDS_MAX = 86_400
PROGRESS_INTERVAL_SECONDS_MAX = 3_600

_NANOS = 1_000_000_000

_Message = Any  # Of any of the types below: what a rule looks at is found by its name.

Rule = Callable[[_Message], None]
"""Looks at a message. Raises ``_Broken`` where it breaks the rule."""


class _Broken(Exception):
    """A field breaks a rule. Whoever looked at the message around it puts its own name before."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(field, rule)
        self.field = field
        self.rule = rule

    def within(self, outer: str) -> _Broken:
        """The same, as told of the message around."""
        return _Broken(f"{outer}.{self.field}" if self.field else outer, self.rule)


def check(request: Message, request_id: Optional[str] = None) -> None:
    """Looks at a whole request; ``request_id`` is told with what is wrong.

    Raises:
        InvalidField: the server would refuse it.
    """
    try:
        for rule in _RULES.get(type(request), ()):
            rule(request)
    except _Broken as broken:
        raise _refusal(broken, request_id) from None


def check_parts(field: str, parts: Sequence[Message]) -> list[Optional[InvalidField]]:
    """Looks at each part of a batch, told with its place in ``field``; ``None``: nothing is wrong.

    Raises:
        InvalidField: there are none, or too many.
    """
    try:
        _check_count(field, len(parts), BATCH_MAX, 1)
    except _Broken as broken:
        raise _refusal(broken, None) from None
    return [_wrong_part(f"{field}[{index}]", part) for index, part in enumerate(parts)]


def _wrong_part(place: str, part: Message) -> Optional[InvalidField]:
    try:
        _whole(type(part))(part)
    except _Broken as broken:
        return _refusal(broken.within(place), None)
    return None


def _refusal(broken: _Broken, request_id: Optional[str]) -> InvalidField:
    error = InvalidField(
        f"{broken.field} {broken.rule}",
        grpc.StatusCode.INVALID_ARGUMENT,
        "INVALID_FIELD",
        {"field": broken.field, "rule": broken.rule},
    )
    error.request_id = request_id
    return error


def check_id(field: str, value: str, request_id: Optional[str] = None) -> None:
    """Refuses an empty id where the server would take it for any, the newest or all of them.

    Raises:
        InvalidField: it is empty.
    """
    if not value:
        raise _refusal(_Broken(field, "must not be empty"), request_id)


def check_version(field: str, version: int) -> None:
    """Refuses a version that no state has: the server would take 0 for the newest.

    Raises:
        InvalidField: it is below 1.
    """
    if version < 1:
        raise _refusal(_Broken(field, "must be at least 1"), None)


# What nearly all names are: characters of one byte, none of which controls anything.
_PLAIN_PUT = re.compile(
    rf"[a-z0-9][a-z0-9._-]{{0,{NAMESPACE_SIZE_MAX - 1}}}\0"
    rf"[ -~]{{1,{CONTEXT_ID_SIZE_MAX}}}\0"
    rf"[ -~]{{1,{ENTRY_KEY_SIZE_MAX}}}\0"
    rf"[ -~]{{0,{CONTENT_TYPE_SIZE_MAX}}}"
)


def is_plain_put(namespace: str, context_id: str, key: str, content_type: str) -> bool:
    """Whether a put with these names keeps all rules for sure: looked at in one step."""
    return _PLAIN_PUT.fullmatch(f"{namespace}\0{context_id}\0{key}\0{content_type}") is not None


# Rules of single values.


def _control(character: str) -> bool:
    return character < " " or "\x7f" <= character < "\xa0"


def _check_name(field: str, value: str, most: int, least: int) -> None:
    # What most names are: characters of one byte, none of which controls anything.
    if least <= len(value) <= most and value.isascii() and value.isprintable():
        return
    size = len(value.encode())
    if size > most:
        raise _Broken(field, f"must have at most {most} bytes")
    if size < least:
        raise _Broken(field, "must not be empty")
    if "\0" in value:
        raise _Broken(field, "must be UTF-8 without NUL")
    if any(map(_control, value)):
        raise _Broken(field, "must not contain control characters")


def _check_text(field: str, value: str, most: int) -> None:
    if len(value) <= most and value.isascii() and value.isprintable():
        return
    if len(value.encode()) > most:
        raise _Broken(field, f"must have at most {most} bytes")
    if "\0" in value:
        raise _Broken(field, "must be UTF-8 without NUL")


def _check_count(field: str, count: int, most: int, least: int) -> None:
    if count < least:
        raise _Broken(field, "must not be empty")
    if count > most:
        raise _Broken(field, f"must have at most {most} elements")


_PLAIN_NAMESPACE = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{NAMESPACE_SIZE_MAX - 1}}}")


def _namespace(message: _Message) -> None:
    value: str = message.namespace
    if not value or _PLAIN_NAMESPACE.fullmatch(value):
        return
    if len(value.encode()) > NAMESPACE_SIZE_MAX:
        raise _Broken("namespace", "is longer than its limit")
    control = next(filter(_control, value), "")
    if control:
        nul = control == "\0"
        raise _Broken(
            "namespace", "must be UTF-8" if nul else "must not contain control characters"
        )
    if not re.match("[a-z0-9]", value):
        raise _Broken("namespace", "must begin with one of a-z 0-9")
    raise _Broken("namespace", "may hold only a-z 0-9 - _ .")


# Rules of fields, by their names.


def _name(field: str, most: int, least: int = 0) -> Rule:
    def look(message: _Message) -> None:
        value: str = getattr(message, field)
        # What most names are: characters of one byte, none of which controls anything.
        if not (least <= len(value) <= most and value.isascii() and value.isprintable()):
            _check_name(field, value, most, least)

    return look


def _text(field: str, most: int) -> Rule:
    def look(message: _Message) -> None:
        value: str = getattr(message, field)
        if value:
            _check_text(field, value, most)

    return look


def _names(field: str, count_max: int, most: int) -> Rule:
    """A list of names."""

    def look(message: _Message) -> None:
        values = getattr(message, field)
        _check_count(field, len(values), count_max, 0)
        for index, value in enumerate(values):
            _check_name(f"{field}[{index}]", value, most, 1)

    return look


def _labels(field: str = "metadata") -> Rule:
    def look(message: _Message) -> None:
        labels = getattr(message, field)
        _check_count(field, len(labels), LABELS_MAX, 0)
        for key, value in labels.items():
            _check_name(f"{field}.key", key, LABEL_KEY_SIZE_MAX, 1)
            _check_text(f"{field}.value", value, LABEL_VALUE_SIZE_MAX)

    return look


def _duration(
    field: str, most_seconds: int, least_seconds: float = 0.0, positive: bool = True
) -> Rule:
    """A length of time; ``positive`` is without a least one."""

    def look(message: _Message) -> None:
        if not message.HasField(field):
            return
        length = getattr(message, field).ToNanoseconds()
        if length > most_seconds * _NANOS:
            raise _Broken(field, f"must be at most {most_seconds} seconds")
        if least_seconds:
            if length < least_seconds * _NANOS:
                words = (
                    f"{least_seconds:.0f} seconds"
                    if least_seconds >= 1
                    else f"{least_seconds * 1000:.0f} milliseconds"
                )
                raise _Broken(field, f"must be at least {words}")
        elif length < positive:
            raise _Broken(field, "must be positive" if positive else "must not be negative")

    return look


def _inside(field: str, rules: Sequence[Rule], needed: bool = False) -> Rule:
    """A message in the message."""

    def look(message: _Message) -> None:
        if not message.HasField(field):
            if needed:
                raise _Broken(field, "must be set")
            return
        inner = getattr(message, field)
        try:
            for rule in rules:
                rule(inner)
        except _Broken as broken:
            raise broken.within(field) from None

    return look


def _each(field: str, rule: Rule, most: int, least: int = 0) -> Rule:
    """A list of messages."""

    def look(message: _Message) -> None:
        values = getattr(message, field)
        count = len(values)
        if not least <= count <= most:
            _check_count(field, count, most, least)
        if not count:
            return
        index = 0
        try:
            for index, value in enumerate(values):  # noqa: B007  told where it fails
                rule(value)
        except _Broken as broken:
            raise broken.within(f"{field}[{index}]") from None

    return look


def _page_size(message: _Message) -> None:
    if not 0 <= message.page_size <= PAGE_SIZE_MAX:
        raise _Broken("page_size", f"must be 1 to {PAGE_SIZE_MAX}, or 0 for {PAGE_SIZE_DEFAULT}")


# Parts of requests.


def _of_kind(kinds: dict[str, Rule]) -> Rule:
    """A message of one of several kinds."""

    def look(message: _Message) -> None:
        kind = message.WhichOneof("kind")
        if kind is None:
            raise _Broken("", "must be set to a known kind")
        rule = kinds.get(kind)
        if rule is not None:
            rule(message)

    return look


def _retention_is_set(message: _Message) -> None:
    if not (message.keep_last or message.keep_every or message.HasField("keep_within")):
        raise _Broken("", "must have at least one rule")


def _currency(message: _Message) -> None:
    if message.currency and not re.fullmatch("[A-Z]{3}", message.currency):
        raise _Broken("currency", "must be three capital letters, such as EUR")


def _file_path(message: _Message) -> None:
    _check_count("path", len(message.path), len(message.path), 1)
    _check_text("path", message.path, FILE_PATH_SIZE_MAX)


def _activity_type(message: _Message) -> None:
    if not message.type and message.WhichOneof("detail") is None:
        raise _Broken("type", "must not be empty without a detail")
    _check_name("type", message.type, ACTIVITY_TYPE_SIZE_MAX, 0)


_CONTEXT_ID = _name("context_id", CONTEXT_ID_SIZE_MAX, 1)
_CONTEXT = (_namespace, _CONTEXT_ID)
_KEY = _name("key", ENTRY_KEY_SIZE_MAX, 1)
_LABEL_KEY = _name("key", LABEL_KEY_SIZE_MAX, 1)
_ENTRY = (_KEY, _text("content_type", CONTENT_TYPE_SIZE_MAX))
_RETENTION = (_duration("keep_within", TTL_SECONDS_MAX), _retention_is_set)
_POLICY = (_inside("retention", _RETENTION), _duration("point_every", TTL_SECONDS_MAX))
_EXPIRY = (_duration("ttl", TTL_SECONDS_MAX),)

_NEW_CONTEXT = (
    _name("type", CONTEXT_TYPE_SIZE_MAX),
    _name("parent_id", CONTEXT_ID_SIZE_MAX),
    _labels(),
    _inside("expiry", _EXPIRY),
    _inside("recovery_policy", _POLICY),
)

_ACTIVITY = (
    _inside(
        "file",
        (
            _file_path,
            _text("operation", FILE_OPERATION_SIZE_MAX),
            _text("source", FILE_SOURCE_SIZE_MAX),
        ),
    ),
    _inside(
        "model",
        (
            _name("provider", MODEL_NAME_SIZE_MAX),
            _name("model", MODEL_NAME_SIZE_MAX),
            _name("mode", MODEL_NAME_SIZE_MAX),
            _currency,
            _duration("latency", TTL_SECONDS_MAX, positive=False),
        ),
    ),
    _activity_type,
    _text("content_type", CONTENT_TYPE_SIZE_MAX),
    _labels(),
)


def _activity(message: _Message) -> None:
    for rule in _ACTIVITY:
        rule(message)


_MUTATION = _of_kind(
    {
        "put_entry": _inside("put_entry", _ENTRY),
        "append_entry": _inside("append_entry", _ENTRY),
        "delete_entry": _inside("delete_entry", (_KEY,)),
        "delete_entries": _inside("delete_entries", (_name("prefix", ENTRY_KEY_SIZE_MAX),)),
        "set_metadata": _inside("set_metadata", (_LABEL_KEY, _text("value", LABEL_VALUE_SIZE_MAX))),
        "delete_metadata": _inside("delete_metadata", (_LABEL_KEY,)),
        "set_expiry": _inside("set_expiry", _EXPIRY),
        "record_activity": _inside("record_activity", _ACTIVITY),
        "set_recovery_policy": _inside("set_recovery_policy", (_inside("policy", _POLICY),)),
    }
)
_MUTATIONS = _each("mutations", _MUTATION, MUTATIONS_MAX)
_SOME_MUTATIONS = _each("mutations", _MUTATION, MUTATIONS_MAX, 1)
_PRECONDITIONS = _each(
    "preconditions", _of_kind({"entry": _inside("entry", (_KEY,))}), PRECONDITIONS_MAX
)
_WRITE = _inside(
    "write",
    (_text("request_id", REQUEST_ID_SIZE_MAX), _name("session_id", SESSION_ID_SIZE_MAX)),
)
_STATE_RULES = (*_CONTEXT, _name("recovery_point_id", POINT_ID_SIZE_MAX))
_KEYS = _names("keys", KEYS_MAX, ENTRY_KEY_SIZE_MAX)
_KEY_PREFIX = _name("key_prefix", ENTRY_KEY_SIZE_MAX)
_ID_PREFIX = _name("id_prefix", CONTEXT_ID_SIZE_MAX)
_OPTIONAL_CONTEXT_ID = _name("context_id", CONTEXT_ID_SIZE_MAX)
_SESSION = _name("session_id", SESSION_ID_SIZE_MAX, 1)
_POINT_ID = _name("recovery_point_id", POINT_ID_SIZE_MAX)
_NAMED_POINT = _name("recovery_point_id", POINT_ID_SIZE_MAX, 1)


def _not_its_own_parent(field: str) -> Rule:
    def look(message: _Message) -> None:
        if not message.HasField(field) or not message.context_id:
            return
        if getattr(message, field).parent_id == message.context_id:
            raise _Broken(f"{field}.parent_id", "must not be the context itself")

    return look


def _of_namespace(field: str, of: Callable[[_Message], _Message]) -> Rule:
    """A state of the namespace that ``of`` names: a request concerns one. Empty is the default."""

    def look(message: _Message) -> None:
        if not message.HasField(field):
            return
        namespace = getattr(message, field).namespace
        if (namespace or DEFAULT_NAMESPACE) != (of(message).namespace or DEFAULT_NAMESPACE):
            raise _Broken(
                f"{field}.namespace", "must be the one of the rest: a request concerns one"
            )

    return look


def _keys_on_conflict(message: _Message) -> None:
    field = "on_conflict_by_key"
    keys = getattr(message, field)
    _check_count(field, len(keys), KEYS_MAX, 0)
    for key in keys:
        _check_name(f"{field}.key", key, ENTRY_KEY_SIZE_MAX, 1)


def _new(field: str) -> tuple[Rule, Rule]:
    return (_inside(field, _NEW_CONTEXT), _not_its_own_parent(field))


def _attachments(field: str) -> Rule:
    def look(message: _Message) -> None:
        for rule in _ENTRY:
            rule(message)

    return _each(field, look, ATTACHMENTS_MAX)


def _named_once(*fields: str) -> Rule:
    """Attachments that are named by several fields: each once."""

    def look(message: _Message) -> None:
        seen = set()
        for field in fields:
            for index, value in enumerate(getattr(message, field)):
                plain = isinstance(value, str)
                key = value if plain else value.key
                if key in seen:
                    place = f"{field}[{index}]" if plain else f"{field}[{index}].key"
                    raise _Broken(place, "must not be named twice")
                seen.add(key)

    return look


def _active_contexts(message: _Message) -> None:
    if message.max_active_contexts > SESSION_CONTEXTS_MAX:
        raise _Broken(
            "max_active_contexts",
            f"must be 1 to {SESSION_CONTEXTS_MAX}, or 0 for {SESSION_CONTEXTS_DEFAULT}",
        )


def _only_exclusive(message: _Message) -> None:
    for field in ("takeover", "guard"):
        if getattr(message, field) and not message.exclusive:
            raise _Broken(field, "must not be set without `exclusive`")


def _clear_or_ttl(message: _Message) -> None:
    if message.clear_expiry and message.HasField("ttl"):
        raise _Broken("clear_expiry", "must not be set together with `ttl`")


def _something_to_prune(message: _Message) -> None:
    if not message.metadata and not message.HasField("policy"):
        raise _Broken("policy", "must be set unless `metadata` says what to drop")


def _of_the_state(message: _Message) -> None:
    """A point that is not the head's has no history, expiry and policy of its own."""
    if message.move_head:
        return
    for index, step in enumerate(message.mutations):
        if step.WhichOneof("kind") in ("set_expiry", "record_activity", "set_recovery_policy"):
            raise _Broken(
                f"mutations[{index}]", "must be about entries or metadata, without `move_head`"
            )


def _keep(message: _Message) -> None:
    kept = message.WhichOneof("keep")
    if kept is None:
        raise _Broken("keep", "must be set: from_sequence or from_time")
    if kept == "from_sequence" and message.from_sequence == 0:
        raise _Broken("from_sequence", "must be positive")


def _times(message: _Message) -> None:
    both = message.HasField("start_time") and message.HasField("end_time")
    if both and message.end_time.ToNanoseconds() < message.start_time.ToNanoseconds():
        raise _Broken("end_time", "must not be before start_time")


def _whole(kind: type[Message]) -> Rule:
    """A request inside of another."""

    def look(message: _Message) -> None:
        for rule in _RULES[kind]:
            rule(message)

    return look


_RULES: dict[type[Message], Sequence[Rule]] = {
    manager.CreateContextRequest: (
        _namespace,
        _OPTIONAL_CONTEXT_ID,
        *_new("properties"),
        _MUTATIONS,
        _WRITE,
    ),
    manager.GetContextRequest: (_inside("state", _STATE_RULES, needed=True), _KEYS, _KEY_PREFIX),
    manager.ReadEntriesRequest: (
        _inside("state", _STATE_RULES, needed=True),
        _KEY_PREFIX,
        _name("after_key", ENTRY_KEY_SIZE_MAX),
        _name("before_key", ENTRY_KEY_SIZE_MAX),
    ),
    manager.ListContextsRequest: (
        _namespace,
        _ID_PREFIX,
        _name("type", CONTEXT_TYPE_SIZE_MAX),
        _name("parent_id", CONTEXT_ID_SIZE_MAX),
        _labels(),
        _page_size,
    ),
    manager.UpdateContextRequest: (
        *_CONTEXT,
        _SOME_MUTATIONS,
        _PRECONDITIONS,
        *_new("create_if_missing"),
        _WRITE,
    ),
    manager.BatchGetContextsRequest: (
        _each("requests", _whole(manager.GetContextRequest), BATCH_MAX, 1),
    ),
    manager.BatchUpdateContextsRequest: (
        _each("requests", _whole(manager.UpdateContextRequest), BATCH_MAX, 1),
        _WRITE,
    ),
    manager.DeleteContextRequest: (*_CONTEXT, _PRECONDITIONS, _WRITE),
    manager.ListNamespacesRequest: (_page_size,),
    tracker.StartSessionRequest: (
        _namespace,
        _name("owner", OWNER_SIZE_MAX),
        _labels(),
        _duration("ttl", SESSION_TTL_SECONDS_MAX, 1.0),
        _name("default_context_id", CONTEXT_ID_SIZE_MAX),
        _inside("create_if_missing", _NEW_CONTEXT),
        _active_contexts,
        _WRITE,
    ),
    tracker.EndSessionRequest: (_namespace, _SESSION, _WRITE),
    tracker.GetSessionRequest: (_namespace, _SESSION),
    tracker.ListSessionsRequest: (_namespace, _name("owner", OWNER_SIZE_MAX), _page_size),
    tracker.ActivateContextRequest: (*_CONTEXT, _SESSION, _WRITE, _only_exclusive),
    tracker.SwitchContextRequest: (*_CONTEXT, _SESSION, _WRITE),
    tracker.DeactivateContextRequest: (*_CONTEXT, _SESSION, _WRITE),
    tracker.GetContextStatusRequest: _CONTEXT,
    tracker.RecordActivitiesRequest: (
        *_CONTEXT,
        _each("activities", _activity, ACTIVITIES_MAX, 1),
        *_new("create_if_missing"),
        _WRITE,
    ),
    tracker.ListActivitiesRequest: (
        *_CONTEXT,
        _page_size,
        _names("types", ACTIVITY_TYPES_MAX, ACTIVITY_TYPE_SIZE_MAX),
        _times,
    ),
    tracker.TruncateHistoryRequest: (*_CONTEXT, _keep, _WRITE),
    tracker.OptimizeHistoryRequest: (*_CONTEXT, _WRITE),
    tracker.ListFilesRequest: (*_CONTEXT, _text("path_prefix", FILE_PATH_SIZE_MAX), _page_size),
    tracker.SummarizeUsageRequest: (_namespace, _OPTIONAL_CONTEXT_ID),
    tracker.ListResourcesRequest: (*_CONTEXT, _page_size),
    tracker.AcquireResourceRequest: (
        *_CONTEXT,
        _SESSION,
        _WRITE,
        _name("name", RESOURCE_NAME_SIZE_MAX, 1),
        _name("type", RESOURCE_TYPE_SIZE_MAX),
        _labels(),
    ),
    tracker.ReleaseResourceRequest: (
        *_CONTEXT,
        _SESSION,
        _WRITE,
        _name("name", RESOURCE_NAME_SIZE_MAX, 1),
    ),
    tracker.SubscribeRequest: (
        _namespace,
        _names("context_ids", FILTER_IDS_MAX, CONTEXT_ID_SIZE_MAX),
        _ID_PREFIX,
        _name("type", CONTEXT_TYPE_SIZE_MAX),
        _labels(),
        _KEY_PREFIX,
        _duration("progress_interval", PROGRESS_INTERVAL_SECONDS_MAX, 0.1),
    ),
    recovery.CreateRecoveryPointRequest: (
        *_CONTEXT,
        _POINT_ID,
        _name("from_recovery_point_id", POINT_ID_SIZE_MAX),
        _MUTATIONS,
        _of_the_state,
        _labels(),
        _attachments("attachments"),
        _named_once("attachments"),
        _duration("ttl", TTL_SECONDS_MAX),
        *_new("create_if_missing"),
        _PRECONDITIONS,
        _WRITE,
    ),
    recovery.GetRecoveryPointRequest: (*_CONTEXT, _POINT_ID, _KEYS),
    recovery.UpdateRecoveryPointRequest: (
        *_CONTEXT,
        _NAMED_POINT,
        _labels("set_metadata"),
        _names("delete_metadata", LABELS_MAX, LABEL_KEY_SIZE_MAX),
        _attachments("put_attachments"),
        _attachments("add_attachments"),
        _names("delete_attachments", ATTACHMENTS_MAX, ENTRY_KEY_SIZE_MAX),
        _named_once("put_attachments", "add_attachments", "delete_attachments"),
        _duration("ttl", TTL_SECONDS_MAX),
        _clear_or_ttl,
        _WRITE,
    ),
    recovery.DeleteRecoveryPointRequest: (*_CONTEXT, _NAMED_POINT, _WRITE),
    recovery.BatchRecoveryPointsRequest: (_each("operations", lambda _: None, BATCH_MAX, 1),),
    recovery.ListRecoveryPointsRequest: (
        _namespace,
        _OPTIONAL_CONTEXT_ID,
        _ID_PREFIX,
        _page_size,
        _labels(),
        _name("before_recovery_point_id", POINT_ID_SIZE_MAX),
        _name("ancestors_of", POINT_ID_SIZE_MAX),
        _KEYS,
    ),
    recovery.PruneRecoveryPointsRequest: (
        _namespace,
        _OPTIONAL_CONTEXT_ID,
        _ID_PREFIX,
        _labels(),
        _inside("policy", _RETENTION),
        _something_to_prune,
        _WRITE,
    ),
    recovery.RestoreContextRequest: (*_CONTEXT, _POINT_ID, _PRECONDITIONS, _WRITE),
    recovery.ForkContextRequest: (
        _inside("source", _STATE_RULES, needed=True),
        _OPTIONAL_CONTEXT_ID,
        *_new("properties"),
        _WRITE,
    ),
    recovery.MergeContextRequest: (
        _namespace,
        _inside("source", _STATE_RULES, needed=True),
        _of_namespace("source", lambda message: message),
        _name("target_context_id", CONTEXT_ID_SIZE_MAX, 1),
        _inside("ancestor", _STATE_RULES),
        _of_namespace("ancestor", lambda message: message),
        _keys_on_conflict,
        _PRECONDITIONS,
        _WRITE,
    ),
    recovery.DiffStatesRequest: (
        _inside("before", _STATE_RULES, needed=True),
        _inside("after", _STATE_RULES, needed=True),
        _of_namespace("after", lambda message: message.before),
        _KEY_PREFIX,
    ),
    recovery.SyncContextRequest: _CONTEXT,
}
