"""Cases of what this client does not offer yet, by id, with what is missing.

Each must fail: whoever adds what is missing takes the case off the list.
"""

from collections.abc import Mapping

NOT_YET: Mapping[str, str] = {}
