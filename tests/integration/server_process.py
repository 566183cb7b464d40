"""A contextd process for tests in Python: starts it on a free port, waits until it is
ready, stops it."""

import os
import select
import shutil
import signal
import subprocess
import tempfile

BINARY = os.path.join(os.getcwd(), "server", "contextd")
START_TIMEOUT_S = 60


def environment(more):
    """The environment of a server: ours without what is the tests' own, and `more`."""
    env = {name: value for name, value in os.environ.items() if name != "CONTEXTD_SEED"}
    return {**env, **(more or {})}


class Server:
    """Starts a server on a directory of its own, or on `data_dir`.

    Ready when the constructor returns: it has read the line that says so."""

    def __init__(self, *flags, data_dir=None, port_file=None, env=None, listen="127.0.0.1:0"):
        self.folder = tempfile.mkdtemp(prefix="contextd-")
        self.data_dir = data_dir or os.path.join(self.folder, "data")
        self.port_file = port_file or os.path.join(self.folder, "port")
        self.lines = []
        self.process = subprocess.Popen(
            [BINARY, "--listen", listen, "--data-dir", self.data_dir]
            + ["--port-file", self.port_file, *flags],
            stderr=subprocess.PIPE,
            bufsize=0,  # So that what can be read is never hidden from select().
            env=environment(env),
        )
        try:
            self.await_line("serving address=")
        except Exception:
            self.kill()
            raise
        with open(self.port_file, encoding="utf-8") as file:
            self.port = int(file.read())

    @property
    def address(self):
        return "127.0.0.1:%d" % self.port

    def await_line(self, part):
        """Reads the server's log up to the line that holds `part`, and returns that."""
        while True:
            ready, _, _ = select.select([self.process.stderr], [], [], START_TIMEOUT_S)
            line = self.process.stderr.readline().decode() if ready else ""
            if not line:
                raise AssertionError("no line with %r after %r" % (part, self.lines))
            self.lines.append(line)
            if part in line:
                return line

    def send(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """Asks the server to stop and returns its exit code."""
        self.send(number)
        for line in self.process.stderr:
            self.lines.append(line.decode())
        return self.wait()

    def kill(self):
        self.process.kill()
        self.wait()

    def wait(self):
        code = self.process.wait()
        self.process.stderr.close()
        return code

    def log(self):
        return "".join(self.lines)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def run(*flags, env=None):
    """Runs the binary to its end: (exit code, standard output, standard error)."""
    done = subprocess.run(
        [BINARY, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(env),
        check=False,
    )
    return done.returncode, done.stdout, done.stderr
