"""The package as its users get it: built, installed, imported from somewhere else."""

from __future__ import annotations

import importlib.metadata
import pathlib
import re
import subprocess
import sys
import venv
import zipfile

import pytest

import contextd
from contextd.v1.context_manager_pb2 import GetServerInfoResponse
from fake import FakeServer

FOLDER = pathlib.Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Builds the wheel with what is installed, asking nobody."""
    out = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    subprocess.run([*pip, "wheel", *options, "--wheel-dir", str(out), str(FOLDER)], check=True)
    (built,) = out.iterdir()
    return built


class Clean:
    """An environment with the package and what it declares to need, and nothing else."""

    def __init__(self, wheel: pathlib.Path, folder: pathlib.Path) -> None:
        """Takes the dependencies from the environment of the tests."""
        venv.create(folder / "venv", with_pip=False)
        self.python = folder / "venv" / "bin" / "python"
        self.folder = folder
        (self.site,) = (folder / "venv" / "lib").glob("python*/site-packages")
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(self.site)
        (installed,) = importlib.metadata.distributions(name="contextd", path=[str(self.site)])
        for requirement in installed.requires or ():
            self._link(requirement)

    def _link(self, requirement: str) -> None:
        """Puts what a distribution installed into the environment, and what that needs."""
        if "extra ==" in requirement:
            return
        name = re.split(r"[^\w.-]", requirement)[0]
        needed = importlib.metadata.distribution(name)
        for top in {file.parts[0] for file in needed.files or () if file.parts[0] != ".."}:
            there = self.site / top
            if not there.exists():
                there.symlink_to(pathlib.Path(str(needed.locate_file(top))))
        for further in needed.requires or ():
            self._link(further)

    def run(self, program: str, *words: str) -> str:
        """Runs a program; gives what it printed. Warnings are errors."""
        done = subprocess.run(
            [str(self.python), "-W", "error", "-c", program, *words],
            cwd=self.folder,
            env={},
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def check(self, program: str) -> str:
        """Has mypy look at a program; gives what it says."""
        (self.folder / "program.py").write_text(program)
        options = ["--strict", "--no-error-summary", "--cache-dir", str(self.folder / "mypy")]
        mypy = [sys.executable, "-m", "mypy", "--python-executable", str(self.python)]
        done = subprocess.run(
            [*mypy, *options, "program.py"],
            cwd=self.folder,
            check=False,
            capture_output=True,
            text=True,
        )
        assert not done.stderr
        return done.stdout.strip()


@pytest.fixture(scope="module")
def clean(wheel: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Clean:
    return Clean(wheel, tmp_path_factory.mktemp("clean"))


ALL_MODULES = """
import importlib, pkgutil, contextd
for module in pkgutil.walk_packages(contextd.__path__, "contextd."):
    importlib.import_module(module.name)
print(contextd.__file__)
"""


def test_every_module_needs_only_what_is_declared(clean: Clean) -> None:
    assert clean.run(ALL_MODULES) == str(clean.site / "contextd" / "__init__.py")


FIRST_CALL = """
import sys, contextd, contextd.tasks
with contextd.Client(sys.argv[1]) as client:
    print(client.server_info().version)
"""


def test_a_program_asks_a_server_with_only_what_is_declared(
    clean: Clean, server: FakeServer
) -> None:
    server.answer("GetServerInfo", GetServerInfoResponse(version="1.2.3"))
    assert clean.run(FIRST_CALL, server.address) == "1.2.3"


TYPED = """
from contextd import Client
from contextd.tasks import task_context

with Client() as client, task_context(client, "t") as task:
    reveal_type(client.context("c").get_text("k"))
    reveal_type(task.add_context_update("message", "x"))
    client.context(7)
"""


def test_programs_are_checked_with_the_types(clean: Clean) -> None:
    told = clean.check(TYPED)
    assert 'program.py:6: note: Revealed type is "builtins.str"' in told
    assert 'program.py:7: note: Revealed type is "builtins.int"' in told
    assert "program.py:8: error:" in told
    assert told.count("error:") == 1


def test_holds_the_types_and_nothing_of_the_tests(wheel: pathlib.Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "contextd/py.typed" in names
    assert "contextd/v1/context_manager_pb2.pyi" in names
    assert {name.split("/")[0] for name in names} == {
        "contextd",
        f"contextd-{contextd.__version__}.dist-info",
    }


def test_the_newest_change_is_of_this_version() -> None:
    text = (FOLDER / "CHANGELOG.md").read_text()
    assert re.findall(r"^## (.*)$", text, re.MULTILINE)[0] == contextd.__version__
