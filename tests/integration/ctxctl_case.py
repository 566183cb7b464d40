"""What tests of the command line have in common: a server, and ctxctl against it."""

import json
import os
import pty
import subprocess
import unittest

from server_process import Server

CTXCTL = os.path.join(os.getcwd(), "clients", "ctxctl", "ctxctl")

OK, REFUSED, USAGE, NOT_FOUND, UNAVAILABLE, LIMIT, INPUT = range(7)


class Result:
    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout
        self.err = process.stderr.decode()

    @property
    def text(self):
        return self.out.decode()

    @property
    def json(self):
        return json.loads(self.out)


class CtxctlTestCase(unittest.TestCase):
    """One server for all tests of a class; each test has a namespace of its own."""

    flags = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.flags)

    @classmethod
    def tearDownClass(cls):
        stopped = cls.server.stop()
        cls.server.__exit__()
        if stopped != 0:
            raise AssertionError("the server ended with %d:\n%s" % (stopped, cls.server.log()))

    def setUp(self):
        self.space = self.id().split(".")[-1].lower()[:60]

    def environment(self, **more):
        env = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        return {**env, "CONTEXTD_ADDRESS": self.server.address, **more}

    def run_ctxctl(self, *words, stdin=b""):
        return Result(
            subprocess.run(
                [CTXCTL, *words],
                input=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self.environment(),
                check=False,
            )
        )

    def ctl(self, *words, stdin=b"", code=OK, space=None):
        """Runs a command in the test's namespace and checks its exit code."""
        result = self.run_ctxctl("-n", space or self.space, *words, stdin=stdin)
        self.assertEqual(result.code, code, result.err + result.out.decode(errors="replace"))
        return result

    def import_lines(self, *lines, code=OK, space=None):
        text = "".join(line + "\n" for line in lines).encode()
        return self.ctl("import", stdin=text, code=code, space=space)

    def on_terminal(self, *words, **env):
        """What a command shows on a terminal, which is its stdout and stderr."""
        master, slave = pty.openpty()
        process = subprocess.Popen([CTXCTL, "-n", self.space, *words], stdin=subprocess.DEVNULL,
                                   stdout=slave, stderr=slave, env=self.environment(**env))
        os.close(slave)
        shown = b""
        try:
            while True:
                part = os.read(master, 65536)
                if not part:
                    break
                shown += part
        except OSError:  # How a terminal ends on Linux.
            pass
        os.close(master)
        process.wait()
        return shown.decode()

    def restart(self, stop):
        """Ends the server by a method of its, and starts another on its data and address."""
        before = self.server
        stop(before)
        self.addClassCleanup(before.__exit__)  # The data are in its folder.
        type(self).server = Server(*self.flags, data_dir=before.data_dir, listen=before.address)
