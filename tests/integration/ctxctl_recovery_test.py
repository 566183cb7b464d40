#!/usr/bin/env python3
"""The commands of recovery against a real server: points and their tree, restores, forks,
differences, merges, what a copy lacks, and policies."""

import json
import os
import re
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests", "integration"))

from ctxctl_case import NOT_FOUND, OK, REFUSED, USAGE, CtxctlTestCase  # noqa: E402
from server_process import Server  # noqa: E402


class RecoveryTestCase(CtxctlTestCase):
    def json(self, *words, code=OK):
        return self.ctl(*words, "-o", "json", code=code).json

    def entries(self, name, *words):
        """The values of a context, by key."""
        return {entry["key"]: entry["value"]
                for entry in self.json("get", name, *words)["entries"]}

    def points(self, *words):
        return self.json("points", *words)["recovery_points"]

    def point_ids(self, *words):
        return [point["id"] for point in self.points(*words)]


class PointTest(RecoveryTestCase):
    def test_a_point_keeps_the_state_of_a_context(self):
        self.ctl("create", "a", "--put", "goal=hotel", "--label", "stage=draft")
        made = self.ctl("point", "create", "a", "p1", "--set-label", "by=test", "--pin")
        self.assertEqual(made.text, "a has point p1 of version 1\n")
        self.ctl("put", "a", "goal", "tent")
        self.assertEqual(self.ctl("get", "a", "goal", "--point", "p1").out, b"hotel")
        shown = self.json("point", "show", "a", "p1", "--entries", "--attachments")
        self.assertEqual(shown["entries"], [{"key": "goal", "value": "hotel", "version": 1}])
        self.assertEqual(shown["attachments"], [])
        self.assertEqual(shown["metadata"], {"by": "test"})
        self.assertEqual((shown["version"], shown["sequence"], shown["pinned"], shown["origin"]),
                         (1, 1, True, "client"))
        self.assertNotIn("parent_id", shown)
        self.assertIn("pinned    yes\n", self.ctl("point", "show", "a").text)
        again = self.ctl("point", "create", "a", "p1", code=REFUSED)
        self.assertIn("(RECOVERY_POINT_EXISTS)", again.err)
        pinned = self.ctl("point", "create", "a", "p1", "--replace", code=REFUSED)
        self.assertIn("--unpin", pinned.err)

    def test_the_server_makes_an_id_up_where_there_is_none(self):
        self.ctl("create", "a")
        made = self.json("point", "create", "a")
        self.assertEqual(self.point_ids("a"), [made["recovery_point"]["id"]])
        self.assertEqual(made["version"], 1)

    def test_a_point_is_made_on_top_of_another(self):
        self.ctl("create", "a", "--put", "k=1", "--put", "p/1=x", "--put", "q=y")
        self.ctl("point", "create", "a", "p1")
        self.ctl("put", "a", "k", "2")
        self.ctl("point", "create", "a", "p2", "--from", "p1", "--put", "k=3", "--delete", "q",
                 "--delete-prefix", "p/", "--put", "new=z")
        shown = self.json("point", "show", "a", "p2", "--entries")
        self.assertEqual({entry["key"]: entry["value"] for entry in shown["entries"]},
                         {"k": "3", "new": "z"})
        self.assertEqual(shown["parent_id"], "p1")
        self.assertEqual(self.entries("a")["k"], "2")
        self.ctl("point", "create", "a", "p3", "--from", "p2", "--put", "k=4", "--move-head")
        self.assertEqual(self.entries("a"), {"k": "4", "new": "z"})

    def test_attachments_come_from_anywhere(self):
        self.ctl("create", "a")
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"\xff\x00")
            file.flush()
            self.ctl("point", "create", "a", "p", "--attach", "x=1", "--attach", "y=@" + file.name,
                     "--attach", "z=@@home", "--attach", "w=@-", stdin=b"from stdin")
        shown = self.json("point", "show", "a", "--attachments")["attachments"]
        self.assertEqual({each["key"]: each["value"] for each in shown},
                         {"x": "1", "y": {"base64": "/wA="}, "z": "@home", "w": "from stdin"})
        self.ctl("point", "update", "a", "p", "--attach", "x=2", "--attach-new", "z=no",
                 "--attach-new", "v=yes", "--detach", "y")
        shown = self.json("point", "show", "a", "p", "--attachments", "--key", "x", "--key", "z",
                          "--key", "v")["attachments"]
        self.assertEqual({each["key"]: each["value"] for each in shown},
                         {"x": "2", "z": "@home", "v": "yes"})

    def test_attachments_may_come_before_their_point(self):
        self.ctl("create", "a")
        self.ctl("point", "update", "a", "p", "--attach", "k=v", code=NOT_FOUND)
        early = self.ctl("point", "update", "a", "p", "--attach", "k=v", "--allow-missing")
        self.assertEqual(early.text, "a has no point p yet: the attachments are kept for it\n")
        self.assertEqual(self.point_ids("a"), [])
        self.ctl("point", "create", "a", "p")
        shown = self.json("point", "show", "a", "p", "--attachments")["attachments"]
        self.assertEqual(shown, [{"key": "k", "value": "v"}])

    def test_what_lies_beside_a_state_can_change(self):
        self.ctl("create", "a")
        self.ctl("point", "create", "a", "p", "--set-label", "x=1", "--set-label", "y=2",
                 "--ttl", "1h")
        self.assertIn("expire_time", self.points("a")[0])
        self.ctl("point", "update", "a", "p", "--set-label", "x=3", "--unset-label", "y",
                 "--no-expiry", "--pin")
        point = self.points("a")[0]
        self.assertEqual((point["metadata"], point["pinned"]), ({"x": "3"}, True))
        self.assertNotIn("expire_time", point)
        self.ctl("point", "update", "a", "p", "--unpin", "--ttl", "2h")
        point = self.points("a")[0]
        self.assertFalse(point["pinned"])
        self.assertIn("expire_time", point)

    def test_a_point_is_dropped_when_its_time_is_over(self):
        self.ctl("create", "a")
        self.ctl("point", "create", "a", "p", "--ttl", "100ms")
        while self.point_ids("a"):
            time.sleep(0.05)

    def test_lists_are_newest_first_and_select(self):
        self.ctl("create", "a")
        self.ctl("create", "b")
        for number in range(1, 6):
            self.ctl("put", "a", "k", str(number))
            self.ctl("point", "create", "a", "p%d" % number, "--set-label",
                     "odd=%d" % (number % 2))
        self.ctl("point", "create", "b", "q", "--set-label", "odd=1")
        self.assertEqual(self.point_ids("a"), ["p5", "p4", "p3", "p2", "p1"])
        self.assertEqual(self.point_ids("a", "--before", "p3"), ["p2", "p1"])
        self.assertEqual(self.point_ids("a", "--label", "odd=1"), ["p5", "p3", "p1"])
        self.assertEqual(self.point_ids("a", "--ancestors-of", "p3"), ["p2", "p1"])
        self.assertEqual(self.point_ids(), ["q", "p5", "p4", "p3", "p2", "p1"])
        self.assertEqual(self.point_ids("--prefix", "b"), ["q"])
        cut = self.ctl("points", "a", "--limit", "2")
        self.assertEqual(cut.text.count("\n"), 3)
        self.assertIn("There are more", cut.err)
        self.ctl("points", "none", code=NOT_FOUND)
        self.ctl("points", "a", "--before", "none", code=NOT_FOUND)

    def test_deletes_and_prunes_drop_points(self):
        self.ctl("create", "a")
        for number in range(1, 11):
            self.ctl("point", "create", "a", "p%02d" % number)
        self.ctl("point", "update", "a", "p03", "--pin", "--set-label", "tmp=1")
        self.ctl("point", "update", "a", "p04", "--set-label", "tmp=1")
        self.ctl("point", "delete", "a", "p01", "p02")
        self.ctl("point", "delete", "a", "p01", code=NOT_FOUND)
        rules = ("a", "--keep-last", "2", "--keep-every", "5")
        would = self.ctl("point", "prune", *rules, "--dry-run")
        self.assertEqual(would.text, "4 points would be dropped, and 4 kept\n")
        self.assertEqual(len(self.points("a")), 8)
        self.assertEqual(self.json("point", "prune", *rules),
                         {"removed_count": 4, "kept_count": 4, "dry_run": False})
        self.assertEqual(self.point_ids("a"), ["p10", "p09", "p05", "p03"])
        self.ctl("point", "prune", "a", "--label", "tmp=1")
        self.assertEqual(self.point_ids("a"), ["p10", "p09", "p05", "p03"])
        self.ctl("point", "update", "a", "p03", "--unpin")
        self.ctl("point", "prune", "--prefix", "a", "--label", "tmp=1")
        self.assertEqual(self.point_ids("a"), ["p10", "p09", "p05"])
        self.assertEqual(self.json("point", "prune", "a", "--keep-within", "1h")["removed_count"],
                         0)
        self.ctl("point", "prune", "a", code=USAGE)

    def test_writes_hold_their_conditions(self):
        self.ctl("create", "a")
        self.ctl("point", "create", "a", "p", "--if-version", "2", code=REFUSED)
        self.ctl("point", "create", "a", "p", "--if-version", "1")
        self.ctl("point", "create", "b", "p", code=NOT_FOUND)
        self.ctl("point", "create", "b", "p", "--create")
        self.ctl("restore", "a", "--to", "p", "--if-version", "2", code=REFUSED)
        self.ctl("point", "show", "a", "none", code=NOT_FOUND)
        self.ctl("create", "c")
        self.assertIn("(NO_RECOVERY_POINTS)", self.ctl("point", "show", "c", code=NOT_FOUND).err)
        self.ctl("point", "create", "a", "bad\nid", code=USAGE)


class LogTest(RecoveryTestCase):
    def lines(self, *words):
        """What the log shows, without the times."""
        text = self.ctl("log", *words).text
        return re.sub(r"  \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", "", text)

    def test_the_log_draws_where_points_came_from(self):
        self.ctl("create", "a", "--put", "k=1")
        self.ctl("point", "create", "a", "one")
        self.ctl("point", "create", "a", "two", "--from", "one", "--put", "k=2", "--pin")
        self.ctl("point", "create", "a", "three", "--from", "one", "--put", "k=3", "--set-label",
                 "x=y")
        self.ctl("point", "create", "a", "four", "--from", "two", "--put", "k=4")
        versions = {point["id"]: point["version"] for point in self.points("a")}
        self.assertEqual(self.lines("a"),
                         "* four  v%(four)d  client\n"
                         "| * three  v%(three)d  client  x=y\n"
                         "* | two  v%(two)d  client  pinned\n"
                         "|/\n"
                         "* one (head)  v%(one)d  client\n" % versions)
        self.ctl("put", "a", "k", "5")
        head = self.json("get", "a")["version"]
        self.assertEqual(self.lines("a").splitlines()[0], "o (head)  v%d" % head)
        self.ctl("point", "delete", "a", "two")
        self.assertEqual(self.lines("a").split("\n", 1)[1],
                         "* four  v%(four)d  client\n"
                         "| * three  v%(three)d  client  x=y\n"
                         "|/\n"
                         "* one  v%(one)d  client\n" % versions)
        self.assertEqual([point["id"] for point in self.json("log", "a")["recovery_points"]],
                         ["four", "three", "one"])
        self.assertEqual(self.lines("a", "--limit", "1").splitlines()[1:],
                         ["* four  v%(four)d  client" % versions])

    def test_a_context_without_points_has_a_head(self):
        self.ctl("create", "a")
        self.assertEqual(self.lines("a"), "o (head)  v1\n")
        self.ctl("log", "none", code=NOT_FOUND)

    def test_colours_are_for_terminals(self):
        self.ctl("create", "a")
        self.ctl("point", "create", "a", "p")
        self.assertNotIn("\x1b[", self.ctl("log", "a").text)
        self.assertIn("\x1b[33mp\x1b[0m", self.ctl("log", "a", "--color", "always").text)
        self.assertIn("\x1b[33mp\x1b[0m", self.on_terminal("log", "a"))
        self.assertNotIn("\x1b[", self.on_terminal("log", "a", NO_COLOR="1"))


class RestoreTest(RecoveryTestCase):
    def test_a_context_goes_back_to_a_point_a_version_or_a_time(self):
        self.ctl("create", "a", "--put", "k=1", "--put", "old=x", "--label", "stage=1")
        self.ctl("point", "create", "a", "p")
        moment = self.json("get", "a")["update_time"]
        self.ctl("update", "a", "--put", "k=2", "--delete", "old", "--put", "new=y", "--label",
                 "stage=2")
        for options in (("--to", "p"), ("--version", "1"), ("--time", moment), ()):
            before = self.json("get", "a")["version"]
            done = self.json("restore", "a", *options)
            self.assertEqual(done["context"]["version"], before + 1)
            self.assertEqual(done["changed_entry_count"], 3)
            self.assertEqual(done["context"]["metadata"], {"stage": "1"})
            self.assertEqual(self.entries("a"), {"k": "1", "old": "x"})
            self.ctl("update", "a", "--put", "k=2", "--delete", "old", "--put", "new=y", "--label",
                     "stage=2")

    def test_a_safety_point_keeps_the_state_before(self):
        self.ctl("create", "a", "--put", "k=1")
        self.ctl("point", "create", "a", "p")
        self.ctl("put", "a", "k", "2")
        shown = self.ctl("restore", "a", "--to", "p", "--safety-point").text
        self.assertIn("a is at version 3, with 1 entry changed\n", shown)
        safety = self.points("a")[0]
        self.assertEqual(shown.splitlines()[1],
                         "point %s keeps the state before" % safety["id"])
        self.assertEqual((safety["origin"], safety["version"]), ("safety", 2))
        self.ctl("restore", "a", "--to", safety["id"])
        self.assertEqual(self.entries("a"), {"k": "2"})

    def test_a_deleted_context_comes_back(self):
        self.ctl("create", "a", "--put", "k=1", "--ttl", "1h")
        self.ctl("point", "create", "a", "p")
        self.ctl("put", "a", "k", "2")
        self.ctl("delete", "a")
        self.assertEqual(self.point_ids("a"), ["p"])
        self.assertIn("* p ", self.ctl("log", "a").text)
        self.assertIn("`ctxctl restore --undelete` brings it back",
                      self.ctl("restore", "a", code=NOT_FOUND).err)
        back = self.json("restore", "a", "--undelete")
        self.assertNotIn("expire_time", back["context"])
        self.assertEqual(self.entries("a"), {"k": "2"})
        self.ctl("restore", "a", "--undelete", code=REFUSED)

    def test_what_is_not_there_is_told(self):
        self.ctl("create", "a")
        self.ctl("restore", "a", code=NOT_FOUND)
        self.ctl("restore", "a", "--to", "none", code=NOT_FOUND)
        self.assertIn("that state is not kept; versions 1 to 1 are (STATE_NOT_RETAINED)",
                      self.ctl("restore", "a", "--version", "7", code=NOT_FOUND).err)
        self.ctl("restore", "a", "--to", "p", "--version", "1", code=USAGE)


class ForkTest(RecoveryTestCase):
    def test_a_fork_begins_as_its_source_was(self):
        self.ctl("create", "a", "--type", "chat", "--put", "k=1", "--label", "x=1", "--set-policy",
                 "keep-last=7", "--ttl", "1h")
        self.ctl("point", "create", "a", "p")
        self.ctl("put", "a", "k", "2")
        for source, value in (("a", "2"), ("a@1", "1"), ("a#p", "1")):
            made = self.json("fork", source)
            self.assertEqual(self.entries(made["id"]), {"k": value})
            self.assertEqual(made["type"], "chat")
            self.assertEqual(made["metadata"], {"x": "1"})
            self.assertEqual(made["recovery_policy"], {"retention": {"keep_last": 7}})
            self.assertNotIn("expire_time", made)
            self.assertEqual(made["forked_from"]["context_id"], "a")
        self.assertRegex(self.ctl("fork", "a", "b").text,
                         r"^b is at version 3, forked from a@2\n$")
        self.assertIn("forked    a@2\n", self.ctl("get", "b").text)
        self.ctl("fork", "a", "b", code=REFUSED)

    def test_a_fork_has_the_properties_that_are_said(self):
        self.ctl("create", "a", "--type", "chat", "--parent", "top", "--create-parent", "--label",
                 "x=1", "--label", "y=2")
        made = self.json("fork", "a", "b", "--label", "y=3", "--label", "z=4", "--ttl", "1h")
        self.assertEqual((made["type"], made["parent_id"]), ("chat", "top"))
        self.assertEqual(made["metadata"], {"x": "1", "y": "3", "z": "4"})
        self.assertIn("expire_time", made)
        made = self.json("fork", "a", "c", "--type", "plan", "--parent", "")
        self.assertEqual(made["type"], "plan")
        self.assertNotIn("parent_id", made)

    def test_a_fork_takes_history_and_points_along(self):
        self.ctl("create", "a")
        self.ctl("record", "a", "hello", "--type", "note")
        self.ctl("point", "create", "a", "p")
        self.ctl("fork", "a", "plain")
        self.assertEqual(self.json("history", "plain")["activities"], [])
        self.assertEqual(self.point_ids("plain"), [])
        self.ctl("fork", "a", "full", "--with-history", "--with-points")
        self.assertEqual([each["data"] for each in self.json("history", "full")["activities"]],
                         ["hello"])
        self.assertEqual(self.point_ids("full"), ["p"])


class DiffTest(RecoveryTestCase):
    def test_a_diff_shows_lines_and_labels(self):
        self.ctl("create", "a", "--put", "text=one\ntwo\nthree\n", "--put", "gone=x", "--label",
                 "stage=draft")
        self.ctl("point", "create", "a", "p")
        self.ctl("update", "a", "--put", "text=one\n2\nthree\n", "--delete", "gone", "--put",
                 "new=y", "--label", "stage=final", "--label", "by=me")
        self.assertEqual(self.ctl("diff", "a#p").text,
                         "--- a#p\n"
                         "+++ a\n"
                         "removed gone (v1, 1 B)\n"
                         "-x\n"
                         "added new (v2, 1 B)\n"
                         "+y\n"
                         "changed text (v1, 14 B to v2, 12 B)\n"
                         " one\n"
                         "-two\n"
                         "+2\n"
                         " three\n"
                         "added label by\n"
                         "+me\n"
                         "changed label stage\n"
                         "-draft\n"
                         "+final\n")
        shown = self.json("diff", "a@1", "@2", "--keys-only", "--prefix", "n")
        self.assertEqual(shown["entries"], [{"key": "new", "after": {"key": "new", "version": 2}}])
        self.assertEqual({each["key"]: (each.get("before"), each.get("after"))
                          for each in shown["metadata"]},
                         {"by": (None, "me"), "stage": ("draft", "final")})

    def test_the_exit_code_tells_differences_where_asked_for(self):
        self.ctl("create", "a", "--put", "k=1")
        self.ctl("put", "a", "k", "2")
        self.assertEqual(self.ctl("diff", "a@1", "a@2", code=OK).err, "")
        self.ctl("diff", "a@1", "a@2", "--exit-code", code=REFUSED)
        self.assertEqual(self.ctl("diff", "a@2", "a", "--exit-code").text, "")
        self.assertEqual(self.json("diff", "a@2", "a")["entries"], [])
        self.assertIn("\x1b[32m+2\x1b[0m", self.on_terminal("diff", "a@1"))
        self.assertNotIn("\x1b[", self.on_terminal("diff", "a@1", "--color=never"))

    def test_ids_may_have_any_character(self):
        name = "ada@example.com#1"
        self.ctl("create", name, "--put", "k=1")
        self.ctl("point", "create", name, "p@#1")
        self.ctl("put", name, "k", "2")
        expected = self.json("diff", "ada\\@example.com\\#1#p@#1")["entries"]
        self.assertEqual(len(expected), 1)
        for words in (("ada\\@example.com\\#1@1", "@2"),
                      (name, "--before-version", "1"),
                      (name, name, "--before-point", "p@#1", "--after-version", "0")):
            self.assertEqual(self.json("diff", *words)["entries"], expected)
        shown = self.ctl("diff", name, "--before-version", "1").text
        self.assertEqual(shown.splitlines()[:2],
                         ["--- ada\\@example.com\\#1@1", "+++ ada\\@example.com\\#1"])
        self.assertIn("written \\@", self.ctl("diff", name, code=USAGE).err)

    def test_contexts_and_times_can_be_compared(self):
        self.ctl("create", "a", "--put", "k=1", "--put", "same=x")
        moment = self.json("get", "a")["update_time"]
        self.ctl("fork", "a", "b")
        self.ctl("put", "b", "k", "2")
        self.assertEqual([each["key"] for each in self.json("diff", "a", "b")["entries"]], ["k"])
        self.ctl("put", "a", "k", "3")
        self.assertEqual([each["key"] for each in self.json("diff", "a@" + moment)["entries"]],
                         ["k"])
        self.ctl("diff", "a", "none", code=NOT_FOUND)
        self.ctl("diff", "a", "a#none", code=NOT_FOUND)
        self.ctl("diff", "a@9", code=NOT_FOUND)

    def test_a_large_diff_comes_whole(self):
        keys = ["k%02d" % number for number in range(60)]
        self.ctl("create", "a")
        for key in keys:
            self.ctl("put", "a", key, "-", stdin=b"x" * 200000)
        self.ctl("fork", "a", "b")
        self.ctl("delete-entry", "b", "--all")
        shown = self.json("diff", "b", "a")
        self.assertEqual([each["key"] for each in shown["entries"]], keys)
        self.assertTrue(all(len(each["after"]["value"]) == 200000 for each in shown["entries"]))


class MergeTest(RecoveryTestCase):
    def fork(self):
        """Two contexts that both changed since the one was forked from the other."""
        self.ctl("create", "a", "--put", "goal=hotel", "--put", "plan=none", "--put", "note=x")
        self.ctl("fork", "a", "b")
        self.ctl("update", "a", "--put", "goal=quiet hotel", "--put", "mine=1")
        self.ctl("update", "b", "--put", "goal=tent", "--put", "theirs=2", "--delete", "note")

    def test_what_only_one_side_changed_is_merged(self):
        self.fork()
        self.ctl("put", "b", "goal", "hotel")
        self.ctl("merge", "b", "a", "--dry-run", "--theirs")
        self.assertNotIn("theirs", self.entries("a"))
        done = self.json("merge", "b", "a", "--safety-point", "--ours")
        self.assertTrue(done["applied"])
        self.assertEqual(done["conflicts"], [])
        self.assertEqual(self.entries("a"),
                         {"goal": "quiet hotel", "plan": "none", "mine": "1", "theirs": "2"})
        self.assertEqual(self.point_ids("a"), [done["safety_point_id"]])

    def test_conflicts_are_shown_and_change_nothing(self):
        self.fork()
        before = self.json("get", "a")
        result = self.ctl("merge", "b", "a", code=REFUSED)
        self.assertEqual(result.text,
                         "conflict goal\n"
                         "  ancestor  hotel (5 B)\n"
                         "  ours      quiet hotel (11 B)\n"
                         "  theirs    tent (4 B)\n")
        self.assertIn("1 conflict is left", result.err)
        shown = self.json("merge", "b", "a", "--dry-run", code=REFUSED)
        self.assertFalse(shown["applied"])
        self.assertEqual(shown["conflict_count"], 1)
        self.assertEqual(shown["conflicts"][0]["source"]["value"], "tent")
        self.assertEqual(self.json("get", "a"), before)

    def test_sides_settle_conflicts(self):
        for option, value in ((("--ours",), "quiet hotel"), (("--theirs",), "tent"),
                              (("--key", "goal=theirs"), "tent"),
                              (("--theirs", "--key", "goal=ours"), "quiet hotel")):
            self.fork()
            self.ctl("merge", "b", "a", *option)
            self.assertEqual(self.entries("a"), {"goal": value, "plan": "none", "mine": "1",
                                                 "theirs": "2"})
            self.ctl("merge", "b", "a")
            for name in "ab":
                self.ctl("delete", name, "--purge")

    def test_the_ancestor_is_found_or_named(self):
        self.ctl("create", "a", "--put", "k=1")
        self.ctl("point", "create", "a", "p")
        self.ctl("create", "b", "--put", "k=2")
        lost = self.ctl("merge", "b", "a", code=REFUSED)
        self.assertIn("(NO_COMMON_ANCESTOR). --ancestor names", lost.err)
        self.ctl("merge", "b", "a", "--ancestor", "a#p")
        self.assertEqual(self.entries("a"), {"k": "2"})

    def test_labels_are_merged_too(self):
        self.ctl("create", "a", "--label", "stage=0", "--label", "x=0")
        self.ctl("fork", "a", "b")
        self.ctl("update", "a", "--label", "stage=1")
        self.ctl("update", "b", "--label", "stage=2", "--label", "x=2")
        shown = self.ctl("merge", "b", "a", code=REFUSED).text
        self.assertEqual(shown, "conflict label stage\n  ancestor  0\n  ours      1\n"
                                "  theirs    2\n")
        self.ctl("merge", "b", "a", "--theirs")
        self.assertEqual(self.json("get", "a")["metadata"], {"stage": "2", "x": "2"})


class SyncTest(RecoveryTestCase):
    flags = ("--version-retention", "4")

    def test_a_copy_becomes_what_the_context_is(self):
        self.ctl("create", "a", "--put", "k=0", "--put", "gone=x")
        copy = {}
        have = 0
        for number in range(1, 30):
            self.ctl("update", "a", "--put", "k=%d" % number, "--put", "n%d=x" % (number % 7),
                     "--delete", "n%d" % ((number + 3) % 7))
            if number % 3 == 0 or number > 20:
                answer = self.json("sync", "a", "--have", str(have))
                if answer["full"]:
                    copy = {}
                for change in answer["entries"]:
                    copy.pop(change["key"], None)
                    if "after" in change:
                        copy[change["key"]] = change["after"]["value"]
                have = answer["to_version"]
                self.assertEqual(answer["context"]["version"], have)
                self.assertEqual(copy, self.entries("a"))
        self.assertEqual(self.ctl("sync", "a", "--have", str(have)).text,
                         "a is at version %d; nothing has changed\n" % have)
        self.assertIn("version 1 is not retained: this is all of it",
                      self.ctl("sync", "a", "--have", "1").text)
        self.ctl("sync", "none", "--have", "1", code=NOT_FOUND)


class PolicyTest(RecoveryTestCase):
    def test_a_policy_is_set_shown_and_cleared(self):
        rules = "keep-last=10,keep-every=100,keep-within=7d,point-every-changes=5,point-every=10m"
        self.ctl("create", "a", "--set-policy", rules)
        self.assertIn("policy    %s\n" % rules, self.ctl("get", "a").text)
        self.ctl("update", "a", "--set-policy", "keep-last=3")
        self.assertEqual(self.json("get", "a")["recovery_policy"], {"retention": {"keep_last": 3}})
        self.ctl("update", "a", "--clear-policy")
        self.assertNotIn("recovery_policy", self.json("get", "a"))
        self.ctl("update", "a", "--set-policy", "keep-first=3", code=USAGE)

    def test_a_policy_keeps_and_makes_points(self):
        self.ctl("create", "a", "--set-policy", "keep-last=2")
        for number in range(5):
            self.ctl("point", "create", "a", "p%d" % number)
        self.assertEqual(self.point_ids("a"), ["p4", "p3"])
        self.ctl("create", "b", "--set-policy", "point-every-changes=3")
        for number in range(9):
            self.ctl("put", "b", "k", str(number))
        points = self.points("b")
        self.assertGreaterEqual(len(points), 2)
        self.assertEqual({point["origin"] for point in points}, {"policy"})

    def test_a_watch_tells_of_policies(self):
        self.ctl("create", "a")
        self.ctl("update", "a", "--set-policy", "keep-last=2")
        self.ctl("update", "a", "--clear-policy")
        watch = ("watch", "a", "--from", "oldest", "--until-caught-up", "--event", "updated")
        shown = self.ctl(*watch).text
        self.assertIn("policy keep-last=2", shown)
        self.assertIn("policy of the server", shown)
        steps = [json.loads(line)["mutations"] for line in
                 self.ctl(*watch, "-o", "json").text.splitlines()]
        self.assertEqual(steps, [
            [{"set_recovery_policy": {"policy": {"retention": {"keep_last": 2}}}}],
            [{"set_recovery_policy": {}}]])


class RestartTest(RecoveryTestCase):
    def test_points_forks_and_policies_outlive_the_server(self):
        self.ctl("create", "a", "--put", "k=1", "--set-policy", "keep-last=5")
        self.ctl("point", "create", "a", "p", "--attach", "w=x", "--set-label", "l=v")
        self.ctl("put", "a", "k", "2")
        self.ctl("restore", "a", "--to", "p", "--safety-point")
        self.ctl("fork", "a#p", "b", "--with-points")
        commands = (("points",), ("point", "show", "a", "p", "--entries", "--attachments"),
                    ("get", "a"), ("get", "b"), ("diff", "a@2", "b"))
        before = [self.json(*words) for words in commands]
        for stop in (Server.kill, Server.stop):
            self.restart(stop)
            self.assertEqual([self.json(*words) for words in commands], before)


if __name__ == "__main__":
    unittest.main()
