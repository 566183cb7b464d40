"""The clients' own benchmarks: what each costs beside gRPC's bare stubs of its language."""

import os
import shutil
import subprocess

from measure import BenchError
from servers import ROOT

RUN_MAX_S = 1800

# Of each folder below `clients` the program that its bench.sh needs.
TOOLS = {"go": "go", "java": "mvn", "python": "python3"}


def script_of(folder):
    return os.path.join(ROOT, "clients", folder, "bench.sh")


def is_there(folder):
    """Whether the client has a benchmark, and this machine what it needs."""
    return os.path.exists(script_of(folder)) and shutil.which(TOOLS[folder]) is not None


def parse(line):
    """The figures of a line `client=NAME figure=VALUE ...`, or None for any other line."""
    pairs = dict(pair.split("=", 1) for pair in line.split() if "=" in pair)
    if "client" not in pairs:
        return None
    name = pairs.pop("client")
    return dict({figure: float(value) for figure, value in pairs.items()}, client=name)


def run(folder, address, seconds, rounds):
    """Runs one client's benchmark; gives its lines, read."""
    command = [script_of(folder), "--address", address, str(seconds), str(rounds)]
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=RUN_MAX_S,
        check=False,
    )
    if done.returncode != 0:
        raise BenchError("%s\n%s" % (" ".join(command), done.stderr.decode()[-2000:]))
    rows = [row for row in map(parse, done.stdout.decode().splitlines()) if row is not None]
    if not rows:
        raise BenchError("%s printed no figures" % " ".join(command))
    return rows
