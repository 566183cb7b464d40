"""One context, to read and to write, with the synchronous client."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Callable, Optional, TypeVar, Union

from contextd import _requests
from contextd._recovery import BranchPlan, RecoveryOperations, to_at
from contextd.draft import Draft
from contextd.recoverable import RecoverableContext
from contextd.recovery import Merged, OnConflict, Point
from contextd.state import ContextState
from contextd.tracking import Recordable
from contextd.v1 import resources_pb2
from contextd.values import Expiry, NewContext, RecoveryPolicy, Value, Written, to_content, to_json

T = TypeVar("T")

_NO_VALUES: Mapping[str, Value] = {}
_NO_LABELS: Mapping[str, Optional[str]] = {}
_NO_VERSIONS: Mapping[str, int] = {}
_NO_RULES: Mapping[str, OnConflict] = {}


class Context(RecoverableContext):
    """One context: a dictionary with versions, on the server.

    Made by :meth:`Client.context`; making one calls nobody. Values are written as bytes or
    ``str`` (see :mod:`contextd.values`) and read as bytes. Every write carries a request id
    and is repeated where that is safe; pass ``request_id`` to make your own repetitions safe
    too. Safe to use from many threads.

    The context also has a history: :meth:`record` adds to it, and knows files and models.

    Every write may raise :class:`~contextd.ContextNotFound` (unless the context was made
    with ``create_if_missing``), :class:`~contextd.InvalidField`,
    :class:`~contextd.LimitReached`, :class:`~contextd.StorageFull`,
    :class:`~contextd.Unavailable` and :class:`~contextd.DeadlineExceeded`.
    """

    def at(
        self,
        version: Optional[int] = None,
        *,
        point: Optional[Point] = None,
        time: Optional[datetime] = None,
    ) -> ContextState:
        """Gives an earlier state, to read, while the server keeps it.

        Args:
            version: The state of this number.
            point: The state that this recovery point keeps.
            time: What was the newest state at this time, which names its time zone. One of the
                three must be given.

        Example:
            >>> chat.at(1)["system"]
            b'You are helpful.'
            >>> chat.at(point="step-7").snapshot()
            <Snapshot version=12 entries=4>
        """
        at = to_at(version, point, time)
        if at.is_newest:
            raise ValueError("say which state: its version, its recovery point or its time")
        operations = RecoveryOperations(self._operations.settings, self.namespace, self.id, at)
        return ContextState(self._runner, operations)

    def create(
        self,
        properties: Optional[NewContext] = None,
        puts: Mapping[str, Value] = _NO_VALUES,
        *,
        request_id: Optional[str] = None,
    ) -> Written:
        """Creates the context with the entries ``puts``.

        Raises:
            ContextExists: there is one.
            ParentNotFound: its parent does not exist.
        """
        self._operations.check_named(request_id)
        return self._create(properties, puts, request_id)[1]

    def _create(
        self,
        properties: Optional[NewContext],
        puts: Mapping[str, Value],
        request_id: Optional[str],
    ) -> tuple[str, Written]:
        properties = NewContext() if properties is None else properties
        return self._runner.run(self._operations.create(properties, puts, request_id))

    def __setitem__(self, key: str, value: Value) -> None:
        """Sets a value, whether or not there is one. See :meth:`put`."""
        self.put(key, value)

    def __delitem__(self, key: str) -> None:
        """Removes an entry; unlike with a dictionary, a missing one is no error."""
        self.remove(key)

    def put(
        self,
        key: str,
        value: Value,
        *,
        content_type: Optional[str] = None,
        request_id: Optional[str] = None,
    ) -> Written:
        """Sets a value and its content type, whether or not there is one.

        Args:
            key: 1 to 512 bytes of UTF-8.
            value: Up to the server's ``value_size_max`` bytes.
            content_type: ``None``: that of ``value``, which is empty for bytes.
            request_id: For a write that the caller may repeat; by default a new one.
        """
        content = to_content(value, content_type)
        return self._runner.run(self._operations.put(key, content, request_id))

    def put_json(
        self,
        key: str,
        value: Any,  # noqa: ANN401  JSON holds anything
        *,
        request_id: Optional[str] = None,
    ) -> Written:
        """Sets a value to the JSON form of ``value``. See :func:`~contextd.to_json`."""
        return self.put(key, to_json(value), request_id=request_id)

    def append(
        self,
        key: str,
        value: Value,
        *,
        expected_size: Optional[int] = None,
        request_id: Optional[str] = None,
    ) -> Written:
        """Adds bytes to the end of a value, creating the entry when missing.

        Args:
            key: The entry.
            value: What is added. Its content type is that of a new entry.
            expected_size: The bytes that the value must have before. ``None``: any.
            request_id: For a write that the caller may repeat; by default a new one.

        Raises:
            SizeMismatch: the value has another size.
        """
        step = _requests.append_entry(key, to_content(value), expected_size)
        return self._update([step], request_id)

    def remove(self, key: str, *, request_id: Optional[str] = None) -> Written:
        """Removes an entry. A missing one is no error."""
        return self._update([_requests.delete_entry(key)], request_id)

    def update(
        self,
        puts: Mapping[str, Value] = _NO_VALUES,
        *,
        deletes: Iterable[str] = (),
        delete_prefixes: Iterable[str] = (),
        appends: Mapping[str, Value] = _NO_VALUES,
        metadata: Mapping[str, Optional[str]] = _NO_LABELS,
        expiry: Optional[Expiry] = None,
        activities: Iterable[Recordable] = (),
        recovery_policy: Optional[RecoveryPolicy] = None,
        if_version: Optional[int] = None,
        if_entries: Mapping[str, int] = _NO_VERSIONS,
        request_id: Optional[str] = None,
    ) -> Written:
        """Changes the context in one step: everything, or nothing.

        Args:
            puts: Entries to set.
            deletes: Keys to remove. They go before anything comes.
            delete_prefixes: Remove every entry whose key begins with one of these.
            appends: Bytes to add to the end of values.
            metadata: Labels to set; ``None`` removes one.
            expiry: How long the context lives from now on.
            activities: What to add to the history, in the same step. See :meth:`record`.
            recovery_policy: Which recovery points it gets and keeps from now on. ``None``: as it
                is; see :meth:`set_recovery_policy`.
            if_version: The version that the context must have. 0: it must not exist.
            if_entries: The versions that must have set the entries. 0: there must be none.
            request_id: For a write that the caller may repeat; by default a new one.

        Raises:
            VersionConflict: the context has another version than ``if_version``.
            EntryConflict: an entry has another version than ``if_entries`` says.

        Example:
            >>> chat.update({"title": "Flight"}, metadata={"user": "mia"}, if_version=3).version
            4
        """
        steps = _requests.mutations(
            puts,
            deletes=deletes,
            delete_prefixes=delete_prefixes,
            appends=appends,
            metadata=metadata,
            expiry=expiry,
            activities=activities,
            recovery_policy=recovery_policy,
        )
        guards = _requests.preconditions(if_version, if_entries)
        return self._runner.run(self._operations.update(steps, guards, request_id))

    def put_all(
        self,
        puts: Mapping[str, Value],
        *,
        metadata: Mapping[str, Optional[str]] = _NO_LABELS,
        if_version: Optional[int] = None,
    ) -> Written:
        """Sets any number of entries, more than fit into a message, too; gives the last write.

        It is several changes, one after the other, and others see what is between: give labels that
        say that all of it is there, they come with the last change. When it fails on the way, what
        was written stays; call it again to finish it. A value that is larger than a message is put
        in parts.

        Args:
            puts: Entries to set.
            metadata: Labels to set with the last change; ``None`` removes one.
            if_version: The version that the context must have before the first change.

        Example:
            >>> files = {path.name: path.read_bytes() for path in paths}
            >>> docs.put_all(files, metadata={"ready": "1"})
        """
        return self._runner.run(self._operations.put_all(puts, metadata, if_version))

    def _update(self, steps: list[resources_pb2.Mutation], request_id: Optional[str]) -> Written:
        return self._runner.run(self._operations.update(steps, (), request_id))

    def set_recovery_policy(
        self, policy: Optional[RecoveryPolicy], *, request_id: Optional[str] = None
    ) -> Written:
        """Sets which recovery points the context gets by itself and keeps.

        Args:
            policy: ``None``: the server's policy again.
            request_id: For a write that the caller may repeat; by default a new one.

        Example:
            >>> chat.set_recovery_policy(RecoveryPolicy(point_every_changes=100))
        """
        return self._update([_requests.set_recovery_policy(policy)], request_id)

    def edit(self, key: str, change: Callable[[Optional[bytes]], Optional[Value]]) -> Written:
        """Reads a value, changes it, and writes it back, unless somebody else did meanwhile.

        Then it is done again, up to ``RetryPolicy.attempts`` times, so ``change`` may be
        called more than once and should do nothing else.

        Args:
            key: The entry.
            change: Gets the value, or ``None`` when there is no entry. Gives the new value, or
                ``None`` to remove it. Bytes keep the entry's content type.

        Raises:
            Conflict: others were faster each time.

        Example:
            >>> chat.edit("count", lambda old: str(int(old or 0) + 1))
        """
        return self._runner.run(self._operations.edit(key, change))

    def transact(
        self, change: Callable[[Draft], T], *, keys: Optional[Collection[str]] = None
    ) -> T:
        """Reads the context, lets ``change`` work on it, and writes what it did in one step.

        If the context changed meanwhile it is done again, up to ``RetryPolicy.attempts``
        times, so ``change`` may be called more than once and should do nothing else. When
        it changes nothing, nothing is written.

        Args:
            change: Works on a :class:`~contextd.Draft`; what it returns is returned.
            keys: Read, and guard, only these entries: other writers of other entries do not
                disturb, unless ``change`` looks at labels. ``None``: the whole context.

        Raises:
            Conflict: others were faster each time.

        Example:
            >>> def move(draft):
            ...     draft["done"] = draft.pop("todo")
            >>> tasks.transact(move)
        """
        return self._runner.run(self._operations.transact(change, keys))

    def delete(
        self,
        *,
        recursive: bool = False,
        purge: bool = False,
        allow_missing: bool = False,
        if_version: Optional[int] = None,
        request_id: Optional[str] = None,
    ) -> int:
        """Deletes the context; gives how many contexts are gone.

        Args:
            recursive: Those below it too; else a context with children is not deleted.
            purge: For good: nothing of it can be brought back.
            allow_missing: No error when there is none.
            if_version: The version that it must have.
            request_id: For a write that the caller may repeat; by default a new one.

        Raises:
            HasChildren: contexts name it as their parent.
            VersionConflict: it has another version.
        """
        return self._runner.run(
            self._operations.delete(recursive, purge, allow_missing, if_version, request_id)
        )

    def fork(
        self,
        context_id: str = "",
        *,
        point: Optional[Point] = None,
        version: Optional[int] = None,
        time: Optional[datetime] = None,
        with_history: bool = False,
        with_points: bool = False,
        properties: Optional[NewContext] = None,
        request_id: Optional[str] = None,
    ) -> Context:
        """Makes a new context from a state of this one, and shares all of it.

        The cost does not depend on the size of the context.

        Args:
            context_id: The new context's id. Empty: the server makes one up.
            point: The state of this recovery point.
            version: This version, while the server keeps it.
            time: What was the newest state at this time, which names its time zone. None of the
                three: the newest.
            with_history: Take along the history, files and usage as they stood then.
            with_points: Take along the recovery points up to that state.
            properties: How the new context begins; its labels come to those of the state.
                ``None``: with the type, parent and policy of this one, and without expiry.
            request_id: For a write that the caller may repeat; by default a new one.

        Raises:
            ContextExists: there is one of this id.
            RecoveryPointNotFound: there is no such point.
            StateNotRetained: that version, or the state of that time, is not kept any more.

        Example:
            >>> other = chat.fork("chat-1b", point="step-7")
            >>> other.info().forked_from.context_id
            'chat-1'
        """
        state = self._operations.on(to_at(version, point, time, "source."))
        operations = self._runner.run(
            state.fork(context_id, with_history, with_points, properties, request_id)
        )
        return Context(self._runner, operations)

    def branch(
        self,
        context_id: str = "",
        *,
        point: Optional[Point] = None,
        version: Optional[int] = None,
        time: Optional[datetime] = None,
        with_history: bool = False,
        with_points: bool = False,
        ttl: Optional[Union[timedelta, float]] = None,
    ) -> Branch:
        """Prepares a fork for the length of a ``with``, without a call: to try something.

        At the end of the block the fork is deleted, whether or not it was merged. What it holds
        and was not merged until then is gone.

        Args:
            context_id: The fork's id. Empty: one is made up.
            point: From the state of this recovery point.
            version: From this version, while the server keeps it.
            time: From what was the newest state at this time. None of the three: the newest.
            with_history: Take along the history, files and usage as they stood then.
            with_points: Take along the recovery points up to that state.
            ttl: How long the fork lives at most, in seconds or as a ``timedelta``: for the case
                that the program is killed, or loses the server. ``None``: until it is deleted.

        Example:
            >>> with chat.branch() as attempt:
            ...     work_on(attempt)
            ...     if good(attempt):
            ...         attempt.merge()
        """
        state = self._operations.on(to_at(version, point, time, "source."))
        return Branch(self, state.branch(context_id, with_history, with_points, ttl))

    def merge(
        self,
        source: ContextState,
        *,
        ancestor: Optional[ContextState] = None,
        on_conflict: OnConflict = OnConflict.RAISE,
        on_conflict_by_key: Mapping[str, OnConflict] = _NO_RULES,
        dry_run: bool = False,
        safety_point: bool = False,
        if_version: Optional[int] = None,
        request_id: Optional[str] = None,
    ) -> Merged:
        """Brings what changed in ``source`` since a common state into this context.

        Entries and labels that only one side changed become as that side has them. What both
        changed, each in its own way, is a conflict: unless a rule resolves all of them, nothing
        is merged, and :class:`~contextd.MergeConflicts` is raised.

        Args:
            source: Another context of the namespace, or an earlier state of one.
            ancestor: The state that both came from. ``None``: found from the forks, and from
                earlier merges of the same two.
            on_conflict: What becomes of conflicts.
            on_conflict_by_key: What becomes of single entries, whatever ``on_conflict`` says.
            dry_run: Tell what would be, also the conflicts, and change nothing.
            safety_point: Keep the state before the merge as a recovery point.
            if_version: The version that this context must have.
            request_id: For a write that the caller may repeat; by default a new one.

        Raises:
            MergeConflicts: nothing was merged; ``conflicts`` tells what both changed.
            NoCommonAncestor: the two have nothing in common; name the ``ancestor``.
            HeadMoved: the context changed again and again meanwhile.

        Example:
            >>> chat.merge(other, on_conflict=OnConflict.SOURCE).changed_entry_count
            2
        """
        return self._runner.run(
            self._operations.merge(
                source._operations,
                None if ancestor is None else ancestor._operations,
                on_conflict,
                on_conflict_by_key,
                dry_run,
                safety_point,
                if_version,
                request_id,
            )
        )


class Branch(Context):
    """A fork of a context for the length of a ``with``: a :class:`Context` to try something in.

    Made by :meth:`Context.branch`. ``with`` makes it, and deletes it at its end with the contexts
    below it, whether or not it was merged. What goes wrong there is raised, unless the program's
    own exception is under way.

    Attributes:
        origin: The context that it was forked from.
    """

    def __init__(self, origin: Context, plan: BranchPlan) -> None:
        """Made by :meth:`Context.branch`."""
        super().__init__(origin._runner, plan.operations)
        self.origin = origin
        self._plan = plan

    def __enter__(self) -> Branch:
        """Makes the fork."""
        try:
            self._runner.run(self._plan.begin())
        except BaseException as error:
            if self._plan.may_have_begun(error):
                self._runner.run(self._plan.end(failed=True))
            raise
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        """Deletes the fork."""
        self._runner.run(self._plan.end(failed=kind is not None))

    def merge(
        self,
        source: Optional[ContextState] = None,
        *,
        ancestor: Optional[ContextState] = None,
        on_conflict: OnConflict = OnConflict.RAISE,
        on_conflict_by_key: Mapping[str, OnConflict] = _NO_RULES,
        dry_run: bool = False,
        safety_point: bool = False,
        if_version: Optional[int] = None,
        request_id: Optional[str] = None,
    ) -> Merged:
        """Merges the branch back into its origin. As :meth:`Context.merge` of the origin.

        There, the branch is the source, and the origin the target. It can be merged again after
        further changes. With a ``source``, that is merged into the branch instead.

        Raises:
            MergeConflicts: nothing was merged; ``conflicts`` tells what both changed.

        Example:
            >>> with chat.branch() as attempt:
            ...     attempt["answer"] = "42"
            ...     attempt.merge(on_conflict=OnConflict.TARGET)
        """
        target, merged = (self.origin, self) if source is None else (self, source)
        return self._runner.run(
            target._operations.merge(
                merged._operations,
                None if ancestor is None else ancestor._operations,
                on_conflict,
                on_conflict_by_key,
                dry_run,
                safety_point,
                if_version,
                request_id,
            )
        )
