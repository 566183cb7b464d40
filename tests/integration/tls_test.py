#!/usr/bin/env python3
"""TLS from outside: the real server and ctxctl, with the certificates of docs/operations.md."""

import os
import re
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests", "integration"))

from ctxctl_case import CTXCTL, INPUT, OK, UNAVAILABLE, USAGE, Result  # noqa: E402
from server_process import Server, run  # noqa: E402


def documented_commands():
    """The shell commands of docs/operations.md that make certificates for a trial."""
    with open("docs/operations.md", encoding="utf-8") as file:
        text = file.read()
    marked = re.search(r"<!-- trial certificates begin -->\n```\n(.*?)```", text, re.S)
    return marked.group(1)


def make_certificates(folder):
    """Makes ca, server and agent, with files NAME.pem and NAME.key, in a new folder."""
    os.mkdir(folder)
    subprocess.run(["bash", "-euc", documented_commands()], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def write(text, *path):
    """Writes a file the way that secrets are rotated: by renaming."""
    name = os.path.join(*path)
    with open(name + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(name + ".new", 0o600)
    os.rename(name + ".new", name)


def ctl(server, *words):
    env = {key: value for key, value in os.environ.items() if not key.startswith("CONTEXTD_")}
    env["LSAN_OPTIONS"] = "print_suppressions=0:suppressions=" + os.path.abspath("tools/lsan.supp")
    return Result(subprocess.run([CTXCTL, "-a", server.address, *words], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
                                 check=False))


class TlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        for name in ("ours", "theirs"):
            make_certificates(os.path.join(cls.folder.name, name))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        # What the server is started with; tests may change it.
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.served = folder.name
        for name in ("server.pem", "server.key", "ca.pem"):
            write(read(self.made("ours", name)), self.served, name)
        self.ca = ("--ca", self.made("ours", "ca.pem"))

    def made(self, side, name):
        return os.path.join(self.folder.name, side, name)

    def agent(self, side):
        return ("--cert", self.made(side, "agent.pem"), "--cert-key", self.made(side, "agent.key"))

    def tls_flags(self, *more):
        return ("--tls-cert", os.path.join(self.served, "server.pem"),
                "--tls-key", os.path.join(self.served, "server.key"), *more)

    def mutual_flags(self):
        return self.tls_flags("--tls-client-ca", os.path.join(self.served, "ca.pem"))

    def check(self, result, code, part=""):
        self.assertEqual(result.code, code, result.err)
        self.assertIn(part, result.err)

    def test_calls_and_streams_work_and_the_log_says_with_what(self):
        with Server(*self.tls_flags()) as server:
            self.check(ctl(server, "ping", *self.ca), OK)
            self.check(ctl(server, "put", "c", "k", "v", "--create", *self.ca), OK)
            self.assertEqual(ctl(server, "get", "c", "k", *self.ca).text, "v")
            events = ctl(server, "watch", "--from", "oldest", "--until-caught-up", *self.ca)
            self.assertIn("created", events.text)
            self.assertIn("the port takes TLS tls_cert=" + self.served, server.log())
            self.assertRegex(server.log(), r"expires=\d{4}-\d\d-\d\dT")
            self.assertIn("TLS without tls_client_ca", server.log())
            self.assertEqual(server.stop(), 0)

    def test_a_client_in_plain_text_is_refused_in_clear_words(self):
        with Server(*self.tls_flags()) as server:
            self.check(ctl(server, "ping"), UNAVAILABLE, "takes TLS only")
            self.check(ctl(server, "ping"), UNAVAILABLE, server.address)
            self.assertEqual(server.stop(), 0)

    def test_a_client_with_tls_is_told_that_the_server_has_none(self):
        with Server() as server:
            self.check(ctl(server, "list", *self.ca), UNAVAILABLE,
                       "what listens there does not speak TLS")
            self.assertEqual(server.stop(), 0)

    def test_who_trusts_another_authority_or_expects_another_name_refuses_at_once(self):
        with Server(*self.tls_flags()) as server:
            for trust in (("--ca", self.made("theirs", "ca.pem")), ("--tls",)):
                self.check(ctl(server, "list", "--timeout", "10m", *trust), UNAVAILABLE,
                           "the server's certificate is not accepted")
            self.check(ctl(server, "list", "--timeout", "10m", "--server-name", "db-3", *self.ca),
                       UNAVAILABLE, "the server's certificate is for another name")
            self.check(ctl(server, "list", "--server-name", "localhost", *self.ca), OK)
            self.assertEqual(server.stop(), 0)

    def test_with_authorities_of_clients_only_their_certificates_are_taken(self):
        with Server(*self.mutual_flags()) as server:
            self.check(ctl(server, "ping", *self.ca, *self.agent("ours")), OK)
            for refused in ((), self.agent("theirs")):
                self.check(ctl(server, "ping", *self.ca, *refused), UNAVAILABLE,
                           "wants a certificate of the client")
            self.check(ctl(server, "ping", *self.ca, "--cert", self.made("ours", "agent.pem"),
                           "--cert-key", self.made("theirs", "agent.key")),
                       UNAVAILABLE, "do not belong together")
            self.assertNotIn("TLS without tls_client_ca", server.log())
            self.assertIn("last_reason=", server.await_line("clients got no connection"))
            self.assertEqual(server.stop(), 0)

    def test_files_that_cannot_be_used_stop_the_start_before_anything_is_stored(self):
        data_dir = os.path.join(self.served, "data")
        flags = ("--listen", "127.0.0.1:0", "--data-dir", data_dir)
        os.remove(os.path.join(self.served, "server.pem"))
        code, _, error = run(*flags, *self.tls_flags())
        self.assertEqual(code, 1)
        self.assertIn("cannot start: tls_cert %s/server.pem cannot be read" % self.served, error)
        write(read(self.made("theirs", "server.pem")), self.served, "server.pem")
        code, _, error = run(*flags, *self.tls_flags())
        self.assertEqual(code, 1)
        self.assertIn("server.key is not the key of the certificate", error)
        code, _, error = run(*flags, *self.tls_flags(), "--check-config")
        self.assertEqual(code, 2)
        self.assertIn("server.key is not the key of the certificate", error)
        self.assertFalse(os.path.exists(data_dir))

    def test_other_machines_are_served_with_tls_or_with_insecure_said_aloud(self):
        code, _, error = run("--listen", "0.0.0.0:0", "--check-config")
        self.assertEqual(code, 2)
        self.assertIn("give tls_cert and tls_key, serve on 127.0.0.1, or add --insecure", error)
        for flags in (self.tls_flags(), ("--insecure",)):
            self.assertEqual(run("--listen", "0.0.0.0:0", *flags, "--check-config")[0], 0)
        with Server(*self.tls_flags(), listen="0.0.0.0:0") as server:
            self.check(ctl(server, "ping", *self.ca), OK)
            self.assertEqual(server.stop(), 0)

    def test_ctxctl_names_a_file_that_it_cannot_use(self):
        with Server(*self.tls_flags()) as server:
            self.check(ctl(server, "ping", "--ca", self.served + "/none.pem"), INPUT, "none.pem")
            self.check(ctl(server, "ping", "--cert", self.made("ours", "agent.pem")), USAGE,
                       "--cert-key")
            self.assertEqual(server.stop(), 0)

    def test_certificates_are_replaced_under_load_without_a_failed_call(self):
        both = os.path.join(self.served, "both.pem")
        write(read(self.made("ours", "ca.pem")) + read(self.made("theirs", "ca.pem")), both)
        stop = threading.Event()
        failed, rounds = [], []

        def load(*words):
            count = 0
            while not stop.is_set() or count == 0:
                result = ctl(server, *words, "--ca", both)
                count += 1
                if result.code != OK:
                    failed.append(result.err)
            rounds.append(count)

        with Server(*self.tls_flags()) as server:
            # A connection that is open all the time, and others that come and go.
            self.check(ctl(server, "create", "c", *self.ca), OK)
            watch = subprocess.Popen([CTXCTL, "-a", server.address, "watch", "c", *self.ca, "-o",
                                      "json", "--from", "oldest"], stdout=subprocess.PIPE)
            self.addCleanup(watch.stdout.close)
            self.assertIn(b'"created"', watch.stdout.readline())
            loads = [threading.Thread(target=load, args=words) for words in
                     (("ping", "--count", "50"), ("bench", "update", "--operations", "2000",
                                                  "--contexts", "10"))]
            for thread in loads:
                thread.start()
            for name in ("server.pem", "server.key"):
                write(read(self.made("theirs", name)), self.served, name)
            server.await_line("new connections get other certificates")
            self.check(ctl(server, "put", "c", "k", "v", "--ca", self.made("theirs", "ca.pem")),
                       OK)
            self.assertIn(b'"updated"', watch.stdout.readline())
            watch.kill()
            watch.wait()
            self.check(ctl(server, "ping", *self.ca), UNAVAILABLE, "not accepted")
            stop.set()
            for thread in loads:
                thread.join()
            self.assertEqual((failed, len(rounds)), ([], 2))
            self.assertEqual(server.stop(), 0)

    def test_files_that_become_broken_leave_the_old_in_force_until_they_are_mended(self):
        with Server(*self.tls_flags()) as server:
            write("nonsense", self.served, "server.key")
            line = server.await_line("the certificates stay as they were")
            self.assertIn("server.key holds no private key", line)
            self.check(ctl(server, "ping", *self.ca), OK)
            for name in ("server.pem", "server.key"):
                write(read(self.made("theirs", name)), self.served, name)
            server.await_line("new connections get other certificates")
            self.check(ctl(server, "ping", "--ca", self.made("theirs", "ca.pem")), OK)
            self.assertEqual(server.stop(), 0)

    def test_authorities_of_clients_are_replaced_too(self):
        with Server(*self.mutual_flags()) as server:
            write(read(self.made("theirs", "ca.pem")), self.served, "ca.pem")
            server.await_line("new connections get other certificates")
            self.check(ctl(server, "ping", *self.ca, *self.agent("theirs")), OK)
            self.check(ctl(server, "ping", *self.ca, *self.agent("ours")), UNAVAILABLE)
            self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
