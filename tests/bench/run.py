#!/usr/bin/env python3
"""The benchmark of contextd, as ratios within one run. See README.md here.

Starts a null server, contextd and, where they are installed, Redis and etcd, drives them
in turns, checks what they stored, and prints tables. No figure makes it fail: it ends
with 1 only when something is wrong."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import report
import servers
from measure import Workload
from sections import KEYS, Bench

SECTIONS = (
    "table",
    "rows",
    "idle",
    "restart",
    "memory",
    "growth",
    "history",
    "sessions",
    "events",
    "recovery",
    "clients",
)
TARGETS = [
    "//tests/bench:load",
    "//tests/bench:null_server",
    "//server:contextd",
    "//tests/bench:recovery",
]
VALUE_SIZE = 200

# What is smaller in a quick run.
USUAL = {
    "slices": 5,
    "slice_s": 1.2,
    "idle_s": 60,
    "restart_changes": 2000000,
    "empty_contexts": 200000,
    "many_contexts": 1000000,
    "connections": 1000,
    "activities": 1000000,
    "sessions": 10000,
    "sessions_s": 20,
    "subscribers": 1000,
    "context_subscribers": 10000,
    "behind": 100000,
    "catch_up": 1000000,
    "fork_entries": 1000000,
    "state_entries": 100000,
    "recovery_rounds": 100,
    "churned_points": 1000000,
    "client_slice_s": 1,
    "client_rounds": 5,
}
QUICK = {
    "slices": 2,
    "slice_s": 0.25,
    "idle_s": 2,
    "restart_changes": 100000,
    "empty_contexts": 20000,
    "many_contexts": 30000,
    "connections": 100,
    "activities": 20000,
    "sessions": 500,
    "sessions_s": 2,
    "subscribers": 50,
    "context_subscribers": 200,
    "behind": 5000,
    "catch_up": 20000,
    "fork_entries": 50000,
    "state_entries": 20000,
    "recovery_rounds": 10,
    "churned_points": 50000,
    "client_slice_s": 0.3,
    "client_rounds": 1,
}


def parse_options():
    parser = argparse.ArgumentParser(
        prog="tests/bench/run", description=__doc__.split("\n", maxsplit=1)[0]
    )
    parser.add_argument("--quick", action="store_true", help="a smoke: the figures mean little")
    parser.add_argument(
        "--only",
        action="append",
        choices=SECTIONS,
        help="just this section, more than once for several; "
        "`rows` are the loads with several updates in a message",
    )
    parser.add_argument("--slices", type=int, help="rounds, one slice of each load in each")
    parser.add_argument("--json", metavar="FILE", help="write everything there, too")
    parser.add_argument("--dir", default="/var/tmp", help="where the data goes: on a real disk")
    parser.add_argument("--no-peers", action="store_true", help="leave out Redis and etcd")
    parser.add_argument("--versus", metavar="BINARY", help="another contextd, in the same rounds")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1000000)
    options = parser.parse_args()
    for name, value in (QUICK if options.quick else USUAL).items():
        if getattr(options, name, None) is None:
            setattr(options, name, value)
    options.sections = options.only or SECTIONS
    return options


def file_system_of(folder):
    command = ["stat", "--file-system", "--format=%T", folder]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode().strip()


def machine_line():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = models[0] if models else os.uname().machine
    return "machine: %d x %s, %.0f GiB, Linux %s" % (
        os.cpu_count(),
        model,
        memory,
        os.uname().release,
    )


def run_sections(bench, options):
    found = {}
    if {"table", "rows", "idle"} & set(options.sections):
        table = bench.table()
        found["table"] = table
        if table["idle"] is not None:
            found["idle"] = table["idle"]
    for name in ("restart", "memory", "growth", "history", "sessions", "events", "recovery"):
        if name in options.sections:
            found[name] = getattr(bench, name)()
    if "clients" in options.sections:
        found["clients"] = bench.clients_of_languages()
    return found


def main():
    options = parse_options()
    begin = time.monotonic()
    load, null_server, contextd, recovery = servers.build(TARGETS)
    binaries = {"null": null_server, "contextd": contextd, "recovery": recovery}
    if options.versus is not None:
        binaries["versus"] = os.path.abspath(options.versus)
    folder = tempfile.mkdtemp(prefix="contextd-bench-", dir=options.dir)
    print(machine_line())
    print("data: %s (%s); seed %d" % (options.dir, file_system_of(folder), options.seed))
    print(flush=True)

    def make_workload(contexts, keys=KEYS):
        return Workload(load, contexts, keys, VALUE_SIZE, options.seed)

    bench = Bench(options, binaries, folder, make_workload)
    try:
        found = run_sections(bench, options)
    except (servers.BenchError, subprocess.SubprocessError) as error:
        print("bench: WRONG: %s" % error, file=sys.stderr)
        return 1
    finally:
        bench.kill_all()
        shutil.rmtree(folder, ignore_errors=True)
    for line in report.report_lines(found):
        print(line.rstrip())
    print("\nwhat was stored was read back and is right; %.0f s" % (time.monotonic() - begin))
    if options.json is not None:
        with open(options.json, "w") as file:
            json.dump(report.to_json(found), file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
