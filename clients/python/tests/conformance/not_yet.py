"""Cases of what this client does not offer yet, by id, with what is missing.

Each must fail: whoever adds what is missing takes the case off the list.
"""

from collections.abc import Mapping

_BATCHES = "snapshots and update_all"

NOT_YET: Mapping[str, str] = {
    "several-contexts-are-got-in-one-call": _BATCHES,
    "several-contexts-are-changed-together-or-not-at-all": _BATCHES,
}
