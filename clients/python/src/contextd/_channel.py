"""How both clients connect."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Optional, Union

import grpc

from contextd.connecting import Tls
from contextd.errors import InvalidValue
from contextd.version import __version__

Options = Sequence[tuple[str, Union[int, str]]]

MESSAGE_BYTES_MAX = 64 << 20
"""The largest message that is taken."""

# A proxy of the environment (`http_proxy`) cannot reach a server on this machine's loopback.
# What may be sent, the server bounds. After a restart of the server the channel looks for
# it soon, instead of after gRPC's 1 to 120 seconds, so that repeated calls find it. A peer
# that is gone without a word is found out while calls are under way, also when they only
# receive; the server cuts off who asks more often than each 10 seconds.
_OPTIONS: Options = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_send_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.primary_user_agent", f"contextd-python/{__version__}"),
)


def channel_options(
    options: Options, tls: Optional[Tls] = None
) -> list[tuple[str, Union[int, str]]]:
    """The options of a channel; the caller's own win."""
    known = dict(_OPTIONS)
    if tls is not None and tls.server_name:
        known["grpc.ssl_target_name_override"] = tls.server_name
    return list({**known, **dict(options)}.items())


def credentials(tls: Tls) -> grpc.ChannelCredentials:
    """What a channel encrypts with."""
    return grpc.ssl_channel_credentials(tls.ca, tls.key, tls.certificate)


def _is_local(address: str) -> bool:
    """Whether an address is of this machine: loopback, or a socket in its file system."""
    scheme, colon, rest = address.partition(":")
    if colon and scheme in ("unix", "unix-abstract"):
        return True
    if colon and scheme in ("dns", "ipv4", "ipv6"):
        address = rest.rpartition("/")[2]  # Behind the name server, if any.
    host = address if address.endswith("]") else address.rpartition(":")[0] or address
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def check_token(address: str, token: object, tls: Optional[Tls]) -> None:
    """Refuses to send a token to another machine in plain text, with ``InvalidValue``."""
    if token is not None and tls is None and not _is_local(address):
        raise InvalidValue(
            f"the token would go to {address} in plain text: give tls= as well, such as tls=Tls()"
        )
