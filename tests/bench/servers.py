"""The servers under measurement: built, started on the loopback, and ended by their pid."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from base64 import b64decode, b64encode

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
START_MAX_S = 120
STOP_MAX_S = 30


class BenchError(Exception):
    """Something is wrong: not slow, wrong."""


def build(targets):
    """Builds the targets as they are shipped and returns where each one is."""
    bazel = os.environ.get("BAZEL", "bazel").split()
    release = ["--config=release", "--symlink_prefix=/"]
    subprocess.run(bazel + ["build"] + release + targets, cwd=ROOT, check=True)
    info = bazel + ["info", "--config=release", "bazel-bin"]
    output = subprocess.run(info, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    return [
        os.path.join(output.decode().strip(), target.lstrip("/").replace(":", "/"))
        for target in targets
    ]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_open(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A process that listens on the loopback. `folder` holds its data and its log."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = folder
        self.port = None
        self.process = None
        self.updates = 0  # That were answered: what must be stored.
        self.activities = 0  # The same.
        os.makedirs(folder, exist_ok=True)

    def command(self):
        raise NotImplementedError

    def is_ready(self):
        return is_open(self.port)

    def start(self):
        self.log_path = os.path.join(self.folder, "log")
        begin = time.monotonic()
        # A test's own variable, which contextd would take for a setting.
        env = {name: value for name, value in os.environ.items() if name != "CONTEXTD_SEED"}
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, env=env)
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() - begin > START_MAX_S:
                self.kill()
                raise BenchError("%s did not start:\n%s" % (self.name, self.log()[-2000:]))
            time.sleep(0.005)
        return time.monotonic() - begin

    def stop(self):
        """Ends the process as its operator would."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_MAX_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise BenchError("%s did not stop within %d s" % (self.name, STOP_MAX_S)) from None
        self.process = None

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    @property
    def address(self):
        return "127.0.0.1:%d" % self.port

    def cpu_s(self):
        """What its threads have run, in seconds, to the nanosecond."""
        tasks = "/proc/%d/task" % self.process.pid
        total = 0
        for task in os.listdir(tasks):
            try:
                with open(os.path.join(tasks, task, "schedstat")) as file:
                    total += int(file.read().split()[0])
            except FileNotFoundError:
                pass  # The thread has ended meanwhile.
        return total / 1e9

    def resident_bytes(self):
        with open("/proc/%d/status" % self.process.pid) as file:
            return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1)) * 1024

    def disk_bytes(self):
        total = 0
        for folder, _, files in os.walk(self.folder):
            total += sum(os.lstat(os.path.join(folder, file)).st_size for file in files)
        return total


class PortFileServer(Server):
    """Takes any port and writes it into a file when it serves."""

    def __init__(self, name, folder, binary):
        super().__init__(name, folder)
        self.binary = binary
        self.port_file = os.path.join(folder, "port")

    def is_ready(self):
        try:
            with open(self.port_file) as file:
                text = file.read()
        except FileNotFoundError:
            return False
        self.port = int(text) if text.endswith("\n") else None
        return self.port is not None

    def start(self):
        if os.path.exists(self.port_file):
            os.remove(self.port_file)
        return super().start()


class Null(PortFileServer):
    """The same rpc layer, whose methods answer at once with nothing."""

    def command(self):
        return [self.binary, self.port_file]


class Contextd(PortFileServer):
    def command(self):
        data = os.path.join(self.folder, "data")
        listen = ["--listen", "127.0.0.1:0", "--port-file", self.port_file]
        return [self.binary, "--data-dir", data] + listen

    def recovered(self):
        """What it said at its start: {revision, contexts, replay_ms}."""
        found = re.search(r"recovered.* revision=(\d+) contexts=(\d+) replay_ms=(\d+)", self.log())
        if found is None:
            raise BenchError("contextd did not say what it recovered:\n" + self.log())
        return dict(zip(("revision", "contexts", "replay_ms"), map(int, found.groups())))


class Redis(Server):
    """Syncs each write before it answers. The rewriting of its file is off: it would come
    in the middle of some slice."""

    binary = shutil.which("redis-server")

    def command(self):
        self.port = free_port()
        options = {
            "--bind": "127.0.0.1",
            "--port": str(self.port),
            "--dir": self.folder,
            "--save": "",
            "--appendonly": "yes",
            "--appendfsync": "always",
            "--auto-aof-rewrite-percentage": "0",
        }
        return [self.binary] + [word for option in options.items() for word in option]

    def ask(self, file, *words):
        """One command and its answer: an integer, or a flat list of bytes."""
        parts = [b"*%d\r\n" % len(words)]
        parts += [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]
        file.write(b"".join(parts))
        file.flush()
        head = file.readline()
        if head[:1] == b":":
            return int(head[1:])
        if head[:1] != b"*":
            raise BenchError("redis answered %r" % head)
        answer = []
        for _ in range(int(head[1:])):
            size = int(file.readline()[1:])
            answer.append(file.read(size + 2)[:-2])
        return answer

    def check(self, workload):
        """Whether it holds what was stored. Looks into a sample of the contexts."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            with connection.makefile("rwb") as file:
                self.check_over(file, workload)

    def check_over(self, file, workload):
        count = self.ask(file, b"DBSIZE")
        if count != workload.contexts:
            raise BenchError("redis holds %d of %d hashes" % (count, workload.contexts))
        for name in workload.sample():
            flat = self.ask(file, b"HGETALL", name)
            workload.check_entries("redis", name, dict(zip(flat[::2], flat[1::2])))


class Etcd(Server):
    binary = shutil.which("etcd") or shutil.which("etcd-server")

    def command(self):
        self.port = free_port()
        peer = "http://127.0.0.1:%d" % free_port()
        client = "http://127.0.0.1:%d" % self.port
        options = {
            "--data-dir": os.path.join(self.folder, "data"),
            "--listen-client-urls": client,
            "--advertise-client-urls": client,
            "--listen-peer-urls": peer,
            "--initial-advertise-peer-urls": peer,
            "--initial-cluster": "default=" + peer,
            "--quota-backend-bytes": str(8 << 30),
            "--log-level": "error",
        }
        return [self.binary] + [word for option in options.items() for word in option]

    def is_ready(self):
        return is_open(self.port) and self.range(b"a", b"b", count_only=True) is not None

    def range(self, first, end, count_only=False):
        """A range of its keys, or None when it does not answer."""
        query = {"key": b64encode(first).decode(), "range_end": b64encode(end).decode()}
        query["count_only"] = count_only
        request = urllib.request.Request(
            "http://%s/v3/kv/range" % self.address, json.dumps(query).encode()
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                answer = json.load(response)
        except OSError:
            return None
        rows = answer.get("kvs", [])
        found = {b64decode(row["key"]): b64decode(row["value"]) for row in rows}
        return int(answer.get("count", 0)), found

    def check(self, workload):
        count, _ = self.range(b"context-", b"context.", count_only=True)
        if count != workload.contexts * workload.keys:
            raise BenchError("etcd holds %d keys" % count)
        for name in workload.sample():
            _, found = self.range(name + b"/", name + b"0")
            entries = {key.split(b"/")[1]: value for key, value in found.items()}
            workload.check_entries("etcd", name, entries)
