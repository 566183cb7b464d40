"""How both clients connect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union

Options = Sequence[tuple[str, Union[int, str]]]

# A proxy of the environment (`http_proxy`) cannot reach a server on this machine's loopback.
# The server bounds its messages itself. After a restart of the server the channel looks for
# it soon, instead of after gRPC's 1 to 120 seconds, so that repeated calls find it. A peer
# that is gone without a word is found out while calls are under way, also when they only
# receive; the server cuts off who asks more often than each 10 seconds.
_OPTIONS: Options = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
)


def channel_options(options: Options) -> list[tuple[str, Union[int, str]]]:
    """The options of a channel; the caller's own win."""
    return list({**dict(_OPTIONS), **dict(options)}.items())
