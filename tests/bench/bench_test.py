#!/usr/bin/env python3
"""What the benchmark promises: it looks at what was stored, and says what is wrong."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, FOLDER)
sys.dont_write_bytecode = True

# pylint: disable=wrong-import-position
import report
import servers
from measure import Noise, Series, Slice, Workload, measure

ROOT = os.path.dirname(os.path.dirname(FOLDER))
CONTEXTS = 50


class BenchTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        contextd = os.path.join(ROOT, "server", "contextd")
        self.server = servers.Contextd("contextd", self.folder.name, contextd)
        self.server.start()
        self.addCleanup(self.server.kill)
        self.workload = Workload(os.path.join(FOLDER, "load"), CONTEXTS, 10, 200, seed=1)
        self.workload.fill(self.server, "create")

    def test_every_kind_of_load_stores_what_it_says(self):
        for kind, options in (
            ("update", {"in_flight": 8}),
            ("batch", {"in_flight": 4, "per_request": 7}),
            ("stream", {"in_flight": 16, "streams": 4}),
            ("stream", {"in_flight": 4, "per_request": 20}),
        ):
            self.workload.run(self.server, kind, requests=200, **options)
        self.assertGreater(self.server.updates, 200 * (1 + 7 + 20))
        self.workload.check(self.server)

    def test_an_update_that_nobody_counted_is_found(self):
        self.workload.run(self.server, "update", requests=10)
        self.server.updates -= 1
        with self.assertRaisesRegex(servers.BenchError, "500 entries in 60 versions"):
            self.workload.check(self.server)

    def test_a_value_in_the_wrong_place_is_found(self):
        other = Workload(self.workload.load, CONTEXTS, 10, 201, seed=1)
        other.run(self.server, "update", requests=1)
        with self.assertRaisesRegex(servers.BenchError, "does not hold what was stored"):
            self.workload.check(self.server)

    def test_a_call_that_fails_is_told(self):
        more = Workload(self.workload.load, 10 * CONTEXTS, 10, 200, seed=1)
        with self.assertRaisesRegex(servers.BenchError, "NOT_FOUND CONTEXT_NOT_FOUND"):
            more.run(self.server, "update", requests=100)
        with self.assertRaisesRegex(servers.BenchError, "failed"):
            more.run(self.server, "batch", requests=10, per_request=50)

    def test_a_slice_says_what_the_server_and_the_others_used(self):
        item = measure(self.workload, self.server, "get", 0.2, in_flight=4)
        self.assertGreater(item.rate, 0)
        self.assertGreater(item.cpu_us, 0)
        self.assertGreaterEqual(item.noise.foreign, 0)


class RecoveryTest(unittest.TestCase):
    """The part of the benchmark that has no server."""

    PARTS = {
        "fork": ["entries=100", "rounds=3"],
        "diff": ["entries=100", "rounds=3"],
        "change": ["entries=100", "rounds=3", "points=100"],
        "conversation": [],
        "pages": ["entries=10", "rounds=3", "points=2000"],
        "churn": ["entries=10", "rounds=2000"],
        "update": ["rounds=3"],
    }

    def run_part(self, name, options):
        with tempfile.TemporaryDirectory() as folder:
            command = [os.path.join(FOLDER, "recovery"), name, folder] + options
            return subprocess.run(command, stdout=subprocess.PIPE, check=False)

    def test_every_part_tells_what_the_report_shows(self):
        found = {"fork_entries": 100, "state_entries": 100, "churned": 2000}
        found.update(seconds=1, load_average=1)
        for name, options in self.PARTS.items():
            found[name] = json.loads(self.run_part(name, options).stdout)
        lines = list(report.report_lines({"recovery": found}))
        self.assertTrue(any("fork of 100 entries" in line for line in lines))
        self.assertEqual("recovery", next(iter(report.to_json({"recovery": found}))))

    def test_what_is_not_as_it_should_be_ends_the_part(self):
        # A chain of 1,000 needs as many points.
        self.assertEqual(1, self.run_part("pages", ["entries=10", "points=100"]).returncode)


class ReportTest(unittest.TestCase):
    @staticmethod
    def series(*rates):
        slices = []
        for rate in rates:
            result = {"operations": rate, "total": rate, "seconds": 1, "p50_us": 1, "p99_us": 2}
            slices.append(Slice(result, 1, Noise()))
        return Series(slices)

    def test_ratios_are_taken_round_by_round(self):
        self.assertEqual([0.5, 2], self.series(10, 400).ratios(self.series(20, 200)))

    def test_a_goal_is_marked_by_what_it_reaches(self):
        marks = [report.Goal("more", value, 2, 3).mark for value in (1, 2, 3)]
        self.assertEqual(["BELOW", "pass", "hoped"], marks)
        marks = [report.Goal("less", value, 3, 2, most=True).mark for value in (4, 3, 2)]
        self.assertEqual(["BELOW", "pass", "hoped"], marks)


if __name__ == "__main__":
    unittest.main()
