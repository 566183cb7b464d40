#!/usr/bin/env python3
"""The process from its start to its stop: what it refuses, what it says, what it ends
with. The exit codes are those of docs/operations.md."""

import os
import re
import signal
import socket
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests", "integration"))

from server_process import Server, run  # noqa: E402


class LifecycleTest(unittest.TestCase):
    def folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return folder.name

    def test_the_port_file_is_there_exactly_while_the_server_is_ready(self):
        with Server() as server:
            socket.create_connection(("127.0.0.1", server.port)).close()
            self.assertFalse(os.path.exists(server.port_file + ".new"))
            self.assertEqual(server.stop(), 0)
            self.assertFalse(os.path.exists(server.port_file))

    def test_both_signals_stop_it_in_order(self):
        for number, name in ((signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "SIGINT")):
            with self.subTest(name), Server() as server:
                self.assertEqual(server.stop(number), 0)
                self.assertIn("signal=" + name, server.log())
                self.assertIn(" stopped\n", server.log())

    def test_it_tells_whether_the_last_stop_was_a_clean_one(self):
        data_dir = os.path.join(self.folder(), "data")
        with Server(data_dir=data_dir) as server:
            self.assertIn("created an empty data directory", server.log())
            server.kill()
        with Server(data_dir=data_dir) as server:
            self.assertIn("last_stop=crash", server.log())
            self.assertEqual(server.stop(), 0)
        with Server(data_dir=data_dir) as server:
            self.assertIn("last_stop=clean", server.log())

    def test_two_servers_never_share_a_directory_or_a_port(self):
        with Server() as server:
            code, _, error = run("--listen", "127.0.0.1:0", "--data-dir", server.data_dir)
            self.assertEqual(code, 1)
            self.assertRegex(error, "cannot start: .*in use by another contextd")
            self.assertEqual(error.count("error "), 1)
            code, _, error = run("--listen", server.address, "--data-dir", self.folder())
            self.assertEqual(code, 1)
            self.assertRegex(error, "cannot start: cannot listen on " + server.address)
            self.assertEqual(server.stop(), 0)

    def test_a_directory_or_port_file_that_cannot_be_used_is_named(self):
        file = os.path.join(self.folder(), "file")
        with open(file, "w", encoding="utf-8"):
            pass
        code, _, error = run("--listen", "127.0.0.1:0", "--data-dir", file + "/data")
        self.assertEqual(code, 1)
        self.assertIn("cannot start: the data directory cannot be used: "
                      "something on its path is no directory data_dir=" + file + "/data", error)
        code, _, error = run("--listen=127.0.0.1:0", "--data-dir=" + self.folder(),
                             "--port-file=" + file + "/port")
        self.assertEqual(code, 1)
        self.assertIn("cannot start: port_file " + file + "/port cannot be written: ", error)

    def test_what_stands_in_the_way_is_found_before_anything_is_stored(self):
        data_dir = os.path.join(self.folder(), "data")
        code, _, error = run("--listen=127.0.0.1:0", "--data-dir", data_dir,
                             "--port-file=" + data_dir + "/missing/port")
        self.assertEqual((code, os.listdir(data_dir)), (1, []), error)
        os.rmdir(data_dir)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = "127.0.0.1:%d" % taken.getsockname()[1]
            code, _, error = run("--listen", address, "--data-dir", data_dir)
        self.assertEqual((code, os.path.exists(data_dir)), (1, False))
        self.assertRegex(error, "cannot start: cannot listen on .* data_dir=" + data_dir + "\n$")

    def test_the_port_file_may_lie_in_a_data_directory_that_is_not_there_yet(self):
        data_dir = os.path.join(self.folder(), "data")
        with Server(data_dir=data_dir, port_file=data_dir + "/port") as server:
            self.assertEqual(server.stop(), 0)

    def test_a_wrong_configuration_lists_every_problem_and_touches_nothing(self):
        data_dir = os.path.join(self.folder(), "data")
        for flags in ((), ("--check-config",)):
            code, _, error = run("--data-dir", data_dir, "--pollers=x", "--nonsense", "y", *flags,
                                 env={"CONTEXTD_VALUE_SIZE_MAX": "64MiB"})
            self.assertEqual(code, 2)
            self.assertIn("--pollers: 'x' is not a whole number\n", error)
            self.assertIn("--nonsense: there is no such setting", error)
            self.assertIn("value_size_max 64MiB (CONTEXTD_VALUE_SIZE_MAX)\n", error)
            self.assertIn("contextd: 3 problems with the configuration", error)
            self.assertFalse(os.path.exists(data_dir))

    def test_another_address_than_loopback_wants_insecure_said_aloud(self):
        code, _, error = run("--listen", "0.0.0.0:0", "--check-config")
        self.assertEqual(code, 2)
        self.assertIn("--insecure", error)
        self.assertEqual(run("--listen", "0.0.0.0:0", "--insecure", "--check-config")[0], 0)

    def test_what_it_prints_when_asked(self):
        code, out, _ = run("--help")
        self.assertEqual(code, 0)
        self.assertIn("--request-id-window TIME", out)
        code, out, _ = run("--version")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"^contextd \d+\.\d+\.\d+\n$")
        self.assertEqual(run("--check-config")[:2], (0, "the configuration is right\n"))
        code, out, _ = run("--print-config", env={"CONTEXTD_REQUEST_IDS_MAX": "5"})
        self.assertEqual(code, 0)
        self.assertTrue(re.search("^request_ids_max: 5 +# CONTEXTD_REQUEST_IDS_MAX$", out, re.M))

    def test_a_hangup_reads_the_configuration_again(self):
        file = os.path.join(self.folder(), "contextd.yaml")
        with open(file, "w", encoding="utf-8") as config:
            config.write("log_format: text\n")
        with Server("--config", file) as server:
            with open(file, "w", encoding="utf-8") as config:
                config.write("log_format: json\nversion_retention: 3\n")
            server.send(signal.SIGHUP)
            line = server.await_line("read the configuration again")
            self.assertIn('"only_after_a_restart":"version_retention"', line)
            with open(file, "w", encoding="utf-8") as config:
                config.write("log_format: nonsense\n")
            server.send(signal.SIGHUP)
            server.await_line("the configuration stays as it was")
            self.assertEqual(server.stop(), 0)

    def test_what_can_lose_or_give_away_data_is_said_at_the_start(self):
        with Server("--durability", "unsynced", "--insecure") as server:
            self.assertIn("NOTHING IS SYNCED", server.log())
            self.assertIn("no TLS", server.log())
            self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
