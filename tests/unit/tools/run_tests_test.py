#!/usr/bin/env python3
"""That tools/run-tests counts what its runners did, crashes included, and names what failed."""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock


def load(path):
    loader = importlib.machinery.SourceFileLoader("run_tests", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_tests", loader))
    loader.exec_module(module)
    return module


run_tests = load(os.path.join(os.getcwd(), "tools", "run-tests"))
Counts = run_tests.Counts


def event(label, status, xml=None, log=None):
    """What Bazel tells of one attempt of a test."""
    outputs = [("test.xml", xml), ("test.log", log)]
    output = [{"name": name, "uri": "file://" + path} for name, path in outputs if path]
    return json.dumps(
        {
            "id": {"testResult": {"label": label}},
            "testResult": {"status": status, "testActionOutput": output},
        }
    )


def numbers(counts):
    return (counts.passed, len(counts.failed), counts.skipped)


class RunTestsTest(unittest.TestCase):
    def file(self, content):
        file = tempfile.NamedTemporaryFile("w", delete=False)
        self.addCleanup(os.unlink, file.name)
        with file:
            file.write(content)
        return file.name

    def xml(self, cases):
        return self.file("<testsuites><testsuite>%s</testsuite></testsuites>" % cases)

    def failed(self, *lines, config=""):
        """What is told of the failures in a Bazel run with these events."""
        return run_tests.count_events(lines, config).failed

    def script(self, text, status=0):
        """What is counted of a script that prints a text."""
        program = "import sys; print(sys.argv[1]); raise SystemExit(%d)" % status
        with contextlib.redirect_stdout(io.StringIO()):
            return run_tests.run_script("scripted", [sys.executable, "-c", program, text])

    def tool(self, name, told):
        """A folder with a program that prints one line, as the only one to be found."""
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, name)
        with open(path, "w") as file:
            file.write("#!/bin/sh\necho '%s'\n" % told)
        os.chmod(path, 0o755)
        return folder

    def told_where(self, missing, **environment):
        """What is counted, and printed, of a script for which something is missing."""
        out = io.StringIO()
        with mock.patch.dict(os.environ, environment), contextlib.redirect_stdout(out):
            counts = run_tests.run_where_possible("clients/x", missing, ["false"])
        return counts, out.getvalue()

    def git(self, root, *words):
        done = subprocess.run(["git", *words], cwd=root, check=True, stdout=subprocess.PIPE)
        return done.stdout.decode().strip()

    def test_counts_the_cases_of_each_target(self):
        path = self.xml(
            '<testcase name="a"/><testcase name="b"><failure/></testcase>'
            '<testcase name="c"><skipped/></testcase><testcase name="d" status="notrun"/>'
        )
        counts = run_tests.count_events([event("//x", "FAILED", path)])
        self.assertEqual(numbers(counts), (1, 1, 2))

    def test_a_target_that_crashed_is_a_failure_also_without_cases(self):
        path = self.xml('<testcase name="a"/>')
        counts = run_tests.count_events([event("//x", "FAILED", path), event("//y", "TIMEOUT")])
        self.assertEqual(numbers(counts), (1, 2, 0))

    def test_the_last_attempt_of_a_target_counts(self):
        path = self.xml('<testcase name="a"/>')
        lines = [event("//x", "FAILED"), event("//x", "PASSED", path)]
        self.assertEqual(run_tests.count_events(lines), Counts(1, (), 0))

    def test_reads_the_closing_lines_of_other_runners(self):
        for line, counts in (
            ("====== 3 passed in 0.1s ======", (3, 0, 0)),
            ("= 1 failed, 3 passed, 2 skipped in 1.02s =", (3, 1, 2)),
            ("2 passed, 1 error in 1s", (2, 1, 0)),
            ("12 passed, 0 failed", (12, 0, 0)),
            ("3 passengers failed", (0, 0, 0)),
        ):
            with self.subTest(line):
                self.assertEqual(numbers(self.script(line)), counts)

    def test_a_script_that_fails_without_a_word_is_a_failure(self):
        self.assertEqual(numbers(self.script("5 passed in 1s")), (5, 0, 0))
        self.assertEqual(numbers(self.script("5 passed in 1s", 1)), (5, 1, 0))

    def test_every_closing_line_of_a_script_counts(self):
        self.assertEqual(numbers(self.script("5 passed\n1 failed, 2 passed", 1)), (7, 1, 0))

    def test_a_failed_case_is_named_with_its_message_in_one_line(self):
        path = self.xml(
            '<testcase name="B" classname="A"><failure message="x.cc:3&#x0A;Value of: 0"/>'
            '<failure message="x.cc:4"/></testcase>'
        )
        self.assertEqual(
            self.failed(event("//x:y_test", "FAILED", path)),
            ("//x:y_test A.B: x.cc:3 Value of: 0",),
        )

    def test_the_configuration_is_told(self):
        path = self.xml('<testcase name="B" classname="A"><failure message="x.cc:3"/></testcase>')
        self.assertEqual(
            self.failed(event("//x:y_test", "FAILED", path), config="tsan"),
            ("//x:y_test (tsan) A.B: x.cc:3",),
        )

    def test_messages_are_cut(self):
        path = self.xml('<testcase name="B"><failure message="%s"/></testcase>' % ("a " * 200))
        (text,) = self.failed(event("//x", "FAILED", path))
        self.assertLess(len(text), 180)
        self.assertTrue(text.endswith(" a..."), text)

    def own(self, log):
        """The file that Bazel makes of a target that left none itself."""
        return self.xml('<testcase name="x/y_test"><error message="exited with error code 134"/>'
                        "</testcase><system-out>%s</system-out>" % log)

    def test_a_crash_is_told_with_the_case_and_what_it_said(self):
        log = (
            "[ RUN      ] A.A\n[       OK ] A.A (0 ms)\n[ RUN      ] A.B\n"
            "y_test: x/y.c:4: f: Assertion `one == 2' failed.\nmore\n"
        )
        self.assertEqual(
            self.failed(event("//x:y_test", "FAILED", self.own(""), self.file(log))),
            ("//x:y_test A.B crashed: y_test: x/y.c:4: f: Assertion `one == 2' failed.",),
        )

    def test_what_a_sanitizer_says_is_told(self):
        for line in (
            "==1==ERROR: LeakSanitizer: detected memory leaks",
            "WARNING: ThreadSanitizer: data race (pid=1)",
            "x.c:1:2: runtime error: shift exponent 64 is too large",
        ):
            log = self.file("[ RUN      ] A.A\n[       OK ] A.A (0 ms)\n%s\nSUMMARY\n" % line)
            with self.subTest(line):
                self.assertEqual(
                    self.failed(event("//x", "FAILED", self.xml('<testcase name="A"/>'), log)),
                    ("//x failed: " + line,),
                )

    def test_a_target_that_ran_out_of_time_is_told_with_the_case_that_ran(self):
        log = self.file("[ RUN      ] A.B\n-- Test timed out at 2020-01-01 00:00:00 UTC --\n")
        self.assertEqual(
            self.failed(event("//x:y_test", "TIMEOUT", self.own(""), log)),
            ("//x:y_test A.B timed out",),
        )

    def test_a_python_test_is_named_with_its_error(self):
        log = self.file(
            "ERROR: test_y (__main__.T)\n-----\nTraceback (most recent call last):\n"
            '  File "y_test.py", line 5, in test_y\nOSError: broken\n\n'
            "FAIL: test_z (__main__.T)\n-----\nAssertionError: 1 != 2\n"
        )
        self.assertEqual(
            self.failed(event("//x:y_test", "FAILED", self.own(""), log)),
            ("//x:y_test test_y failed: OSError: broken",),
        )

    def test_what_does_not_build_is_named(self):
        action = {"id": {"actionCompleted": {"label": "//x:y"}}, "action": {"exitCode": 1}}
        lines = [json.dumps(action), json.dumps(action), event("//z", "FAILED")]
        self.assertEqual(self.failed(*lines), ("//x:y did not build", "//z failed"))

    def test_the_seed_is_the_one_that_is_set_or_follows_from_the_commit(self):
        with tempfile.TemporaryDirectory() as root:
            self.assertEqual(run_tests.seed_of({"CONTEXTD_SEED": "42"}, root), "42")
            self.assertIsNone(run_tests.seed_of({}, root), "no git, no commit")
            author = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
            self.git(root, "init", "--quiet")
            self.assertIsNone(run_tests.seed_of({}, root), "no commit yet")
            self.git(root, *author, "commit", "--quiet", "--allow-empty", "--message=one")
            first = self.git(root, "rev-parse", "HEAD")
            seed = run_tests.seed_of({"CONTEXTD_SEED": ""}, root)
            self.assertEqual(seed, str(int(first[:8], 16)))
            self.git(root, *author, "commit", "--quiet", "--allow-empty", "--message=two")
            self.assertNotEqual(run_tests.seed_of({}, root), seed)
            self.assertEqual(run_tests.seed_of({"CONTEXTD_SEED": "42"}, root), "42")

    def test_what_is_missing_for_a_script_skips_it_and_says_so(self):
        counts, out = self.told_where("Maven (maven)", CI="")
        self.assertEqual(counts, Counts(0, (), 1))
        self.assertEqual(out, "== clients/x: skipped, there is no Maven (maven)\n")

    def test_in_ci_nothing_is_skipped(self):
        counts, out = self.told_where("Maven (maven)", CI="true")
        text = "clients/x: there is no Maven (maven); where CI is set, nothing is skipped"
        self.assertEqual(counts, Counts(0, (text,), 0))
        self.assertEqual(out, "== clients/x: failed, there is no Maven (maven)\n")

    def test_a_script_that_needs_nothing_more_runs(self):
        counts, _ = self.told_where("", CI="")
        self.assertEqual(numbers(counts), (0, 1, 0), "'false' was run")

    def test_go_that_is_missing_or_too_old_is_told(self):
        for told, good in (("go1.23", True), ("go1.26.8", True), ("go1.19.8", False),
                           ("devel", False)):
            with self.subTest(told), mock.patch.dict(os.environ, PATH=self.tool("go", told)):
                self.assertEqual(run_tests.missing_go() == "", good)
        with mock.patch.dict(os.environ, PATH=""):
            self.assertIn("Go 1.23", run_tests.missing_go())

    def test_a_jdk_or_maven_that_is_missing_or_too_old_is_told(self):
        for told, missing in (("javac 17.0.15", "Maven"), ("javac 21", "Maven"),
                              ("javac 11.0.2", "JDK 17"), ("javac 1.8.0_292", "JDK 17")):
            with self.subTest(told), mock.patch.dict(os.environ, PATH=self.tool("javac", told)):
                self.assertIn(missing, run_tests.missing_java())
        with mock.patch.dict(os.environ, PATH=""):
            self.assertIn("JDK 17", run_tests.missing_java())
        both = self.tool("javac", "javac 17.0.15") + ":" + self.tool("mvn", "")
        with mock.patch.dict(os.environ, PATH=both):
            self.assertEqual(run_tests.missing_java(), "")

    def test_the_sources_that_start_threads_are_found(self):
        with tempfile.TemporaryDirectory() as root:
            for path, text in (
                ("tests/unit/a_test.cc", "  std::thread one(run);"),
                ("tests/unit/b_test.cc", "  cx_engine_start(engine);"),
                ("tests/unit/c_test.cc", "  // One thread."),
                ("tests/unit/d_test.py", "pthread_create"),
                ("tests/simulation/e.cc", "int pthread_create();"),
                ("core/engine/f.c", "    pthread_create();"),
                ("server/rpc/g.c", "    pthread_create();"),
                ("docs/h.c", "    pthread_create();"),
            ):
                os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
                with open(os.path.join(root, path), "w") as file:
                    file.write(text)
            self.assertEqual(
                run_tests.thread_starters(root),
                ["server/rpc/g.c", "tests/unit/a_test.cc", "tests/unit/b_test.cc"],
            )

    def test_the_lines_that_scripts_print_of_failures_are_told(self):
        for line in (
            "FAILED tests/test_x.py::test_y - AssertionError: no",
            "ERROR tests/test_x.py::test_y",
            "FAILED: every read is of a moment of its call",
            "seed 417: told what is not durable",
            "requests: FOUND SOMETHING (requests.log)",
        ):
            told = re.sub(r"^(FAILED|ERROR):? ", "", line)
            with self.subTest(line):
                self.assertEqual(
                    self.script(line + "\n1 failed, 2 passed", 1).failed, ("scripted: " + told,)
                )

    def test_what_a_test_logs_is_not_taken_for_a_failure(self):
        text = "ERROR    root:x.py:2 noise\nERROR noise\nFAILED x.py::y\n1 failed"
        self.assertEqual(self.script(text, 1).failed, ("scripted: x.py::y",))

    def test_a_script_that_names_nothing_is_told_with_its_last_line(self):
        self.assertEqual(self.script("3 passed, 2 failed", 1).failed,
                         ("scripted: 3 passed, 2 failed",) * 2)
        self.assertEqual(self.script("5 passed\nsrc/a.py:1: error: no\n", 7).failed,
                         ("scripted ended with 7: src/a.py:1: error: no",))

    def test_the_failures_are_the_last_lines_but_one_and_not_too_many(self):
        counts = Counts(7, tuple("//x:%d" % number for number in range(17)), 2)
        self.assertEqual(
            run_tests.closing_lines(counts),
            ["FAILED //x:%d" % number for number in range(15)]
            + ["and 2 more", "7 passed, 17 failed, 2 skipped"],
        )
        self.assertEqual(run_tests.closing_lines(Counts(7, (), 0)), ["7 passed, 0 failed"])


if __name__ == "__main__":
    unittest.main()
