"""How clients connect, and what they tell of their calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional


@dataclass(frozen=True)
class Tls:
    """A connection that is encrypted, to a server that shows who it is.

    All certificates and keys are bytes in PEM.

    Attributes:
        ca: The authorities whose certificates are believed. ``None``: those of gRPC.
        certificate: Our own certificate, with those between it and the authority, for servers that
            ask for one.
        key: The key of ``certificate``.
        server_name: The name that the server's certificate must have. Empty: the host of the
            address.

    Example:
        >>> tls = Tls(ca=pathlib.Path("ca.pem").read_bytes())
        >>> client = Client("contextd.example:7420", tls=tls, token=read_token)
    """

    ca: Optional[bytes] = None
    certificate: Optional[bytes] = None
    key: Optional[bytes] = None
    server_name: str = ""

    def __post_init__(self) -> None:
        """Refuses what cannot work."""
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together: give both, or none")


@dataclass(frozen=True)
class FinishedCall:
    """A call that is over, with its repetitions.

    Attributes:
        method: The method's name, such as ``GetContext``. Operations that went out together are
            one call, ``BatchUpdateContexts`` or ``BatchRecoveryPoints``.
        seconds: How long it took, its repetitions and the delays between them included.
        attempts: How often it was made.
        error: What it failed with: a :class:`~contextd.ContextdError`, or what the program itself
            raised, such as ``asyncio.CancelledError``. ``None``: it did not fail.
    """

    method: str
    seconds: float
    attempts: int
    error: Optional[BaseException]


OnCall = Callable[[FinishedCall], object]
"""Told of each call when it is over, by whoever made it: it should be quick. What it raises is
logged, and changes nothing."""
