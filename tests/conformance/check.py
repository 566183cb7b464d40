#!/usr/bin/env python3
"""What must hold of the conformance cases; prints one line for each breach.

    tests/conformance/check.py

Every method of the API has steps, every reason that a client can provoke is expected
somewhere, every word is one of operations.yaml, every id is there once. What may be left
out is in UNREACHED, with the reason.
"""

import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "conformance"

# Methods and reasons without a case, and why.
UNREACHED = {
    "StreamUpdates": "clients send what is concurrent as BatchUpdateContexts",
    "Backup": "the server answers UNIMPLEMENTED: it has no backups yet",
    "VerifyStorage": "the server answers UNIMPLEMENTED: it has no verification yet",
    "MALFORMED_REQUEST": "a client sends only messages of the API",
    "HEAD_MOVED": "only where a context changes again and again during one call",
    "STREAM_STALLED": "readers that are slow go on by themselves",
    "STORAGE_FULL": "needs a disk that is full",
    "STORAGE_FAILED": "needs a disk that fails",
    "DAMAGED": "needs damage that the start of the server does not find",
    "OVERLOADED": "is repeated by the client; tests of each client with a made-up server",
    "NOT_SUPPORTED": "this server has all that its API offers to these clients",
    "NOT_READY": "is repeated by the client: the port is open only when the server is ready",
    "STOPPING": "is repeated by the client until the server is back",
}

STEP_KEYS = {"expect", "error", "save", "client"}
CASE_KEYS = {"id", "steps", "server"}
MUST_FAIL_KEYS = CASE_KEYS | {"fails_at", "says"}
STEPS_OF_STEPS = ("repeat", "concurrently", "begin", "in_order")
IN_ORDER = {"put", "append", "update", "repeat"}  # What in_order begins.
TLS_OF_SERVER = {"one_way", "mutual"}
CONDITIONS = {"$only", "$unordered", "$has", "$size", "$gt", "$gte", "$lt", "$lte", "$not",
              "$one_of", "$any"}
OF_SERVER = ("start_server", "kill_server", "stop_server", "restart_server")
FAILURE_FIELDS = {"class", "is", "reason", "status", "message", "details", "request_id"}
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def steps_in(steps):
    """Every step, with those inside of others."""
    for step in steps or []:
        yield step
        for operation in STEPS_OF_STEPS:
            if operation in step:
                yield from steps_in(step[operation].get("steps"))


class Checker:
    """Collects breaches, and what the cases use."""

    def __init__(self, words):
        self.words = words
        self.breaches = []
        self.used = {}  # Operations, and how often; also classes of failures.

    def tell(self, where, what):
        self.breaches.append("%s: %s" % (where, what))

    def count(self, name):
        self.used[name] = self.used.get(name, 0) + 1

    # ---- Cases and steps. ----

    def check_file(self, name, tree, seen, keys=frozenset(CASE_KEYS)):
        """Checks one file. `seen` are the ids so far."""
        if not isinstance(tree, dict) or set(tree) != {"cases"}:
            self.tell(name, "a file is a map of `cases`")
            return
        for case in tree["cases"]:
            where = "%s/%s" % (name, case.get("id"))
            if not ID.fullmatch(str(case.get("id", ""))):
                self.tell(where, "an id is words in lower case with hyphens between")
            if case.get("id") in seen:
                self.tell(where, "the id is there twice")
            seen.add(case.get("id"))
            for key in set(case) - keys:
                self.tell(where, "unknown word '%s'" % key)
            self.check_server(where, case.get("server"))
            if not case.get("steps"):
                self.tell(where, "it has no steps")
            for step in steps_in(case.get("steps")):
                self.check_step(where, step, "server" in case)

    def check_server(self, where, server):
        tls = (server or {}).get("tls")
        if tls is not None and tls not in TLS_OF_SERVER:
            self.tell(where, "a server's `tls` is one of %s" % sorted(TLS_OF_SERVER))

    def check_step(self, where, step, own_server):
        names = [key for key in step if key not in STEP_KEYS]
        if len(names) != 1:
            self.tell(where, "a step has one operation, not %s" % names)
            return
        name = names[0]
        if name not in self.words["operations"]:
            self.tell(where, "unknown operation '%s'" % name)
            return
        if name in OF_SERVER and not own_server:
            self.tell(where, "'%s' needs a server of the case's own" % name)
        if name in STEPS_OF_STEPS and set(step) != {name}:
            self.tell(where, "'%s' has no result: what is inside of it has" % name)
        if name == "in_order":
            self.check_in_order(where, step[name])
        if "error" in step and ("expect" in step or "save" in step):
            self.tell(where, "'%s' has a result or an error, not both" % name)
        operation = self.words["operations"][name]
        # A step that is refused by the client itself has not reached the method.
        self.count(name)
        self.check_arguments(where, name, operation, step[name] or {})
        self.check_error(where, step.get("error"))
        self.check_expect(where, name, operation, step)

    def check_in_order(self, where, arguments):
        for step in steps_in(arguments.get("steps")):
            for name in set(step) - STEP_KEYS - IN_ORDER:
                self.tell(where, "'in_order' does no '%s'" % name)

    def check_arguments(self, where, name, operation, arguments):
        known = set(operation.get("takes", [])) | set(self.words["targets"][operation["target"]])
        for key in set(arguments) - known:
            self.tell(where, "'%s' takes no '%s'" % (name, key))
        for key in set(operation.get("needs", [])) - set(arguments):
            self.tell(where, "'%s' needs '%s'" % (name, key))
        if operation["target"] == "context" and not {"context", "activation"} & set(arguments):
            self.tell(where, "'%s' needs a context" % name)

    def fields_of(self, operation):
        """The fields of a result: those of the records that it gives, and its own."""
        fields = set()
        gives = operation.get("gives", [])
        for given in gives:
            if len(gives) == 1 and given in self.words["results"]:
                fields |= set(self.words["results"][given])
            else:
                fields.add(given.partition(":")[0])
        return fields

    def check_expect(self, where, name, operation, step):
        fields = self.fields_of(operation)
        expected = step.get("expect", {})
        for key in set(expected) - fields if isinstance(expected, dict) else ():
            if not key.startswith("$"):
                self.tell(where, "'%s' gives no '%s'" % (name, key))
        for path in step.get("save", {}).values():
            if path and path.partition(".")[0] not in fields:
                self.tell(where, "'%s' gives no '%s' to save" % (name, path))
        self.check_lists(where, name, operation, expected)
        self.check_conditions(where, [step.get("expect"), step.get("error")])

    def check_lists(self, where, name, operation, expected):
        for given in operation.get("gives", []):
            field, _, record = given.partition(": ")
            rows = expected.get(field) if isinstance(expected, dict) else None
            for row in rows if record and isinstance(rows, list) else ():
                for key in set(row) - set(self.words["results"][record]):
                    self.tell(where, "a %s of '%s' has no '%s'" % (record, name, key))

    def check_conditions(self, where, tree):
        if isinstance(tree, dict):
            known = {key for key in tree if str(key).startswith("$")}
            if known and known != set(tree) and not any("${" in str(key) for key in known):
                self.tell(where, "fields and conditions in one map: %s" % sorted(map(str, tree)))
            for key in known - CONDITIONS:
                if not key.startswith("${"):
                    self.tell(where, "unknown condition '%s'" % key)
            for value in tree.values():
                self.check_conditions(where, value)
        elif isinstance(tree, list):
            for value in tree:
                self.check_conditions(where, value)
            for value in tree:
                if isinstance(value, dict) and isinstance(value.get("error"), (dict, str)):
                    self.check_error(where, value["error"])

    def check_error(self, where, error):
        if error is None:
            return
        error = {"class": error} if isinstance(error, str) else error
        name = error.get("class")
        if name is None:
            self.tell(where, "an error has a class")
            return
        for kind in name.get("$one_of", []) if isinstance(name, dict) else [name]:
            if kind not in self.words["errors"]:
                self.tell(where, "unknown class '%s'" % kind)
                continue
            self.count(kind)
            typed = set(self.words["errors"][kind].get("fields", []))
            for key in set(error) - FAILURE_FIELDS - typed:
                self.tell(where, "a %s has no '%s'" % (kind, key))

    # ---- What all of them reach. ----

    def check_reached(self, methods, reasons):
        """Every method has steps, and every reason is expected."""
        operations, errors = self.words["operations"], self.words["errors"]
        for name in operations:
            if not self.used.get(name):
                self.tell("operations.yaml", "no case has a step '%s'" % name)
        called = {m for name, one in operations.items() if name in self.used for m in one["calls"]}
        told = {errors[name].get("reason") for name in self.used if name in errors}
        for name in sorted(methods - called - set(UNREACHED)):
            self.tell("operations.yaml", "no step calls the method %s" % name)
        for name in sorted(reasons - told - set(UNREACHED)):
            self.tell("operations.yaml", "no case expects the reason %s" % name)
        for name in sorted(set(UNREACHED) & (called | told)):
            self.tell("check.py", "%s is reached: take it off the list" % name)
        for name in sorted(set(UNREACHED) - methods - reasons):
            self.tell("check.py", "there is no %s" % name)
        for name, operation in operations.items():
            for method in set(operation["calls"]) - methods:
                self.tell("operations.yaml", "'%s' calls %s, which is not there" % (name, method))
        given = {one["reason"] for one in errors.values() if "reason" in one}
        for name in sorted(reasons ^ given):
            self.tell("operations.yaml", "%s is in docs/errors.md or here, not in both" % name)

    def check_words(self):
        """The words of operations.yaml explain each other."""
        arguments = set(self.words["arguments"])
        taken = set()
        for name, operation in self.words["operations"].items():
            for key in operation.get("takes", []) + self.words["targets"][operation["target"]]:
                taken.add(key)
                if key not in arguments:
                    self.tell("operations.yaml", "'%s' takes an unknown '%s'" % (name, key))
            for given in operation.get("gives", []):
                record = given.partition(": ")[2]
                if record and record not in self.words["results"]:
                    self.tell("operations.yaml", "'%s' gives an unknown '%s'" % (name, record))
        for key in sorted(arguments - taken):
            self.tell("operations.yaml", "nothing takes '%s'" % key)


def methods_of(text):
    """The methods of a .proto file."""
    return set(re.findall(r"^\s*rpc (\w+)\(", text, re.MULTILINE))


def reasons_of(text):
    """The reasons of docs/errors.md."""
    return set(re.findall(r"^\| `([A-Z_]+)` \| `[A-Z_]+` \|", text, re.MULTILINE))


def check(words, cases, must_fail, methods, reasons):
    """Gives every breach. `cases` and `must_fail` are maps of names to trees."""
    checker = Checker(words)
    checker.check_words()
    seen = set()
    for name, tree in cases.items():
        checker.check_file(name, tree, seen)
    checker.check_reached(methods, reasons)
    return checker.breaches + check_must_fail(words, must_fail, seen)


def check_must_fail(words, must_fail, seen):
    """Cases that are wrong are written as the others are; their words may be wrong."""
    checker = Checker(words)
    for name, tree in must_fail.items():
        for case in tree["cases"]:
            where = "%s/%s" % (name, case.get("id"))
            if case.get("id") in seen:
                checker.tell(where, "the id is there twice")
            seen.add(case.get("id"))
            for key in set(case) - MUST_FAIL_KEYS:
                checker.tell(where, "unknown word '%s'" % key)
            if not 0 <= case.get("fails_at", -1) < len(case.get("steps", [])):
                checker.tell(where, "it says no step as `fails_at`")
    return checker.breaches


def read_folder(name):
    paths = sorted((HERE / name).glob("*.yaml"))
    return {"%s/%s" % (name, path.name): yaml.safe_load(path.read_text()) for path in paths}


def main():
    protos = sorted((ROOT / "proto" / "contextd" / "v1").glob("*.proto"))
    breaches = check(
        yaml.safe_load((HERE / "operations.yaml").read_text()),
        read_folder("cases"),
        read_folder("must_fail"),
        set().union(*(methods_of(path.read_text()) for path in protos)),
        reasons_of((ROOT / "docs" / "errors.md").read_text()),
    )
    for breach in breaches:
        print(breach)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
