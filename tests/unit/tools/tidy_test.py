#!/usr/bin/env python3
"""Each check of tools/tidy, shown one breach that it must find and its twin that is
right."""

import importlib.machinery
import importlib.util
import os
import unittest


def load(path):
    loader = importlib.machinery.SourceFileLoader("tidy", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("tidy", loader))
    loader.exec_module(module)
    return module


tidy = load(os.path.join(os.getcwd(), "tools", "tidy"))

TABLE = """
<!-- may-use begin -->
| folder | may use | libraries | must not know |
| --- | --- | --- | --- |
| `core/base` | | ISA-L | |
| `core/log` | `core/base` | | |
| `server/rpc` | `core/base` | gRPC, protobuf-c | |
| `server/services` | `core/engine/engine.h`, `server/rpc` | generated messages | |
<!-- may-use end -->
"""


class TidyTest(unittest.TestCase):
    def rules(self, check, tree):
        return [(b.path, b.line, b.rule) for b in check(tree)]

    def test_lines_of_code_are_bounded(self):
        tree = {"core/a.c": "x\n" + "y" * 101 + "\n", "tests/a.cc": "y" * 200}
        self.assertEqual(
            self.rules(tidy.check_line_length, tree), [("core/a.c", 2, "line-length")]
        )
        self.assertEqual(self.rules(tidy.check_line_length, {"core/a.c": "y" * 100 + "\n"}), [])

    def test_blanks_at_the_end_tabs_and_missing_ends_of_lines(self):
        for text, line in (("a \n", 1), ("a\n\tb\n", 2), ("a", 1)):
            with self.subTest(text):
                self.assertEqual(
                    self.rules(tidy.check_whitespace, {"core/a.c": text}),
                    [("core/a.c", line, "whitespace")],
                )
        self.assertEqual(self.rules(tidy.check_whitespace, {"Makefile": "a:\n\tb\n"}), [])

    def test_leftovers_machine_paths_and_registries(self):
        for text, rule in (
            ("/* TODO: more */", "leftover"),
            ("/* Good enough for now. */", "leftover"),
            ("/* Simplified. */", "leftover"),
            ('open("/home/me/data")', "machine-path"),
            ("cd /" + "work/main", "machine-path"),
            ("--index-url https://pypi.org/simple", "registry"),
        ):
            with self.subTest(text):
                self.assertEqual(
                    self.rules(tidy.check_words, {"core/a.c": text}), [("core/a.c", 1, rule)]
                )
        for text in ("todo", "core/base/work.h", "/usr/share/bazel", "for nowhere"):
            with self.subTest(text):
                self.assertEqual(self.rules(tidy.check_words, {"core/a.c": text}), [])

    def test_copies_and_generated_code_are_left_alone(self):
        text = "TODO " + "y" * 200
        for path in ("third_party/x/a.c", "clients/python/src/a_pb2.py", "LICENSE"):
            self.assertEqual(self.rules(tidy.check_words, {path: text}), [])
            self.assertEqual(self.rules(tidy.check_line_length, {path: text}), [])

    def test_files_are_bounded(self):
        tree = {"core/a.c": "x\n" * 1000}
        self.assertEqual(
            self.rules(tidy.check_file_length, tree), [("core/a.c", 1, "file-length")]
        )

    def test_a_file_that_no_target_names_is_dead(self):
        tree = {
            "core/x/BUILD.bazel": 'srcs = ["a.c"], hdrs = glob(["*_api.h"])',
            "core/x/a.c": "",
            "core/x/b.c": "",
            "core/x/c_api.h": "",
            "tests/unit/x/BUILD.bazel": 'cx_test(name = "a_test")',
            "tests/unit/x/a_test.cc": "",
            "tests/unit/x/b_test.cc": "",
        }
        self.assertEqual(
            self.rules(tidy.check_dead_files, tree),
            [("core/x/b.c", 1, "dead-file"), ("tests/unit/x/b_test.cc", 1, "dead-file")],
        )

    def test_every_source_has_its_test(self):
        tree = {
            "core/x/a.c": "",
            "core/x/b.c": "",
            "server/run.c": "",
            "tests/unit/x/a_test.cc": "",
        }
        self.assertEqual(
            self.rules(tidy.check_tests, tree),
            [("core/x/b.c", 1, "untested"), ("server/run.c", 1, "untested")],
        )
        tree["tests/unit/x/b_test.cc"] = tree["tests/unit/server/run_test.cc"] = ""
        self.assertEqual(self.rules(tidy.check_tests, tree), [])

    def test_links_lead_somewhere(self):
        tree = {
            "docs/a.md": "# One, Two\n[b](b.md) [x](../x/y.c#part) [w](https://w)\n[s](#one-two)\n",
            "docs/b.md": "[a](a.md#one-two) [d](adr) [root](../README.md)\n[bad](a.md#three)\n",
            "docs/adr/1.md": "",
            "README.md": "",
        }
        self.assertEqual(
            self.rules(tidy.check_links, tree), [("docs/a.md", 2, "link"), ("docs/b.md", 2, "link")]
        )

    def test_functions_are_bounded(self):
        body = "    x();\n" * 80
        tree = {"core/a.c": "int f(void)\n{\n    x();\n}\n\nstatic int long_one(int a,\n"
                            "                    int b)\n{\n" + body + "}\n"}
        breaches = list(tidy.check_function_length(tree))
        self.assertEqual([(b.line, b.what) for b in breaches], [(8, "long_one has 82 lines")])

    def test_public_functions_have_comments(self):
        tree = {"core/x/a.h": "/* Head. */\n\nint cx_a(void);\n\n/* What. */\nint cx_b(int x);\n"
                              "\nvoid cx_a_done(int x);\n\nint cx_c(void); /* Here. */\n"
                              "\n/* All of these: so. */\n\nint cx_d(void);\n"
                              "\n/* ---- Other. ---- */\n\nint cx_e(void);\n"
                              "\n/* A thing. */\nstruct cx_f {\n    int x;\n};\n"
                              "\nint cx_f_x(void);\n"}
        self.assertEqual(
            self.rules(tidy.check_comments, tree),
            [("core/x/a.h", 3, "uncommented"), ("core/x/a.h", 18, "uncommented")],
        )

    def may_use(self, path, line):
        return self.rules(tidy.check_may_use, {tidy.ARCHITECTURE: TABLE, path: line + "\n"})

    def test_includes_obey_the_table(self):
        for path, line in (
            ("core/base/a.c", '#include "core/log/log.h"'),
            ("core/log/a.c", "#include <isa-l/crc.h>"),
            ("server/services/a.c", "#include <grpc/grpc.h>"),
            ("server/services/a.c", '#include "core/engine/shard.h"'),
            ("server/rpc/a.c", '#include "contextd/v1/tracker.pb-c.h"'),
            ("core/nowhere/a.c", "#include <stdio.h>"),
        ):
            with self.subTest(line):
                self.assertEqual([rule for _, _, rule in self.may_use(path, line)], ["may-use"])
        for path, line in (
            ("core/log/a.c", '#include "core/base/bytes.h"'),
            ("core/log/a.c", '#include "core/log/wal.h"'),
            ("core/base/a.c", "#include <isa-l/crc.h>"),
            ("core/base/a.c", "#include <stdio.h>"),
            ("server/services/a.c", '#include "core/engine/engine.h"'),
            ("server/services/a.c", '#include "contextd/v1/tracker.pb-c.h"'),
            ("server/rpc/a.c", "#include <grpc/grpc.h>"),
        ):
            with self.subTest(line):
                self.assertEqual(self.may_use(path, line), [])

    def test_exceptions_only_shrink(self):
        breach = tidy.Breach("core/x/a.c", 1, "untested", "no test")
        used = {tidy.EXCEPTIONS: "# Why.\nuntested core/x/a.c\n"}
        self.assertEqual(list(tidy.without_exceptions(used, [breach])), [])
        self.assertEqual(
            [b.rule for b in tidy.without_exceptions(used, [])], ["exception"]
        )
        self.assertEqual(list(tidy.without_exceptions({}, [breach])), [breach])


if __name__ == "__main__":
    unittest.main()
