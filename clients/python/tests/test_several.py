"""Several contexts in one call, as the clients ask a server that answers as told."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

import contextd
from contextd import Changes, ContextUpdate, NewContext
from contextd.v1 import context_manager_pb2 as pb
from contextd.v1 import resources_pb2, tracker_pb2
from fake import UNAVAILABLE, Fail, FakeServer
from fake_recovery import VERSION_CONFLICT, WRITE, entry, got
from fake_sessions import answer_sessions


def failed(reason: str, code: int) -> Any:
    failure = resources_pb2.Failure(code=code, reason=reason)
    return pb.BatchGetContextsResponse.Result(failure=failure)


def found(*entries: Any) -> Any:
    return pb.BatchGetContextsResponse.Result(response=got(*entries))


def updated(*versions: int) -> Any:
    responses = [pb.UpdateContextResponse(version=one, write=WRITE) for one in versions]
    return pb.BatchUpdateContextsResponse(
        results=[pb.UpdateResult(response=response) for response in responses]
    )


def test_snapshots_are_one_call_with_a_result_for_each(client: Any, server: FakeServer) -> None:
    results = [found(entry("k")), failed("CONTEXT_NOT_FOUND", 5), found()]
    server.answer("BatchGetContexts", UNAVAILABLE, pb.BatchGetContextsResponse(results=results))
    states = [client.context("a"), client.context("b"), client.context("c").at(version=2)]
    first, second, third = client.snapshots(states)
    assert (first.get().version, dict(first.get())) == (7, {"k": b"v"})
    assert second.snapshot is None
    with pytest.raises(contextd.ContextNotFound):
        second.get()
    assert third.error is None
    _, request = server.requests["BatchGetContexts"]
    assert [one.state.context_id for one in request.requests] == ["a", "b", "c"]
    assert request.requests[2].state.version == 2


def test_a_snapshot_for_which_there_was_no_room_is_read_by_itself(
    client: Any, server: FakeServer
) -> None:
    results = [found(), failed("RESPONSE_TOO_LARGE", 8), failed("RESPONSE_TOO_LARGE", 8)]
    server.answer("BatchGetContexts", pb.BatchGetContextsResponse(results=results))
    server.answer("GetContext", got(entry("large")), VERSION_CONFLICT)
    states = [client.context(id) for id in "abc"]
    _, second, third = client.snapshots(states)
    assert list(second.get()) == ["large"]
    assert isinstance(third.error, contextd.VersionConflict)
    assert [one.state.context_id for one in server.requests["GetContext"]] == ["b", "c"]


def test_a_snapshot_with_a_wrong_name_touches_no_other(client: Any, server: FakeServer) -> None:
    refused = failed("INVALID_FIELD", 3)
    refused.failure.metadata["field"] = "requests[1].state"
    server.answer("BatchGetContexts", pb.BatchGetContextsResponse(results=[found(), refused]))
    wrong, right, theirs = client.snapshots([client.context(id) for id in ("", "a", "b")])
    assert wrong.error.field == "requests[0].state.context_id"
    assert right.error is None
    assert theirs.error.field == "requests[2].state"
    (request,) = server.requests["BatchGetContexts"]
    assert [one.state.context_id for one in request.requests] == ["a", "b"]
    (alone,) = client.snapshots([client.context("")])
    assert isinstance(alone.error, contextd.InvalidField)
    assert len(server.requests["BatchGetContexts"]) == 1


def test_another_number_of_results_is_a_newer_servers(client: Any, server: FakeServer) -> None:
    server.answer("BatchGetContexts", pb.BatchGetContextsResponse(results=[found()]))
    with pytest.raises(contextd.NewerServer):
        client.snapshots([client.context("a"), client.context("b")])


def test_changes_of_several_contexts_are_one_step(client: Any, server: FakeServer) -> None:
    server.answer("BatchUpdateContexts", UNAVAILABLE, updated(3, 8))
    a, b = client.context("a"), client.context("b", create_if_missing=NewContext("chat"))
    done = client.update_all(
        [
            ContextUpdate(a, Changes(deletes=["mail"]), if_version=2),
            ContextUpdate(b, Changes({"mail": "Hello"}), if_entries={"mail": 0}),
        ]
    )
    assert [one.version for one in done] == [3, 8]
    first, again = server.requests["BatchUpdateContexts"]
    assert first == again
    assert first.atomic
    assert {one.request_id for one in done} == {first.write.request_id} != {""}
    assert [one.write.request_id for one in first.requests] == ["", ""]
    assert first.requests[0].preconditions[0].context_version == 2
    assert first.requests[1].preconditions[0].entry.key == "mail"
    assert first.requests[1].create_if_missing.type == "chat"


def test_changes_of_several_contexts_fail_together(client: Any, server: FakeServer) -> None:
    server.answer("BatchUpdateContexts", VERSION_CONFLICT)
    with pytest.raises(contextd.VersionConflict) as caught:
        client.update_all(
            [ContextUpdate(client.context("a"), Changes({"k": "v"}))], request_id="mine"
        )
    assert caught.value.request_id == "mine"


def test_a_change_of_several_contexts_is_its_sessions(client: Any, server: FakeServer) -> None:
    answer_sessions(server)
    server.answer("BatchUpdateContexts", updated(2))
    with client.session() as session:
        client.update_all([ContextUpdate(session.context("a"), Changes({"k": "v"}))])
        (request,) = server.requests["BatchUpdateContexts"]
        assert request.requests[0].write.session_id == session.id


def unknown_session(id: str) -> Fail:
    return Fail(grpc.StatusCode.NOT_FOUND, "SESSION_NOT_FOUND", {"session_id": id, "index": "1"})


@pytest.mark.parametrize("named", ["s-1", ""])
def test_a_change_for_a_session_that_the_server_ended_tells_that_it_is_lost(
    client: Any, server: FakeServer, named: str
) -> None:
    answer_sessions(server)
    server.answer("BatchUpdateContexts", unknown_session(named))
    changes = Changes({"k": "v"})
    with client.session() as session:
        mine, plain = session.context("a"), client.context("b")
        with pytest.raises(contextd.SessionLost) as caught:
            client.update_all([ContextUpdate(mine, changes), ContextUpdate(plain, changes)])
        assert caught.value.request_id == (
            server.requests["BatchUpdateContexts"][0].write.request_id
        )
        assert session.lost
        with pytest.raises(contextd.SessionLost):
            client.update_all([ContextUpdate(mine, changes)])
    assert len(server.requests["BatchUpdateContexts"]) == 1


def test_only_the_session_that_the_server_means_is_lost(client: Any, server: FakeServer) -> None:
    other = tracker_pb2.StartSessionResponse(
        session=tracker_pb2.Session(namespace="tests", id="s-2"), write=WRITE
    )
    answer_sessions(server)
    server.answer("StartSession", other)
    server.answer("BatchUpdateContexts", unknown_session("s-2"))
    with client.session() as first, client.session() as second:
        assert (first.id, second.id) == ("s-1", "s-2")
        both = [ContextUpdate(one.context("a"), Changes({"k": "v"})) for one in (first, second)]
        with pytest.raises(contextd.SessionLost, match="s-2"):
            client.update_all(both)
        assert (first.lost, second.lost) == (False, True)


def test_a_change_for_a_session_that_the_program_ended_is_not_sent(
    client: Any, server: FakeServer
) -> None:
    answer_sessions(server)
    with client.session() as session:
        context = session.context("a")
    with pytest.raises(contextd.ClientClosed, match="ended by this program"):
        client.update_all([ContextUpdate(context, Changes({"k": "v"}))])
    assert not server.requests["BatchUpdateContexts"]


def test_nothing_is_no_call(client: Any, server: FakeServer) -> None:
    for call in (client.snapshots, client.update_all):
        with pytest.raises(contextd.InvalidField) as caught:
            call([])
        assert (caught.value.field, caught.value.rule) == ("requests", "must not be empty")
    with pytest.raises(contextd.InvalidField) as caught:
        client.update_all([ContextUpdate(client.context("a"), Changes({"": "v"}))])
    assert caught.value.field == "requests[0].mutations[0].put_entry.key"
    assert not server.requests["BatchUpdateContexts"]
