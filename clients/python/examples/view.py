"""A dashboard: contexts in memory, kept up to date by what others do.

python view.py ADDRESS
"""

from __future__ import annotations

import sys

from contextd import Client, EventType, NewContext, View


def show(view: View) -> None:
    """Prints each job with its state, without a call."""
    states = {id: known.entries["state"].text for id, known in view.contexts.items()}
    print(", ".join(f"{id} is {state}" for id, state in sorted(states.items())))


def main() -> None:
    """Sees what was there before it began, and each change after."""
    with Client(sys.argv[1], namespace="examples-view") as client:
        jobs = [client.context(f"job-{n}", create_if_missing=NewContext("job")) for n in (1, 2)]
        for job in jobs:
            job["state"] = "waiting"
        view = View(lambda id: client.context(id).snapshot())
        with client.subscribe(type="job", snapshot=True, progress=True) as events:
            for event in events:
                view.apply(event)
                if event.type is EventType.CAUGHT_UP:
                    show(view)
                    jobs[0]["state"] = "done"
                elif event.type is EventType.UPDATED:
                    show(view)
                    break


if __name__ == "__main__":
    main()
