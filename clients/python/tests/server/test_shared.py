"""Shared contexts on a real server: rights, versions, and many writers at once."""

from __future__ import annotations

import random
import threading
from functools import partial
from typing import Any, Callable

import pytest

import contextd
from both_tasks import BothTasks
from contextd import Client
from contextd.tasks import EVERYONE, AccessDenied, Right, Rights, Scope, SharedContext
from contextd_process import ContextdProcess

WORKERS = 4
ROUNDS = 5


def refused(attempt: Callable[[], Any]) -> tuple[str, Right]:
    with pytest.raises(AccessDenied) as denied:
        attempt()
    return denied.value.actor, denied.value.right


def test_each_may_do_what_was_granted(tasks: BothTasks) -> None:
    plan = tasks.create_shared(
        "t", owner="planner", data={"city": "Rome"}, readers=["critic"], writers=["booker"]
    )
    critic, booker, nobody = map(plan.acting_as, ("critic", "booker", "nobody"))
    assert critic.get("city") == "Rome"
    assert refused(lambda: critic.set("city", "Milan")) == ("critic", Right.WRITE)
    assert booker.set("city", "Milan").by == "booker"
    assert refused(lambda: booker.grant("nobody", Right.READ)) == ("booker", Right.OWN)
    assert refused(booker.drop) == ("booker", Right.OWN)
    reads: list[Callable[[], Any]] = [
        lambda: nobody.get("city"),
        nobody.data,
        nobody.rights,
        nobody.version,
        nobody.versions,
        lambda: tasks.open_shared("t", actor="nobody"),
    ]
    writes: list[Callable[[], Any]] = [
        lambda: critic.delete("city"),
        lambda: critic.update({"a": 1}),
        lambda: critic.edit("city", str),
        lambda: critic.rollback(1),
    ]
    assert {refused(read) for read in reads} == {("nobody", Right.READ)}
    assert {refused(write) for write in writes} == {("critic", Right.WRITE)}
    assert plan.data() == {"city": "Milan"}
    assert plan.version() == 2


def test_grants_take_effect_at_once_and_can_be_taken_back(tasks: BothTasks) -> None:
    plan = tasks.create_shared("t", owner="planner")
    other = plan.acting_as("other")
    assert refused(other.data) == ("other", Right.READ)
    plan.grant("other", Right.WRITE)
    other.set("k", [1, {"a": None}])
    plan.grant("other", Right.READ)
    assert refused(lambda: other.set("k", 2)) == ("other", Right.WRITE)
    assert other.get("k") == [1, {"a": None}]
    plan.revoke("other")
    assert refused(lambda: other.get("k")) == ("other", Right.READ)
    plan.grant(EVERYONE, Right.WRITE)
    other.set("k", 3)
    assert plan.rights() == Rights("planner", {EVERYONE: Right.WRITE})
    mistakes: list[Callable[[], Any]] = [
        lambda: plan.grant("planner", Right.READ),
        lambda: plan.revoke("planner"),
        lambda: plan.grant("other", Right.OWN),
        lambda: plan.grant("", Right.READ),
        lambda: plan.acting_as(EVERYONE),
    ]
    for wrong in mistakes:
        with pytest.raises(ValueError, match=r"."):
            wrong()


def test_a_scope_has_names_of_its_own_and_a_community_reads_along(tasks: BothTasks) -> None:
    for scope in Scope:
        tasks.create_shared("x", owner="a", scope=scope, data={"scope": scope.value})
    with pytest.raises(contextd.ContextExists) as exists:
        tasks.create_shared("x", owner="b")
    assert exists.value.version == 1
    assert tasks.open_shared("x", actor="b", scope=Scope.COMMUNITY).get("scope") == "community"
    for scope in (Scope.SESSION, Scope.TASK, Scope.AGENT):
        assert refused(partial(tasks.open_shared, "x", actor="b", scope=scope))[1] is Right.READ
        assert tasks.open_shared("x", actor="a", scope=scope).get("scope") == scope.value
    found = tasks.client.contexts(type="shared", metadata={"owner": "a", "scope": "agent"})
    assert [info.id for info in found] == ["shared/agent/x"]
    with pytest.raises(contextd.ContextNotFound):
        tasks.open_shared("none", actor="a")
    tasks.client.create("shared/task/plain")
    with pytest.raises(contextd.ContextNotFound, match="is no shared context"):
        tasks.open_shared("plain", actor="a")


def test_every_write_is_a_version_to_come_back_to(tasks: BothTasks) -> None:
    plan = tasks.create_shared("t", owner="a", data={"city": "Rome", "days": 3})
    plan.set("city", "Milan")
    plan.grant("b", Right.WRITE)
    b = plan.acting_as("b")
    b.update({"days": 5, "via": "Bern"}, deletes=["city"])
    assert b.edit("days", lambda days: days + 1).version == 5
    assert plan.delete("none").action == "delete"
    told = [(version.version, version.by, version.action) for version in plan.versions()]
    assert told == [
        (6, "a", "delete"),
        (5, "b", "edit"),
        (4, "b", "update"),
        (3, "a", "grant"),
        (2, "a", "set"),
        (1, "a", "create"),
    ]
    assert [version.version for version in plan.versions(limit=2)] == [6, 5]
    assert plan.data(version=2) == {"city": "Milan", "days": 3}
    assert b.rollback(1).version == 7
    assert plan.data() == {"city": "Rome", "days": 3}
    assert plan.rights().grants == {"b": Right.WRITE}
    plan.rollback(5)
    assert plan.data() == {"days": 6, "via": "Bern"}
    with pytest.raises(contextd.RecoveryPointNotFound, match="version 99"):
        plan.rollback(99)


def test_a_rollback_brings_no_right_back(tasks: BothTasks) -> None:
    plan = tasks.create_shared("t", owner="a", data={"k": 1}, writers=["b"])
    plan.revoke("b")
    plan.rollback(1)
    assert refused(lambda: plan.acting_as("b").set("k", 2)) == ("b", Right.WRITE)
    assert plan.data() == {"k": 1}


def test_only_so_many_versions_are_kept(tasks: BothTasks) -> None:
    plan = tasks.create_shared("t", owner="a", versions_kept=3)
    for n in range(5):
        plan.set("n", n)
    assert [version.version for version in plan.versions()] == [6, 5, 4]
    with pytest.raises(contextd.RecoveryPointNotFound):
        plan.data(version=3)


def test_a_condition_of_the_program_is_kept(tasks: BothTasks) -> None:
    plan = tasks.create_shared("t", owner="a")
    seen = plan.version()
    plan.set("k", 1)
    writes: list[Callable[[], Any]] = [
        lambda: plan.set("k", 2, if_version=seen),
        lambda: plan.update({"k": 2}, if_version=seen),
        lambda: plan.delete("k", if_version=seen),
    ]
    for write in writes:
        with pytest.raises(contextd.VersionConflict) as conflict:
            write()
        assert conflict.value.current_version == 2
    assert plan.set("k", 3, if_version=2).version == 3


def test_what_was_dropped_is_gone_and_its_name_is_free(tasks: BothTasks) -> None:
    plan = tasks.create_shared("t", owner="a", data={"k": 1})
    plan.drop()
    with pytest.raises(contextd.ContextNotFound):
        plan.get("k")
    again = tasks.create_shared("t", owner="b")
    assert again.data() == {}
    assert [version.by for version in again.versions()] == ["b"]


def test_edits_of_many_add_up(process: ContextdProcess, namespace: str) -> None:
    def work(actor: str) -> None:
        with Client(process.address, namespace=namespace, timeout=60.0) as client:
            shared = SharedContext.open(client, "t", actor=actor)
            for _ in range(ROUNDS):
                shared.edit("n", lambda n: (n or 0) + 1)

    with Client(process.address, namespace=namespace, timeout=60.0) as client:
        names = [f"agent-{n}" for n in range(WORKERS)]
        plan = SharedContext.create(client, "t", owner="a", writers=names)
        threads = [threading.Thread(target=work, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert plan.get("n") == WORKERS * ROUNDS


def test_no_write_follows_the_revocation_of_its_right(
    process: ContextdProcess, namespace: str
) -> None:
    """Whoever writes as fast as it can has written nothing after the revocation returned."""
    written: list[int] = []
    begun = threading.Event()

    def write(shared: SharedContext) -> None:
        while True:
            written.append(shared.set("n", len(written)).version)
            begun.set()

    def work() -> None:
        with Client(process.address, namespace=namespace, timeout=60.0) as client:
            shared = SharedContext.open(client, "t", actor="b")
            with pytest.raises(AccessDenied):
                write(shared)

    with Client(process.address, namespace=namespace, timeout=60.0) as client:
        plan = SharedContext.create(client, "t", owner="a", writers=["b"], versions_kept=10_000)
        thread = threading.Thread(target=work)
        thread.start()
        assert begun.wait(60.0)
        plan.revoke("b")
        after = plan.version()
        thread.join()
        assert plan.version() == after
        (revoked,) = (v.version for v in plan.versions() if v.action == "revoke")
        assert revoked == after
        assert written == [v.version for v in reversed(plan.versions()) if v.action == "set"]


class Model:
    """A shared context as a dictionary, for one test to compare with."""

    def __init__(self, owner: str, data: dict[str, int]) -> None:
        self.owner = owner
        self.grants: dict[str, Right] = {}
        self.versions: list[dict[str, int]] = [data]

    def may(self, actor: str, right: Right) -> bool:
        has = {self.grants.get(actor), self.grants.get(EVERYONE)}
        wanted = {Right.WRITE} | ({Right.READ} if right is Right.READ else set())
        return actor == self.owner or (right is not Right.OWN and bool(has & wanted))

    @property
    def data(self) -> dict[str, int]:
        return self.versions[-1]


@pytest.mark.parametrize("seed", range(3))
def test_it_does_what_a_dictionary_with_rights_would(tasks: BothTasks, seed: int) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    actors = ["a", "b", "c", "d"]
    model = Model("a", {"k0": 0})
    shared = tasks.create_shared("t", owner="a", data={"k0": 0}, versions_kept=1000)
    handles = {actor: shared.acting_as(actor) for actor in actors}
    for step in range(60):
        actor, key = chance.choice(actors), f"k{chance.randrange(4)}"
        who, granted = chance.choice([*actors[1:], EVERYONE]), chance.choice(list(Right)[:2])
        version = chance.randint(1, len(model.versions))
        handle, old = handles[actor], dict(model.data)
        writes: dict[str, tuple[Callable[[], Any], dict[str, int]]] = {
            "set": (partial(handle.set, key, step), {**old, key: step}),
            "delete": (partial(handle.delete, key), {k: v for k, v in old.items() if k != key}),
            "update": (
                partial(handle.update, {"k9": step}, deletes=[key]),
                {**{k: v for k, v in old.items() if k != key}, "k9": step},
            ),
            "edit": (
                partial(handle.edit, key, lambda value: (value or 0) + 1),
                {**old, key: old.get(key, 0) + 1},
            ),
            "rollback": (partial(handle.rollback, version), model.versions[version - 1]),
            "grant": (partial(handle.grant, who, granted), old),
            "revoke": (partial(handle.revoke, who), old),
        }
        action = chance.choice(list(writes))
        right = Right.OWN if action in ("grant", "revoke") else Right.WRITE
        write, after = writes[action]
        if not model.may(actor, Right.READ if action == "rollback" else right):
            refused(write)
        elif not model.may(actor, right):
            assert refused(write) == (actor, right)
        else:
            write()
            model.versions.append(after)
            if action == "grant":
                model.grants[who] = granted
            elif action == "revoke":
                model.grants.pop(who, None)
        assert shared.data() == model.data
        reader = chance.choice(actors)
        if model.may(reader, Right.READ):
            assert handles[reader].data(version=version) == model.versions[version - 1]
        else:
            assert refused(handles[reader].data) == (reader, Right.READ)
    assert shared.rights() == Rights("a", model.grants)
    assert len(shared.versions()) == len(model.versions)
