"""Certificates for tests, made anew each time: nothing that could run out lies in the tree."""

from __future__ import annotations

import pathlib
import shutil
import subprocess

import pytest

SERVER_NAME = "contextd.test"
"""The name in the server's certificate, beside ``localhost``."""

_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


class Certificates:
    """Two authorities, ``ca`` and ``other``, and what each signed: by their names.

    ``ca`` signed ``server`` and ``client``, ``other`` signed ``stranger``. Each has its key in the
    file with ``.key`` behind its name. Skips the test where openssl is not installed.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        """Makes all of them, in the folder."""
        self._folder = folder
        openssl = shutil.which("openssl")
        if openssl is None:
            pytest.skip("openssl is not installed")
        self._openssl = openssl
        (folder / "names").write_text(f"subjectAltName=DNS:localhost,DNS:{SERVER_NAME}")
        for name in ("ca", "other"):
            self._run("req", "-x509", *self._new(name), "-out", name)
        for name, ca in (("server", "ca"), ("client", "ca"), ("stranger", "other")):
            self._run("req", *self._new(name), "-out", f"{name}.csr")
            signed = ["-CA", ca, "-CAkey", f"{ca}.key", "-CAcreateserial", "-extfile", "names"]
            self._run("x509", "-req", "-in", f"{name}.csr", *signed, "-out", name)

    @staticmethod
    def _new(name: str) -> list[str]:
        return [*_KEY, "-subj", f"/CN={name}", "-keyout", f"{name}.key"]

    def _run(self, *arguments: str) -> None:
        command = [self._openssl, *arguments]
        subprocess.run(command, cwd=self._folder, check=True, capture_output=True)

    def path(self, name: str) -> str:
        """Where the file of this name is."""
        return str(self._folder / name)

    def __getitem__(self, name: str) -> bytes:
        """What is in the file of this name, in PEM."""
        return (self._folder / name).read_bytes()
