"""The programs of the folder `examples`, as somebody would run them."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest

from contextd_process import ContextdProcess

FOLDER = pathlib.Path(__file__).resolve().parents[2]

PRINTED = {
    "chat_memory": """\
You have said 1 things to me; this is version 1 of what I know.
You have said 2 things to me; this is version 3 of what I know.
""",
    "fork_and_merge": """\
after a bad idea: by car
after a good idea: by train
both changed: by
after a late idea: by bicycle
""",
    "two_workers": """\
refused: it belongs to worker-1
before: worker-1 has it
after: worker-2 has it
""",
    "view": """\
job-1 is waiting, job-2 is waiting
job-1 is done, job-2 is waiting
""",
}


@pytest.mark.parametrize("name", PRINTED)
def test_an_example_prints_what_it_promises(process: ContextdProcess, name: str) -> None:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "examples" / f"{name}.py"), process.address],
        env={"PYTHONPATH": str(FOLDER / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (done.stdout, done.returncode) == (PRINTED[name], 0), done.stderr


def test_every_example_is_run() -> None:
    assert {path.stem for path in (FOLDER / "examples").glob("*.py")} == set(PRINTED)
