#!/usr/bin/env python3
"""Imports conversations with `ctxctl import` while the server is killed again and again.

    tests/integration/replay_ctxctl.py FILE \\
        --server bazel-bin/server/contextd --ctxctl bazel-bin/clients/ctxctl/ctxctl \\
        --kills 50 --seed 1

FILE holds JSON lines: {"id": ..., "messages": [...]}. While an import runs, the server is
killed with SIGKILL at a random moment and started again on the same directory; what is
there then is compared, and the import is run again. Once the kills are over it runs to its
end, and once more. After each restart this must hold:

  1. Each context holds the first messages of its conversation, byte for byte, in order,
     and nothing else; its version is their number. (A context begins with its first
     message; one that has none, with nothing.)
  2. What was there once is there for good.

And in the end: all of it is there, and a further import changes nothing.

Exit status 0 when it does; else 1, and the first difference is printed.
"""

import argparse
import json
import random
import subprocess
import sys

import server_process


def parse_line(line):
    """Returns (id, [the bytes of each message]) of a conversation."""
    messages = []
    decode = json.JSONDecoder().raw_decode
    at = line.index("[", line.index('"messages"')) + 1
    while True:
        while line[at] in " ,":
            at += 1
        if line[at] == "]":
            return json.loads(line)["id"], messages
        _, end = decode(line, at)
        messages.append(line[at:end].encode())
        at = end


class Replay:
    """One run over a file."""

    def __init__(self, options):
        self.options = options
        self.random = random.Random(options.seed)
        with open(options.file, encoding="utf-8", newline="\n") as file:
            self.conversations = dict(parse_line(line) for line in file)
        self.seen = {}  # How many messages of each conversation were there.

    def ctxctl(self, server, *words, check=True):
        """Runs a command and returns its standard output."""
        done = subprocess.run(
            [self.options.ctxctl, "--address", server.address, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            check=False,
        )
        if check and done.returncode != 0:
            sys.exit("ctxctl %s: %s" % (" ".join(words), done.stderr.decode()))
        return done.stdout

    def check(self, server):
        """Compares what is there with the file."""
        exported = self.ctxctl(server, "export").decode().splitlines()
        stored = dict(parse_line(line) for line in exported if '"messages"' in line)
        versions = {}
        for line in self.ctxctl(server, "-o", "json", "list", "--all").splitlines():
            for row in json.loads(line)["contexts"]:
                versions[row["id"]] = row["version"]
                if row["entry_count"] == 0:
                    stored[row["id"]] = []
        if stored.keys() != versions.keys():
            sys.exit("not conversations: %s" % (stored.keys() ^ versions.keys()))
        for name, messages in stored.items():
            self.check_one(name, messages, versions[name])
        for name, count in self.seen.items():
            if count > 0 and name not in stored:
                sys.exit("%s is gone" % name)

    def check_one(self, name, messages, version):
        """Compares one context."""
        if messages != self.conversations.get(name, [])[: len(messages)]:
            sys.exit("%s does not hold the beginning of its conversation" % name)
        if version != max(1, len(messages)):
            sys.exit("%s: version %d after %d messages" % (name, version, len(messages)))
        if len(messages) < self.seen.get(name, 0):
            sys.exit("%s lost messages: %d of %d" % (name, len(messages), self.seen[name]))
        self.seen[name] = len(messages)

    def run(self):
        """Kills, restarts and compares; then lets the import end."""
        folder_keeper = server_process.Server()
        data_dir = folder_keeper.data_dir
        folder_keeper.kill()
        for _ in range(self.options.kills):
            self.round(data_dir)
        with server_process.Server(data_dir=data_dir) as server:
            self.ctxctl(server, "import", self.options.file)
            self.check(server)
            again = self.ctxctl(server, "import", self.options.file).decode()
            self.check(server)
        if self.seen != {name: len(all_) for name, all_ in self.conversations.items()}:
            sys.exit("the import ended, but not everything is there")
        if "with 0 updates" not in again:
            sys.exit("a second import changed something: %s" % again)

    def round(self, data_dir):
        """One import, cut off by the end of the server."""
        with server_process.Server(data_dir=data_dir) as server:
            self.check(server)
            importer = subprocess.Popen(
                [self.options.ctxctl, "--address", server.address, "--timeout", "100ms"]
                + ["import", self.options.file],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                importer.wait(timeout=self.random.uniform(0, self.options.longest))
            except subprocess.TimeoutExpired:
                pass
            server.kill()
            importer.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", help="conversations, one JSON object a line")
    parser.add_argument("--server", default=server_process.BINARY, help="the program contextd")
    parser.add_argument("--ctxctl", required=True, help="the program ctxctl")
    parser.add_argument("--kills", type=int, default=20, help="how often to kill (20)")
    parser.add_argument("--longest", type=float, default=0.2, help="seconds before a kill (0.2)")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args()
    server_process.BINARY = options.server
    replay = Replay(options)
    count = sum(len(messages) for messages in replay.conversations.values())
    print("seed %d: %d conversations" % (options.seed, len(replay.conversations)), flush=True)
    replay.run()
    print("%d messages, %d kills: everything is there" % (count, options.kills))


if __name__ == "__main__":
    main()
