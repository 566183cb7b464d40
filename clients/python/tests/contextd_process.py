"""A real server in a process of its own, on a free port of the loopback address."""

from __future__ import annotations

import contextlib
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
from typing import Optional

_POLL_SECONDS = 0.01
_START_SECONDS = 60.0


def _free_address() -> str:
    """An address that nobody else gets while the server is away, nor in between.

    Systems hand out ports for connections from 32768 on, or higher ones. And where all that
    begins with 127 is this machine, hardly two tests choose the same of it.
    """
    while True:
        host = "127.0.0.1"
        if sys.platform == "linux":
            host = (
                f"127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}"
            )
        address = (host, random.randrange(20_000, 32_000))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(address)
            return f"{address[0]}:{address[1]}"


class ContextdProcess:
    """Starts, kills and starts again one server on one data directory, always on one port."""

    def __init__(self, binary: str, folder: pathlib.Path, *flags: str) -> None:
        """Keeps data, port file and the server's own words in ``folder``.

        ``flags`` may be changed between two starts.
        """
        self._binary = str(pathlib.Path(binary).resolve())
        self._folder = folder
        self.flags = flags
        self._port_file = folder / "port"
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._listen = _free_address()

    @property
    def address(self) -> str:
        """Where it serves."""
        return self._listen

    @property
    def words(self) -> str:
        """What the server said on its standard error, all runs of it."""
        return (self._folder / "stderr").read_text(errors="replace")

    def launch(self) -> None:
        """Starts the process, without waiting for it."""
        # One that was killed leaves its port file behind.
        self._port_file.unlink(missing_ok=True)
        with open(self._folder / "stderr", "ab") as words:
            self._process = subprocess.Popen(
                [
                    self._binary,
                    *("--listen", self._listen),
                    *("--data-dir", str(self._folder / "data")),
                    *("--port-file", str(self._port_file)),
                    *self.flags,
                ],
                # CONTEXTD_* are the server's settings: it refuses ours and takes no others'.
                env={k: v for k, v in os.environ.items() if not k.startswith("CONTEXTD_")},
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
            )

    def wait_ready(self) -> None:
        """Returns once the server answers. Raises ``RuntimeError`` when it ended instead."""
        assert self._process is not None
        for _ in range(int(_START_SECONDS / _POLL_SECONDS)):
            if self._port_file.exists() and self._port_file.read_text().strip():
                return
            if self.ends_within(_POLL_SECONDS):
                break
        raise RuntimeError(f"the server is not ready:\n{self.words}")

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        self.launch()
        self.wait_ready()

    def ends_within(self, seconds: float) -> bool:
        """Waits so long for the process, and tells whether it has ended."""
        assert self._process is not None
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """Ends the process with SIGKILL. A process that was not started is no error."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """Ends the server with SIGTERM and gives its exit status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(_START_SECONDS)
