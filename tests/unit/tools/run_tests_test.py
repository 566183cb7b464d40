#!/usr/bin/env python3
"""That tools/run-tests counts what its runners did, crashes included."""

import importlib.machinery
import importlib.util
import json
import os
import sys
import tempfile
import unittest


def load(path):
    loader = importlib.machinery.SourceFileLoader("run_tests", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_tests", loader))
    loader.exec_module(module)
    return module


run_tests = load(os.path.join(os.getcwd(), "tools", "run-tests"))
Counts = run_tests.Counts


def event(label, status, path=None):
    output = [{"name": "test.xml", "uri": "file://" + path}] if path else []
    return json.dumps(
        {
            "id": {"testResult": {"label": label}},
            "testResult": {"status": status, "testActionOutput": output},
        }
    )


class RunTestsTest(unittest.TestCase):
    def xml(self, cases):
        file = tempfile.NamedTemporaryFile("w", suffix=".xml", delete=False)
        self.addCleanup(os.unlink, file.name)
        with file:
            file.write("<testsuites><testsuite>%s</testsuite></testsuites>" % cases)
        return file.name

    def test_counts_the_cases_of_each_target(self):
        path = self.xml(
            '<testcase name="a"/><testcase name="b"><failure/></testcase>'
            '<testcase name="c"><skipped/></testcase><testcase name="d" status="notrun"/>'
        )
        self.assertEqual(run_tests.count_events([event("//x", "FAILED", path)]), Counts(1, 1, 2))

    def test_a_target_that_crashed_is_a_failure_also_without_cases(self):
        path = self.xml('<testcase name="a"/>')
        self.assertEqual(run_tests.count_events([event("//x", "FAILED", path)]), Counts(1, 1, 0))
        self.assertEqual(run_tests.count_events([event("//x", "TIMEOUT")]), Counts(0, 1, 0))

    def test_the_last_attempt_of_a_target_counts(self):
        path = self.xml('<testcase name="a"/>')
        lines = [event("//x", "FAILED"), event("//x", "PASSED", path)]
        self.assertEqual(run_tests.count_events(lines), Counts(1, 0, 0))

    def test_reads_the_closing_lines_of_other_runners(self):
        for line, counts in (
            ("====== 3 passed in 0.1s ======", Counts(3, 0, 0)),
            ("= 1 failed, 3 passed, 2 skipped in 1.02s =", Counts(3, 1, 2)),
            ("2 passed, 1 error in 1s", Counts(2, 1, 0)),
            ("12 passed, 0 failed", Counts(12, 0, 0)),
        ):
            with self.subTest(line):
                self.assertTrue(run_tests.CLOSING.match(line))
                self.assertEqual(run_tests.count_text(line), counts)
        self.assertFalse(run_tests.CLOSING.match("3 passengers failed"))

    def test_a_script_that_fails_without_a_word_is_a_failure(self):
        script = [sys.executable, "-c", "print('5 passed in 1s'); raise SystemExit(%d)"]
        self.assertEqual(run_tests.run_script(script[:2] + [script[2] % 0]), Counts(5, 0, 0))
        twice = [sys.executable, "-c", "print('5 passed in 1s\\n1 failed, 2 passed in 1s')"]
        self.assertEqual(run_tests.run_script(twice), Counts(7, 1, 0))
        self.assertEqual(run_tests.run_script(script[:2] + [script[2] % 1]), Counts(5, 1, 0))


if __name__ == "__main__":
    unittest.main()
