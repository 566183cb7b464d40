"""Every operation on a task context, without I/O. See ``contextd/_calls.py`` for how they run."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, Optional, TypeVar, Union

from contextd import _requests, tracking
from contextd._calls import Operation, Pages
from contextd._recovery import RecoveryOperations
from contextd.errors import ContextExists, EntryNotFound, InvalidValue
from contextd.tasks.updates import (
    ContextUpdate,
    OptimizedContext,
    Switch,
    TaskSummary,
    content_of,
    data_of,
    plain_of,
    update_of,
)
from contextd.values import Content, NewContext, Value, to_json

T = TypeVar("T")
S = TypeVar("S", bool, int, float, str)

# The entries that hold switches. All other entries are the program's.
SWITCHES = "task/switches/"

# Operations after which a file is not there any more.
GONE = frozenset({"delete", "deleted", "remove", "removed"})

_PAGE_SIZE = 1000
_KNOWN = ("task_id", "user_id", "chat_id", "metadata", "switches")


@dataclass(frozen=True)
class NewTask:
    """What a task begins with.

    Attributes:
        id: The id of its context.
        metadata: Labels to set.
        switches: Switches to set.
    """

    id: str
    metadata: Mapping[str, str]
    switches: Mapping[str, Switch]


def new_task(data: Union[str, Mapping[str, Any]]) -> NewTask:
    """Takes an id, or what ``task_context`` takes. Raises ``ValueError`` for an unknown key.

    Example:
        >>> new_task({"task_id": "t", "user_id": "mia"})
        NewTask(id='t', metadata={'user_id': 'mia'}, switches={})
    """
    if isinstance(data, str):
        data = {"task_id": data}
    unknown = sorted(set(data) - set(_KNOWN))
    if unknown:
        raise ValueError(
            f"a task has no {unknown[0]!r}, just {', '.join(_KNOWN)}; "
            "labels of your own belong into metadata"
        )
    metadata = dict(data.get("metadata", {}))
    metadata.update({key: data[key] for key in ("user_id", "chat_id") if key in data})
    _check_labels(metadata)
    task_id = data.get("task_id") or f"task-{uuid.uuid4()}"
    return NewTask(task_id, metadata, data.get("switches", {}))


def _check_labels(metadata: Mapping[str, object]) -> None:
    for key, value in metadata.items():
        if not isinstance(value, str):
            raise InvalidValue(f"the label {key!r} is text, not {type(value).__name__}; see str()")


def _collect(pages: Pages[T]) -> Operation[list[T]]:
    """Gets the rows of all pages."""
    rows: list[T] = []
    while pages.more:
        rows += yield from pages.next()
    return rows


def _switch_content(name: str, value: object) -> Content:
    if not isinstance(value, (bool, int, float, str)):
        raise InvalidValue(
            f"the switch {name!r} is a bool, int, float or str, not {type(value).__name__}"
        )
    return to_json(value)


def _switch_puts(switches: Mapping[str, Switch]) -> dict[str, Value]:
    return {SWITCHES + name: _switch_content(name, value) for name, value in switches.items()}


@dataclass(frozen=True)
class TaskOperations:
    """The operations on a task, over those on its context."""

    context: RecoveryOperations

    # Beginning.

    def create(self, new: NewTask, properties: NewContext) -> Operation[bool]:
        """Creates the task with its labels and switches. False: there is one."""
        properties = replace(properties, metadata=new.metadata)
        try:
            yield from self.context.create(properties, _switch_puts(new.switches), None)
        except ContextExists:
            return False
        return True

    def seed(self, new: NewTask) -> Operation[None]:
        """Sets labels and switches of a task that is there."""
        steps = _requests.mutations(_switch_puts(new.switches), metadata=new.metadata)
        if steps:
            yield from self.context.update(steps)

    def delete(self, failed: bool) -> Operation[int]:
        """Deletes the task with what is below it, soon where the program has ``failed``."""
        context = self.context.leaving(failed)
        return (yield from context.delete(True, False, True, None, None))

    # History.

    def add_context_update(
        self,
        type: str,
        data: Any,  # noqa: ANN401  JSON holds anything
        metadata: Mapping[str, str],
    ) -> Operation[int]:
        """Records an update; gives its sequence."""
        _check_labels(metadata)
        return (yield from self._record(tracking.Activity(type, content_of(data), None, metadata)))

    def track_file_operation(self, file: tracking.FileOperation) -> Operation[int]:
        """Records that a file was touched; gives the update's sequence."""
        return (yield from self._record(file))

    def track_model_usage(self, usage: tracking.ModelUsage) -> Operation[int]:
        """Records a call of a model; gives the update's sequence."""
        return (yield from self._record(usage))

    def _record(self, done: tracking.Recordable) -> Operation[int]:
        return (yield from self.context.record([done], None)).last_sequence

    def get_context_history(
        self,
        types: Collection[str],
        start: Optional[datetime],
        end: Optional[datetime],
        session_id: str,
        newest_first: bool,
        limit: Optional[int],
    ) -> Operation[list[ContextUpdate]]:
        """Lists updates."""
        if limit is not None and limit < 0:
            raise ValueError("limit is at least 0")
        found: list[ContextUpdate] = []
        exact = limit is not None and not session_id  # Then a page holds nothing in vain.
        page_size = max(1, min(limit or 0, _PAGE_SIZE)) if exact else _PAGE_SIZE
        pages = self.context.history(types, start, end, newest_first, 0, page_size)
        while pages.more and (limit is None or len(found) < limit):
            for activity in (yield from pages.next()):
                if session_id in ("", activity.session_id):
                    found.append(update_of(activity))
        return found[:limit]

    def optimize_context(
        self,
        max_bytes: int,
        max_count: int,
        max_age: Optional[timedelta],
        deduplicate: bool,
    ) -> Operation[OptimizedContext]:
        """Makes the history smaller."""
        removed = 0
        if max_age is not None:
            oldest = datetime.now(timezone.utc) - max_age
            removed = (yield from self.context.truncate_history(None, oldest, None)).removed_count
        done = yield from self.context.optimize_history(
            max_bytes, max_count, deduplicate, False, None
        )
        return OptimizedContext(removed + done.removed_count, done.kept_count, done.kept_bytes)

    # Files, models, resources.

    def get_file_operations(self, prefix: str) -> Operation[dict[str, tracking.TrackedFile]]:
        """Gets the last operation of each file."""
        files = yield from _collect(self.context.files(prefix, _PAGE_SIZE))
        return {file.path: file for file in files}

    def current_files(self, prefix: str) -> Operation[list[str]]:
        """Lists the files that were not deleted last."""
        files = yield from self.get_file_operations(prefix)
        return [path for path, file in files.items() if file.last_operation.operation not in GONE]

    def active_resources(self) -> Operation[list[tracking.Resource]]:
        """Lists the resources that are held."""
        return (yield from _collect(self.context.resources(_PAGE_SIZE)))

    # Labels and switches.

    def metadata(self) -> Operation[dict[str, str]]:
        """Gets the labels."""
        return dict((yield from self.context.info()).metadata)

    def get_metadata(self, key: str, default: Optional[str]) -> Operation[Optional[str]]:
        """Gets one label."""
        return (yield from self.metadata()).get(key, default)

    def set_metadata(self, key: str, value: Optional[str]) -> Operation[None]:
        """Sets one label, or removes it."""
        if value is not None:
            _check_labels({key: value})
        yield from self.context.update(_requests.mutations(metadata={key: value}))

    def switches(self) -> Operation[dict[str, Switch]]:
        """Gets the switches."""
        snapshot = yield from self.context.snapshot(prefix=SWITCHES)
        return {entry.key[len(SWITCHES) :]: entry.json() for entry in snapshot.entries()}

    def get_switch(self, name: str, default: S) -> Operation[S]:
        """Gets one switch, of the type of its default."""
        try:
            entry = yield from self.context.entry(SWITCHES + name)
        except EntryNotFound:
            return default
        value, expected = entry.json(), type(default)
        if expected is float and type(value) is int:
            value = float(value)
        if type(value) is not expected:
            raise InvalidValue(
                f"the switch {name!r} is the {type(value).__name__} {value!r}, "
                f"and was asked for as {expected.__name__}"
            )
        return value

    def set_switch(self, name: str, value: Optional[Switch]) -> Operation[None]:
        """Sets one switch, or removes it."""
        if value is None:
            step = _requests.delete_entry(SWITCHES + name)
        else:
            step = _requests.put_entry(SWITCHES + name, _switch_content(name, value))
        yield from self.context.update([step])

    # All of it.

    def get_summary(self) -> Operation[TaskSummary]:
        """Gets what the task adds up to."""
        info = yield from self.context.info()
        status = yield from self.context.status()
        switches = yield from self.switches()
        newest = yield from self.get_context_history((), None, None, "", True, 1)
        files = yield from self.get_file_operations("")
        totals = yield from self.context.usage()
        resources = yield from self.active_resources()
        cost: dict[str, int] = {}
        for total in totals:
            if total.cost_micros:
                cost[total.currency] = cost.get(total.currency, 0) + total.cost_micros
        return TaskSummary(
            id=info.id,
            version=info.version,
            presence=status.presence,
            metadata=info.metadata,
            switches=switches,
            create_time=info.create_time,
            update_time=info.update_time,
            last_sequence=newest[0].sequence if newest else 0,
            file_count=len(files),
            model_calls=sum(total.call_count for total in totals),
            input_tokens=sum(total.input_tokens for total in totals),
            output_tokens=sum(total.output_tokens for total in totals),
            cost_micros=cost,
            resources=tuple(resource.name for resource in resources),
        )

    def to_dict(self) -> Operation[dict[str, Any]]:
        """Gets everything, as JSON can hold it."""
        info = yield from self.context.info()
        snapshot = yield from self.context.snapshot()
        history = yield from self.get_context_history((), None, None, "", False, None)
        files = yield from self.get_file_operations("")
        totals = yield from self.context.usage()
        resources = yield from self.active_resources()
        return {
            "id": info.id,
            "namespace": info.namespace,
            "type": info.type,
            "parent_id": info.parent_id,
            "version": snapshot.version,
            "create_time": _plain(info.create_time),
            "update_time": _plain(info.update_time),
            "metadata": dict(snapshot.metadata),
            "switches": {
                entry.key[len(SWITCHES) :]: entry.json()
                for entry in snapshot.entries()
                if entry.key.startswith(SWITCHES)
            },
            "entries": {
                entry.key: plain_of(data_of(entry.value, entry.content_type))
                for entry in snapshot.entries()
                if not entry.key.startswith(SWITCHES)
            },
            "history": [_plain(update) for update in history],
            "files": [
                {
                    **asdict(file.last_operation),
                    "time": _plain(file.time),
                    "operation_count": file.operation_count,
                }
                for file in files.values()
            ],
            "usage": [_plain(total) for total in totals],
            "resources": [_plain(resource) for resource in resources],
        }


def _plain(value: Any) -> Any:  # noqa: ANN401  anything that an export holds
    """Makes what JSON can hold of what the server tells."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, tracking.ResourceKind):
        return value.value
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return plain_of(value)
