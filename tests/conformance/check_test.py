"""What check.py tells of files that are wrong."""

import copy
import importlib.util
import pathlib
import unittest

_PATH = pathlib.Path(__file__).with_name("check.py")
_SPEC = importlib.util.spec_from_file_location("check", _PATH)
check = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(check)

WORDS = {
    "targets": {"context": ["context"], "client": []},
    "arguments": {"context": "", "key": "", "steps": "", "as": "", "times": ""},
    "results": {"entry": ["key", "value"]},
    "operations": {
        "get": {
            "calls": ["GetContext"],
            "target": "context",
            "takes": ["key"],
            "needs": ["key"],
            "gives": ["entry"],
        },
        "list": {"calls": ["List"], "target": "client", "gives": ["entries: entry", "count"]},
        "kill_server": {"calls": [], "target": "client"},
        "repeat": {"calls": [], "target": "client", "takes": ["times", "as", "steps"]},
        "in_order": {"calls": [], "target": "client", "takes": ["steps"]},
        "put": {"calls": [], "target": "context", "takes": ["key"]},
    },
    "errors": {"NotThere": {"reason": "NOT_THERE", "fields": ["version"]}},
}
GET = {"get": {"context": "c", "key": "k"}}
STEPS = [
    {**GET, "expect": {"value": "v"}, "save": {"v": "value"}},
    {**GET, "error": {"class": "NotThere", "version": 1}},
    {"list": {}, "expect": {"entries": [{"key": "k"}]}},
    {"repeat": {"times": 2, "steps": [GET]}},
    {"kill_server": {}},
    {"in_order": {"steps": [{"put": {"context": "c", "key": "k"}}]}},
]
CASE = {"id": "a-case", "server": {}, "steps": STEPS}
METHODS = {"GetContext", "List"}
REASONS = {"NOT_THERE"}


def breaches_of(steps=(), case=CASE, methods=METHODS, reasons=REASONS, must_fail=()):
    """The breaches of a case that has these steps too."""
    one = {**case, "steps": [*copy.deepcopy(case.get("steps", [])), *steps]}
    cases = {"cases/x.yaml": {"cases": [one]}}
    wrong = {"must_fail/y.yaml": {"cases": list(must_fail)}}
    unreached, check.UNREACHED = check.UNREACHED, {}
    try:
        return check.check(WORDS, cases, wrong, methods, reasons)
    finally:
        check.UNREACHED = unreached


class CheckTest(unittest.TestCase):
    def assert_told(self, what, breaches):
        self.assertEqual([what in breach for breach in breaches], [True], breaches)

    def test_only_writes_are_begun_in_order(self):
        inner = {"repeat": {"times": 1, "steps": [GET]}}
        self.assert_told("does no 'get'", breaches_of([{"in_order": {"steps": [inner]}}]))

    def test_the_tls_of_a_server_is_of_a_known_kind(self):
        self.assert_told("`tls` is one of", breaches_of(case={**CASE, "server": {"tls": "on"}}))
        self.assertEqual([], breaches_of(case={**CASE, "server": {"tls": "mutual"}}))

    def test_what_is_right_has_no_breach(self):
        self.assertEqual(breaches_of(), [])

    def test_words_that_nobody_knows_are_told(self):
        for step, what in (
            ({"fetch": {}}, "unknown operation 'fetch'"),
            ({"get": {"context": "c", "key": "k", "colour": 1}}, "takes no 'colour'"),
            ({"get": {"context": "c"}}, "needs 'key'"),
            ({"get": {"key": "k"}}, "needs a context"),
            ({**GET, "expect": {"size": 1}}, "gives no 'size'"),
            ({**GET, "save": {"x": "size.0"}}, "gives no 'size.0' to save"),
            ({**GET, "expect": {"value": {"$near": 1}}}, "unknown condition '$near'"),
            ({**GET, "expect": {"value": {"$gt": 1, "x": 2}}}, "fields and conditions"),
            ({**GET, "error": "Gone"}, "unknown class 'Gone'"),
            ({**GET, "error": {"version": 1}}, "an error has a class"),
            ({**GET, "error": {"class": "NotThere", "size": 1}}, "has no 'size'"),
            ({**GET, "list": {}}, "one operation"),
            ({"list": {}, "expect": {"entries": [{"size": 1}]}}, "has no 'size'"),
            ({**GET, "expect": {}, "error": "NotThere"}, "a result or an error"),
            ({"repeat": {"times": 1, "steps": [{"fetch": {}}]}}, "unknown operation 'fetch'"),
            ({"repeat": {"times": 1, "steps": []}, "expect": {}}, "has no result"),
        ):
            with self.subTest(what):
                self.assert_told(what, breaches_of([step]))

    def test_cases_that_are_not_as_they_should_be_are_told(self):
        shared = {key: value for key, value in CASE.items() if key != "server"}
        for case, what in (
            ({**CASE, "id": "Not So"}, "an id is words"),
            ({**CASE, "only_for": "go"}, "unknown word 'only_for'"),
            (shared, "needs a server of the case's own"),
        ):
            with self.subTest(what):
                self.assert_told(what, breaches_of(case=case))

    def test_an_id_that_is_there_twice_is_told(self):
        again = {"id": "a-case", "fails_at": 0, "steps": [GET]}
        self.assert_told("there twice", breaches_of(must_fail=[again]))

    def test_a_case_that_must_fail_says_where(self):
        nowhere = {"id": "b", "fails_at": 1, "steps": [GET]}
        self.assert_told("no step as `fails_at`", breaches_of(must_fail=[nowhere]))

    def test_a_method_without_steps_is_told(self):
        self.assert_told("calls the method Put", breaches_of(methods=METHODS | {"Put"}))

    def test_a_method_that_is_not_there_is_told(self):
        self.assert_told("calls List", breaches_of(methods={"GetContext"}))

    def test_a_reason_that_nobody_expects_is_told(self):
        told = breaches_of(reasons=REASONS | {"FULL"})
        self.assertIn("operations.yaml: no case expects the reason FULL", told)

    def test_an_operation_without_steps_is_told(self):
        steps = [step for step in STEPS if "list" not in step]
        told = breaches_of(case={**CASE, "steps": steps}, methods=METHODS)
        self.assertIn("operations.yaml: no case has a step 'list'", told)
        self.assertIn("operations.yaml: no step calls the method List", told)

    def test_the_list_of_what_is_left_out_gets_shorter(self):
        unreached, check.UNREACHED = check.UNREACHED, {"List": "old", "Gone": "older"}
        try:
            told = check.check(WORDS, {"x": {"cases": [CASE]}}, {}, METHODS, REASONS)
        finally:
            check.UNREACHED = unreached
        self.assertIn("check.py: List is reached: take it off the list", told)
        self.assertIn("check.py: there is no Gone", told)

    def test_methods_and_reasons_are_found_where_they_are_written(self):
        self.assertEqual(check.methods_of("  rpc Get(A) returns (B);\n// rpc No(A)"), {"Get"})
        self.assertEqual(check.reasons_of("| `GONE` | `NOT_FOUND` |  | x |\n"), {"GONE"})


if __name__ == "__main__":
    unittest.main()
