#!/usr/bin/env python3
"""`ctxctl watch` against a real server: what it selects, where it begins and how it ends,
and that nothing is lost or repeated when the server is not there for a while."""

import base64
import json
import os
import random
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests", "integration"))

from ctxctl_case import CTXCTL, LIMIT, NOT_FOUND, OK, USAGE, CtxctlTestCase  # noqa: E402
from server_process import Server  # noqa: E402

RETAINED = ("--from", "oldest", "--until-caught-up")


class Watch:
    """A watch that runs beside the test, and what it prints line by line."""

    def __init__(self, case, *words):
        self.process = subprocess.Popen([CTXCTL, "-n", case.space, "watch", *words],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=case.environment())
        case.addCleanup(self.end)

    def line(self):
        return self.process.stdout.readline().decode()

    def event(self):
        return json.loads(self.line())

    def error(self):
        return self.process.stderr.readline().decode()

    def end(self, number=signal.SIGTERM):
        """Ends it, and returns its exit code and what it had not printed before."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        if self.process.stdout.closed:
            return self.process.wait(), "", ""
        out, err = self.process.communicate()
        return self.process.returncode, out.decode(), err.decode()


class WatchTestCase(CtxctlTestCase):
    def watch(self, *words, code=OK):
        """The objects that a watch prints which ends by itself."""
        result = self.ctl("watch", "-o", "json", *words, code=code)
        return [json.loads(line) for line in result.text.splitlines()]

    def told(self, *words):
        """Type and subject of the events that are retained."""
        return [(event["type"], (event.get("context") or event["session"])["id"])
                for event in self.watch(*RETAINED, *words)]

    def watch_from_now(self, *words):
        """A watch that is sure to be told of what is done next."""
        watch = Watch(self, "--progress", "-o", "json", *words)
        self.assertEqual(watch.event()["type"], "caught_up")
        return watch


class WatchTest(WatchTestCase):
    def test_each_change_is_shown_as_it_happens(self):
        watch = Watch(self, "--progress")
        self.assertTrue(watch.line().startswith("caught_up "))
        self.ctl("create", "a", "--type", "chat", "--label", "user=ada", "--put", "goal=a hotel")
        self.assertRegex(watch.line(), r"^20..-..-.. ..:..:..Z  created {17}a +v1 r\d+ +"
                                       r"type chat, label user=ada, put goal=a hotel \(7 B\)\n$")
        session = self.ctl("session", "start", "--owner", "bob").text.strip()
        self.assertRegex(watch.line(), r"  session_started {9}%s  r\d+ +owner bob\n$" % session)
        self.ctl("update", "a", "--delete", "goal", "--label", "stage=draft", "--session", session)
        self.assertRegex(watch.line(), r"  updated {17}a +v2 r\d+ +"
                                       r"delete goal, label stage=draft by %s\n$" % session)
        self.ctl("record", "a", "booked", "--type", "note")
        self.assertRegex(watch.line(), r"  activity {16}a +v2 r\d+ +record 1 note booked\n$")
        self.ctl("activate", "a", "--session", session, "--exclusive")
        self.assertRegex(watch.line(), r"  activated {15}a .* exclusive, fence 1 by %s\n$"
                         % session)
        self.ctl("history", "truncate", "a", "--keep-from", "2")
        self.assertRegex(watch.line(), r"  history_trimmed {9}a +v2 r\d+ +1\n$")
        self.ctl("session", "end", session)
        self.assertRegex(watch.line(), r"  deactivated {13}a +v2 r\d+ +by %s\n$" % session)
        self.assertRegex(watch.line(), r"  session_ended {11}%s  r\d+ +owner bob\n$" % session)
        self.ctl("delete", "a")
        self.assertRegex(watch.line(), r"  deleted {17}a +v2 r\d+ +0 entries, 0 B\n$")
        code, out, err = watch.end()
        self.assertEqual((code, out), (OK, ""))
        self.assertRegex(err, r"^watch: to go on: --from \S+\n$")

    def test_conditions_select(self):
        self.ctl("create", "a1", "--type", "chat", "--label", "user=ada", "--put", "m/1=x")
        self.ctl("create", "a2", "--type", "chat", "--put", "n/1=x")
        self.ctl("create", "b", "--type", "plan", "--label", "user=ada", "--label", "x=1")
        self.ctl("put", "a2", "m/2", "x")
        self.ctl("update", "a1", "--unlabel", "user")
        self.ctl("put", "a1", "n/1", "x")
        self.ctl("delete", "b")
        session = self.ctl("session", "start").text.strip()
        self.ctl("session", "end", session)
        created = [("created", name) for name in ("a1", "a2", "b")]
        everything = [*created, ("updated", "a2"), ("updated", "a1"), ("updated", "a1"),
                      ("deleted", "b"), ("session_started", session), ("session_ended", session)]
        self.assertEqual(self.told(), everything)
        for words, expected in (
            (("b", "none"), [("created", "b"), ("deleted", "b")]),
            (("--prefix", "a"), [*created[:2], *everything[3:6]]),
            (("--type", "plan"), [("created", "b"), ("deleted", "b")]),
            (("--label", "user=ada"), [created[0], created[2], ("updated", "a1"),
                                       ("deleted", "b")]),
            (("--label", "user=ada", "--label", "x=1"), [("created", "b"), ("deleted", "b")]),
            (("--event", "deleted", "--event", "session_ended"), [everything[6], everything[8]]),
            (("--prefix", "a", "--key-prefix", "m/"), [created[0], ("updated", "a2"),
                                                       ("updated", "a1")]),
            (("--type", "none"), []),
        ):
            with self.subTest(words):
                self.assertEqual(self.told(*words), expected)
        without = self.watch(*RETAINED, "a1", "--no-values")
        self.assertEqual(without[0]["mutations"], [{"put_entry": {"key": "m/1"}}])

    def test_it_begins_where_it_is_told_to(self):
        for i in range(5):
            self.ctl("put", "a", "k", str(i), "--create")
        events = self.watch(*RETAINED)
        self.assertEqual(len(events), 5)
        for i, event in enumerate(events):
            rest = self.watch("--from", event["cursor"], "--until-caught-up")
            self.assertEqual(rest, events[i + 1:])
        self.assertEqual(self.watch("--from", "now", "--until-caught-up"), [])
        self.assertEqual(self.watch("--until-caught-up"), [])
        counted = self.ctl("watch", "--from", "oldest", "--count", "2")
        self.assertEqual(counted.text.count("\n"), 2)
        cursor = counted.err.split("--from ")[1].strip()
        self.assertEqual(cursor, events[1]["cursor"])
        self.ctl("watch", "--from", "nonsense", code=USAGE)
        self.ctl("watch", "\n", code=USAGE)

    def test_a_snapshot_shows_what_is_and_then_what_happens(self):
        names = ["c%02d" % i for i in range(20)]
        for name in names:
            self.ctl("create", name, "--put", "k=" + name, "--put", "m/1=x")
        self.ctl("delete", names.pop())
        words = ("--snapshot", "-o", "json", "--progress", "--key-prefix", "k")
        watch = Watch(self, *words)
        shown = []
        while not shown or shown[-1]["type"] != "caught_up":
            shown.append(watch.event())
        snapshots = [event for event in shown if event["type"] == "snapshot"]
        self.assertEqual(sorted(event["context"]["id"] for event in snapshots), names)
        for event in snapshots:
            name = event["context"]["id"]
            self.assertEqual(event["entries"], [{"key": "k", "value": name, "version": 1}])
            self.assertEqual(event["context"]["entry_count"], 2)
        self.ctl("put", "c03", "k", "new")
        self.assertEqual(watch.event()["mutations"], [{"put_entry": {"key": "k", "value": "new"}}])
        watch.end()
        begun = self.ctl("watch", "--snapshot", "--count", "7", "-o", "json")
        first = {json.loads(line)["context"]["id"] for line in begun.text.splitlines()}
        rest = self.watch("--from", json.loads(begun.err)["cursor"], "--until-caught-up")
        self.assertEqual(sorted(first | {event["context"]["id"] for event in rest}), names)
        self.assertEqual(len(first) + len(rest), len(names))

    def test_a_large_event_comes_in_parts_and_counts_as_one(self):
        watch = self.watch_from_now("--count", "2")
        self.ctl("create", "a", *("--put=k%02d=%s" % (i, "x" * 5000) for i in range(40)))
        parts = [watch.event()]
        while parts[-1].get("more"):
            parts.append(watch.event())
        self.assertGreater(len(parts), 1)
        keys = [each["put_entry"]["key"] for part in parts for each in part["mutations"]]
        self.assertEqual(keys, ["k%02d" % i for i in range(40)])
        rest = self.watch("--from", parts[0]["cursor"], "--until-caught-up")
        self.assertEqual(rest, parts[1:])
        self.ctl("update", "a", *("--put=k%02d=%s" % (i, "y" * 100000) for i in range(12)))
        reset = watch.event()
        self.assertTrue(reset["reset"])
        self.assertNotIn("mutations", reset)
        self.assertEqual(watch.process.wait(), OK)
        self.assertIn("reset: read it anew",
                      self.ctl("watch", "--from", parts[-1]["cursor"], "--until-caught-up").text)

    def test_a_signal_ends_it_with_the_cursor_to_go_on_with(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            watch = Watch(self, "--progress")
            watch.line()
            self.ctl("put", "a", "k", "1", "--create")
            self.assertIn("k=1", watch.line())
            code, out, err = watch.end(number)
            self.assertEqual((code, out), (OK, ""))
            self.ctl("put", "a", "k", "2")
            cursor = err.split("--from ")[1].strip()
            rest = self.watch("--from", cursor, "--until-caught-up")
            self.assertEqual([event["mutations"][0]["put_entry"]["value"] for event in rest], ["2"])

    def test_it_ends_quietly_with_its_reader(self):
        self.ctl("create", "a")
        watch = Watch(self, "--from", "oldest")
        self.assertIn("created", watch.line())
        watch.process.stdout.close()
        self.assertEqual(watch.process.wait(), OK)
        self.assertEqual(watch.process.stderr.read(), b"")
        watch.process.stderr.close()


def bytes_of(value):
    """A value as JSON has it."""
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value.encode()


def apply(entries, labels, mutation):
    """Does to a view what a step did to the context."""
    (kind, body), = mutation.items()
    if kind == "put_entry":
        entries[body["key"]] = bytes_of(body["value"])
    elif kind == "append_entry":
        entries[body["key"]] = entries.get(body["key"], b"") + bytes_of(body["value"])
    elif kind == "splice_entry":
        kept = entries[body["key"]][:body["kept_size"]]
        assert len(kept) == body["kept_size"]
        entries[body["key"]] = kept + bytes_of(body["value"])
    elif kind == "delete_entry":
        entries.pop(body["key"], None)
    elif kind == "delete_entries":
        for key in [key for key in entries if key.startswith(body["prefix"])]:
            del entries[key]
    elif kind == "set_metadata":
        labels[body["key"]] = body["value"]
    elif kind == "delete_metadata":
        labels.pop(body["key"], None)
    else:
        raise AssertionError(kind)


class ViewTest(WatchTestCase):
    def change(self, seed):
        """Changes something."""
        name, key = seed.choice("ab"), seed.choice(("k", "p/1", "p/2", "q"))
        step = seed.randrange(8)
        if step < 3:
            value = seed.randbytes(seed.choice((0, 1, 100, 20000)))
            self.ctl("put", name, key, "-", "--create", stdin=value)
        elif step == 3:
            grown = self.run_ctxctl("-n", self.space, "get", name, key).out + b"more"
            self.ctl("put", name, key, "-", "--create", stdin=grown)
        elif step == 4:
            self.ctl("append", name, key, "and more", "--create")
        elif step == 5:
            self.run_ctxctl("-n", self.space, "delete-entry", name, "q", "--prefix", "p/")
        elif step == 6:
            label = "l=%d" % seed.randrange(100)
            self.run_ctxctl("-n", self.space, "update", name, "--label", label)
        else:
            self.ctl("delete", name, "--allow-missing")

    def test_scripts_can_rebuild_every_context_from_its_events(self):
        number = random.randrange(1 << 32)
        print("seed", number, file=sys.stderr)
        seed = random.Random(number)
        for _ in range(60):
            self.change(seed)
        for tail in (b"", b"more", b"more and more"):
            self.ctl("put", "a", "k", "-", "--create", stdin=b"x" * 20000 + tail)
        view = {}
        kinds = set()
        for event in self.watch(*RETAINED):
            name = event["context"]["id"]
            if event["type"] == "created":
                view[name] = ({}, dict(event["context"]["metadata"]))
            if event["type"] == "deleted":
                del view[name]
            for mutation in event.get("mutations", []):
                kinds.update(mutation)
                apply(*view[name], mutation)
        shown = {}
        for context in self.ctl("list", "-o", "json").json["contexts"]:
            whole = self.ctl("get", context["id"], "-o", "json").json
            shown[context["id"]] = ({entry["key"]: bytes_of(entry["value"])
                                     for entry in whole["entries"]}, whole["metadata"])
        self.assertEqual(view, shown)
        self.assertIn("splice_entry", kinds)


class RestartTest(WatchTestCase):
    def test_nothing_is_lost_or_repeated_when_the_server_was_away(self):
        watch = self.watch_from_now()
        for i in range(40):
            self.ctl("put", "c%d" % (i % 3), "k", str(i), "--create")
            if i % 8 == 5:
                self.restart(Server.kill)
            elif i % 8 == 7:
                self.restart(Server.stop)
        values = []
        cursors = []
        while len(values) < 40:
            event = watch.event()
            cursors.append(event["cursor"])
            if event["type"] not in ("caught_up", "progress"):
                values.append(event["mutations"][0]["put_entry"]["value"])
        self.assertEqual(values, [str(i) for i in range(40)])
        self.ctl("put", "last", "k", "v", "--create")
        event = watch.event()
        while event["type"] != "created":
            self.assertIn(event["type"], ("caught_up", "progress"))
            event = watch.event()
        self.assertEqual(event["context"]["id"], "last")
        code, _, err = watch.end()
        self.assertEqual(code, OK)
        notices = [json.loads(line) for line in err.splitlines()]
        self.assertEqual([notice["watch"] for notice in notices],
                         ["lost", "resumed"] * (len(notices) // 2) + ["ended"])
        self.assertGreater(len(notices), 1)
        self.assertEqual(notices[-1]["cursor"], event["cursor"])
        for notice in notices[:-1:2]:
            self.assertIn(notice["cursor"], [*cursors, notices[0]["cursor"]])

    def test_people_are_told_that_the_server_was_away(self):
        watch = Watch(self, "--progress")
        watch.line()
        self.ctl("put", "a", "k", "1", "--create")
        self.assertIn("k=1", watch.line())
        self.restart(Server.stop)
        self.assertRegex(watch.error(), r"^watch: connection lost, resuming behind \S+ \(\w+\)\n$")
        self.assertEqual(watch.error(), "watch: resumed\n")
        self.assertRegex(watch.line(), "^caught_up ")
        self.ctl("put", "a", "k", "2")
        self.assertIn("k=2", watch.line())

    def test_a_snapshot_goes_on_where_it_was(self):
        names = {"c%02d" % i for i in range(30)}
        for name in names:
            self.ctl("create", name, "--put", "k=" + "x" * 100000)
        watch = Watch(self, "--snapshot", "-o", "json", "--until-caught-up")
        first = watch.event()["context"]["id"]  # And it waits until more is read.
        self.restart(Server.kill)
        shown = [first]
        for line in watch.process.stdout:
            shown.append(json.loads(line)["context"]["id"])
        self.assertEqual(sorted(shown), sorted(names))
        self.assertEqual(watch.end()[0], OK)


class RetentionTest(WatchTestCase):
    flags = ("--feed-retention-age", "1s")

    def go_on(self, cursor):
        return self.run_ctxctl("-n", self.space, "watch", "--from", cursor, "--until-caught-up")

    def test_what_is_no_longer_retained_is_refused_with_what_to_type(self):
        now = Watch(self, "--progress", "-o", "json")
        cursor = now.event()["cursor"]
        now.end()
        self.ctl("create", "a")
        while True:
            result = self.go_on(cursor)
            if result.code != OK:
                break
            self.ctl("put", "a", "k", "2")
        while result.code != OK:  # Again, where what was named is gone before one goes there.
            self.assertEqual(result.code, NOT_FOUND, result.err)
            self.assertIn("(CURSOR_COMPACTED). `--from ", result.err)
            result = self.go_on(result.err.split("`--from ")[1].split("`")[0])


class LimitTest(WatchTestCase):
    flags = ("--subscriptions-max", "1")

    def test_one_watch_too_many_is_refused(self):
        watch = self.watch_from_now()
        self.assertIn("subscriptions_max", self.ctl("watch", code=LIMIT).err)
        watch.end()


if __name__ == "__main__":
    unittest.main()
