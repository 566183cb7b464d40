"""Programs of users against a real server: imports that survive kills, and those of the README."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest

from contextd_process import ContextdProcess

FOLDER = pathlib.Path(__file__).resolve().parents[2]
ROOT = FOLDER.parents[1]


@pytest.mark.parametrize("mode", ["sync", "async", "both"])
def test_an_import_survives_kills(binary: str, mode: str) -> None:
    script = ROOT / "tests/integration/replay_python.py"
    sample = ROOT / "tests/integration/testdata/sample_conversations.jsonl"
    options = ["--server", binary, "--kills", "5", "--seed", "5", "--client", mode]
    done = subprocess.run(
        [sys.executable, script, sample, *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 kills: 0 differences" in done.stdout


def test_an_import_with_all_that_was_done_adds_up(binary: str) -> None:
    script = ROOT / "tests/integration/replay_tracker.py"
    sample = ROOT / "tests/integration/testdata/sample_conversations.jsonl"
    options = ["--server", binary, "--kills", "5", "--seed", "5"]
    done = subprocess.run(
        [sys.executable, script, sample, *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 kills: 0 differences" in done.stdout


def test_every_message_can_be_come_back_to(binary: str) -> None:
    script = ROOT / "tests/integration/replay_points.py"
    sample = ROOT / "tests/integration/testdata/sample_conversations.jsonl"
    options = ["--server", binary, "--samples", "40", "--seed", "5"]
    done = subprocess.run(
        [sys.executable, script, sample, *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert ": 0 differences" in done.stdout


# The README and the pages beside it.


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("README.md", "first"),
        ("README.md", "asyncio"),
        ("README.md", "session"),
        ("README.md", "events"),
        ("README.md", "view"),
        ("README.md", "recovery"),
        ("TASKS.md", "task"),
        ("TASKS.md", "shared"),
    ],
)
def test_the_program_of_the_readme_runs_as_printed(
    process: ContextdProcess, page: str, name: str
) -> None:
    text = (FOLDER / page).read_text()

    def block(kind: str) -> str:
        found = re.search(rf"<!-- {kind}: {name} -->\n```\w*\n(.*?)```", text, re.DOTALL)
        assert found is not None
        return found[1]

    program = block("program").replace("127.0.0.1:7420", process.address)
    assert process.address in program
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env={**os.environ, "PYTHONPATH": str(FOLDER / "src")},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert done.stdout == block("output")
