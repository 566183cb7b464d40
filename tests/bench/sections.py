"""What is measured: the table of loads, and the figures that are taken once."""

import json
import os
import random
import resource
import select
import shutil
import signal
import subprocess
import sys
import time

import clients
import servers
from measure import BenchError, Noise, Series, measure, sync_rate

IN_FLIGHT = (1, 16, 64, 256, 1024)
KEYS = 10
SYNC_S = 0.25
CONNECTIONS_WAIT_S = 120
PAGE = 100  # Activities.
APPENDS = 5000  # In a slice, so that a short history stays short.
RENEW_S = 10  # As in workload.h.
EVENT_RATES = (1000, 20000)  # Updates in a second.
SLEEPERS_RATE = 100
EVENTS_WAIT_S = 300
RECOVERY_MAX_S = 600
ACTIVITY_LOADS = (
    ("update", {"in_flight": 64}),
    ("record", {"in_flight": 64}),
    ("batch", {"in_flight": 16, "per_request": 100}),
    ("record-batch", {"in_flight": 16, "per_request": 100}),
)


def say(text):
    """Progress, which does not belong to the result."""
    print(text, file=sys.stderr, flush=True)


class Load:
    """One row of the tables: a kind of request, and how it is sent."""

    def __init__(self, server, kind, in_flight, per_request=1, streams=1):
        self.server = server
        self.kind = kind
        self.in_flight = in_flight
        self.per_request = per_request
        self.streams = streams

    @property
    def key(self):
        return "%s/%s/%d/%d" % (self.server, self.kind, self.in_flight, self.per_request)

    def options(self):
        return {
            "in_flight": self.in_flight,
            "per_request": self.per_request,
            "streams": self.streams,
        }


def unary_loads(names):
    """Each server at each number of calls in flight."""
    kinds = {
        "null": ("update",),
        "contextd": ("update", "get"),
        "versus": ("update", "get"),
        "redis": ("redis",),
        "etcd": ("etcd",),
    }
    return [
        Load(name, kind, in_flight)
        for in_flight in IN_FLIGHT
        for name in names
        for kind in kinds[name]
    ]


def batched_loads(names):
    """Several updates in a message, or messages on a stream."""
    loads = []
    for name in names:
        if name in ("contextd", "versus"):
            loads += [
                Load(name, "stream", 1024, 1),
                Load(name, "stream", 64, 16, 8),
                Load(name, "stream", 16, 100),
                Load(name, "batch", 64, 16),
                Load(name, "batch", 16, 100),
            ]
        if name == "redis":
            loads.append(Load(name, "redis", 64, 16))
    return loads


class Bench:
    """One run: its options, its folder, and the servers that are up."""

    def __init__(self, options, binaries, folder, make_workload):
        self.options = options
        self.binaries = binaries
        self.folder = folder
        self.make_workload = make_workload
        self.random = random.Random(options.seed)
        self.running = []
        self.clients = []

    # ---- Servers. -----------------------------------------------------------------

    def start(self, kind, name):
        """Starts a server of its own folder."""
        folder = os.path.join(self.folder, name)
        if kind in (servers.Redis, servers.Etcd):
            server = kind(name, folder)
        else:
            server = kind(name, folder, self.binaries[name.split("-")[0]])
        self.running.append(server)
        server.start()
        return server

    def stop(self, server):
        server.stop()
        self.running.remove(server)

    def kill_all(self):
        for server in self.running:
            server.kill()
        for client in self.clients:
            client.kill()
            client.wait()

    def start_for_table(self, workload):
        """All that are installed, filled, by name."""
        found = {"null": self.start(servers.Null, "null")}
        for name in ("contextd", "versus"):
            if name in self.binaries:
                found[name] = self.start(servers.Contextd, name)
                workload.fill(found[name], "create")
        if not self.options.no_peers:
            for kind, name in ((servers.Redis, "redis"), (servers.Etcd, "etcd")):
                if kind.binary is None:
                    say("bench: %s is not installed: its rows are left out" % name)
                    continue
                found[name] = self.start(kind, name)
                workload.fill(found[name], name + "-fill")
        return found

    # ---- The table. ---------------------------------------------------------------

    def table(self):
        """All loads, in rounds: each round has one slice of each, in another order, and a
        look at the disk. Returns {loads, series, syncs}."""
        workload = self.make_workload(10000)
        up = self.start_for_table(workload)
        loads = []
        if "table" in self.options.sections:
            loads += unary_loads(up)
        else:
            loads += [Load(name, "update", 64) for name in up if name in ("null", "contextd")]
        if "rows" in self.options.sections:
            loads += batched_loads(up)
        slices = {load.key: [] for load in loads}
        syncs = []
        for number in range(self.options.slices):
            say("bench: round %d of %d" % (number + 1, self.options.slices))
            syncs.append(sync_rate(self.folder, SYNC_S))
            for load in self.random.sample(loads, len(loads)):
                item = measure(
                    workload,
                    up[load.server],
                    load.kind,
                    self.options.slice_s,
                    **load.options(),
                )
                slices[load.key].append(item)
        idle = self.idle(up["contextd"]) if "idle" in self.options.sections else None
        self.check_stored(workload, up)
        for server in up.values():
            self.stop(server)
        series = {key: Series(items) for key, items in slices.items()}
        return {"loads": loads, "series": series, "syncs": syncs, "idle": idle}

    def check_stored(self, workload, up):
        for name, server in up.items():
            if name in ("contextd", "versus"):
                workload.check(server)
            elif name != "null":
                server.check(workload)

    def idle(self, server):
        """The share of a core that a server uses which nobody calls."""
        say("bench: idle")
        before = server.cpu_s()
        begin = time.monotonic()
        time.sleep(self.options.idle_s)
        seconds = time.monotonic() - begin
        return {"share": (server.cpu_s() - before) / seconds, "seconds": seconds}

    # ---- Once each. -----------------------------------------------------------------

    def restart(self):
        """How fast a start replays a log that was written before."""
        say("bench: restart")
        workload = self.make_workload(10000)
        server = self.start(servers.Contextd, "contextd-restart")
        workload.fill(server, "create")
        requests = self.options.restart_changes // 100
        workload.run(server, "stream", in_flight=16, per_request=100, requests=requests)
        server.stop()
        log_bytes = server.disk_bytes()
        start_s = server.start()
        cpu_s = server.cpu_s()
        found = server.recovered()
        workload.check(server)
        self.stop(server)
        replay_s = max(found["replay_ms"], 1) / 1000
        return {
            "changes": found["revision"],
            "replay_s": replay_s,
            "changes_per_s": found["revision"] / replay_s,
            "start_s": start_s,
            "cpu_s": cpu_s,
            "log_bytes": log_bytes,
        }

    def memory(self):
        """What a context, an entry and a connection cost in resident memory."""
        say("bench: memory")
        count = self.options.empty_contexts
        empty = self.context_bytes(self.make_workload(count, keys=0), "contextd-empty")
        full = self.context_bytes(self.make_workload(count // 10), "contextd-entries")
        server = self.start(servers.Contextd, "contextd-connections")
        connection = self.connection_bytes(self.make_workload(1), server)
        self.stop(server)
        return {"context": empty, "entry": (full - empty) / KEYS, "connection": connection}

    def context_bytes(self, workload, name):
        """Of each context, once the buffers and tables that a busy server has anyway are
        there: the first quarter does not count."""
        server = self.start(servers.Contextd, name)
        first = workload.contexts // 4
        workload.create(server, 0, first)
        base = server.resident_bytes()
        workload.create(server, first, workload.contexts)
        grown = server.resident_bytes() - base
        self.stop(server)
        return grown / (workload.contexts - first)

    def connection_bytes(self, workload, server):
        """Of one that has made a call and is open."""
        count = self.options.connections
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        base = server.resident_bytes()
        client = subprocess.Popen(
            [workload.load, "connections", server.address, "in_flight=%d" % count],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            ready, _, _ = select.select([client.stdout], [], [], CONNECTIONS_WAIT_S)
            if not ready or client.stdout.readline() != b"connected\n":
                raise BenchError("%d connections could not be made" % count)
            return (server.resident_bytes() - base) / count
        finally:
            client.kill()
            client.communicate()

    def growth(self):
        """A unary update in a server with many contexts beside one with few."""
        say("bench: growth")
        few = self.make_workload(10000)
        many = self.make_workload(self.options.many_contexts)
        sizes = {}
        for name, workload in (("few", few), ("many", many)):
            server = self.start(servers.Contextd, "contextd-" + name)
            workload.fill(server, "create")
            sizes[name] = (workload, server, [])
        for _ in range(self.options.slices):
            for workload, server, slices in sizes.values():
                slices.append(
                    measure(workload, server, "update", self.options.slice_s, in_flight=64)
                )
        for workload, server, _ in sizes.values():
            workload.check(server)
            self.stop(server)
        series = {name: Series(slices) for name, (_, _, slices) in sizes.items()}
        return {"contexts": many.contexts, "few": series["few"], "many": series["many"]}

    # ---- The tracker. -----------------------------------------------------------------

    def history(self):
        """An activity beside an update; and a long history beside a short one."""
        say("bench: history")
        workload = self.make_workload(10000)
        server = self.start(servers.Contextd, "contextd-activities")
        workload.fill(server, "create")
        slices = {kind: [] for kind, _ in ACTIVITY_LOADS}
        for _ in range(self.options.slices):
            for kind, options in self.random.sample(ACTIVITY_LOADS, len(ACTIVITY_LOADS)):
                slices[kind].append(
                    measure(workload, server, kind, self.options.slice_s, **options)
                )
        workload.check(server)
        self.stop(server)
        found = self.long_history()
        found["series"].update({kind: Series(items) for kind, items in slices.items()})
        return found

    def long_history(self):
        """Two servers of one context each, whose histories have few and many activities."""
        workload = self.make_workload(1)
        count = self.options.activities
        sizes = {"few": PAGE * 10, "many": count}
        up = {}
        memory = 0
        for name, size in sizes.items():
            server = up[name] = self.start(servers.Contextd, "contextd-history-" + name)
            workload.fill(server, "create")
            self.record(workload, server, size // 4)
            base = server.resident_bytes()
            self.record(workload, server, size - size // 4)
            memory = (server.resident_bytes() - base) / (size - size // 4)
        slices = {}
        for _ in range(self.options.slices):
            for name, server in up.items():
                middle = {"first": sizes[name] // 2, "per_request": PAGE}
                for kind, options in (
                    ("record", {"requests": APPENDS}),
                    ("newest", {"per_request": PAGE, "seconds": self.options.slice_s}),
                    ("middle", dict(middle, seconds=self.options.slice_s)),
                ):
                    seconds = options.pop("seconds", 0)
                    item = measure(workload, server, kind, seconds, in_flight=16, **options)
                    slices.setdefault("%s/%s" % (kind, name), []).append(item)
        for server in up.values():
            result = workload.run(server, "newest", in_flight=1, per_request=PAGE, requests=1)
            if result["sequence"] != server.activities:
                what = "%s holds %d activities, and not %d"
                raise BenchError(what % (server.name, result["sequence"], server.activities))
            self.stop(server)
        series = {key: Series(items) for key, items in slices.items()}
        return {"activities": count, "memory": memory, "series": series}

    @staticmethod
    def record(workload, server, count):
        workload.run(server, "record", in_flight=4, per_request=1000, requests=count // 1000)

    def sessions(self):
        """The share of a core that sessions use which only renew themselves."""
        say("bench: sessions")
        count = self.options.sessions
        server = self.start(servers.Contextd, "contextd-sessions")
        base = server.resident_bytes()
        workload = self.make_workload(1)
        client = subprocess.Popen(
            [workload.load, "sessions", server.address, "in_flight=%d" % count],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            ready, _, _ = select.select([client.stdout], [], [], CONNECTIONS_WAIT_S)
            if not ready or client.stdout.readline() != b"started\n":
                raise BenchError("%d sessions could not be started" % count)
            memory = (server.resident_bytes() - base) / count
            before, begin = server.cpu_s(), time.monotonic()
            time.sleep(self.options.sessions_s)
            share = (server.cpu_s() - before) / (time.monotonic() - begin)
            output, _ = client.communicate(timeout=CONNECTIONS_WAIT_S)
        finally:
            client.kill()
            client.wait()
        result = json.loads(output)
        if result["failures"] > 0:
            raise BenchError("a renewal failed: " + result["failure"])
        self.stop(server)
        return {
            "sessions": count,
            "share": share,
            "seconds": self.options.sessions_s,
            "renewals_per_s": count / RENEW_S,
            "cpu_us": 1e6 * share / (count / RENEW_S),
            "memory": memory,
        }

    # ---- Subscriptions. ---------------------------------------------------------------

    def events(self):
        """Latency, delivery to many, what subscriptions cost a write, catching up, sleepers."""
        found = {"latency": self.event_latency()}
        found.update(self.event_delivery())
        found.update(self.event_index())
        found["catch_up"] = self.event_catch_up()
        found.update(self.event_sleepers())
        return found

    def subscribers(self, workload, server, count, **options):
        """A process that holds subscriptions which have caught up."""
        command = [workload.load, "subscribe", server.address, "in_flight=%d" % count]
        command += ["contexts=%d" % workload.contexts]
        command += ["%s=%s" % option for option in options.items()]
        client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.clients.append(client)
        ready, _, _ = select.select([client.stdout], [], [], EVENTS_WAIT_S)
        if not ready or client.stdout.readline() != b"subscribed\n":
            raise BenchError("%d subscriptions of %s did not begin" % (count, server.name))
        return client

    def end_subscribers(self, client):
        """Ends them, and returns what they have seen."""
        client.send_signal(signal.SIGCONT)
        output, _ = client.communicate(timeout=EVENTS_WAIT_S)
        self.clients.remove(client)
        result = json.loads(output)
        if result["failures"] > 0:
            raise BenchError("a subscription failed: " + result["failure"])
        return result

    def filled(self, name, contexts=10000):
        workload = self.make_workload(contexts)
        server = self.start(servers.Contextd, "contextd-" + name)
        workload.fill(server, "create")
        return workload, server

    def event_latency(self):
        """From the answer to a write to its event, of one subscription."""
        say("bench: events: latency")
        workload, server = self.filled("latency")
        found = {}
        for _ in range(self.options.slices):
            for rate in EVENT_RATES:
                result = workload.run(
                    server,
                    "subscribe",
                    in_flight=1,
                    rate=rate,
                    per_request=max(rate // 2000, 1),
                    seconds=self.options.slice_s,
                )
                found.setdefault(rate, []).append(
                    (result["p50_us"], result["p99_us"], result["operations"] / result["seconds"])
                )
        self.stop(server)
        return found

    def event_delivery(self):
        """Events that reach many subscriptions of everything, beside a null server's stream:
        per second, and per second of the server's processor time."""
        say("bench: events: delivery")
        workload, server = self.filled("delivery")
        null = self.start(servers.Null, "null-events")
        rows = {"events": [], "null": []}
        for _ in range(self.options.slices):
            rows["null"].append(self.delivered(workload, null, False))
            rows["events"].append(self.delivered(workload, server, True))
        self.stop(server)
        self.stop(null)
        return {"delivery": rows, "subscribers": self.options.subscribers}

    def delivered(self, workload, server, writes):
        client = self.subscribers(workload, server, self.options.subscribers)
        cpu, begin = server.cpu_s(), time.monotonic()
        updates = 0
        if writes:
            seconds = self.options.slice_s
            updates = workload.run(server, "batch", in_flight=1, per_request=10, seconds=seconds)
            updates = updates["total"]
        else:
            time.sleep(self.options.slice_s)
        cpu, seconds = server.cpu_s() - cpu, time.monotonic() - begin
        result = self.end_subscribers(client)
        if writes and result["total"] > updates * self.options.subscribers:
            raise BenchError("more events than changes")
        return {
            "rate": result["total"] / seconds,
            "per_cpu_s": result["total"] / cpu,
            "updates": updates / seconds,
        }

    def event_index(self):
        """What a write costs beside many subscriptions to one context each: to contexts that
        nobody asked for, and to those; and how they all catch up at once."""
        say("bench: events: index")
        count = self.options.context_subscribers
        workload, server = self.filled("index", contexts=2 * count)
        others = self.make_workload(count)
        slices = {"none": [], "others": [], "theirs": []}

        def add(name, offset):
            seconds = self.options.slice_s
            item = measure(others, server, "update", seconds, in_flight=64, offset=offset)
            slices[name].append(item)

        for _ in range(self.options.slices):
            add("none", count)
            client = self.subscribers(workload, server, count, each=1)
            add("others", count)
            add("theirs", 0)
            self.end_subscribers(client)
        self.stop(server)
        series = {name: Series(items) for name, items in slices.items()}
        return {"index": series, "index_count": count, "resume": self.event_resume(count)}

    def event_resume(self, count):
        """All begin so many changes behind, at once."""
        workload, server = self.filled("resume", contexts=count)
        changes = self.options.behind
        workload.run(server, "stream", in_flight=16, per_request=100, requests=changes // 100)
        base = server.resident_bytes()
        cpu = server.cpu_s()
        client = self.subscribers(workload, server, count, each=1, oldest=1)
        memory = server.resident_bytes() - base
        cpu = server.cpu_s() - cpu
        result = self.end_subscribers(client)
        expected = count + changes
        if result["total"] != expected:
            raise BenchError("%d events, and not %d" % (result["total"], expected))
        self.stop(server)
        return {
            "seconds": result["caught_up_s"],
            "cpu_s": cpu,
            "changes": changes,
            "memory": memory / count,
        }

    def event_catch_up(self):
        """One subscription that begins with the oldest of many events, from the log."""
        say("bench: events: catching up")
        workload, server = self.filled("catch-up")
        changes = self.options.catch_up
        workload.run(server, "stream", in_flight=16, per_request=100, requests=changes // 100)
        server.stop()
        server.start()  # Nothing of it is in memory.
        rates = []
        for _ in range(self.options.slices):
            client = self.subscribers(workload, server, 1, oldest=1)
            result = self.end_subscribers(client)
            if result["total"] != changes + workload.contexts:
                raise BenchError("%d events, and not %d" % (result["total"], changes))
            rates.append(result["total"] / result["caught_up_s"])
        self.stop(server)
        return {"events": changes, "rates": rates}

    def event_sleepers(self):
        """Half of the subscriptions stop reading: what the others see of it, and memory."""
        say("bench: events: sleepers")
        workload, server = self.filled("sleepers")
        half = self.options.subscribers // 2
        found = {"awake": [], "asleep": []}
        options = {"in_flight": half, "rate": SLEEPERS_RATE, "seconds": self.options.slice_s}
        client = self.subscribers(workload, server, half)
        base = server.resident_bytes()
        for _ in range(self.options.slices):
            for name, number in (("awake", signal.SIGCONT), ("asleep", signal.SIGSTOP)):
                client.send_signal(number)
                result = workload.run(server, "subscribe", **options)
                found[name].append(result["p99_us"])
        memory = server.resident_bytes() - base
        seen = self.end_subscribers(client)
        self.stop(server)
        return {"sleepers": found, "sleepers_memory": memory / half, "sleepers_seen": seen["total"]}

    # ---- Recovery. --------------------------------------------------------------------

    def recovery(self):
        """What points, forks and differences cost, on the engine without the network."""
        rounds = self.options.recovery_rounds
        entries = self.options.state_entries
        churned = self.options.churned_points
        fork_entries = self.options.fork_entries
        parts = {
            "fork": {"entries": fork_entries, "value_size": 1000, "rounds": rounds},
            "diff": {"entries": entries, "rounds": rounds},
            "change": {"entries": entries, "rounds": rounds, "points": 10000},
            "conversation": {},
            "pages": {"entries": 10, "points": 10000, "rounds": rounds},
            "churn": {"entries": 100, "rounds": churned},
            "update": {"rounds": rounds},
        }
        with Noise() as noise:
            found = {name: self.recovery_part(name, options) for name, options in parts.items()}
        found.update(
            fork_entries=fork_entries,
            state_entries=entries,
            churned=churned,
            seconds=noise.seconds,
            load_average=noise.load_average,
        )
        return found

    def recovery_part(self, name, options):
        say("bench: recovery: %s" % name)
        folder = os.path.join(self.folder, "recovery-" + name)
        os.makedirs(folder)
        command = [self.binaries["recovery"], name, folder]
        command += ["%s=%d" % option for option in options.items()]
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=RECOVERY_MAX_S,
            check=False,
        )
        if done.returncode != 0:
            raise BenchError("%s\n%s" % (" ".join(command), done.stderr.decode()))
        shutil.rmtree(folder)
        return json.loads(done.stdout)

    # ---- Clients. ---------------------------------------------------------------------

    def clients_of_languages(self):
        """What the clients cost beside gRPC's bare stubs, each measured by itself."""
        server = self.start(servers.Contextd, "contextd-clients")
        found = {"rows": [], "missing": []}
        for folder in clients.TOOLS:
            if not clients.is_there(folder):
                found["missing"].append(folder)
                continue
            say("bench: clients: %s" % folder)
            found["rows"] += clients.run(
                folder, server.address, self.options.client_slice_s, self.options.client_rounds
            )
        self.stop(server)
        return found
