"""Cases of what this client does not offer yet, by id, with what is missing.

Each must fail: whoever adds what is missing takes the case off the list.
"""

from collections.abc import Mapping

_BATCHES = "BatchGetContexts and BatchUpdateContexts"

NOT_YET: Mapping[str, str] = {
    "several-contexts-are-got-in-one-call": _BATCHES,
    "several-contexts-are-changed-in-one-call-each-on-its-own": _BATCHES,
    "several-contexts-are-changed-together-or-not-at-all": _BATCHES,
    "more-than-a-message-is-written-in-pieces": "put_all",
    "what-is-written-in-pieces-may-have-a-condition": "put_all",
}
