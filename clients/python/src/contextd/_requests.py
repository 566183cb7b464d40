"""Requests built from what the caller says. Pure: nothing is sent here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, Optional, Union

from google.protobuf import duration_pb2, timestamp_pb2

from contextd import _rules
from contextd.errors import InvalidValue
from contextd.tracking import Activity, FileOperation, ModelUsage, Recordable
from contextd.v1 import resources_pb2
from contextd.values import (
    Content,
    Expiry,
    NewContext,
    RecoveryPolicy,
    RetentionPolicy,
    Value,
    to_content,
)

_NO_VALUES: Mapping[str, Value] = {}
_NO_LABELS: Mapping[str, Optional[str]] = {}
_NO_VERSIONS: Mapping[str, int] = {}


def to_timedelta(length: Union[timedelta, float]) -> timedelta:
    """Takes seconds too. Raises ``ValueError`` or ``OverflowError`` for no length of time."""
    return length if isinstance(length, timedelta) else timedelta(seconds=length)


def duration(length: timedelta) -> duration_pb2.Duration:
    """A length of time."""
    message = duration_pb2.Duration()
    message.FromTimedelta(length)
    return message


def timestamp(time: datetime) -> timestamp_pb2.Timestamp:
    """A moment. Raises ``ValueError`` where its time zone is not known."""
    if time.tzinfo is None:
        raise ValueError("a time needs its time zone, such as timezone.utc")
    message = timestamp_pb2.Timestamp()
    message.FromDatetime(time)
    return message


class At(NamedTuple):
    """Which state of a context: the newest, or by one of these."""

    version: int = 0
    point_id: str = ""
    time: Optional[datetime] = None

    @property
    def is_newest(self) -> bool:
        """Whether none of them is set."""
        return self == NEWEST

    def __str__(self) -> str:
        """Says which."""
        return self.point_id or (str(self.version) if self.version else str(self.time))


NEWEST = At()


def to_at(
    version: Optional[int], point_id: Optional[str], time: Optional[datetime], place: str
) -> At:
    """Takes what the caller says of a state; none of them is the newest.

    ``place`` is where they stand in a request, such as ``state.``.

    Raises ``ValueError`` for more than one, and ``InvalidField`` for what names none.
    """
    if sum(named is not None for named in (version, point_id, time)) > 1:
        raise ValueError("a state is named by a version, by a recovery point or by a time")
    if version is not None:
        _rules.check_version(f"{place}version", version)
    if point_id is not None:
        _rules.check_id(f"{place}recovery_point_id", point_id)
    return At(version or 0, point_id or "", time)


def state_ref(namespace: str, context_id: str, at: At) -> resources_pb2.StateRef:
    """Names one state."""
    ref = resources_pb2.StateRef(namespace=namespace, context_id=context_id)
    if at.version:
        ref.version = at.version
    elif at.point_id:
        ref.recovery_point_id = at.point_id
    elif at.time is not None:
        ref.time.CopyFrom(timestamp(at.time))
    return ref


def to_key(key: str) -> str:
    """The key of an entry or a label. Raises ``InvalidValue`` where it is no string."""
    # In UTF-8 it is taken too, as by the messages.
    if not isinstance(key, (str, bytes)):
        raise InvalidValue(f"a key is a str, not {type(key).__name__}")
    return key


def to_keys(keys: Iterable[str]) -> list[str]:
    """The keys of several. Raises ``InvalidValue`` where one is no string."""
    return [to_key(key) for key in keys]


def put_entry(key: str, content: Content) -> resources_pb2.Mutation:
    """A step that sets an entry."""
    mutation = resources_pb2.Mutation()
    set_put_entry(mutation, key, content)
    return mutation


def set_put_entry(mutation: resources_pb2.Mutation, key: str, content: Content) -> None:
    """Makes a step one that sets an entry."""
    # Filled in where it stands: a message that is given to another is copied.
    put = mutation.put_entry
    put.SetInParent()
    put.key = to_key(key)
    put.value = content.value
    if content.content_type:
        put.content_type = content.content_type


def append_entry(
    key: str, content: Content, expected_size: Optional[int] = None
) -> resources_pb2.Mutation:
    """A step that adds to an entry; ``expected_size`` bytes must be there before."""
    mutation = resources_pb2.Mutation()
    append = mutation.append_entry
    append.SetInParent()
    append.key = to_key(key)
    append.value = content.value
    append.content_type = content.content_type
    if expected_size is not None:
        append.expected_size.bytes = expected_size
        append.expected_size.SetInParent()
    return mutation


def delete_entry(key: str) -> resources_pb2.Mutation:
    """A step that removes an entry."""
    return resources_pb2.Mutation(delete_entry=resources_pb2.DeleteEntry(key=to_key(key)))


def _delete_prefix(prefix: str) -> resources_pb2.Mutation:
    return resources_pb2.Mutation(delete_entries=resources_pb2.DeleteEntries(prefix=to_key(prefix)))


def _label(key: str, value: Optional[str]) -> resources_pb2.Mutation:
    to_key(key)
    if value is None:
        return resources_pb2.Mutation(delete_metadata=resources_pb2.DeleteMetadata(key=key))
    return resources_pb2.Mutation(set_metadata=resources_pb2.SetMetadata(key=key, value=value))


def _expiry(expiry: Expiry) -> resources_pb2.SetExpiry:
    message = resources_pb2.SetExpiry(sliding=expiry.sliding)
    if expiry.ttl is not None:
        message.ttl.CopyFrom(duration(expiry.ttl))
    return message


def retention_policy(policy: RetentionPolicy) -> resources_pb2.RetentionPolicy:
    """Which recovery points are kept."""
    return resources_pb2.RetentionPolicy(
        keep_last=policy.keep_last,
        keep_every=policy.keep_every,
        keep_within=None if policy.keep_within is None else duration(policy.keep_within),
    )


def _recovery_policy(policy: RecoveryPolicy) -> resources_pb2.RecoveryPolicy:
    return resources_pb2.RecoveryPolicy(
        retention=None if policy.retention is None else retention_policy(policy.retention),
        point_every_changes=policy.point_every_changes,
        point_every=None if policy.point_every is None else duration(policy.point_every),
    )


def set_recovery_policy(policy: Optional[RecoveryPolicy]) -> resources_pb2.Mutation:
    """A step that sets a context's policy. ``None``: the server's."""
    step = resources_pb2.SetRecoveryPolicy(
        policy=None if policy is None else _recovery_policy(policy)
    )
    return resources_pb2.Mutation(set_recovery_policy=step)


def _model_usage(usage: ModelUsage) -> resources_pb2.ModelUsage:
    return resources_pb2.ModelUsage(
        provider=usage.provider,
        model=usage.model,
        mode=usage.mode,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
        cost_micros=usage.cost_micros,
        currency=usage.currency,
        latency=duration(usage.latency) if usage.latency else None,
    )


def activity(recordable: Recordable) -> resources_pb2.Activity:
    """What is recorded. Raises ``TypeError`` for what only the server records."""
    known = recordable
    if isinstance(known, (FileOperation, ModelUsage)):
        known = Activity(detail=known)
    if not isinstance(known, Activity):
        raise TypeError(
            "what is recorded is an Activity, a FileOperation or a ModelUsage, "
            f"not {type(recordable).__name__}"
        )
    message = resources_pb2.Activity(
        type=known.type,
        data=known.data,
        content_type=known.content_type,
        metadata=known.metadata,
    )
    if isinstance(known.detail, FileOperation):
        file = known.detail
        message.file.CopyFrom(
            resources_pb2.FileOperation(
                path=file.path, operation=file.operation, source=file.source
            )
        )
    elif isinstance(known.detail, ModelUsage):
        message.model.CopyFrom(_model_usage(known.detail))
    elif known.detail is not None:
        raise TypeError("resources are recorded by the server; see Context.resource")
    return message


def mutations(
    puts: Mapping[str, Value] = _NO_VALUES,
    *,
    deletes: Iterable[str] = (),
    delete_prefixes: Iterable[str] = (),
    appends: Mapping[str, Value] = _NO_VALUES,
    metadata: Mapping[str, Optional[str]] = _NO_LABELS,
    expiry: Optional[Expiry] = None,
    activities: Iterable[Recordable] = (),
    recovery_policy: Optional[RecoveryPolicy] = None,
) -> list[resources_pb2.Mutation]:
    """The steps of a change: first what goes, then what comes, so that the new stays."""
    if isinstance(deletes, str) or isinstance(delete_prefixes, str):
        raise TypeError("deletes and delete_prefixes are several strings, not one")
    steps = [_delete_prefix(prefix) for prefix in delete_prefixes]
    steps += [delete_entry(key) for key in deletes]
    steps += [put_entry(key, to_content(value)) for key, value in puts.items()]
    steps += [append_entry(key, to_content(value)) for key, value in appends.items()]
    steps += [_label(key, value) for key, value in metadata.items()]
    if expiry is not None:
        steps.append(resources_pb2.Mutation(set_expiry=_expiry(expiry)))
    if recovery_policy is not None:
        steps.append(set_recovery_policy(recovery_policy))
    steps += [resources_pb2.Mutation(record_activity=activity(done)) for done in activities]
    return steps


def preconditions(
    if_version: Optional[int] = None, if_entries: Mapping[str, int] = _NO_VERSIONS
) -> list[resources_pb2.Precondition]:
    """What must hold of the context's version and of its entries' versions."""
    conditions = [
        resources_pb2.Precondition(
            entry=resources_pb2.EntryCondition(key=to_key(key), version=version)
        )
        for key, version in if_entries.items()
    ]
    if if_version is not None:
        conditions.append(resources_pb2.Precondition(context_version=if_version))
    return conditions


def new_context(properties: NewContext) -> resources_pb2.NewContext:
    """How a context begins."""
    message = resources_pb2.NewContext()
    set_new_context(message, properties)
    return message


def set_new_context(message: resources_pb2.NewContext, properties: NewContext) -> None:
    """Fills in how a context begins, also where nothing is said of it."""
    message.SetInParent()
    message.type = properties.type
    message.parent_id = properties.parent_id
    if properties.metadata:
        message.metadata.update(properties.metadata)
    if properties.expiry is not None:
        message.expiry.CopyFrom(_expiry(properties.expiry))
    if properties.recovery_policy is not None:
        message.recovery_policy.CopyFrom(_recovery_policy(properties.recovery_policy))
    message.create_parent = properties.create_parent
