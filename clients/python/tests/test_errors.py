"""What a failure on the wire becomes."""

from __future__ import annotations

import pathlib
import pickle
import re

import grpc
import pytest
from google.protobuf import descriptor_pool

import contextd
from contextd import errors
from contextd.v1 import resources_pb2
from fake import Fail

ROOT = pathlib.Path(__file__).resolve().parents[3]


def error_of(fail: Fail) -> errors.ContextdError:
    return errors.from_status(fail.code, fail.message, fail.trailers())


def test_every_reason_of_the_api_has_its_class() -> None:
    reasons: set[str] = set()
    for name, begin, end in (
        ("resources", "//   INVALID_ARGUMENT ", "syntax ="),
        ("tracker", "//   NOT_FOUND ", "service Tracker"),
        ("recovery", "//   NOT_FOUND ", "service Recovery"),
    ):
        text = (ROOT / f"proto/contextd/v1/{name}.proto").read_text()
        table = text[text.index(begin) : text.index(end)]
        reason = r"^//   (?:[A-Z_]+ +| {10,})([A-Z]+(?:_[A-Z]+)*(?:, [A-Z_]+)*)"
        reasons |= set(", ".join(re.findall(reason, table, re.M)).split(", "))
    assert set(errors._BY_REASON) == reasons


def test_every_class_is_exported() -> None:
    above = [errors.Conflict, errors.SessionLost, errors.MergeConflicts]
    for kind in [*errors._BY_REASON.values(), *errors._BY_CODE.values(), *above]:
        assert getattr(contextd, kind.__name__) is kind
        assert kind.__name__ in contextd.__all__
        assert issubclass(kind, contextd.ContextdError)


@pytest.mark.parametrize(
    ("reason", "metadata", "kind", "expected"),
    [
        ("INVALID_FIELD", {"field": "a.b", "rule": "r"}, contextd.InvalidField, "field rule"),
        (
            "CONTEXT_NOT_FOUND",
            {"deleted_version": "7"},
            contextd.ContextNotFound,
            "deleted_version",
        ),
        ("CONTEXT_EXISTS", {"version": "3"}, contextd.ContextExists, "version"),
        ("VERSION_CONFLICT", {"current_version": "9"}, contextd.VersionConflict, "current_version"),
        (
            "ENTRY_CONFLICT",
            {"key": "k", "current_version": "0"},
            contextd.EntryConflict,
            "key current_version",
        ),
        ("HEAD_MOVED", {"current_version": "4"}, contextd.HeadMoved, "current_version"),
        ("STREAM_STALLED", {"after_key": "é"}, contextd.StreamStalled, "after_key"),
        ("STALE_FENCE", {"current_fence": "2"}, contextd.StaleFence, "current_fence"),
        ("SESSION_NOT_FOUND", {"session_id": "s"}, contextd.SessionNotFound, "session_id"),
        (
            "CONTEXT_BUSY",
            {"session_id": "s", "owner": "mia"},
            contextd.ContextBusy,
            "session_id owner",
        ),
        ("NOT_ACTIVE", {}, contextd.NotActive, ""),
        ("RESOURCE_HELD", {"session_id": "s"}, contextd.ResourceHeld, "session_id"),
        ("RESOURCE_NOT_HELD", {"session_id": "s"}, contextd.ResourceNotHeld, "session_id"),
        ("CURSOR_COMPACTED", {"oldest_cursor": "c"}, contextd.CursorCompacted, "oldest_cursor"),
        (
            "SIZE_MISMATCH",
            {"key": "k", "current_size": "12"},
            contextd.SizeMismatch,
            "key current_size",
        ),
        ("HAS_CHILDREN", {"child_count": "5"}, contextd.HasChildren, "child_count"),
        ("PARENT_NOT_FOUND", {"parent_id": "p"}, contextd.ParentNotFound, "parent_id"),
        (
            "LIMIT_REACHED",
            {"limit": "value_size_max", "value": "1048576"},
            contextd.LimitReached,
            "limit value",
        ),
        (
            "RESPONSE_TOO_LARGE",
            {"size": "5", "limit": "4"},
            contextd.ResponseTooLarge,
            "size limit",
        ),
        (
            "STATE_NOT_RETAINED",
            {"oldest_version": "3", "newest_version": "18"},
            contextd.StateNotRetained,
            "oldest_version newest_version",
        ),
        (
            "RECOVERY_POINT_NOT_FOUND",
            {"oldest_id": "p-1"},
            contextd.RecoveryPointNotFound,
            "oldest_id",
        ),
        ("NO_RECOVERY_POINTS", {}, contextd.NoRecoveryPoints, ""),
        ("RECOVERY_POINT_EXISTS", {"sequence": "7"}, contextd.RecoveryPointExists, "sequence"),
        ("RECOVERY_POINT_PINNED", {}, contextd.RecoveryPointPinned, ""),
        ("NO_COMMON_ANCESTOR", {}, contextd.NoCommonAncestor, ""),
        ("DAMAGED", {"file": "f", "offset": "64"}, contextd.Damaged, "file offset"),
        ("NOT_SUPPORTED", {"field": "write.fence"}, contextd.NotSupported, "field"),
    ],
)
def test_carries_what_the_server_told(
    reason: str, metadata: dict[str, str], kind: type[contextd.ContextdError], expected: str
) -> None:
    error = error_of(Fail(grpc.StatusCode.INTERNAL, reason, metadata))
    assert type(error) is kind
    assert {name: str(getattr(error, name)) for name in expected.split()} == metadata
    assert error.details == metadata
    assert str(error) == f"{reason}: told to fail"


def test_a_context_that_never_was_has_no_deleted_version() -> None:
    error = error_of(Fail(grpc.StatusCode.NOT_FOUND, "CONTEXT_NOT_FOUND"))
    assert isinstance(error, contextd.ContextNotFound)
    assert error.deleted_version is None


def test_overload_carries_the_delay() -> None:
    error = error_of(Fail(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", retry_delay=0.25))
    assert isinstance(error, contextd.Overloaded)
    assert error.retry_delay == 0.25


def test_an_unknown_reason_is_kept() -> None:
    error = error_of(Fail(grpc.StatusCode.ABORTED, "NEW_THING", {"a": "b"}))
    assert type(error) is contextd.ContextdError
    assert (error.code, error.reason, error.details) == (
        grpc.StatusCode.ABORTED,
        "NEW_THING",
        {"a": "b"},
    )


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, contextd.Unavailable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, contextd.DeadlineExceeded),
        (grpc.StatusCode.CANCELLED, contextd.Cancelled),
        (grpc.StatusCode.UNIMPLEMENTED, contextd.WrongServer),
        (grpc.StatusCode.INTERNAL, contextd.ContextdError),
    ],
)
def test_without_a_reason_the_code_decides(
    code: grpc.StatusCode, kind: type[contextd.ContextdError]
) -> None:
    error = errors.from_status(code, "why")
    assert type(error) is kind
    assert str(error) == f"{code.name}: why"


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, 503, contextd.Unavailable),
        (grpc.StatusCode.PERMISSION_DENIED, 403, contextd.WrongServer),
    ],
)
def test_a_proxy_without_a_server_is_unavailable(
    code: grpc.StatusCode, status: int, kind: type[contextd.ContextdError]
) -> None:
    error = errors.from_status(code, f"Received http2 header with status: {status}")
    assert type(error) is kind


def test_details_of_somebody_else_are_left_out() -> None:
    trailers = Fail(grpc.StatusCode.ABORTED, "VERSION_CONFLICT").trailers()
    foreign = trailers[0][1].replace(b"contextd", b"somebody")
    error = errors.from_status(
        grpc.StatusCode.ABORTED, "why", (("grpc-status-details-bin", foreign),)
    )
    assert type(error) is contextd.ContextdError
    assert error.reason == ""


@pytest.mark.parametrize("value", [b"\xff\xff\xff", b"\x1a\x03abc", b""])
def test_unreadable_details_do_not_hide_the_code(value: bytes) -> None:
    trailers = (("grpc-status-details-bin", value), ("other", "x"))
    error = errors.from_status(grpc.StatusCode.UNAVAILABLE, "why", trailers)
    assert type(error) is contextd.Unavailable


def test_a_number_that_is_none_reads_as_zero() -> None:
    error = error_of(Fail(grpc.StatusCode.ABORTED, "VERSION_CONFLICT", {"current_version": "x"}))
    assert isinstance(error, contextd.VersionConflict)
    assert error.current_version == 0


def test_a_missing_entry_is_a_key_error() -> None:
    error = contextd.EntryNotFound("k")
    assert isinstance(error, KeyError)
    assert (error.key, str(error)) == ("k", "NOT_FOUND: no entry 'k'")


def test_a_part_of_a_batch_fails_with_the_same_classes() -> None:
    failure = resources_pb2.Failure(code=8, reason="OVERLOADED", message="later")
    failure.retry_delay.FromMilliseconds(100)
    error = errors.from_failure(failure)
    assert isinstance(error, contextd.Overloaded)
    assert (error.code, error.retry_delay) == (grpc.StatusCode.RESOURCE_EXHAUSTED, 0.1)


def test_errors_pass_between_processes() -> None:
    error = error_of(Fail(grpc.StatusCode.ABORTED, "ENTRY_CONFLICT", {"key": "k"}))
    error.request_id = "id"
    conflicts = (contextd.MergeConflict("k", False, None, None, None),)
    unmerged = contextd.MergeConflicts(conflicts, 7)
    for original in (error, contextd.EntryNotFound("k"), unmerged):
        copy = pickle.loads(pickle.dumps(original))
        assert type(copy) is type(original)
        assert copy.__dict__ == original.__dict__


def test_leaves_the_names_of_google_rpc_to_others() -> None:
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName("google.rpc.Status")


def test_conflicts_of_a_merge_are_counted() -> None:
    error = contextd.MergeConflicts((), 7)
    assert str(error) == "ABORTED: 7 conflicts, nothing was merged"
    # Reading again, as after a conflict of writers, would not help.
    assert not isinstance(error, contextd.Conflict)
