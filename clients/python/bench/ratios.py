"""What the client costs beside gRPC's bare stubs, as ratios within one run.

A round has one slice of each load, in turns, every other round in the opposite order, so that
what else the machine does touches all of them; one round before warms up. A figure is the median
of the rounds' quotients. Slices of 0.5 s or more, and 5 rounds or more, make steady figures.

unary_ratio       updates a second of one caller: the client over the bare stub
coalescing_ratio  updates a second of 64 callers: with coalescing over without
events_ratio      events a second of a subscription: the client over the bare stream; both look at
                  the type, the context's id and the cursor of each event
..._cpu           the same of the updates or events for each second of this process's CPU time:
                  the machine's other work hardly touches it
cpu_us_bare       what one update of one caller takes of this process, with the bare stub
cpu_us_client     the same with the client
update_ms_bare    how long one update takes, with the bare stub. Much above a millisecond the
                  server's disk is what is measured: the unary ratio is near 1 whatever the client
                  costs. Have the server's data in memory (/dev/shm) then.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import threading
import time
import uuid
from collections.abc import Awaitable
from typing import Any, Callable, NamedTuple

import grpc

from contextd import AsyncClient, Client, Event, EventType
from contextd._channel import channel_options
from contextd.v1 import context_manager_pb2 as pb
from contextd.v1 import resources_pb2, tracker_pb2
from contextd.v1.context_manager_pb2_grpc import ContextManagerStub
from contextd.v1.tracker_pb2_grpc import TrackerStub

CALLERS = 64
EVENTS = 4_000
VALUE = bytes(200)
EVENT_CONTEXT = "events"


class Slice(NamedTuple):
    """What came of one slice."""

    rate: float
    cpu_us: float


def update_request(namespace: str, context_id: str) -> pb.UpdateContextRequest:
    """What a program without the client would send."""
    return pb.UpdateContextRequest(
        namespace=namespace,
        context_id=context_id,
        mutations=[resources_pb2.Mutation(put_entry=resources_pb2.PutEntry(key="k", value=VALUE))],
        write=resources_pb2.WriteOptions(request_id=str(uuid.uuid4())),
    )


def subscribe_request(namespace: str) -> tracker_pb2.SubscribeRequest:
    """Asks for all events of the context that has many."""
    return tracker_pb2.SubscribeRequest(
        namespace=namespace, context_ids=[EVENT_CONTEXT], from_oldest=True
    )


class Meter:
    """Counts what is done until a slice is over."""

    def __init__(self, seconds: float) -> None:
        self._begin, self._cpu = time.monotonic(), time.process_time()
        self._end = self._begin + seconds
        self.count = 0

    def goes_on(self) -> bool:
        """Whether there is time left."""
        return time.monotonic() < self._end

    def result(self) -> Slice:
        """What came of it."""
        cpu = time.process_time() - self._cpu
        return Slice(self.count / (time.monotonic() - self._begin), 1e6 * cpu / self.count)


async def fill(address: str, namespace: str) -> None:
    """Makes the contexts, and what happened to one of them."""
    async with AsyncClient(address, namespace=namespace, timeout=60.0) as client:
        for index in range(CALLERS):
            await client.create(f"c-{index}")
        many = await client.create(EVENT_CONTEXT)
        await asyncio.gather(*(many.put("k", str(index)) for index in range(EVENTS)))


def look_at_message(event: tracker_pb2.Event) -> tuple[int, str, str]:
    """What a program without the client would look at."""
    return event.type, event.context.id, event.cursor


def look_at_event(event: Event) -> tuple[EventType, str, str]:
    """The same with the client."""
    return event.type, event.context_id, event.cursor


class Threads:
    """The loads of the synchronous client."""

    def __init__(self, address: str, namespace: str, seconds: float) -> None:
        self._seconds = seconds
        self._namespace = namespace
        self._channel = grpc.insecure_channel(address, channel_options(()))
        self._client = Client(address, namespace=namespace, timeout=60.0)
        self._apart = Client(address, namespace=namespace, timeout=60.0, coalescing=False)

    def close(self) -> None:
        """Ends all connections."""
        self._client.close()
        self._apart.close()
        self._channel.close()

    def bare(self) -> Slice:
        """One caller, with the bare stub."""
        call = ContextManagerStub(self._channel).UpdateContext
        meter = Meter(self._seconds)
        while meter.goes_on():
            call(update_request(self._namespace, "c-0"), timeout=60.0)
            meter.count += 1
        return meter.result()

    def client(self) -> Slice:
        """One caller, with the client."""
        context = self._client.context("c-0")
        meter = Meter(self._seconds)
        while meter.goes_on():
            context.put("k", VALUE)
            meter.count += 1
        return meter.result()

    def _many(self, client: Client) -> Slice:
        meter = Meter(self._seconds)
        counts = [0] * CALLERS

        def work(index: int) -> None:
            context = client.context(f"c-{index}")
            while meter.goes_on():
                context.put("k", VALUE)
                counts[index] += 1

        threads = [threading.Thread(target=work, args=(index,)) for index in range(CALLERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        meter.count = sum(counts)
        return meter.result()

    def together(self) -> Slice:
        """Many callers, with coalescing."""
        return self._many(self._client)

    def apart(self) -> Slice:
        """Many callers, without coalescing."""
        return self._many(self._apart)

    def bare_events(self) -> Slice:
        """Events from the bare stream."""
        stub = TrackerStub(self._channel)
        meter = Meter(self._seconds)
        while meter.goes_on():
            stream = stub.Subscribe(subscribe_request(self._namespace))
            for response in stream:
                for event in response.events.events:
                    look_at_message(event)
                    meter.count += 1
                if response.HasField("caught_up"):
                    break
            stream.cancel()
        return meter.result()

    def events(self) -> Slice:
        """Events from a subscription."""
        meter = Meter(self._seconds)
        while meter.goes_on():
            with self._client.subscribe(
                context_ids=[EVENT_CONTEXT], from_oldest=True
            ) as subscription:
                for event in subscription.until_caught_up():
                    look_at_event(event)
                    meter.count += 1
        return meter.result()


class Tasks:
    """The loads of the client for asyncio, each run to its end on one loop."""

    def __init__(self, address: str, namespace: str, seconds: float) -> None:
        self._seconds = seconds
        self._namespace = namespace
        self._loop = asyncio.new_event_loop()
        self._run(self._connect(address))

    def _run(self, awaitable: Awaitable[Any]) -> Any:  # noqa: ANN401  of each its own
        return self._loop.run_until_complete(awaitable)

    async def _connect(self, address: str) -> None:
        self._channel = grpc.aio.insecure_channel(address, channel_options(()))
        self._client = AsyncClient(address, namespace=self._namespace, timeout=60.0)
        self._apart = AsyncClient(
            address, namespace=self._namespace, timeout=60.0, coalescing=False
        )

    def close(self) -> None:
        """Ends all connections."""
        self._run(self._client.close())
        self._run(self._apart.close())
        self._run(self._channel.close())
        self._loop.close()

    def bare(self) -> Slice:
        """One caller, with the bare stub."""

        async def work(meter: Meter) -> Slice:
            call: Any = ContextManagerStub(self._channel).UpdateContext
            while meter.goes_on():
                await call(update_request(self._namespace, "c-0"), timeout=60.0)
                meter.count += 1
            return meter.result()

        result: Slice = self._run(work(Meter(self._seconds)))
        return result

    def client(self) -> Slice:
        """One caller, with the client."""
        return self._many(self._client, 1)

    def _many(self, client: AsyncClient, callers: int) -> Slice:
        async def work(meter: Meter, index: int) -> None:
            context = client.context(f"c-{index}")
            while meter.goes_on():
                await context.put("k", VALUE)
                meter.count += 1

        async def all_of_them(meter: Meter) -> Slice:
            await asyncio.gather(*(work(meter, index) for index in range(callers)))
            return meter.result()

        result: Slice = self._run(all_of_them(Meter(self._seconds)))
        return result

    def together(self) -> Slice:
        """Many callers, with coalescing."""
        return self._many(self._client, CALLERS)

    def apart(self) -> Slice:
        """Many callers, without coalescing."""
        return self._many(self._apart, CALLERS)

    def bare_events(self) -> Slice:
        """Events from the bare stream."""

        async def work(meter: Meter) -> Slice:
            stub: Any = TrackerStub(self._channel)
            while meter.goes_on():
                stream = stub.Subscribe(subscribe_request(self._namespace))
                async for response in stream:
                    for event in response.events.events:
                        look_at_message(event)
                        meter.count += 1
                    if response.HasField("caught_up"):
                        break
                stream.cancel()
            return meter.result()

        result: Slice = self._run(work(Meter(self._seconds)))
        return result

    def events(self) -> Slice:
        """Events from a subscription."""

        async def work(meter: Meter) -> Slice:
            while meter.goes_on():
                async with self._client.subscribe(
                    context_ids=[EVENT_CONTEXT], from_oldest=True
                ) as subscription:
                    async for event in subscription.until_caught_up():
                        look_at_event(event)
                        meter.count += 1
            return meter.result()

        result: Slice = self._run(work(Meter(self._seconds)))
        return result


LOADS = ("bare", "client", "together", "apart", "bare_events", "events")


KINDS: dict[str, Any] = {"python": Threads, "python-asyncio": Tasks}


def line(name: str, rounds: list[dict[str, Slice]]) -> str:
    """The figures of one kind of client."""

    def ratios(name: str, mine: str, other: str) -> str:
        rate = statistics.median(found[mine].rate / found[other].rate for found in rounds)
        cpu = statistics.median(found[other].cpu_us / found[mine].cpu_us for found in rounds)
        return f"{name}_ratio={rate:.3f} {name}_cpu={cpu:.3f}"

    def cpu(load: str) -> float:
        return statistics.median(found[load].cpu_us for found in rounds)

    return (
        f"client={name} {ratios('unary', 'client', 'bare')} "
        f"{ratios('coalescing', 'together', 'apart')} {ratios('events', 'events', 'bare_events')} "
        f"cpu_us_bare={cpu('bare'):.1f} cpu_us_client={cpu('client'):.1f} "
        f"update_ms_bare={statistics.median(1e3 / found['bare'].rate for found in rounds):.2f}"
    )


def measure(loads: dict[str, Callable[[], Slice]], rounds: int) -> list[dict[str, Slice]]:
    """Runs a slice of each load, round after round; what the first gives is left out."""
    names = list(loads)
    found = []
    for _ in range(rounds + 1):
        found.append({name: loads[name]() for name in names})
        names.reverse()
    return found[1:]


def main() -> None:
    """Measures, and prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--client", choices=KINDS, required=True)
    parser.add_argument("seconds", type=float)
    parser.add_argument("rounds", type=int)
    options = parser.parse_args()
    namespace = f"bench-{uuid.uuid4()}"
    asyncio.run(fill(options.address, namespace))
    kind = KINDS[options.client](options.address, namespace, options.seconds)
    loads: dict[str, Callable[[], Slice]] = {load: getattr(kind, load) for load in LOADS}
    found = measure(loads, options.rounds)
    kind.close()
    print(line(options.client, found))


if __name__ == "__main__":
    main()
