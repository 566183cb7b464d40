"""Which operations go out together. Without a server, and without a clock."""

from __future__ import annotations

import itertools
import random
from collections.abc import Generator
from typing import Any, Optional

import grpc
import pytest

from contextd import errors
from contextd._calls import Coalesce, Invoke, Settings, Sleep
from contextd._kinds import POINTS, UPDATES
from contextd._lane import (
    CALL_BYTES_MAX,
    CALL_OPERATIONS_MAX,
    CALLS_IN_FLIGHT,
    WAITING_BYTES_MAX,
    WAITING_MAX,
    Lane,
    Outcome,
    Part,
    send,
)
from contextd._methods import CREATE_POINT, GET_POINT, UPDATE, UPDATE_POINT
from contextd.retry import RetryPolicy
from contextd.v1 import context_manager_pb2 as pb
from contextd.v1 import recovery_pb2
from contextd.v1.resources_pb2 import PutEntry
from fake import FakeClock

_numbers = itertools.count(1)


class Told(Part):
    """An operation that remembers what became of it."""

    __slots__ = ("number", "outcome")

    def __init__(
        self, request: Any, method: Any = UPDATE, settings: Optional[Settings] = None
    ) -> None:
        self.number = next(_numbers)
        settings = settings or settings_of(FakeClock())
        super().__init__(Coalesce(settings, method, request, f"id-{self.number}"))
        self.outcome: Optional[Outcome] = None

    def wake(self, outcome: Outcome) -> None:
        assert self.outcome is None
        self.outcome = outcome


def settings_of(clock: FakeClock, timeout: float = 10.0) -> Settings:
    return Settings("n", timeout, RetryPolicy(), clock=clock, random=lambda: 1.0)


def update(context_id: str, size: int = 0, namespace: str = "n") -> Told:
    request = pb.UpdateContextRequest(namespace=namespace, context_id=context_id)
    request.mutations.add().put_entry.MergeFrom(PutEntry(key="k", value=bytes(size)))
    return Told(request)


def lane_with(*parts: Part) -> Lane:
    lane = Lane(UPDATES)
    for part in parts:
        lane.add(part)
    return lane


def answer(*groups: list[Part]) -> None:
    """Has them all done."""
    for group in groups:
        for part in group:
            part.give_up()


def filled() -> tuple[Lane, list[list[Part]]]:
    """A lane that has no room, and what is out."""
    lane = Lane(UPDATES)
    out = []
    for index in range(CALLS_IN_FLIGHT):
        lane.add(update(f"first-{index}"))
        group = lane.take()
        assert group is not None
        out.append(group)
    return lane, out


def test_an_operation_that_finds_room_goes_out_at_once_alone() -> None:
    part = update("a")
    assert lane_with(part).take() == [part]


def test_no_more_calls_are_out_than_the_limit() -> None:
    lane, out = filled()
    lane.add(update("b"))
    assert lane.take() is None
    lane.done(out[0])
    assert lane.take() is not None


def test_what_waited_goes_out_together() -> None:
    lane, out = filled()
    waiting = [update(f"c-{index}") for index in range(9)]
    for part in waiting:
        lane.add(part)
    answer(*out)
    lane.done(out[0])
    first = lane.take()
    lane.done(out[1])
    second = lane.take()
    assert first is not None
    assert second is not None
    assert first + second == waiting
    assert len(first) == 5  # Half of the nine, and of that one which is still out.


def test_an_operation_waits_while_one_of_its_context_is_under_way() -> None:
    lane = lane_with(update("a"))
    out = lane.take()
    assert out is not None
    later, other = update("a"), update("b")
    lane.add(later)
    assert lane.take() is None
    lane.add(other)
    assert lane.take() == [other]
    out[0].give_up()
    lane.done(out)
    assert lane.take() == [later]


def test_the_same_context_of_another_namespace_does_not_wait() -> None:
    lane = lane_with(update("a"))
    assert lane.take() is not None
    other = update("a", namespace="other")
    lane.add(other)
    assert lane.take() == [other]


def test_a_call_is_of_one_namespace_and_the_next_of_another() -> None:
    lane, out = filled()
    parts = [update(f"c-{index}", namespace=f"n{index % 2}") for index in range(8)]
    for part in parts:
        lane.add(part)
    namespaces = []
    for group in out:
        answer(group)
        lane.done(group)
        following = lane.take()
        assert following is not None
        assert len({part.name[0] for part in following}) == 1
        namespaces.append(following[0].name[0])
    assert namespaces == ["n0", "n1"]


def test_a_call_holds_no_more_operations_than_the_limit() -> None:
    lane, out = filled()
    for index in range(3 * CALL_OPERATIONS_MAX):
        lane.add(update(f"c-{index}"))
    lane.done(out[0])
    group = lane.take()
    assert group is not None
    assert len(group) == CALL_OPERATIONS_MAX


def test_a_call_holds_no_more_bytes_than_the_limit() -> None:
    lane, out = filled()
    for index in range(8):
        lane.add(update(f"c-{index}", CALL_BYTES_MAX // 3))
    lane.done(out[0])
    group = lane.take()
    assert group is not None
    assert len(group) == 2


def test_what_is_larger_than_a_call_goes_alone_in_its_turn() -> None:
    lane, out = filled()
    small, large, last = update("c"), update("d", CALL_BYTES_MAX), update("e")
    for part in (small, large, last):
        lane.add(part)
    answer(*out)
    lane.done(out[0])
    assert lane.take() == [small]
    lane.done(out[1])
    assert lane.take() == [large]
    small.give_up()
    lane.done([small])
    assert lane.take() == [last]


def test_who_asks_while_too_many_wait_is_refused() -> None:
    lane, _ = filled()
    for index in range(WAITING_MAX):
        lane.add(update(f"c-{index}"))
    with pytest.raises(errors.Overloaded, match="10000 operations"):
        lane.add(update("one-more"))


def test_who_asks_while_too_much_waits_is_refused() -> None:
    lane, _ = filled()
    for index in range(4):
        lane.add(update(f"c-{index}", WAITING_BYTES_MAX // 4 - 1000))
    with pytest.raises(errors.Overloaded):
        lane.add(update("one-more", 4000))


def test_what_was_given_up_does_not_go_out() -> None:
    lane, out = filled()
    gone, stays = update("c"), update("c")
    lane.add(gone)
    lane.add(stays)
    gone.give_up()
    out[0][0].give_up()
    lane.done(out[0])
    assert lane.take() == [stays]


def test_what_was_left_of_a_group_goes_first() -> None:
    lane, out = filled()
    first, second = update("c"), update("c")
    lane.add(first)
    out[0][0].give_up()
    lane.done(out[0])
    assert lane.take() == [first]
    lane.add(second)
    lane.done([first])
    assert lane.take() == [first, second]


@pytest.mark.parametrize("seed", range(20))
def test_of_each_context_all_goes_out_once_in_order(seed: int) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    lane = Lane(UPDATES)
    out: list[list[Part]] = []
    sent: dict[str, list[Part]] = {}
    given: dict[str, list[Part]] = {}

    def take() -> None:
        group = lane.take()
        while group is not None:
            assert group
            contexts = {part.name[1] for part in group}
            assert not contexts & {part.name[1] for other in out for part in other}
            out.append(group)
            assert len(out) <= CALLS_IN_FLIGHT
            group = lane.take()

    for _ in range(400):
        if out and chance.random() < 0.3:
            group = out.pop(chance.randrange(len(out)))
            answered = chance.randrange(len(group) + 1)
            for part in group[:answered]:
                part.give_up()
                sent.setdefault(part.name[1], []).append(part)
            lane.done(group)
        else:
            part = update(chance.choice("abcdefgh"))
            given.setdefault(part.name[1], []).append(part)
            lane.add(part)
        take()
    while out:
        group = out.pop()
        answer(group)
        for part in group:
            sent.setdefault(part.name[1], []).append(part)
        lane.done(group)
        take()
    assert sent == given
    assert lane.waiting == 0


# What is sent of a group.


def perform(
    operation: Generator[Any, Any, None], clock: FakeClock, *answers: Any
) -> list[tuple[str, Any]]:
    """Performs the steps with these answers, and gives the calls."""
    calls = []
    left = list(answers)
    try:
        step = next(operation)
        while True:
            if isinstance(step, Sleep):
                clock.sleep(step.seconds)
                step = operation.send(None)
                continue
            assert isinstance(step, Invoke)
            calls.append((step.method, step.request))
            answer = left.pop(0)
            if isinstance(answer, Exception):
                step = operation.throw(answer)
            else:
                step = operation.send(answer)
    except StopIteration:
        assert not left
        return calls


def answered(*versions: Any) -> pb.BatchUpdateContextsResponse:
    """A number: the version that was made; a reason: the failure."""
    response = pb.BatchUpdateContextsResponse()
    for version in versions:
        result = response.results.add()
        if isinstance(version, int):
            result.response.version = version
        else:
            result.failure.reason = version
            result.failure.code = grpc.StatusCode.INVALID_ARGUMENT.value[0]
            result.failure.message = "requests[1].context_id must not be empty"
            result.failure.metadata["field"] = "requests[1].context_id"
    return response


def versions(parts: list[Told]) -> list[Any]:
    return [
        part.outcome.version if isinstance(part.outcome, pb.UpdateContextResponse) else part.outcome
        for part in parts
    ]


def test_each_operation_has_its_own_result_and_error() -> None:
    clock = FakeClock()
    parts = [update("a"), update(""), update("c")]
    calls = perform(
        send(settings_of(clock), UPDATES, parts), clock, answered(1, "INVALID_FIELD", 3)
    )
    assert [method for method, _ in calls] == ["BatchUpdateContexts"]
    assert [request.context_id for request in calls[0][1].requests] == ["a", "", "c"]
    first, failed, last = versions(parts)
    assert (first, last) == (1, 3)
    assert isinstance(failed, errors.InvalidField)
    assert failed.request_id == parts[1].request_id
    assert (failed.field, failed.message) == ("context_id", "context_id must not be empty")


def test_a_single_operation_is_the_plain_call() -> None:
    clock = FakeClock()
    part = update("a")
    calls = perform(
        send(settings_of(clock), UPDATES, [part]), clock, pb.UpdateContextResponse(version=7)
    )
    assert calls == [("UpdateContext", part.request)]
    assert versions([part]) == [7]


def test_a_call_without_an_answer_is_repeated_as_it_was() -> None:
    clock = FakeClock()
    parts = [update("a"), update("b")]
    gone = errors.Unavailable("gone", grpc.StatusCode.UNAVAILABLE)
    calls = perform(send(settings_of(clock), UPDATES, parts), clock, gone, answered(1, 2))
    assert calls[0] == calls[1]
    assert clock.slept == [0.05]
    assert versions(parts) == [1, 2]


def test_what_an_overloaded_server_refused_is_sent_again_in_order() -> None:
    clock = FakeClock()
    parts = [update("a"), update("b"), update("c")]
    calls = perform(
        send(settings_of(clock), UPDATES, parts),
        clock,
        answered(1, "OVERLOADED", "OVERLOADED"),
        answered(2, 3),
    )
    assert [request.context_id for request in calls[1][1].requests] == ["b", "c"]
    assert versions(parts) == [1, 2, 3]


def test_what_is_refused_to_the_end_is_overloaded() -> None:
    clock = FakeClock()
    settings = settings_of(clock, timeout=0.01)
    parts = [update("a"), update("b")]
    for part in parts:
        part.deadline = clock.now + 0.01
    perform(send(settings, UPDATES, parts), clock, answered(1, "OVERLOADED"))
    first, second = versions(parts)
    assert first == 1
    assert isinstance(second, errors.Overloaded)


def test_one_operation_that_fails_a_whole_call_does_not_fail_the_others() -> None:
    clock = FakeClock()
    parts = [update("a"), update("b")]
    too_large = errors.ContextdError("too large", grpc.StatusCode.RESOURCE_EXHAUSTED)
    calls = perform(
        send(settings_of(clock), UPDATES, parts),
        clock,
        too_large,
        pb.UpdateContextResponse(version=1),
        too_large,
    )
    assert [method for method, _ in calls] == ["BatchUpdateContexts"] + 2 * ["UpdateContext"]
    assert versions(parts) == [1, too_large]


@pytest.mark.parametrize(
    "error",
    [
        errors.DeadlineExceeded("late", grpc.StatusCode.DEADLINE_EXCEEDED),
        errors.ClientClosed(),
        errors.WrongServer("no"),
        errors.CertificateRejected("no", grpc.StatusCode.UNAVAILABLE),
    ],
)
def test_what_is_nobodys_fault_ends_all_of_a_call(error: errors.ContextdError) -> None:
    clock = FakeClock()
    parts = [update("a"), update("b")]
    perform(send(settings_of(clock), UPDATES, parts), clock, error)
    assert [type(outcome) for outcome in versions(parts)] == [type(error)] * 2
    ids = [outcome.request_id for outcome in versions(parts)]
    assert ids == [part.request_id for part in parts]


def test_a_call_has_the_time_of_the_operation_that_has_most() -> None:
    clock = FakeClock()
    parts = [update("a"), update("b")]
    parts[0].deadline, parts[1].deadline = clock.now + 3.0, clock.now + 7.0
    step = next(send(settings_of(clock), UPDATES, parts))
    assert isinstance(step, Invoke)
    assert step.timeout == 7.0


def test_what_is_given_up_before_a_repetition_is_not_repeated() -> None:
    clock = FakeClock()
    parts = [update("a"), update("b"), update("c")]
    operation = send(settings_of(clock), UPDATES, parts)
    next(operation)
    step = operation.send(answered(1, "OVERLOADED", "OVERLOADED"))
    assert isinstance(step, Sleep)
    parts[1].give_up()
    step = operation.send(None)
    assert isinstance(step, Invoke)
    assert step.request == parts[2].request


# Work on recovery points.


def point(method: Any, request: Any) -> Told:
    request.namespace, request.context_id, request.recovery_point_id = "n", "c", "p"
    return Told(request, method)


def test_what_the_answer_had_no_room_for_is_asked_for_alone() -> None:
    clock = FakeClock()
    attaching = point(UPDATE_POINT, recovery_pb2.UpdateRecoveryPointRequest(allow_missing=True))
    parts = [
        point(CREATE_POINT, recovery_pb2.CreateRecoveryPointRequest()),
        point(GET_POINT, recovery_pb2.GetRecoveryPointRequest()),
        attaching,
    ]
    response = recovery_pb2.BatchRecoveryPointsResponse()
    response.results.add().create.SetInParent()
    response.results.add().failure.reason = "RESPONSE_TOO_LARGE"
    response.results.add().update.SetInParent()
    created = recovery_pb2.CreateRecoveryPointResponse()
    created.recovery_point.id = "p"
    got = recovery_pb2.GetRecoveryPointResponse()
    got.recovery_point.id = "p"
    calls = perform(send(settings_of(clock), POINTS, parts), clock, response, created, got)
    assert [method for method, _ in calls] == [
        "BatchRecoveryPoints",
        "CreateRecoveryPoint",
        "GetRecoveryPoint",
    ]
    assert [part.outcome for part in parts] == [created, got, response.results[2].update]
