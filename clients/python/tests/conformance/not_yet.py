"""Cases of what this client does not offer yet, by id, with what is missing.

Each must fail: whoever adds what is missing takes the case off the list.
"""

from collections.abc import Mapping

NOT_YET: Mapping[str, str] = {
    "what-a-lost-session-had-exclusively-is-kept-as-a-point": "sessions do not say it",
    "what-a-session-had-that-was-ended-is-not-kept-as-a-point": "sessions do not say it",
    "a-wrong-name-among-several-touches-no-other": "one wrong name refuses all",
    "a-diff-that-cannot-be-is-refused-without-a-server": "the field is told as another",
    "the-points-of-one-context-need-its-name": "no name is all of the namespace",
    "a-change-of-a-point-needs-its-name": "it is a ValueError",
}
