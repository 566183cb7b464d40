#!/usr/bin/env python3
"""The command line against a real server: every command, what it prints for people and
for scripts, its exit codes, and imports and exports that lose and double nothing."""

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.getcwd(), "tests", "integration"))

from ctxctl_case import (  # noqa: E402
    CTXCTL, INPUT, LIMIT, NOT_FOUND, OK, REFUSED, UNAVAILABLE, USAGE, CtxctlTestCase)
from server_process import Server  # noqa: E402

SAMPLE = os.path.join(os.getcwd(), "tests", "integration", "testdata", "sample_conversations.jsonl")


class CommandTest(CtxctlTestCase):
    def test_create_makes_a_context_once(self):
        words = ("create", "a", "--type", "chat", "--label", "user=ada", "--label", "x=y=z")
        self.assertEqual(self.ctl(*words, "--put", "goal=hotel").text, "a is at version 1\n")
        shown = self.ctl("get", "a", "-o", "json").json
        self.assertEqual(shown["type"], "chat")
        self.assertEqual(shown["metadata"], {"user": "ada", "x": "y=z"})
        self.assertEqual(shown["entries"], [{"key": "goal", "value": "hotel", "version": 1}])
        again = self.ctl("create", "a", code=REFUSED)
        self.assertIn("cannot create a: ", again.err)
        self.assertIn("(CONTEXT_EXISTS)", again.err)
        self.assertEqual(again.err.count("\n"), 1)

    def test_create_without_an_id_prints_the_one_it_got(self):
        made = self.ctl("create", "-o", "json").json
        self.assertEqual(self.ctl("get", made["id"], "-o", "json").json["version"], 1)

    def test_create_below_a_parent(self):
        missing = self.ctl("create", "b", "--parent", "a", code=REFUSED)
        self.assertIn("--create-parent", missing.err)
        self.ctl("create", "b", "--parent", "a", "--create-parent", "--ttl", "1h", "--sliding")
        shown = self.ctl("get", "b", "-o", "json").json
        self.assertEqual(shown["parent_id"], "a")
        self.assertIn("expire_time", shown)

    def test_put_takes_its_value_from_anywhere(self):
        self.ctl("put", "a", "k", "one", "--create")
        self.ctl("put", "a", "k", "-", stdin=b"t\0wo")
        self.assertEqual(self.ctl("get", "a", "k").out, b"t\0wo")
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"\xff\xfe")
            file.flush()
            self.ctl("put", "a", "k", "--file", file.name, "--content-type", "image/x")
        self.assertEqual(self.ctl("get", "a", "k").out, b"\xff\xfe")
        entry = self.ctl("get", "a", "k", "-o", "json").json
        self.assertEqual(base64.b64decode(entry["value"]["base64"]), b"\xff\xfe")
        self.assertEqual(entry["content_type"], "image/x")
        self.ctl("put", "a", "k", "--", "-5")
        self.assertEqual(self.ctl("get", "a", "k").out, b"-5")
        self.ctl("put", "a", "k", "", code=OK)
        self.assertEqual(self.ctl("get", "a", "k").out, b"")

    def test_put_refuses_a_value_that_is_not_one(self):
        self.assertIn("there is no value", self.ctl("put", "a", "k", code=USAGE).err)
        self.assertIn("given twice", self.ctl("put", "a", "k", "v", "--file", "x", code=USAGE).err)
        missing = self.ctl("put", "a", "k", "--file", "/no/such/file", code=INPUT)
        self.assertIn("cannot open /no/such/file", missing.err)

    def test_writes_hold_their_conditions(self):
        self.ctl("put", "a", "k", "one", "--if-version", "0", "--create")
        self.ctl("put", "a", "k", "two", "--if-version", "1")
        conflict = self.ctl("put", "a", "k", "three", "--if-version", "1", code=REFUSED)
        self.assertIn("--if-version 2", conflict.err)
        self.ctl("append", "a", "k", "!", "--if-size", "3")
        self.assertIn("--if-size 4", self.ctl("append", "a", "k", "!", "--if-size", "3",
                                              code=REFUSED).err)
        conflict = self.ctl("update", "a", "--put", "k=4", "--if-entry", "k=1", code=REFUSED)
        self.assertIn("--if-entry k=3", conflict.err)
        self.ctl("delete-entry", "a", "k", "--if-version", "1", code=REFUSED)
        self.ctl("delete", "a", "--if-version", "1", code=REFUSED)
        self.assertEqual(self.ctl("get", "a", "k").out, b"two!")

    def test_append_grows_a_value(self):
        self.ctl("create", "a")
        self.ctl("append", "a", "log", "one ")
        self.ctl("append", "a", "log", "-", stdin=b"two")
        self.assertEqual(self.ctl("get", "a", "log").out, b"one two")

    def test_delete_entry_removes_keys_and_prefixes_at_once(self):
        self.ctl("create", "a", *("--put=%s=x" % key for key in ("a", "b", "p/1", "p/2", "q")))
        self.assertEqual(self.ctl("delete-entry", "a", "a", "none", "--prefix", "p/").text,
                         "a is at version 2\n")
        entries = self.ctl("get", "a", "-o", "json").json["entries"]
        self.assertEqual([entry["key"] for entry in entries], ["b", "q"])
        self.ctl("delete-entry", "a", code=USAGE)

    def test_update_makes_all_its_steps_as_one_change(self):
        self.ctl("create", "a", "--put", "old=1", "--put", "tmp/1=x", "--label", "gone=1")
        done = self.ctl("update", "a", "--put", "k=v", "--append", "k=w", "--delete", "old",
                        "--delete-prefix", "tmp/", "--label", "state=open", "--unlabel", "gone",
                        "--ttl", "10m", "--sliding", "--if-version", "1", "-o", "json")
        self.assertEqual(done.json, {"id": "a", "version": 2, "replayed": False})
        shown = self.ctl("get", "a", "-o", "json").json
        self.assertEqual(shown["entries"], [{"key": "k", "value": "vw", "version": 2}])
        self.assertEqual(shown["metadata"], {"state": "open"})
        self.assertIn("expire_time", shown)
        self.ctl("update", "a", "--ttl", "never")
        self.assertNotIn("expire_time", self.ctl("get", "a", "-o", "json").json)

    def test_update_changes_nothing_when_one_step_is_wrong(self):
        self.ctl("create", "a")
        self.ctl("update", "a", "--put", "k=v", "--put", "bad\n=v", code=USAGE)
        self.assertEqual(self.ctl("get", "a", "-o", "json").json["version"], 1)
        self.assertIn("nothing to change", self.ctl("update", "a", code=USAGE).err)
        self.ctl("update", "a", "--put", "novalue", code=USAGE)
        self.ctl("update", "a", "--put", "k=v", "--sliding", code=USAGE)

    def test_get_shows_earlier_versions_and_parts(self):
        self.ctl("create", "a", "--put", "k=one", "--put", "p/1=x")
        self.ctl("put", "a", "k", "two")
        self.assertEqual(self.ctl("get", "a", "k", "--version", "1").out, b"one")
        self.assertEqual(self.ctl("get", "a", "--version", "1", "-o", "json").json["version"], 1)
        self.ctl("get", "a", "--version", "7", code=NOT_FOUND)
        shown = self.ctl("get", "a", "--prefix", "p/", "-o", "json").json
        self.assertEqual([entry["key"] for entry in shown["entries"]], ["p/1"])
        self.assertNotIn("two", self.ctl("get", "a", "--keys").text)

    def test_get_tells_what_is_not_there(self):
        self.assertIn("(CONTEXT_NOT_FOUND)", self.ctl("get", "a", code=NOT_FOUND).err)
        self.ctl("create", "a")
        self.assertIn("a has no entry k", self.ctl("get", "a", "k", code=NOT_FOUND).err)

    def test_get_shows_a_context_larger_than_a_message(self):
        block = b"x" * 1000000
        self.ctl("create", "a")
        for i in range(6):
            self.ctl("put", "a", "k%d" % i, "-", stdin=block + b"%d" % i)
        shown = self.ctl("get", "a", "-o", "json").json
        self.assertEqual([entry["value"][-2:] for entry in shown["entries"]],
                         ["x%d" % i for i in range(6)])

    def test_get_keeps_stored_text_from_the_terminal(self):
        self.ctl("create", "a", "--put", "k=\x1b[2Jline\nline", "--label", "l=\x1b]0;x")
        text = self.ctl("get", "a").text
        self.assertNotIn("\x1b", text)
        self.assertIn("\\x1b[2Jline\\nline", text)

    def test_list_selects_and_pages(self):
        for name in ("a1", "a2", "b1"):
            self.ctl("create", name, "--type", name[0], "--label", "n=" + name[1])
        self.ctl("create", "c", "--parent", "a1")

        def ids(*words):
            return [row["id"] for row in self.ctl("list", "-o", "json", *words).json["contexts"]]

        self.assertEqual(ids(), ["a1", "a2", "b1", "c"])
        self.assertEqual(ids("--prefix", "a"), ["a1", "a2"])
        self.assertEqual(ids("--type", "b"), ["b1"])
        self.assertEqual(ids("--label", "n=1"), ["a1", "b1"])
        self.assertEqual(ids("--label", "n=1", "--type", "a"), ["a1"])
        self.assertEqual(ids("--parent", "a1"), ["c"])
        self.assertEqual(ids("--limit", "2"), ["a1", "a2"])
        self.assertIn("There are more", self.ctl("list", "--limit", "1").err)
        self.ctl("delete", "b1")
        self.assertEqual(ids("--deleted"), ["b1"])
        self.ctl("list", "--limit", "0", code=USAGE)

    def test_list_aligns_its_columns(self):
        self.ctl("create", "caf\u00e9", "--type", "t")
        self.ctl("create", "longer-name", "--type", "type")
        lines = self.ctl("list").text.split("\n")
        self.assertEqual(lines[0].index("TYPE"), lines[1].index("t  "))
        self.assertEqual(lines[0].index("TYPE"), lines[2].index("type"))

    def test_delete_takes_what_it_is_told_to(self):
        self.ctl("create", "a")
        self.ctl("create", "b", "--parent", "a")
        self.assertIn("--recursive", self.ctl("delete", "a", code=REFUSED).err)
        self.assertIn("2 contexts in all", self.ctl("delete", "a", "--recursive").text)
        self.ctl("delete", "a", code=NOT_FOUND)
        self.assertEqual(self.ctl("delete", "a", "--allow-missing").text, "a did not exist\n")
        self.ctl("delete", "a", "--purge", "--allow-missing")
        self.ctl("create", "c")
        self.ctl("create", "d")
        self.assertEqual(self.ctl("delete", "c", "d").text, "c is deleted\nd is deleted\n")

    def test_ping_tells_the_server(self):
        self.assertIn("answers in", self.ctl("ping").text)
        told = self.ctl("ping", "--count", "2", "-o", "json").json
        self.assertEqual(told["address"], self.server.address)
        self.assertGreater(len(told["log_id"]), 8)
        self.assertLessEqual(told["round_trip_us"]["min"], told["round_trip_us"]["max"])

    def test_bench_measures_and_cleans_up(self):
        for kind in ("update", "get", "batch", "stream"):
            with self.subTest(kind):
                told = self.ctl("bench", kind, "--operations", "501", "--in-flight", "4",
                                "--contexts", "7", "-o", "json").json
                self.assertEqual(told["operations"], 501)
                self.assertGreater(told["per_second"], 0)
                self.assertEqual(self.ctl("list", "-o", "json").json["contexts"], [])
        self.ctl("bench", "nonsense", code=USAGE)
        self.ctl("bench", "--in-flight", "0", code=USAGE)


class TrackerTest(CtxctlTestCase):
    def setUp(self):
        super().setUp()
        self.ctl("create", "a")

    def start(self, *words):
        """Starts a session as a script does, and returns its id."""
        text = self.ctl("session", "start", *words).text
        self.assertRegex(text, r"^[0-9a-f]{32}\n$")
        return text.strip()

    def own(self, session, context="a", *words):
        """Activates a context exclusively, and returns the fence as the words of an option."""
        text = self.ctl("activate", context, "--session", session, "--exclusive", *words).text
        self.assertRegex(text, r"^[1-9][0-9]*\n$")
        return ("--fence", text.strip())

    def session(self, session):
        return self.ctl("session", "get", session, "-o", "json").json

    def active(self, session):
        return [each["context_id"] for each in self.session(session)["activations"]]

    def history(self, *words):
        return self.ctl("history", "a", "-o", "json", *words).json["activities"]

    def test_a_session_lives_until_it_is_ended(self):
        session = self.start("--owner", "ada", "--label", "k=v", "--ttl", "1h",
                             "--default-context", "a")
        shown = self.session(session)
        self.assertEqual((shown["id"], shown["owner"]), (session, "ada"))
        self.assertEqual(shown["metadata"], {"k": "v"})
        self.assertEqual(shown["current_context_id"], "a")
        self.assertLess(shown["create_time"], shown["expire_time"])
        self.assertIn("owner     ada\n", self.ctl("session", "get", session).text)
        self.assertRegex(self.ctl("session", "renew", session).text,
                         r"^%s lives until 20..-..-.. ..:..:..Z\n$" % session)
        self.assertEqual(self.ctl("session", "end", session).text, session + " has ended\n")
        self.assertEqual(self.ctl("session", "end", session).text, session + " was not alive\n")
        for words in (("get", session), ("renew", session)):
            self.assertIn("(SESSION_NOT_FOUND)", self.ctl("session", *words, code=NOT_FOUND).err)
        self.assertEqual(self.ctl("status", "a", "-o", "json").json["status"], "inactive")

    def test_a_session_that_is_not_renewed_is_lost(self):
        ttl_s, acquired = 1, None
        while acquired is None or acquired.code != OK:  # Lost before that: the next lives longer.
            session = self.start("--ttl", "%ds" % ttl_s, "--default-context", "a")
            acquired = self.run_ctxctl("-n", self.space, "resources", "acquire", "a", "db",
                                       "--session", session)
            self.assertIn(acquired.code, (OK, NOT_FOUND), acquired.err)
            ttl_s *= 2
        while self.run_ctxctl("-n", self.space, "session", "get", session).code == OK:
            pass
        self.assertEqual(self.ctl("resources", "a", "-o", "json").json["resources"], [])
        self.assertEqual(self.history()[-1]["resource"], {"name": "db", "kind": "reclaimed"})
        refused = self.ctl("put", "a", "k", "v", "--session", session, code=NOT_FOUND)
        self.assertIn("`ctxctl session start` begins another", refused.err)

    def test_sessions_refuse_what_makes_no_sense(self):
        for words in (("--ttl", "999ms"), ("--ttl", "25h"), ("--max-active", "1001"),
                      ("--owner", "\n")):
            with self.subTest(words):
                self.ctl("session", "start", *words, code=USAGE)
        self.ctl("session", "start", "--default-context", "none", code=NOT_FOUND)
        self.start("--default-context", "made", "--create")
        self.assertEqual(self.ctl("status", "made", "-o", "json").json["version"], 1)
        other = self.run_ctxctl("-n", "other", "session", "start").text.strip()
        self.ctl("session", "get", other, code=NOT_FOUND)

    def test_session_list_selects_and_pages(self):
        ids = [self.start("--owner", owner) for owner in ("ada", "bob", "ada")]

        def listed(*words):
            shown = self.ctl("session", "list", "-o", "json", *words).json["sessions"]
            return [session["id"] for session in shown]

        self.assertEqual(listed(), ids)
        self.assertEqual(listed("--owner", "ada"), [ids[0], ids[2]])
        self.assertEqual(listed("--limit", "2"), ids[:2])
        self.assertEqual(listed("--all"), ids)
        self.assertIn("There are more", self.ctl("session", "list", "--limit", "1").err)
        self.ctl("session", "end", *ids)
        self.assertEqual(listed(), [])

    def test_contexts_are_activated_switched_and_deactivated(self):
        for name in ("b", "c"):
            self.ctl("create", name)
        session = self.start("--max-active", "2", "--default-context", "a")
        words = ("--session", session)
        self.assertEqual(self.ctl("activate", "b", *words).text, "b is active\n")
        self.assertEqual(self.ctl("switch", "b", *words).text, "b is the current context\n")
        self.assertEqual(self.active(session), ["a", "b"])
        self.assertEqual(self.session(session)["current_context_id"], "b")
        full = self.ctl("activate", "c", *words, code=LIMIT)
        self.assertIn("max_active_contexts", full.err)
        self.assertEqual(self.ctl("deactivate", "b", *words).text,
                         "b is deactivated, a is the current context\n")
        self.assertIn("(NOT_ACTIVE)", self.ctl("deactivate", "b", *words, code=REFUSED).err)
        self.assertEqual(self.ctl("deactivate", "a", *words).text, "a is deactivated\n")
        self.ctl("activate", "none", *words, code=NOT_FOUND)
        self.ctl("switch", "none", *words, code=NOT_FOUND)

    def test_status_tells_who_has_it(self):
        self.assertEqual(self.ctl("status", "none").text,
                         "id        none\nstatus    non_existent\n")
        self.assertEqual(self.ctl("status", "a").text,
                         "id        a\nstatus    inactive\nversion   1\n")
        one, two = self.start(), self.start()
        self.ctl("activate", "a", "--session", one)
        self.own(two, "a", "--guard")
        told = self.ctl("status", "a", "-o", "json").json
        self.assertEqual(sorted(told.pop("session_ids")), sorted([one, two]))
        self.assertEqual(told, {"id": "a", "status": "active", "version": 1, "fence": 1,
                                "exclusive_session_id": two, "guarded": True})
        self.assertIn("session   %s exclusive, guarded\n" % two, self.ctl("status", "a").text)

    def test_a_paused_writer_is_refused_after_a_takeover(self):
        one, two = self.start("--owner", "ada"), self.start()
        old = self.own(one)
        self.ctl("put", "a", "k", "one", "--session", one, *old)
        busy = self.ctl("activate", "a", "--session", two, "--exclusive", code=REFUSED)
        self.assertIn("(CONTEXT_BUSY)", busy.err)
        self.assertIn("`ctxctl session get %s`" % one, busy.err)
        new = self.own(two, "a", "--takeover")
        self.ctl("put", "a", "k", "two", "--session", two, *new)
        for words in (("put", "a", "k", "late"), ("append", "a", "k", "late"),
                      ("delete-entry", "a", "k"), ("update", "a", "--put", "l=late"),
                      ("delete", "a"), ("record", "a", "--type", "late"),
                      ("history", "truncate", "a", "--keep-from", "1"),
                      ("history", "optimize", "a", "--deduplicate"),
                      ("resources", "acquire", "a", "db")):
            with self.subTest(words):
                refused = self.ctl(*words, "--session", one, *old, code=REFUSED)
                self.assertIn("(STALE_FENCE)", refused.err)
        self.assertEqual(self.ctl("get", "a", "k").out, b"two")
        self.assertEqual(self.ctl("get", "a", "-o", "json").json["version"], 3)
        self.assertEqual(self.history(), [])

    def test_a_guarded_context_refuses_writes_without_a_fence(self):
        session = self.start()
        fence = self.own(session, "a", "--guard")
        self.assertIn("(STALE_FENCE)", self.ctl("put", "a", "k", "v", code=REFUSED).err)
        self.ctl("put", "a", "k", "v", *fence)
        self.ctl("deactivate", "a", "--session", session)
        self.ctl("put", "a", "k", "w", *fence, code=REFUSED)
        self.ctl("put", "a", "k", "x")
        self.assertEqual(self.ctl("get", "a", "k").out, b"x")

    def test_record_takes_its_data_from_anywhere(self):
        session = self.start()
        self.assertEqual(self.ctl("record", "a", "one", "--type", "note").text,
                         "a has activity 1\n")
        told = self.ctl("record", "a", "-", "--type", "note", "--label", "k=v", "--content-type",
                        "text/x", "--session", session, "-o", "json", stdin=b"t\0wo").json
        self.assertEqual(told, {"id": "a", "sequence": 2, "replayed": False})
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"\xff\xfe")
            file.flush()
            self.ctl("record", "a", "--type", "blob", "--file", file.name)
        self.ctl("record", "a", "--type", "mark")
        shown = self.history()
        self.assertEqual([each["sequence"] for each in shown], [1, 2, 3, 4])
        self.assertEqual([each.get("data") for each in shown],
                         ["one", "t\0wo", {"base64": base64.b64encode(b"\xff\xfe").decode()}, None])
        self.assertEqual((shown[1]["metadata"], shown[1]["content_type"], shown[1]["session_id"]),
                         ({"k": "v"}, "text/x", session))
        self.assertNotIn("session_id", shown[0])
        self.assertEqual(self.ctl("get", "a", "-o", "json").json["version"], 1)
        self.ctl("record", "none", "--type", "x", code=NOT_FOUND)
        self.ctl("record", "new", "--type", "x", "--create")
        self.ctl("record", "a", "--type", "x" * 65, code=USAGE)

    def test_history_shows_the_newest_as_they_happened(self):
        for i in range(1, 7):
            self.ctl("record", "a", str(i), "--type", "odd" if i % 2 else "even")

        def sequences(*words):
            return [each["sequence"] for each in self.history(*words)]

        self.assertEqual(sequences(), [1, 2, 3, 4, 5, 6])
        self.assertEqual(sequences("--limit", "2"), [5, 6])
        self.assertEqual(sequences("--limit", "2", "--newest-first"), [6, 5])
        self.assertEqual(sequences("--from", "3", "--limit", "2"), [3, 4])
        self.assertEqual(sequences("--from", "3", "--newest-first"), [3, 2, 1])
        self.assertEqual(sequences("--type", "odd", "--limit", "2"), [3, 5])
        self.assertEqual(sequences("--type", "odd", "--type", "even", "--all"), [1, 2, 3, 4, 5, 6])
        third = self.history("--from", "3", "--limit", "1")[0]["time"]
        self.assertEqual(sequences("--since", third, "--all")[-4:], [3, 4, 5, 6])
        self.assertNotIn(3, sequences("--until", third))
        self.assertEqual(sequences("--since", "1h"), [1, 2, 3, 4, 5, 6])
        self.assertEqual(sequences("--until", "1h"), [])
        self.assertIn("There are more", self.ctl("history", "a", "--limit", "5").err)
        self.ctl("history", "a", "--since", "1h", "--until", "2h", code=USAGE)
        self.ctl("history", "none", code=NOT_FOUND)

    def test_history_keeps_recorded_text_from_the_terminal(self):
        self.ctl("record", "a", "\x1b[2Jone\ntwo", "--type", "note")
        lines = self.ctl("history", "a").text.splitlines()
        self.assertEqual(len(lines), 2)
        self.assertTrue(lines[1].endswith("\\x1b[2Jone\\ntwo"), lines[1])

    def test_history_shows_a_context_that_is_called_like_a_command(self):
        self.ctl("record", "truncate", "x", "--type", "note", "--create")
        self.ctl("history", "truncate", code=USAGE)
        self.assertIn("note", self.ctl("history", "--", "truncate").text)

    def test_history_is_made_smaller(self):
        for i in range(1, 9):
            self.ctl("record", "a", "same" if i % 2 else "%d" % i, "--type", "note")
        self.assertEqual(self.ctl("history", "truncate", "a", "--keep-from", "3").text,
                         "a has lost 2 activities\n")
        dry = self.ctl("history", "optimize", "a", "--deduplicate", "--dry-run", "-o", "json").json
        self.assertEqual(dry, {"id": "a", "dry_run": True, "removed_count": 2, "removed_bytes": 8,
                               "kept_count": 4, "kept_bytes": 7})
        self.assertEqual(len(self.history()), 6)
        self.assertEqual(self.ctl("history", "optimize", "a", "--deduplicate").text,
                         "a has lost 2 activities (8 B), and keeps 4 (7 B)\n")
        self.assertEqual([each["sequence"] for each in self.history()], [4, 6, 7, 8])
        self.ctl("history", "optimize", "a", "--max-bytes", "5")
        self.assertEqual([each["sequence"] for each in self.history()], [7, 8])
        self.ctl("history", "truncate", "a", "--keep-since", "2036-01-01T00:00:00Z")
        self.assertEqual(self.history(), [])
        self.ctl("record", "a", "--type", "note")
        self.assertEqual(self.history()[0]["sequence"], 9)

    def test_files_are_counted_by_path(self):
        self.ctl("record", "a", "--path", "src/a", "--operation", "read", "--source", "ed")
        self.ctl("record", "a", "--path", "src/a", "--operation", "write")
        self.ctl("record", "a", "--path", "README", "--operation", "read")
        files = self.ctl("files", "a", "-o", "json").json["files"]
        self.assertEqual([(file["path"], file["operation"], file["operation_count"])
                          for file in files], [("README", "read", 1), ("src/a", "write", 2)])
        self.assertNotIn("source", files[1])
        table = self.ctl("files", "a", "--prefix", "src/").text.splitlines()
        self.assertEqual(table[1].split()[:3], ["src/a", "2", "write"])
        self.assertEqual(len(table), 2)
        self.assertIn("There are more", self.ctl("files", "a", "--limit", "1").err)
        self.ctl("files", "none", code=NOT_FOUND)

    def test_usage_is_added_up(self):
        call = ("--provider", "acme", "--model", "large", "--input-tokens", "10",
                "--output-tokens", "2", "--cost", "0.0125", "--latency", "250ms")
        for words in (call, call, (*call, "--currency", "EUR"), (*call, "--mode", "batch")):
            self.ctl("record", "a", *words)
        self.ctl("record", "b", "--create", *call)
        totals = self.ctl("usage", "a", "-o", "json").json["totals"]
        self.assertEqual([(each.get("mode", ""), each["currency"], each["call_count"],
                           each["input_tokens"], each["cost_micros"], each["latency_us"])
                          for each in totals],
                         [("", "EUR", 1, 10, 12500, 250000), ("", "USD", 2, 20, 25000, 500000),
                          ("batch", "USD", 1, 10, 12500, 250000)])
        self.ctl("delete", "b")
        text = self.ctl("usage").text.splitlines()
        self.assertEqual(text[2].split(),
                         ["acme", "large", "3", "30", "6", "0", "0.037500", "USD", "750ms"])
        self.ctl("usage", "none", code=NOT_FOUND)
        self.ctl("record", "a", *call, "--currency", "euro", code=USAGE)

    def test_resources_have_one_holder(self):
        one, two = self.start(), self.start()
        words = ("acquire", "a", "db", "--type", "lock", "--label", "k=v", "--session")
        self.assertEqual(self.ctl("resources", *words, one).text, "db of a is held\n")
        self.ctl("resources", *words, one)
        held = self.ctl("resources", *words, two, code=REFUSED)
        self.assertIn("`ctxctl session get %s` tells who has it" % one, held.err)
        self.ctl("resources", "release", "a", "db", "--session", two, code=REFUSED)
        shown = self.ctl("resources", "a", "-o", "json").json
        self.assertFalse(shown["more"])
        self.assertEqual([(each["name"], each["type"], each["session_id"], each["metadata"])
                          for each in shown["resources"]], [("db", "lock", one, {"k": "v"})])
        self.assertIn("db    lock  " + one, self.ctl("resources", "a").text)
        self.assertEqual(self.ctl("resources", "release", "a", "db", "--session", one).text,
                         "db of a is released\n")
        self.assertIn("(RESOURCE_NOT_HELD)", self.ctl("resources", "release", "a", "db",
                                                      "--session", one, code=REFUSED).err)
        self.ctl("resources", *words, two)
        self.ctl("session", "end", two)
        self.assertEqual(self.ctl("resources", "a", "-o", "json").json["resources"], [])
        self.assertEqual([each["resource"]["kind"] for each in self.history()],
                         ["acquired", "released", "acquired", "reclaimed"])
        self.ctl("resources", "none", code=NOT_FOUND)

    def test_history_reads_more_than_fits_into_a_message(self):
        block = b"x" * 1000000
        for i in range(6):
            self.ctl("record", "a", "-", "--type", "note", stdin=block + b"%d" % i)
        for words in ((), ("--all",), ("--from", "1")):
            with self.subTest(words):
                self.assertEqual([each["data"][-2:] for each in self.history(*words)],
                                 ["x%d" % i for i in range(6)])


class FrontTest(CtxctlTestCase):
    def test_wrong_words_are_named_in_one_line(self):
        for words, part in (
            (("nonsense",), "there is no command 'nonsense'"),
            (("get",), "get: something is missing: it takes ID [KEY]. See ctxctl get --help"),
            (("get", "a", "b", "c"), "one too many: 'c'"),
            (("list", "--nonsense"), "there is no option --nonsense"),
            (("list", "--limit", "x"), "--limit takes a number, not 'x'"),
            (("list", "-o", "xml"), "--output is text or json"),
            (("create", "a", "--ttl", "soon"), "--ttl takes a time"),
            (("session", "nonsense"), "no command 'session nonsense'. See ctxctl session --help"),
            (("session", "get"), "session get: something is missing: it takes SESSION. See ctxctl "
                                 "session get --help"),
            (("history", "truncate"), "history truncate: something is missing"),
        ):
            with self.subTest(words):
                result = self.ctl(*words, code=USAGE)
                self.assertIn(part, result.err)
                self.assertEqual(result.err.count("\n"), 1)
        self.assertEqual(self.run_ctxctl().code, USAGE)

    def test_help_is_there_for_all_commands(self):
        overview = self.run_ctxctl("--help")
        self.assertEqual(overview.code, OK)
        self.assertIn("Exit codes:", overview.text)
        commands = overview.text.split("Commands:\n")[1].split("\n\n")[0]
        names = [line[:20].split() for line in commands.split("\n")]
        self.assertEqual(len(names), 43)
        for name in names:
            shown = self.run_ctxctl(*name, "--help")
            self.assertEqual(shown.code, OK)
            self.assertIn("Usage: ctxctl %s " % " ".join(name), shown.text)
            self.assertIn("Examples:\n  ", shown.text)
            self.assertLessEqual(max(map(len, shown.text.split("\n"))), 100)
        self.assertRegex(self.run_ctxctl("--version").text, r"^ctxctl \d+\.\d+\.\d+\n$")

    def test_help_is_there_for_the_first_of_two_words(self):
        self.assertEqual(self.run_ctxctl("session").code, USAGE)
        shown = self.run_ctxctl("session", "--help")
        self.assertEqual(shown.code, OK)
        self.assertIn("  session start ", shown.text)
        self.assertNotIn("history", shown.text)

    def test_a_server_that_is_not_there_is_told_with_its_address(self):
        for words in (("get", "a"), ("ping",), ("import", SAMPLE), ("export",), ("watch",)):
            with self.subTest(words):
                result = self.ctl("--address", "127.0.0.1:1", "--timeout", "200ms", *words,
                                  code=UNAVAILABLE)
                self.assertIn("127.0.0.1:1", result.err)

    def test_errors_are_json_for_scripts(self):
        result = self.ctl("get", "a", "-o", "json", code=NOT_FOUND)
        error = json.loads(result.err)["error"]
        self.assertEqual(error["reason"], "CONTEXT_NOT_FOUND")
        self.assertEqual(error["code"], "NOT_FOUND")
        self.assertEqual(result.out, b"")

    def test_colours_are_for_terminals_that_want_them(self):
        self.ctl("create", "a")
        self.assertNotIn("\x1b[", self.ctl("list").text)
        self.assertIn("\x1b[1m", self.on_terminal("list"))
        self.assertNotIn("\x1b[", self.on_terminal("list", "--no-color"))
        self.assertNotIn("\x1b[", self.on_terminal("list", NO_COLOR="1"))
        self.assertIn("\x1b[31m", self.on_terminal("get", "none"))
        retained = ("watch", "--from", "oldest", "--until-caught-up")
        self.assertIn("\x1b[1mcreated ", self.on_terminal(*retained))
        self.assertNotIn("\x1b[", self.on_terminal(*retained, NO_COLOR="1"))

    def test_what_scripts_get_is_a_line_for_each_event_on_a_terminal_too(self):
        self.ctl("create", "a")
        shown = self.on_terminal("watch", "--from", "oldest", "--until-caught-up", "-o", "json")
        self.assertEqual([json.loads(line).get("type") for line in shown.splitlines()],
                         ["created", None])

    def test_the_progress_bar_is_for_terminals(self):
        with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
            for i in range(3000):
                file.write(b'{"id":"c%d","messages":[1,2,3,4,5,6,7,8]}\n' % i)
            file.flush()
            self.assertIn("[", self.on_terminal("import", file.name))
            self.assertEqual(self.ctl("import", file.name).err, "")


class ImportTest(CtxctlTestCase):
    def contexts(self, space=None):
        """All contexts as export writes them, by id."""
        lines = self.ctl("export", space=space).text.splitlines()
        return {json.loads(line)["id"]: json.loads(line) for line in lines}

    def test_a_conversation_is_kept_byte_for_byte_and_version_for_version(self):
        self.ctl("import", SAMPLE)
        with open(SAMPLE, encoding="utf-8", newline="\n") as file:
            lines = file.read().splitlines()
        decode = json.JSONDecoder().raw_decode
        for line in lines:
            at = line.index("[", line.index('"messages"')) + 1
            name = json.loads(line)["id"]
            shown = self.ctl("get", name, "-o", "json").json
            for index, _ in enumerate(json.loads(line)["messages"], 1):
                while line[at] in " ,":
                    at += 1
                _, end = decode(line, at)
                key = "messages/%08d" % index
                self.assertEqual(self.ctl("get", name, key).text, line[at:end])
                entry = shown["entries"][index - 1]
                self.assertEqual((entry["key"], entry["version"]), (key, index))
                self.assertEqual(entry["content_type"], "application/json")
                at = end

    def test_other_members_become_labels(self):
        self.import_lines('{"id":"a","user":"ada","reward":1.50,"done":true,"none":null,'
                          '"metadata":{"x":"y"},"type":"chat","messages":[]}')
        shown = self.ctl("get", "a", "-o", "json").json
        self.assertEqual(shown["metadata"], {"user": "ada", "reward": "1.50", "done": "true",
                                             "none": "null", "x": "y"})
        self.assertEqual(shown["type"], "chat")
        self.assertEqual(shown["entry_count"], 0)

    def test_entries_come_in_every_form(self):
        self.import_lines('{"id":"a","entries":{"t":"text","b":{"base64":"/wA="},"j":{"x": [1]},'
                          '"c":{"text":"t","content_type":"text/plain"}}}')
        self.assertEqual(self.ctl("get", "a", "t").out, b"text")
        self.assertEqual(self.ctl("get", "a", "b").out, b"\xff\0")
        self.assertEqual(self.ctl("get", "a", "j").out, b'{"x": [1]}')
        self.assertEqual(self.ctl("get", "a", "c", "-o", "json").json["content_type"], "text/plain")

    def test_export_is_the_inverse(self):
        self.ctl("import", SAMPLE)
        self.import_lines(
            '{"id":"p","type":"project","metadata":{"id":"a label"}}',
            '{"id":"b","parent_id":"p","entries":{"t":"\\u0000\\n","b":{"base64":"/wA="}}}',
            '{"id":"a","parent_id":"b","entries":{"messages/00000001":"{}",'
            '"x":{"text":"","content_type":"t"}}}',
            '{"id":"e","expire_time":"2036-01-01T00:00:00Z","messages":[ [1 , 2] ,"\\u00e9"]}',
        )
        exported = self.ctl("export").out
        other = self.space + "2"
        self.ctl("import", stdin=exported, space=other)
        self.assertEqual(self.ctl("export", space=other).out, exported)
        self.assertIn(b'"messages":[[1 , 2],"\\u00e9"]', exported)
        self.assertEqual(set(self.contexts(other)), set(self.contexts()))

    def test_export_selects(self):
        for name in ("a1", "a2", "b"):
            self.ctl("create", name, "--type", name[0], "--label", "n=" + name)
        self.assertEqual(self.ctl("export", "b", "a1").text.count("\n"), 2)
        self.assertEqual(self.ctl("export", "--prefix", "a").text.count("\n"), 2)
        self.assertEqual(self.ctl("export", "--type", "b").text.count("\n"), 1)
        self.assertEqual(self.ctl("export", "--label", "n=a2").text.count("\n"), 1)
        self.ctl("export", "none", code=NOT_FOUND)
        self.ctl("export", "b", "--type", "b", code=USAGE)

    def test_export_to_a_file_shows_it_only_whole(self):
        self.ctl("create", "a")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "all.jsonl")
            self.assertIn("1 context exported", self.ctl("export", "--file", path).text)
            with open(path, "rb") as file:
                self.assertEqual(file.read(), self.ctl("export").out)
            self.ctl("export", "none", "--file", path + "2", code=NOT_FOUND)
            self.assertEqual(os.listdir(folder), ["all.jsonl"])
            self.ctl("export", "--file", os.path.join(folder, "no", "file"), code=INPUT)

    def test_large_contexts_go_there_and_back(self):
        entries = {"k%d" % i: str(i) * 700000 for i in range(8)}
        line = json.dumps({"id": "large", "entries": entries})
        messages = json.dumps({"id": "talk", "messages": [{"n": i, "x": "y" * 90000}
                                                          for i in range(80)]})
        self.import_lines(line, messages)
        exported = self.contexts()
        self.assertEqual(exported["large"]["entries"], entries)
        self.assertEqual(exported["talk"]["messages"], json.loads(messages)["messages"])
        self.assertIn("2 were there already", self.import_lines(line, messages).text)

    def test_a_second_import_changes_nothing(self):
        self.ctl("import", SAMPLE)
        before = self.ctl("list", "--all", "-o", "json").out
        again = self.ctl("import", SAMPLE)
        self.assertIn("with 0 updates", again.text)
        self.assertEqual(self.ctl("list", "--all", "-o", "json").out, before)

    def test_what_was_deleted_is_imported_again(self):
        lines = ('{"id":"a","messages":[1,2,3]}', '{"id":"b","entries":{"k":"v"}}', '{"id":"c"}')
        self.import_lines(*lines)
        before = self.contexts()
        for _ in range(2):
            self.ctl("delete", "a", "b", "c")
            self.import_lines(*lines)
            self.assertEqual(self.contexts(), before)
            self.assertIn("with 0 updates", self.import_lines(*lines).text)

    def test_what_is_missing_is_filled_in(self):
        line = '{"id":"a","messages":[1,2,3,4]}'
        self.import_lines(line)
        self.ctl("delete-entry", "a", "messages/00000002", "messages/00000004")
        self.ctl("put", "a", "mine", "kept")
        self.assertIn("with 2 updates", self.import_lines(line).text)
        keys = [entry["key"] for entry in self.ctl("get", "a", "-o", "json").json["entries"]]
        self.assertEqual(keys, ["messages/%08d" % i for i in (1, 2, 3, 4)] + ["mine"])

    def test_a_longer_conversation_goes_on_where_it_ended(self):
        self.import_lines('{"id":"a","messages":[1,2]}')
        self.assertIn("with 1 update ", self.import_lines('{"id":"a","messages":[1,2,3]}').text)

    def test_other_content_is_refused_and_named(self):
        self.import_lines('{"id":"a","user":"ada","messages":[1,2]}')
        for line, part in (
            ('{"id":"a","user":"ada","messages":[1,3]}', "messages/00000002"),
            ('{"id":"a","user":"bob","messages":[1,2]}', "label user"),
            ('{"id":"a","messages":[1,2]}', "set of labels"),
            ('{"id":"a","user":"ada","type":"chat","messages":[1,2]}', "type"),
        ):
            with self.subTest(part):
                result = self.import_lines(line, code=REFUSED)
                self.assertIn("stdin:1: the context a exists with another " + part.split()[0]
                              if " " in part else part, result.err)
        self.assertEqual(self.ctl("get", "a", "-o", "json").json["version"], 2)

    def test_nothing_is_added_to_what_is_not_the_same(self):
        self.import_lines('{"id":"a","messages":[1,2]}', '{"id":"b","entries":{"k":"v"}}')
        for line in ('{"id":"a","messages":[7,2,3,4]}', '{"id":"a","messages":[1,7,3,4]}',
                     '{"id":"b","entries":{"k":"w","l":"x"}}'):
            self.import_lines(line, code=REFUSED)
            self.assertEqual(self.ctl("get", "a", "-o", "json").json["version"], 2)
            self.assertEqual(self.ctl("get", "b", "-o", "json").json["version"], 1)

    def test_the_first_bad_line_ends_it_and_the_lines_before_are_there(self):
        for bad, part, code in (
            ("{", "not JSON, at byte 3", INPUT),
            ('{"messages":[]}', '"id" is missing', INPUT),
            ('{"id":"x","l":"%s"}' % ("y" * 1025), '"l": a label holds at most 1024', INPUT),
            ('{"id":"x","parent_id":"none"}', "PARENT_NOT_FOUND", REFUSED),
            ('{"id":"x\\u0001","messages":[1]}', "INVALID_FIELD", USAGE),
        ):
            with self.subTest(bad[:40]):
                space = "%s.%d" % (self.space[:50], len(bad))
                lines = ['{"id":"a","messages":[1,2]}', "", bad, '{"id":"z","messages":[1]}']
                result = self.import_lines(*lines, code=code, space=space)
                self.assertIn("stdin:3: ", result.err)
                self.assertIn(part, result.err)
                self.assertEqual(len(self.contexts(space)["a"]["messages"]), 2)
                lines[2] = '{"id":"right"}'
                self.import_lines(*lines, space=space)
                self.assertEqual(sorted(self.contexts(space)), ["a", "right", "z"])

    def test_the_same_id_twice_and_parents_wait_for_their_turn(self):
        line = '{"id":"a","messages":[%s]}' % ",".join(map(str, range(500)))
        self.import_lines(line, line, '{"id":"b","parent_id":"a","messages":[1]}')
        self.assertEqual(len(self.contexts()["a"]["messages"]), 500)
        self.assertEqual(self.ctl("get", "a", "-o", "json").json["version"], 500)

    def test_a_file_that_cannot_be_read_is_named(self):
        self.assertIn("cannot open /no/such/file",
                      self.ctl("import", SAMPLE, "/no/such/file", code=INPUT).err)
        self.assertGreater(len(self.contexts()), 0)

    def test_an_import_that_was_cut_off_goes_on(self):
        lines = b"".join(b'{"id":"c%d","messages":[%s]}\n' % (i, b",".join([b"%d" % i] * 40))
                         for i in range(200))
        complete = lines + b'{"id":"last"}\n'
        process = subprocess.Popen([CTXCTL, "-n", self.space, "import"], stdin=subprocess.PIPE,
                                   stdout=subprocess.DEVNULL, env=self.environment())
        process.stdin.write(lines)  # And no end: it waits for more until it is killed.
        process.stdin.flush()
        while not self.ctl("list", "--limit", "1", "-o", "json").json["contexts"]:
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdin.close()
        self.ctl("import", stdin=complete)
        rows = self.ctl("list", "--all", "-o", "json").json["contexts"]
        self.assertEqual(len(rows), 201)
        for row in rows:
            self.assertEqual(row["version"], max(1, row["entry_count"]))
        self.assertIn("with 0 updates", self.ctl("import", stdin=complete).text)


class ForgetfulServerTest(ImportTest):
    """The same imports on a server that forgets a request id as soon as another comes."""

    flags = ("--request-ids-max", "1")


class CrashTest(CtxctlTestCase):
    def test_a_session_and_its_fence_outlive_the_server(self):
        self.ctl("create", "a")
        session = self.ctl("session", "start").text.strip()
        words = ("--session", session)
        fence = self.ctl("activate", "a", *words, "--exclusive", "--guard").text.strip()
        self.ctl("resources", "acquire", "a", "db", *words, "--fence", fence)
        before = self.ctl("status", "a").text
        self.restart(Server.kill)
        self.assertEqual(self.ctl("status", "a").text, before)
        self.assertIn("db          " + session, self.ctl("resources", "a").text)
        self.ctl("put", "a", "k", "v", code=REFUSED)
        self.ctl("put", "a", "k", "v", *words, "--fence", fence)

    def test_an_import_outlives_the_server(self):
        lines = b"".join(b'{"id":"c%d","messages":[%s]}\n' % (i, b",".join([b"%d" % i] * 30))
                         for i in range(300))
        process = subprocess.Popen([CTXCTL, "--timeout", "60s", "-n", self.space, "import"],
                                   stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                   env=self.environment())
        parts = [lines[i * len(lines) // 4 : (i + 1) * len(lines) // 4] for i in range(4)]
        for part in parts:
            process.stdin.write(part)
            process.stdin.flush()
            self.restart(Server.kill)
        process.stdin.close()
        self.assertEqual(process.wait(), 0)
        rows = self.ctl("list", "--all", "-o", "json").json["contexts"]
        self.assertEqual(len(rows), 300)
        for row in rows:
            self.assertEqual((row["version"], row["entry_count"]), (30, 30))
        self.assertIn("with 0 updates", self.ctl("import", stdin=lines).text)


if __name__ == "__main__":
    unittest.main()
