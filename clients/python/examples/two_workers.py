"""Two workers at one context: only who has it exclusively writes.

python two_workers.py ADDRESS
"""

from __future__ import annotations

import sys

from contextd import Client, ContextBusy, NewContext


def main() -> None:
    """The second worker is refused until the first one has let go."""
    with Client(sys.argv[1], namespace="examples") as client:
        client.context("job-1", create_if_missing=NewContext("job")).put("step", "waiting")
        with client.session(owner="worker-1") as first, client.session(owner="worker-2") as second:
            with first.activate("job-1", exclusive=True) as job:
                job["step"] = "worker-1 has it"
                try:
                    second.activate("job-1", exclusive=True)
                except ContextBusy as busy:
                    print("refused: it belongs to", busy.owner)
            with second.activate("job-1", exclusive=True) as job:
                print("before:", job.get_text("step"))
                job["step"] = "worker-2 has it"
        print("after:", client.context("job-1").get_text("step"))


if __name__ == "__main__":
    main()
