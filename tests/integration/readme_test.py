#!/usr/bin/env python3
"""The first session of README.md, typed into a real server: every command works and
shows what the file says it shows. A line `...` stands for any lines."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests", "integration"))

from server_process import Server  # noqa: E402

CTXCTL = os.path.join(os.getcwd(), "clients", "ctxctl")


def session():
    """The (command, expected output) pairs of the block marked `console`."""
    with open("README.md", encoding="utf-8") as file:
        block = re.search(r"^```console\n(.*?)^```", file.read(), re.M | re.S).group(1)
    steps = re.split(r"^\$ ", block, flags=re.M)[1:]
    return [tuple(step.split("\n", 1)) for step in steps]


def pattern(expected):
    lines = expected.rstrip("\n").split("\n")
    return "".join("(.*\n)*" if line == "..." else re.escape(line) + "\n" for line in lines)


class ReadmeTest(unittest.TestCase):
    def test_the_first_session_works_as_written(self):
        steps = session()
        self.assertEqual(len(steps), 5)
        with Server() as server, tempfile.TemporaryDirectory() as home:
            env = {
                **os.environ,
                "PATH": CTXCTL + os.pathsep + os.environ["PATH"],
                "CONTEXTD_ADDRESS": server.address,
                "HOME": home,
            }
            for command, expected in steps:
                with self.subTest(command):
                    done = subprocess.run(
                        ["bash", "-c", command],
                        env=env,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT,
                        text=True,
                        check=False,
                    )
                    output = done.stdout if done.stdout.endswith("\n") else done.stdout + "\n"
                    self.assertEqual(done.returncode, 0, output)
                    self.assertRegex(output, "^" + pattern(expected) + "$")
            self.assertEqual(server.stop(), 0)

    def test_a_proxy_of_the_environment_is_not_asked(self):
        with Server() as server:
            env = {name: value for name, value in os.environ.items() if name != "no_proxy"}
            done = subprocess.run(
                [os.path.join(CTXCTL, "ctxctl"), "--timeout", "5s", "create", "direct"],
                env={**env, "http_proxy": "http://127.0.0.1:1", "CONTEXTD_ADDRESS": server.address},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            self.assertEqual((done.returncode, done.stdout), (0, "direct is at version 1\n"))


if __name__ == "__main__":
    unittest.main()
