"""The package as its users get it: built, installed, imported from somewhere else."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
import zipfile

import pytest

import contextd

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


def test_installs_from_the_folder(wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    target = tmp_path / "site"
    options = ["--no-deps", "--no-index", "--quiet", "--target", str(target)]
    subprocess.run([*pip, "install", *options, str(wheel)], check=True)
    program = "import contextd, contextd.v1.tracker_pb2_grpc; print(contextd.__file__)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(target)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == str(target / "contextd" / "__init__.py")


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
