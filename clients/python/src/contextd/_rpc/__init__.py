"""The wire form of a failure's details. See ``proto/contextd/_rpc/status.proto``."""
