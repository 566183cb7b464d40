"""Addresses where there is no contextd."""

from __future__ import annotations

import contextlib
import http.server
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc


@contextlib.contextmanager
def nobody() -> Iterator[str]:
    """A port where nothing listens, and that nobody else takes meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@contextlib.contextmanager
def other_grpc() -> Iterator[str]:
    """A gRPC server that knows no method."""
    server = grpc.server(ThreadPoolExecutor(2))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


class _TellToken(grpc.GenericRpcHandler):
    """Refuses each call, and tells what it brought to show who calls."""

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any]:
        shown = [value for name, value in details.invocation_metadata if name == "authorization"]

        def refuse(_requests: object, context: grpc.ServicerContext) -> None:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, " ".join(map(str, shown)))

        return grpc.stream_stream_rpc_method_handler(refuse)


@contextlib.contextmanager
def asks_token() -> Iterator[str]:
    """A gRPC server that refuses all, and tells the token."""
    server = grpc.server(ThreadPoolExecutor(2), handlers=[_TellToken()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


class _NotFound(http.server.BaseHTTPRequestHandler):
    """Answers everything with 404, gRPC's preface too."""

    protocol_version = "HTTP/1.1"

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline()
        if self.raw_requestline:
            self.wfile.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        self.close_connection = True


@contextlib.contextmanager
def http_404() -> Iterator[str]:
    """A server of HTTP/1.1."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _NotFound)
    serving = threading.Thread(target=server.serve_forever, args=(0.05,))
    serving.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    serving.join()
    server.server_close()
