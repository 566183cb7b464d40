"""A real server whose disk has no room: what it still does, and what it says."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
from collections.abc import Iterator
from typing import Optional

import pytest

import contextd
from contextd import Client, Context, NewContext
from contextd_process import ContextdProcess

DISK_MIB = 256
NOISE = os.urandom(1 << 20)


def value(number: int) -> bytes:
    """A value of 1 MiB that is like no other, and that nothing compresses."""
    return number.to_bytes(4, "big") + NOISE[4:]


def fill(chat: Context) -> tuple[int, Optional[contextd.ContextdError]]:
    """Writes one value over the other; gives the last that was taken, and the first refusal."""
    for number in range(2 * DISK_MIB):
        try:
            chat.put("k", value(number))
        except contextd.ContextdError as error:
            return number - 1, error
    return 2 * DISK_MIB - 1, None


@pytest.fixture
def small_disk(tmp_path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A file system that is full soon. Skips the test where none can be mounted."""
    mount = shutil.which("mount")
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(folder)]
    if mount is None or subprocess.run([mount, *options], capture_output=True).returncode:
        pytest.skip("this user may not mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_refuses_writes_and_still_reads(binary: str, small_disk: pathlib.Path) -> None:
    process = ContextdProcess(binary, small_disk)
    process.start()
    try:
        with Client(process.address, timeout=60.0) as client:
            chat = client.context("chat", create_if_missing=NewContext())
            written, refusal = fill(chat)
            assert isinstance(refusal, contextd.StorageFull)
            assert refusal.request_id
            assert chat.get("k") == value(written)
    finally:
        process.kill()
