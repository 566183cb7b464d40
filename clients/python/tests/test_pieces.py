"""Writes of more than fits into a message."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

import contextd
from contextd._pieces import PIECE_SIZE, grouped, size_of, steps
from contextd.v1 import context_manager_pb2 as pb
from contextd.values import ServerInfo
from fake import Fail, FakeServer


@pytest.mark.parametrize(
    ("setting", "size"),
    [
        ("4MiB", PIECE_SIZE),
        ("256KiB", (256 - 16) << 10),
        ("65536", (64 - 16) << 10),
        ("", PIECE_SIZE),
        ("1parsec", PIECE_SIZE),
    ],
)
def test_a_piece_is_below_the_largest_message(setting: str, size: int) -> None:
    assert size_of(ServerInfo("1", "l", {"message_size_max": setting}, ())) == size


def test_a_large_value_is_put_in_parts_that_say_where_they_begin() -> None:
    put, *appends = steps({"k": "abcdefghij"}, 4)
    assert (put.put_entry.key, put.put_entry.value) == ("k", b"abcd")
    assert [
        (step.append_entry.value, step.append_entry.expected_size.bytes) for step in appends
    ] == [(b"efgh", 4), (b"ij", 8)]
    types = {put.put_entry.content_type, *(step.append_entry.content_type for step in appends)}
    assert types == {"text/plain; charset=utf-8"}


def test_steps_go_together_as_far_as_they_fit() -> None:
    made = list(steps({str(index): bytes(30) for index in range(10)}, 100))
    groups = list(grouped(made, 100))
    assert [step for group in groups for step in group] == made
    assert all(sum(step.ByteSize() for step in group) <= 100 for group in groups)
    assert len(groups) == 5


def test_the_first_piece_has_the_condition_and_the_last_the_labels(
    client: Any, server: FakeServer
) -> None:
    server.answer("GetServerInfo", pb.GetServerInfoResponse(settings={"message_size_max": "17KiB"}))
    server.answer("UpdateContext", pb.UpdateContextResponse(version=5))
    puts = {f"k{index}": bytes(700) for index in range(3)}
    written = client.context("c").put_all(puts, metadata={"ready": "1"}, if_version=4)
    assert written.version == 5
    sent = server.requests["UpdateContext"]
    assert [len(request.mutations) for request in sent] == [1, 1, 2]
    assert [len(request.preconditions) for request in sent] == [1, 0, 0]
    assert sent[2].mutations[1].set_metadata.key == "ready"
    assert len({request.write.request_id for request in sent}) == 3


def test_what_is_broken_off_raises(client: Any, server: FakeServer) -> None:
    server.answer("GetServerInfo", pb.GetServerInfoResponse())
    server.answer("UpdateContext", Fail(grpc.StatusCode.ABORTED, "VERSION_CONFLICT"))
    with pytest.raises(contextd.VersionConflict):
        client.context("c").put_all({"k": b"v"}, if_version=4)
