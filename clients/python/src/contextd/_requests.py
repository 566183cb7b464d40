"""Requests built from what the caller says. Pure: nothing is sent here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Optional, Union

from google.protobuf import duration_pb2, timestamp_pb2

from contextd.tracking import Activity, FileOperation, ModelUsage, Recordable
from contextd.v1 import resources_pb2
from contextd.values import Content, Expiry, NewContext, Value, to_content

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


def put_entry(key: str, content: Content) -> resources_pb2.Mutation:
    """A step that sets an entry."""
    return resources_pb2.Mutation(
        put_entry=resources_pb2.PutEntry(
            key=key, value=content.value, content_type=content.content_type
        )
    )


def append_entry(
    key: str, content: Content, expected_size: Optional[int] = None
) -> resources_pb2.Mutation:
    """A step that adds to an entry; ``expected_size`` bytes must be there before."""
    append = resources_pb2.AppendEntry(
        key=key, value=content.value, content_type=content.content_type
    )
    if expected_size is not None:
        append.expected_size.bytes = expected_size
        append.expected_size.SetInParent()
    return resources_pb2.Mutation(append_entry=append)


def delete_entry(key: str) -> resources_pb2.Mutation:
    """A step that removes an entry."""
    return resources_pb2.Mutation(delete_entry=resources_pb2.DeleteEntry(key=key))


def _delete_prefix(prefix: str) -> resources_pb2.Mutation:
    return resources_pb2.Mutation(delete_entries=resources_pb2.DeleteEntries(prefix=prefix))


def _label(key: str, value: Optional[str]) -> resources_pb2.Mutation:
    if value is None:
        return resources_pb2.Mutation(delete_metadata=resources_pb2.DeleteMetadata(key=key))
    return resources_pb2.Mutation(set_metadata=resources_pb2.SetMetadata(key=key, value=value))


def _expiry(expiry: Expiry) -> resources_pb2.SetExpiry:
    message = resources_pb2.SetExpiry(sliding=expiry.sliding)
    if expiry.ttl is not None:
        message.ttl.CopyFrom(duration(expiry.ttl))
    return message


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
    steps += [resources_pb2.Mutation(record_activity=activity(done)) for done in activities]
    return steps


def preconditions(
    if_version: Optional[int] = None, if_entries: Mapping[str, int] = _NO_VERSIONS
) -> list[resources_pb2.Precondition]:
    """What must hold of the context's version and of its entries' versions."""
    conditions = [
        resources_pb2.Precondition(entry=resources_pb2.EntryCondition(key=key, version=version))
        for key, version in if_entries.items()
    ]
    if if_version is not None:
        conditions.append(resources_pb2.Precondition(context_version=if_version))
    return conditions


def new_context(properties: NewContext) -> resources_pb2.NewContext:
    """How a context begins."""
    return resources_pb2.NewContext(
        type=properties.type,
        parent_id=properties.parent_id,
        metadata=properties.metadata,
        expiry=None if properties.expiry is None else _expiry(properties.expiry),
        create_parent=properties.create_parent,
    )
