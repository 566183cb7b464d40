"""How the server of a case and its clients are secured."""

from __future__ import annotations

from typing import Optional

import contextd
from certificates import SERVER_NAME, Certificates


class Security:
    """The TLS of a case's server, and what its clients trust and show."""

    def __init__(self, certificates: Certificates, kind: str) -> None:
        """Takes what the case says of its server: ``one_way`` or ``mutual``."""
        self._certificates = certificates
        self._mutual = kind == "mutual"

    def flags(self) -> tuple[str, ...]:
        """Those of the server."""
        path = self._certificates.path
        flags = ("--tls-cert", path("server"), "--tls-key", path("server.key"))
        return (*flags, "--tls-client-ca", path("ca")) if self._mutual else flags

    def tls(self, how: str) -> Optional[contextd.Tls]:
        """That of a client, as the word of the case says."""
        owns = {"": "client", "trusting": "client", "stranger": "stranger"}
        authorities = {"another_authority": "other"}
        names = {"another_name": "another.test"}
        if how == "none":
            return None
        if how not in {*owns, *authorities, *names, "anonymous"}:
            raise AssertionError(f"the runner does not know the word '{how}'")
        own = owns.get(how) if self._mutual else None
        return contextd.Tls(
            ca=self._certificates[authorities.get(how, "ca")],
            certificate=None if own is None else self._certificates[own],
            key=None if own is None else self._certificates[f"{own}.key"],
            server_name=names.get(how, SERVER_NAME),
        )
