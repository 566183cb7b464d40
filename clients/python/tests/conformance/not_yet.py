"""Cases of what this client does not offer yet, by id, with what is missing.

Each must fail: whoever adds what is missing takes the case off the list.
"""

from collections.abc import Mapping

_BATCHES = "BatchGetContexts and BatchUpdateContexts"
_COALESCING = "an option for coalescing"

NOT_YET: Mapping[str, str] = {
    "several-contexts-are-got-in-one-call": _BATCHES,
    "several-contexts-are-changed-in-one-call-each-on-its-own": _BATCHES,
    "several-contexts-are-changed-together-or-not-at-all": _BATCHES,
    "more-than-a-message-is-written-in-pieces": "put_all",
    "what-is-written-in-pieces-may-have-a-condition": "put_all",
    "many-operations-are-all-done": _COALESCING,
    "appends-of-one-context-are-each-made-once": _COALESCING,
    "without-coalescing-it-is-the-same": _COALESCING,
    "operations-at-once-go-on-over-a-kill": _COALESCING,
    "a-grpc-server-of-another-kind-is-told": "WrongServer",
    "a-client-that-is-closed-does-nothing-more": "ClientClosed",
    "a-write-that-cannot-be-is-refused-before-anything-is-sent": "refusals of its own",
    "a-value-that-is-no-json-is-told": "InvalidValue",
}
