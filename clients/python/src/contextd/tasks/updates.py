"""What a task context tells: updates, switches, what it adds up to."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Optional, Union

from contextd.tracking import Activity, Detail, Presence
from contextd.values import JSON, TEXT, Content, Value, to_content, to_json

Switch = Union[bool, int, float, str]
"""What a switch is set to."""


@dataclass(frozen=True)
class ContextUpdate:
    """One step of a task's history.

    Attributes:
        sequence: Its number in the history, from 1.
        time: When it was recorded, in UTC, by the server.
        type: What kind of update it is. Tracked files, models and resources are
            ``file_operation``, ``model_usage`` and ``resource``.
        data: What was given: ``None``, text, bytes, or what JSON made of it.
        metadata: Labels.
        detail: What was touched, used or taken, if anything.
        session_id: The session that recorded it, or empty.
    """

    sequence: int
    time: Optional[datetime]
    type: str
    data: Any
    metadata: Mapping[str, str]
    detail: Optional[Detail]
    session_id: str


class OptimizedContext(NamedTuple):
    """What became of a history that was made smaller.

    Attributes:
        removed_count: Updates that are gone.
        kept_count: Updates that are left.
        kept_bytes: Bytes of their data and metadata.
    """

    removed_count: int
    kept_count: int
    kept_bytes: int


@dataclass(frozen=True)
class TaskSummary:
    """What a task adds up to.

    Attributes:
        id: The id.
        version: The version of its context.
        presence: Whether somebody works on it.
        metadata: Its labels.
        switches: Its switches.
        create_time: When it was created, in UTC.
        update_time: When its context was changed last, in UTC.
        last_sequence: The number of the newest update in the history. 0: it is empty.
        file_count: How many files were touched.
        model_calls: How often models were called.
        input_tokens: Tokens that went in, of all models.
        output_tokens: Tokens that came out, of all models.
        cost_micros: The cost in millionths, by currency.
        resources: The names of the resources that are held.
    """

    id: str
    version: int
    presence: Presence
    metadata: Mapping[str, str]
    switches: Mapping[str, Switch]
    create_time: Optional[datetime]
    update_time: Optional[datetime]
    last_sequence: int
    file_count: int
    model_calls: int
    input_tokens: int
    output_tokens: int
    cost_micros: Mapping[str, int]
    resources: tuple[str, ...]


def content_of(data: Any) -> Value:  # noqa: ANN401  JSON holds anything
    r"""Makes what is stored: bytes and text as they are, all else as JSON, ``None`` as nothing.

    Example:
        >>> content_of({"to": "Rome"})
        Content(value=b'{"to":"Rome"}', content_type='application/json')
    """
    if data is None:
        return b""
    if isinstance(data, (bytes, bytearray, memoryview, str, Content)):
        return to_content(data)
    return to_json(data)


def data_of(value: bytes, content_type: str) -> Any:  # noqa: ANN401  JSON holds anything
    """Reads what :func:`content_of` made. What others stored wrongly stays as the bytes it is.

    Example:
        >>> data_of(b'{"to":"Rome"}', "application/json")
        {'to': 'Rome'}
    """
    try:
        if content_type == JSON:
            return json.loads(value)
        if content_type == TEXT:
            return value.decode()
    except ValueError:
        return value
    return value if value or content_type else None


def plain_of(data: Any) -> Any:  # noqa: ANN401  JSON holds anything
    """Makes data that JSON can hold: bytes become ``{"base64": ...}``."""
    return {"base64": base64.b64encode(data).decode()} if isinstance(data, bytes) else data


def update_of(activity: Activity) -> ContextUpdate:
    """Reads an activity."""
    return ContextUpdate(
        sequence=activity.sequence,
        time=activity.time,
        type=activity.type,
        data=data_of(activity.data, activity.content_type),
        metadata=activity.metadata,
        detail=activity.detail,
        session_id=activity.session_id,
    )
