"""A plan is tried in a branch, merged where it is good, and forgotten where it is not.

python fork_and_merge.py ADDRESS
"""

from __future__ import annotations

import sys

from contextd import Client, MergeConflicts, NewContext, OnConflict


def main() -> None:
    """Tries three changes of one plan."""
    with Client(sys.argv[1], namespace="examples-branches") as client:
        plan = client.context("plan", create_if_missing=NewContext("plan"))
        plan.update(puts={"goal": "see Rome", "by": "car"})

        with plan.branch() as bad_idea:
            bad_idea["by"] = "rocket"
        print("after a bad idea: by", plan.get_text("by"))

        with plan.branch() as good_idea:
            good_idea["by"] = "train"
            good_idea.merge()
        print("after a good idea: by", plan.get_text("by"))

        with plan.branch() as late_idea:
            late_idea["by"] = "ship"
            plan["by"] = "bicycle"  # Somebody else, meanwhile.
            try:
                late_idea.merge()
            except MergeConflicts as conflicts:
                print("both changed:", ", ".join(c.key for c in conflicts.conflicts))
            late_idea.merge(on_conflict=OnConflict.TARGET)
        print("after a late idea: by", plan.get_text("by"))


if __name__ == "__main__":
    main()
