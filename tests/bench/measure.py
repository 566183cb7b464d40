"""One slice: a server driven for a second or so, and what else the machine did meanwhile."""

import json
import os
import random
import resource
import statistics
import subprocess
import time

from servers import BenchError

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
SLICE_MAX_S = 300
SYNC_SIZE = 4096
SYNC_FILE_SIZE = 16 << 20


class Workload:
    """What is stored: `contexts` of `keys` entries each, named by number."""

    def __init__(self, load, contexts, keys, value_size, seed):
        self.load = load
        self.contexts = contexts
        self.keys = keys
        self.value_size = value_size
        self.random = random.Random(seed)

    def run(self, server, kind, **options):
        """Runs the load generator once and returns what it said."""
        options.setdefault("seed", self.random.randrange(1 << 30))
        settings = dict(
            contexts=self.contexts, keys=self.keys, value_size=self.value_size, **options
        )
        command = [self.load, kind, server.address]
        command += ["%s=%s" % setting for setting in settings.items()]
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=SLICE_MAX_S,
            check=False,
        )
        if done.returncode != 0:
            raise BenchError("%s\n%s" % (" ".join(command), done.stderr.decode()))
        result = json.loads(done.stdout)
        if result["failures"] > 0:
            what = "%s of %s: %d failures, the first: %s"
            raise BenchError(what % (kind, server.name, result["failures"], result["failure"]))
        if kind in ("update", "batch", "stream"):
            server.updates += result["total"]
        if kind in ("record", "record-batch"):
            server.activities += result["total"]
        return result

    def create(self, server, first, end):
        """Creates the contexts of these numbers, with all their entries."""
        self.run(server, "create", in_flight=256, first=first, requests=end - first)

    def fill(self, server, kind):
        """Stores all contexts with all their entries."""
        if kind == "create":
            self.create(server, 0, self.contexts)
        elif kind == "redis-fill":
            requests = self.contexts * self.keys // 10
            self.run(server, kind, in_flight=16, per_request=10, requests=requests)
        else:
            self.run(server, kind, in_flight=256, requests=self.contexts * self.keys)

    def check(self, server):
        """Whether contextd holds what was stored: each context with each of its entries,
        and as many versions of them as changes were answered."""
        result = self.run(server, "verify", in_flight=64, requests=self.contexts)
        expected = (self.contexts * self.keys, self.contexts + server.updates)
        found = (result["entries"], result["versions"])
        if found != expected:
            what = "%s holds %d entries in %d versions, and not %d in %d"
            raise BenchError(what % ((server.name,) + found + expected))

    def sample(self):
        """Names of some contexts."""
        numbers = self.random.sample(range(self.contexts), min(100, self.contexts))
        return [b"context-%012d" % number for number in numbers]

    def check_entries(self, who, name, entries):
        keys = [b"key-%03d" % number for number in range(self.keys)]
        for key in keys:
            value = entries.get(key, b"")
            stamp = name + key
            fill = value[len(stamp) :]
            whole = len(value) == self.value_size and len(set(fill)) == 1
            if not whole or not value.startswith(stamp):
                raise BenchError("%s does not hold %s of %s" % (who, key, name))


class Slice:
    """What one slice showed."""

    def __init__(self, result, server_cpu_s, noise):
        self.rate = result["operations"] / result["seconds"]
        self.p50_us = result["p50_us"]
        self.p99_us = result["p99_us"]
        self.cpu_us = server_cpu_s * 1e6 / max(result["total"], 1)
        self.noise = noise


class Noise:
    """What others used of the machine while this was open, in cores."""

    def __enter__(self):
        self.begin = time.monotonic()
        self.before = self.read()
        return self

    def __exit__(self, *_):
        after = self.read()
        self.seconds = max(time.monotonic() - self.begin, 1e-9)
        self.busy, self.stolen = (
            (end - begin) / TICKS_PER_S / self.seconds for begin, end in zip(self.before, after)
        )
        self.load_average = os.getloadavg()[0]

    @staticmethod
    def read():
        with open("/proc/stat") as file:
            user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
        return user + nice + system + irq + softirq, steal

    def settle(self, ours_s):
        """Takes off what was our own."""
        self.foreign = max(self.busy - ours_s / self.seconds, 0)


def children_cpu_s():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(workload, server, kind, seconds, **options):
    """One slice."""
    server_before = server.cpu_s()
    ours_before = children_cpu_s() + time.process_time()
    with Noise() as noise:
        result = workload.run(server, kind, seconds=seconds, warm_up=0.1, **options)
    server_cpu_s = server.cpu_s() - server_before
    noise.settle(server_cpu_s + children_cpu_s() + time.process_time() - ours_before)
    return Slice(result, server_cpu_s, noise)


def sync_rate(folder, seconds):
    """How often per second the disk syncs 4 KiB, written one behind the other into a file
    that was written before."""
    path = os.path.join(folder, "sync")
    page = b"s" * SYNC_SIZE
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        if os.fstat(file).st_size < SYNC_FILE_SIZE:
            os.pwrite(file, b"\0" * SYNC_FILE_SIZE, 0)
            os.fsync(file)
        count = 0
        begin = time.monotonic()
        while time.monotonic() - begin < seconds:
            os.pwrite(file, page, count * SYNC_SIZE % SYNC_FILE_SIZE)
            os.fdatasync(file)
            count += 1
        return count / (time.monotonic() - begin)
    finally:
        os.close(file)


class Series:
    """The slices of one kind of load, in the order of the rounds."""

    def __init__(self, slices):
        self.slices = slices

    def values(self, name):
        return [getattr(item, name) for item in self.slices]

    def median(self, name):
        return statistics.median(self.values(name))

    def spread(self, name):
        return min(self.values(name)), max(self.values(name))

    def ratios(self, other, name="rate"):
        """Round by round: whatever disturbed a round disturbed both."""
        pairs = zip(self.values(name), other.values(name))
        return [mine / max(theirs, 1e-9) for mine, theirs in pairs]
