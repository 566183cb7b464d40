"""How clients connect: TLS, tokens, interceptors, and who answers that is not contextd."""

from __future__ import annotations

import asyncio
import http.server
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import grpc
import pytest

import contextd
from asking import ask, ask_in_vain
from certificates import SERVER_NAME, Certificates
from contextd import AsyncClient, Client, FinishedCall, Tls
from contextd.v1 import context_manager_pb2 as pb
from fake import UNAVAILABLE, Fail, FakeServer

INFO = pb.GetServerInfoResponse(version="1", settings={"message_size_max": "4MiB"})


# TLS.


@pytest.fixture(params=[False, True], ids=["tls", "mtls"])
def encrypted(request: pytest.FixtureRequest, certificates: Certificates) -> Iterator[FakeServer]:
    """A server that encrypts, and perhaps asks for a certificate."""
    ca = certificates["ca"] if request.param else None
    fake = FakeServer(
        grpc.ssl_server_credentials(
            [(certificates["server.key"], certificates["server"])], ca, request.param
        )
    )
    fake.answer("GetServerInfo", INFO)
    yield fake
    fake.stop()


@pytest.mark.parametrize("form", ["sync", "async"])
def test_a_server_whose_certificate_is_believed_is_asked(
    encrypted: FakeServer, certificates: Certificates, form: str
) -> None:
    tls = Tls(
        certificates["ca"],
        certificates["client"],
        certificates["client.key"],
        server_name=SERVER_NAME,
    )
    assert ask(form, encrypted.address, tls=tls).version == "1"


@pytest.mark.parametrize("form", ["sync", "async"])
@pytest.mark.parametrize(("ca", "name"), [("other", SERVER_NAME), ("ca", "another.test")])
def test_a_certificate_that_is_not_believed_fails_at_once(
    encrypted: FakeServer, certificates: Certificates, form: str, ca: str, name: str
) -> None:
    calls: list[FinishedCall] = []
    tls = Tls(certificates[ca], server_name=name)
    with pytest.raises(contextd.CertificateRejected, match=encrypted.address):
        ask(form, encrypted.address, tls=tls, on_call=calls.append)
    assert [call.attempts for call in calls] == [1]


@pytest.mark.parametrize("form", ["sync", "async"])
def test_a_server_that_does_not_encrypt_is_told_as_that(
    server: FakeServer, certificates: Certificates, form: str
) -> None:
    with pytest.raises(contextd.CertificateRejected):
        ask(form, server.address, tls=Tls(certificates["ca"]))


def test_a_certificate_without_its_key_is_refused() -> None:
    with pytest.raises(ValueError, match="go together"):
        Tls(certificate=b"x")


# Who answers that is not contextd.


@pytest.mark.parametrize("form", ["sync", "async"])
def test_a_server_of_the_web_is_the_wrong_one(form: str) -> None:
    web = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    try:
        with pytest.raises(contextd.WrongServer):
            ask(form, f"127.0.0.1:{web.server_port}")
    finally:
        web.shutdown()
        web.server_close()
        thread.join()


@pytest.mark.parametrize("form", ["sync", "async"])
def test_another_service_is_the_wrong_one(form: str) -> None:
    other = grpc.server(ThreadPoolExecutor(1))
    address = f"127.0.0.1:{other.add_insecure_port('127.0.0.1:0')}"
    other.start()
    try:
        with pytest.raises(contextd.WrongServer):
            ask(form, address)
    finally:
        other.stop(grace=None).wait()


@pytest.mark.parametrize("form", ["sync", "async"])
def test_when_nobody_answers_the_error_says_where_and_how_often(form: str) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(contextd.Unavailable) as caught:
            ask_in_vain(form, address)
    assert f"{address} was tried 4 times in 3000.0 s" in str(caught.value)


@pytest.mark.parametrize("form", ["sync", "async"])
def test_a_call_that_the_server_cancelled_is_repeated(form: str, server: FakeServer) -> None:
    server.answer("GetServerInfo", Fail(grpc.StatusCode.CANCELLED), INFO)
    assert ask(form, server.address).version == "1"
    assert len(server.requests["GetServerInfo"]) == 2


# Tokens, interceptors, and what is told of calls.


@pytest.mark.parametrize("form", ["sync", "async"])
def test_the_token_is_asked_for_before_each_attempt(form: str, server: FakeServer) -> None:
    server.answer("GetServerInfo", UNAVAILABLE, INFO)
    tokens = iter(["first", "second"])
    ask(form, server.address, token=lambda: next(tokens))
    sent = [dict(metadata)["authorization"] for metadata in server.metadata["GetServerInfo"]]
    assert sent == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize(
    "address",
    ["db-3:7420", "10.0.0.1:7420", "[::2]:1", "127.example:1", "dns:///db-3:7420", "db-3"],
)
@pytest.mark.parametrize("form", [Client, AsyncClient])
def test_a_token_does_not_go_to_another_machine_in_plain_text(form: Any, address: str) -> None:
    with pytest.raises(contextd.InvalidValue, match="plain text"):
        form(address, token=lambda: "secret")


@pytest.mark.parametrize(
    "address",
    ["127.1.2.3:7420", "localhost:1", "[::1]:1", "unix:/run/x", "dns:///localhost:1", "localhost"],
)
def test_a_token_goes_to_this_machine_in_plain_text(address: str) -> None:
    Client(address, token=lambda: "secret").close()


def test_a_token_may_come_from_a_coroutine(server: FakeServer) -> None:
    server.answer("GetServerInfo", INFO)

    async def token() -> str:
        return "mine"

    ask("async", server.address, token=token)
    assert dict(server.metadata["GetServerInfo"][0])["authorization"] == "Bearer mine"


class Counting(grpc.UnaryUnaryClientInterceptor):
    """Counts the calls that go through it."""

    def __init__(self) -> None:
        self.methods: list[str] = []

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        self.methods.append(details.method)
        return continuation(details, request)


class AsyncCounting(grpc.aio.UnaryUnaryClientInterceptor):
    """The same for asyncio."""

    def __init__(self) -> None:
        self.methods: list[str] = []

    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        method = details.method
        self.methods.append(method if isinstance(method, str) else method.decode())
        return await continuation(details, request)


@pytest.mark.parametrize(("form", "kind"), [("sync", Counting), ("async", AsyncCounting)])
def test_calls_go_through_interceptors(form: str, kind: Any, server: FakeServer) -> None:
    server.answer("GetServerInfo", INFO)
    interceptor = kind()
    ask(form, server.address, interceptors=[interceptor])
    assert interceptor.methods == ["/contextd.v1.ContextManager/GetServerInfo"]


@pytest.mark.parametrize("form", ["sync", "async"])
def test_each_call_is_told_of_when_it_is_over(form: str, server: FakeServer) -> None:
    server.answer("GetServerInfo", UNAVAILABLE, INFO)
    calls: list[FinishedCall] = []
    ask(form, server.address, on_call=calls.append)
    (call,) = calls
    assert (call.method, call.attempts, call.error) == ("GetServerInfo", 2, None)
    assert call.seconds > 0


@pytest.mark.parametrize("form", ["sync", "async"])
def test_what_is_told_of_calls_may_raise_and_they_go_on(
    form: str, server: FakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(call: FinishedCall) -> None:
        raise LookupError(call.method)

    server.answer("GetServerInfo", INFO)
    assert ask(form, server.address, on_call=refuse).version == "1"
    assert "told of GetServerInfo" in caplog.text


@pytest.mark.parametrize("form", ["sync", "async"])
def test_what_a_token_raises_comes_out_and_is_told(form: str, server: FakeServer) -> None:
    calls: list[FinishedCall] = []
    error = LookupError("no token")

    def token() -> str:
        raise error

    with pytest.raises(LookupError) as caught:
        ask(form, server.address, token=token, on_call=calls.append)
    assert caught.value is error
    assert [(call.attempts, call.error) for call in calls] == [(1, error)]


@pytest.mark.parametrize("form", ["sync", "async"])
def test_tokens_that_run_out_are_no_answer(form: str, server: FakeServer) -> None:
    tokens: Iterator[str] = iter(())
    with pytest.raises(RuntimeError, match="StopIteration"):
        ask(form, server.address, token=lambda: next(tokens))


def test_what_the_server_is_is_asked_once(client: Any, server: FakeServer) -> None:
    server.answer("GetServerInfo", INFO, pb.GetServerInfoResponse(version="2"))
    assert [client.server_info().version for _ in range(3)] == ["1"] * 3
    assert client.server_info(refresh=True).version == "2"
    assert client.server_info().version == "2"
    assert len(server.requests["GetServerInfo"]) == 2


@pytest.mark.parametrize("form", ["sync", "async"])
def test_the_user_agent_names_language_and_version(form: str, server: FakeServer) -> None:
    server.answer("GetServerInfo", INFO)
    ask(form, server.address)
    agent = dict(server.metadata["GetServerInfo"][0])["user-agent"]
    assert agent.startswith(f"contextd-python/{contextd.__version__} ")


def test_a_value_of_a_wrong_type_is_not_sent(client: Any, server: FakeServer) -> None:
    context = client.context("c")
    writes: list[Callable[[], Any]] = [
        lambda: context.put("k", 7),
        lambda: context.append("k", None),
        lambda: context.update({"k": [b"v"]}),
        lambda: context.put_json("k", object()),
        lambda: client.create("d", puts={"k": 1.0}),
    ]
    for write in writes:
        with pytest.raises(contextd.InvalidValue) as caught:
            write()
        assert isinstance(caught.value, (TypeError, ValueError))
    assert server.requests == {}


def test_a_key_of_a_wrong_type_is_not_sent(client: Any, server: FakeServer) -> None:
    context = client.context("c")
    calls: list[Callable[[], Any]] = [
        lambda: context.put(7, b"v"),
        lambda: context.put_json(None, 1),
        lambda: context.append(7, b"v"),
        lambda: context.remove(7),
        lambda: context.get(7),
        lambda: context.get_entry(7),
        lambda: context.snapshot(["k", 7]),
        lambda: list(context.entries(7)),
        lambda: list(context.entries(after=7)),
        lambda: context.edit(7, lambda _: b"v"),
        lambda: context.transact(lambda draft: draft.put("k", b"v"), keys=["k", 7]),
        lambda: context.update({7: b"v"}),
        lambda: context.update(deletes=[7]),
        lambda: context.update(delete_prefixes=[7]),
        lambda: context.update(appends={7: b"v"}),
        lambda: context.update(metadata={7: "v"}),
        lambda: context.update(metadata={7: None}),
        lambda: context.update({"k": b"v"}, if_entries={7: 1}),
        lambda: context.checkpoint(attachments={7: b"v"}),
        lambda: context.point("p", keys=[7]),
        lambda: context.point("p", keys="k"),
        lambda: client.create("d", puts={7: b"v"}),
    ]
    for call in calls:
        with pytest.raises(contextd.InvalidValue, match=r"a key is a str|several strings"):
            call()
    assert server.requests == {}


def test_a_name_that_the_server_would_refuse_is_not_sent(client: Any, server: FakeServer) -> None:
    with pytest.raises(contextd.InvalidField) as caught:
        client.context("").put("k", b"v")
    assert (caught.value.field, caught.value.rule) == ("context_id", "must not be empty")
    assert server.requests == {}


@pytest.mark.parametrize("form", ["sync", "async"])
def test_a_closed_client_says_so(form: str, server: FakeServer) -> None:
    async def use() -> None:
        client = AsyncClient(server.address)
        await client.close()
        await client.close()
        with pytest.raises(contextd.ClientClosed):
            await client.server_info()

    if form == "async":
        asyncio.run(use())
        return
    client = Client(server.address)
    client.close()
    client.close()
    with pytest.raises(contextd.ClientClosed):
        client.server_info()
