"""A dashboard: contexts in memory, kept up to date by what others do.

python view.py ADDRESS
"""

from __future__ import annotations

import sys
import threading

from contextd import Client, Event, LiveView, NewContext


def show(view: LiveView) -> None:
    """Prints each job with its state, without a call."""
    with view.read() as contexts:
        states = {id: known.entries["state"].text for id, known in contexts.items()}
    print(", ".join(f"{id} is {state}" for id, state in sorted(states.items())))


def main() -> None:
    """Sees what was there before it began, and each change after."""
    done = threading.Event()

    def hear(event: Event) -> None:
        if any(getattr(step, "value", None) == b"done" for step in event.mutations):
            done.set()

    with Client(sys.argv[1], namespace="examples-view") as client:
        jobs = [client.context(f"job-{n}", create_if_missing=NewContext("job")) for n in (1, 2)]
        for job in jobs:
            job["state"] = "waiting"
        with client.view(type="job", on_event=hear) as view:
            show(view)
            jobs[0]["state"] = "done"
            done.wait()
            show(view)


if __name__ == "__main__":
    main()
