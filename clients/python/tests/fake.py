"""A server that answers as it was told, and a clock that only moves when somebody sleeps."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Callable, Optional, Union

import grpc
from google.protobuf import any_pb2, message_factory
from google.protobuf.message import Message

from contextd._rpc import status_pb2
from contextd.v1 import context_manager_pb2, recovery_pb2, tracker_pb2


@dataclass(frozen=True)
class Fail:
    """An answer that is a failure, as the server sends it."""

    code: grpc.StatusCode
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    retry_delay: Optional[float] = None
    message: str = "told to fail"

    def trailers(self) -> tuple[tuple[str, bytes], ...]:
        """The trailing metadata that carries the details."""
        details: list[Message] = []
        if self.reason:
            info = status_pb2.ErrorInfo(reason=self.reason, domain="contextd")
            info.metadata.update(self.metadata)
            details.append(info)
        if self.retry_delay is not None:
            retry = status_pb2.RetryInfo()
            retry.retry_delay.FromNanoseconds(round(self.retry_delay * 1e9))
            details.append(retry)
        status = status_pb2.Status(code=self.code.value[0], message=self.message)
        for detail in details:
            status.details.append(
                any_pb2.Any(
                    type_url=f"type.googleapis.com/google.rpc.{detail.DESCRIPTOR.name}",
                    value=detail.SerializeToString(),
                )
            )
        return (("grpc-status-details-bin", status.SerializeToString()),)


class Hang:
    """An answer that never comes; in a stream: nothing more comes."""


@dataclass(frozen=True)
class After:
    """In a stream: what follows comes when the test has seen what came before, and says so.

    A failure may overtake what the server sent just before it.
    """

    seen: threading.Event


UNAVAILABLE = Fail(grpc.StatusCode.UNAVAILABLE, "STOPPING")

Answer = Union[
    Message,
    Fail,
    Hang,
    Sequence[Union[Message, Fail, Hang, After]],
    Callable[[Any], Union[Message, Fail]],
]

# What a test waits for comes at once, or never.
PATIENCE_SECONDS = 60.0


class FakeServer:
    """Answers each call with the next answer for its method, the last one again and again.

    An answer of a streaming method is a list: messages, and perhaps a failure at its end, or
    a silence. An answer that is a function makes one of the request.
    """

    def __init__(self, credentials: Optional[grpc.ServerCredentials] = None) -> None:
        self.requests: defaultdict[str, list[Any]] = defaultdict(list)
        self.metadata: defaultdict[str, list[Any]] = defaultdict(list)
        self.ended = 0
        self._answers: defaultdict[str, deque[Answer]] = defaultdict(deque)
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._server = grpc.server(ThreadPoolExecutor(4))
        self._server.add_generic_rpc_handlers(
            (
                self._handler(context_manager_pb2.DESCRIPTOR, "ContextManager"),
                self._handler(tracker_pb2.DESCRIPTOR, "Tracker"),
                self._handler(recovery_pb2.DESCRIPTOR, "Recovery"),
            )
        )
        listen = "127.0.0.1:0"
        if credentials is None:
            port = self._server.add_insecure_port(listen)
        else:
            port = self._server.add_secure_port(listen, credentials)
        self.address = f"127.0.0.1:{port}"
        self._server.start()

    def stop(self) -> None:
        self._stopping.set()
        self._server.stop(grace=None).wait()

    def wait_for(self, method: str, count: int) -> None:
        """Returns once so many requests for the method have come."""
        with self._changed:
            enough = self._changed.wait_for(
                lambda: len(self.requests[method]) >= count, PATIENCE_SECONDS
            )
        assert enough, f"{method} came {len(self.requests[method])} times, not {count}"

    def wait_ended(self, count: int) -> None:
        """Returns once so many streams are over."""
        with self._changed:
            enough = self._changed.wait_for(lambda: self.ended >= count, PATIENCE_SECONDS)
        assert enough, f"{self.ended} streams ended, not {count}"

    def answer(self, method: str, *answers: Answer) -> None:
        self._answers[method].extend(answers)

    def forget(self) -> None:
        """Has neither answers nor requests any more."""
        with self._changed:
            self._answers.clear()
            self.requests.clear()

    def _handler(self, file: Any, service: str) -> grpc.GenericRpcHandler:
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
        for method in file.services_by_name[service].methods:
            make = (
                grpc.unary_stream_rpc_method_handler
                if method.server_streaming
                else grpc.unary_unary_rpc_method_handler
            )
            handlers[method.name] = make(
                self._stream(method.name) if method.server_streaming else self._unary(method.name),
                request_deserializer=message_factory.GetMessageClass(method.input_type).FromString,
                response_serializer=lambda message: message.SerializeToString(),
            )
        return grpc.method_handlers_generic_handler(f"contextd.v1.{service}", handlers)

    def _next(self, method: str, request: Message, context: grpc.ServicerContext) -> Answer:
        with self._changed:
            self.requests[method].append(request)
            self.metadata[method].append(context.invocation_metadata())
            self._changed.notify_all()
            answers = self._answers[method]
            if not answers:
                context.abort(grpc.StatusCode.INTERNAL, f"the test expects no {method}")
            return answers.popleft() if len(answers) > 1 else answers[0]

    def _unary(self, method: str) -> Any:
        def serve(request: Message, context: grpc.ServicerContext) -> Message:
            answer = self._next(method, request, context)
            if callable(answer):
                answer = answer(request)
            if isinstance(answer, Fail):
                _abort(context, answer)
            if isinstance(answer, Hang):
                self._stopping.wait()
                _abort(context, UNAVAILABLE)
            assert isinstance(answer, Message)
            return answer

        return serve

    def _stream(self, method: str) -> Any:
        def serve(request: Message, context: grpc.ServicerContext) -> Iterator[Message]:
            over = threading.Event()
            if not context.add_callback(lambda: self._end(over)):
                self._end(over)
            answer = self._next(method, request, context)
            assert isinstance(answer, Sequence)
            for part in answer:
                if isinstance(part, Fail):
                    _abort(context, part)
                if isinstance(part, Hang):
                    over.wait()
                    return
                if isinstance(part, After):
                    assert part.seen.wait(PATIENCE_SECONDS), "the test has not seen it"
                    continue
                assert isinstance(part, Message)
                yield part

        return serve

    def _end(self, over: threading.Event) -> None:
        over.set()
        with self._changed:
            self.ended += 1
            self._changed.notify_all()


def _abort(context: grpc.ServicerContext, fail: Fail) -> None:
    context.set_trailing_metadata(fail.trailers())
    context.abort(fail.code, fail.message)


class FakeClock:
    """Seconds that pass only where somebody sleeps; remembers how long each time.

    Whoever sleeps wakes up ``late`` seconds too late.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.late = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds + self.late

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)


class Unhurried:
    """A method whose calls end with an answer, however small their timeout and slow the machine.

    For clients whose clock is fake, and whose timeouts so are: real time ends only what hangs.
    """

    def __init__(self, method: Any) -> None:
        self._method = method

    def __call__(self, request: Message, *, timeout: Optional[float] = None, **more: Any) -> Any:
        return self._method(request, timeout=self._long(timeout), **more)

    def future(self, request: Message, *, timeout: Optional[float] = None, **more: Any) -> Any:
        return self._method.future(request, timeout=self._long(timeout), **more)

    @staticmethod
    def _long(timeout: Optional[float]) -> Optional[float]:
        return None if timeout is None else max(timeout, PATIENCE_SECONDS)


def unhurry(client: Any) -> None:
    """Lets the calls of a client, in either form, take what time they need."""
    methods = client._runner.connection.methods
    methods.update({name: Unhurried(method) for name, method in methods.items()})


class Blocking:
    """The asynchronous client, or something that it made, called as if it were the other one.

    One test then holds for both. It only waits for what the asynchronous client returns.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, target: Any) -> None:
        self.loop = loop
        self.target = target

    def __getattr__(self, name: str) -> Any:
        if name == "close" and not hasattr(self.target, name):
            name = "aclose"
        attribute = getattr(self.target, name)
        if not callable(attribute):
            return self._wait(attribute)

        def call(*args: Any, **kwargs: Any) -> Any:
            plain = {key: _target(value) for key, value in kwargs.items()}

            async def within() -> Any:
                # In the loop, as programs do: before Python 3.10 what is made looks for it.
                return attribute(*map(_target, args), **plain)

            return self._wait(self.loop.run_until_complete(within()))

        return call

    def __repr__(self) -> str:
        return repr(self.target)

    def __enter__(self) -> Any:
        return self._wait(self.target.__aenter__())

    def __exit__(self, *error: Any) -> None:
        self._wait(self.target.__aexit__(*error))

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        try:
            return self.loop.run_until_complete(self.target.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None

    def _wait(self, result: Any) -> Any:
        if inspect.isawaitable(result):

            async def wait() -> Any:
                return await result

            result = self.loop.run_until_complete(wait())
        if isinstance(result, list):
            return [self._wait(element) for element in result]
        if type(result).__module__.startswith(("contextd.aio", "contextd.tasks.aio")):
            return Blocking(self.loop, result)
        if isinstance(result, AsyncIterator):
            return self._iterate(result)
        return result

    def _iterate(self, iterator: AsyncIterator[Any]) -> Iterator[Any]:
        try:
            while True:
                try:
                    yield self.loop.run_until_complete(iterator.__anext__())
                except StopAsyncIteration:
                    return
        finally:
            self.loop.run_until_complete(iterator.aclose())  # type: ignore[attr-defined]


def _target(value: Any) -> Any:
    return value.target if isinstance(value, Blocking) else value
