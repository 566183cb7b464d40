"""What came of it, as text for people and as JSON."""

import statistics

HEAD = "%-9s %-9s %-7s %5s %26s %8s %9s %8s %19s" % (
    "in flight",
    "server",
    "load",
    "each",
    "operations/s (min-max)",
    "p50 us",
    "p99 us",
    "cpu us",
    "of null (min-max)",
)


def table_lines(found):
    """One line for each load, those with the same number of calls in flight together."""
    series = found["series"]
    yield HEAD
    group = None
    for load in found["loads"]:
        if group not in (None, (load.in_flight, load.per_request > 1 or load.kind == "stream")):
            yield ""
        group = (load.in_flight, load.per_request > 1 or load.kind == "stream")
        mine = series[load.key]
        yield "%-9d %-9s %-7s %5d %26s %8d %9d %8.2f %19s" % (
            load.in_flight,
            load.server,
            "" if load.server == "null" else load.kind,
            load.per_request,
            "{:,.0f} ({:,.0f}-{:,.0f})".format(mine.median("rate"), *mine.spread("rate")),
            mine.median("p50_us"),
            mine.median("p99_us"),
            mine.median("cpu_us"),
            ratio_text(mine, series, load),
        )


def null_of(series, load):
    """What a load is compared with: as many calls in flight, or 64 where each is several."""
    several = load.per_request > 1 or load.kind == "stream"
    return series.get("null/update/%d/1" % (64 if several else load.in_flight))


def ratio_text(mine, series, load):
    null = null_of(series, load)
    if null is None or load.server == "null":
        return ""
    ratios = mine.ratios(null)
    return "%.2f (%.2f-%.2f)" % (statistics.median(ratios), min(ratios), max(ratios))


def noise_lines(found):
    noises = [item.noise for one in found["series"].values() for item in one.slices]
    foreign = sorted(noise.foreign for noise in noises)
    stolen = [noise.stolen for noise in noises]
    loads = [noise.load_average for noise in noises]
    yield "disk: fdatasync of 4 KiB: {:,.0f} per second ({:,.0f}-{:,.0f})".format(
        statistics.median(found["syncs"]), min(found["syncs"]), max(found["syncs"])
    )
    yield "noise: others used %.2f cores in the median slice, %.2f in the worst of %d;" % (
        statistics.median(foreign),
        foreign[-1],
        len(foreign),
    )
    yield "       stolen %.2f, worst %.2f; load average %.1f to %.1f" % (
        statistics.median(stolen),
        max(stolen),
        min(loads),
        max(loads),
    )


# ---- Goals. -----------------------------------------------------------------------


class Goal:
    """Something that was hoped for, and the least that is asked. `hoped` may be None."""

    def __init__(self, text, measured, floor, hoped=None, most=False, form="%.2f"):
        self.text = text
        self.measured = measured
        self.floor = floor
        self.hoped = hoped
        self.most = most  # Smaller is better.
        self.form = form

    def reaches(self, bound):
        if bound is None:
            return False
        return self.measured <= bound if self.most else self.measured >= bound

    @property
    def mark(self):
        if self.reaches(self.hoped):
            return "hoped"
        return "pass" if self.reaches(self.floor) else "BELOW"

    def line(self):
        bounds = [
            "" if bound is None else ("<= " if self.most else ">= ") + self.form % bound
            for bound in (self.floor, self.hoped)
        ]
        return "%-58s %10s %13s %13s  %s" % (
            self.text,
            self.form % self.measured,
            bounds[0],
            bounds[1],
            self.mark,
        )


def table_goals(found):
    """Those that the rows of the table answer; rows that were left out have none."""
    series = found["series"]

    def ratio(mine, other, name="rate"):
        if mine not in series or other not in series:
            return None
        return statistics.median(series[mine].ratios(series[other], name))

    def add(text, measured, floor, hoped, **options):
        if measured is not None:
            goals.append(Goal(text, measured, floor, hoped, **options))

    goals = []
    for in_flight, floor, hoped in ((64, 0.45, 0.75), (256, 0.55, 0.90), (1024, 0.65, 0.95)):
        at = "update/%d/1" % in_flight
        text = "update over null, %d in flight" % in_flight
        add(text, ratio("contextd/" + at, "null/" + at), floor, hoped)
    add_latency_goal(found, add)
    null = "null/update/64/1"
    add("get of 10 entries over null, 64 in flight", ratio("contextd/get/64/1", null), 0.70, 0.85)
    add("stream, 1 update a message, over null", ratio("contextd/stream/1024/1", null), 1.2, 2.5)
    add("stream, 16 updates a message, over null", ratio("contextd/stream/64/16", null), 4, 7)
    add("stream, 100 updates a message, over null", ratio("contextd/stream/16/100", null), 6, 12)
    add("batch of 16, over null", ratio("contextd/batch/64/16", null), 4, 7)
    add("batch of 100, over null", ratio("contextd/batch/16/100", null), 6, 12)
    update = "contextd/update/64/1"
    cpu = ratio(update, null, "cpu_us")
    add("CPU of an update over null's, 64 in flight", cpu, 2.0, 1.4, most=True)
    for kind in ("batch", "stream"):
        key = "contextd/%s/16/100" % kind
        if key in series:
            cpu = series[key].median("cpu_us")
            add("CPU of one update in a %s of 100, us" % kind, cpu, 2.0, 0.8, most=True)
    etcd = "etcd/etcd/64/1"
    add("update over etcd's put, 64 in flight", ratio(update, etcd), 1.5, 3.0)
    add("CPU of it over etcd's", ratio(update, etcd, "cpu_us"), 0.5, 0.33, most=True)
    add("update over Redis, 64 clients", ratio(update, "redis/redis/64/1"), 0.5, 1.0)
    batch = "contextd/batch/64/16"
    add("batch of 16 over Redis, pipeline of 16", ratio(batch, "redis/redis/64/16"), 1.0, 1.8)
    return goals


def add_latency_goal(found, add):
    """An update alone: what the network and the disk cost, and not much more."""
    update = found["series"].get("contextd/update/1/1")
    null = found["series"].get("null/update/1/1")
    if update is None or null is None:
        return
    sync_us = 1e6 / statistics.median(found["syncs"])
    above = update.median("p50_us") - null.median("p50_us") - sync_us
    text = "update p50 alone, above null (%d us) and a sync (%d us), us" % (
        null.median("p50_us"),
        sync_us,
    )
    add(text, above, 50, 15, most=True, form="%.0f")


def idle_goals(idle):
    text = "idle over %.0f s, %% of a core" % idle["seconds"]
    yield Goal(text, 100 * idle["share"], 0.2, most=True, form="%.3f")


def restart_goals(restart):
    text = "changes replayed per second"
    yield Goal(text, restart["changes_per_s"], 1e6, form="%.0f")


def restart_lines(restart):
    yield "restart: {:,} changes replayed in {:.2f} s; it served after {:.2f} s".format(
        restart["changes"], restart["replay_s"], restart["start_s"]
    )
    yield "         a log of %.0f MB, its empty end included; %.2f s of CPU: %s" % (
        restart["log_bytes"] / 1e6,
        restart["cpu_s"],
        "the processor limits it"
        if restart["cpu_s"] > 0.7 * restart["start_s"]
        else "waiting limits it: the disk, or a busy machine",
    )


def memory_goals(memory):
    yield Goal("bytes of an empty context", memory["context"], 300, most=True, form="%.0f")


def memory_lines(memory):
    yield "memory: %.0f bytes for an empty context, %.0f for an entry of 207, %.1f KiB for an" % (
        memory["context"],
        memory["entry"],
        memory["connection"] / 1024,
    )
    yield "        idle connection (resident memory)"


def growth_goals(growth):
    cpu = statistics.median(growth["many"].ratios(growth["few"], "cpu_us"))
    text = "CPU of an update with %s contexts over that with 10,000" % (
        "{:,}".format(growth["contexts"])
    )
    yield Goal(text, cpu, 1.3, most=True)


def growth_lines(growth):
    rate = statistics.median(growth["many"].ratios(growth["few"]))
    yield "growth: with {:,} contexts {:.2f} of the updates per second".format(
        growth["contexts"], rate
    )


def history_ratio(history, mine, other, name="cpu_us"):
    series = history["series"]
    return statistics.median(series[mine].ratios(series[other], name))


def history_goals(history):
    for text, mine, other in (
        ("CPU of recording an activity over an update's", "record", "update"),
        ("the same, 100 in a batch", "record-batch", "batch"),
    ):
        yield Goal(text, history_ratio(history, mine, other), 1.15, most=True)
    count = "{:,}".format(history["activities"])
    for text, kind in (
        ("CPU of an append to %s activities over one to 1,000" % count, "record"),
        ("CPU of their newest page over that of 1,000", "newest"),
        ("CPU of a page from their middle over that of 1,000", "middle"),
    ):
        measured = history_ratio(history, kind + "/many", kind + "/few")
        yield Goal(text, measured, 1.3, most=True)


def history_lines(history):
    yield "history: %.0f bytes for an activity of 200 (resident memory)" % history["memory"]
    for kind in ("record", "record-batch", "update", "batch"):
        one = history["series"][kind]
        yield "         {:13} {:,.0f} per second, {:.2f} us of CPU each".format(
            kind, one.median("rate"), one.median("cpu_us")
        )
    for kind in ("record", "newest", "middle"):
        few, many = (history["series"]["%s/%s" % (kind, name)] for name in ("few", "many"))
        yield "         {:6} of 1,000 / of {:,}: {:.1f} / {:.1f} us of CPU".format(
            kind, history["activities"], few.median("cpu_us"), many.median("cpu_us")
        )


def sessions_goals(sessions):
    text = "{:,} sessions renewing every 10 s, % of a core".format(sessions["sessions"])
    yield Goal(text, 100 * sessions["share"], 10, most=True, form="%.2f")


def sessions_lines(sessions):
    yield "sessions: %.0f renewals per second, %.1f us of CPU each; %.0f bytes for a session" % (
        sessions["renewals_per_s"],
        sessions["cpu_us"],
        sessions["memory"],
    )


def median_of(rows, name):
    return statistics.median(row[name] for row in rows)


def events_goals(events):
    delivery = events["delivery"]
    ratio = median_of(delivery["events"], "per_cpu_s") / median_of(delivery["null"], "per_cpu_s")
    text = "events to {:,} subscriptions over null messages, per CPU".format(events["subscribers"])
    yield Goal(text, ratio, 0.7)
    index = events["index"]
    for text, name in (
        ("CPU of an update beside {:,} subscriptions to others", "others"),
        ("the same to one that a subscription is about", "theirs"),
    ):
        cpu = statistics.median(index[name].ratios(index["none"], "cpu_us"))
        yield Goal(text.format(events["index_count"]), cpu, 1.15, most=True)
    text = "events that one catches up with per second"
    yield Goal(text, statistics.median(events["catch_up"]["rates"]), 300000, form="%.0f")
    asleep, awake = (statistics.median(events["sleepers"][name]) for name in ("asleep", "awake"))
    yield Goal("p99 of those awake beside as many asleep", asleep / max(awake, 1), 1.5, most=True)


def events_lines(events):
    text = "events: at {:,.0f} updates per second {:,.0f} us from answer to event, p99 {:,.0f}"
    for rows in events["latency"].values():
        p50, p99, measured = (statistics.median(column) for column in zip(*rows))
        yield text.format(measured, p50, p99)
    delivery = events["delivery"]
    text = "        {:6} {:,.0f} per second to {:,} subscriptions, {:,.0f} per CPU second"
    for name in ("events", "null"):
        yield text.format(
            name,
            median_of(delivery[name], "rate"),
            events["subscribers"],
            median_of(delivery[name], "per_cpu_s"),
        )
    resume = events["resume"]
    yield "        {:,} subscriptions of one context each, {:,} changes behind: {:.2f} s,".format(
        events["index_count"], resume["changes"], resume["seconds"]
    )
    yield "        %.2f s of CPU, %.1f KiB each (resident memory, connections included)" % (
        resume["cpu_s"],
        resume["memory"] / 1024,
    )
    yield "        %.1f KiB for one that sleeps" % (events["sleepers_memory"] / 1024)


def talk_ratio(conversation, name):
    """What the points of a conversation take beside what it takes without any."""
    points = conversation[name + "_memory"] - conversation[name + "_memory_alone"]
    return points / conversation[name + "_size"]


def recovery_goals(recovery):
    def most(text, measured, floor, form="%.1f"):
        return Goal(text, measured, floor, most=True, form=form)

    fork, change = recovery["fork"], recovery["change"]
    conversation, pages, churn = recovery["conversation"], recovery["pages"], recovery["churn"]
    yield most("fork of {:,} entries, us".format(recovery["fork_entries"]), fork["large_us"], 50)
    yield most("fork of 10 entries, us", fork["small_us"], 50)
    copied = fork["large_bytes"] - fork["small_bytes"]
    yield most("bytes that the former takes more", copied, 1000, form="%.0f")
    text = "point after a change of 1 entry in {:,}, us above the update"
    entries = recovery["state_entries"]
    yield most(text.format(entries), change["point_us"], 20)
    for text, name, floor in (
        ("points of a value that grows over its size", "growing", 4),
        ("the same, cut off at the front from half of it on", "trimmed", 8),
    ):
        yield most(text, talk_ratio(conversation, name), floor)
    for text, name in (
        ("newest page of 10,000 points, ms", "newest"),
        ("a page of those with a rare label, ms", "metadata"),
        ("1,000 ancestors with one entry each, ms", "chain"),
    ):
        yield most(text, pages[name + "_us"] / 1000, 5, form="%.2f")
    text = "10 differences in {:,} entries, ms".format(entries)
    yield most(text, recovery["diff"]["us"] / 1000, 1, form="%.3f")
    text = "memory after {:,} points came and went over before".format(recovery["churned"])
    yield most(text, churn["memory_after"] / churn["memory_before"], 1.2, form="%.2f")
    update = recovery["update"]
    for text, name in (
        ("CPU of an update with 1,000 points over one without", "with_points_ratio"),
        ("the same with 1,000 activities", "with_history_ratio"),
        ("the same with both", "with_both_ratio"),
        ("CPU of a recording update with 1,000 points over without", "pointed_recording_ratio"),
    ):
        yield most(text, update[name], 1.15, form="%.2f")


def recovery_lines(recovery):
    fork, change = recovery["fork"], recovery["change"]
    yield "recovery: on the engine alone, %.0f s, load average %.1f" % (
        recovery["seconds"],
        recovery["load_average"],
    )
    yield "         fork: {:,.0f} bytes of {:,} entries, {:,.0f} of 10;".format(
        fork["large_bytes"],
        recovery["fork_entries"],
        fork["small_bytes"],
    )
    yield "         in all {:,.3f} MB before that of the large one, {:,.3f} after".format(
        fork["memory_before_mb"], fork["memory_after_mb"]
    )
    yield "         point: %.0f bytes of memory and %.0f of the log; the update alone %.1f us" % (
        change["memory_bytes"],
        change["log_bytes"],
        change["update_us"],
    )
    for name in ("growing", "trimmed"):
        talk = {
            key: recovery["conversation"]["%s_%s" % (name, key)]
            for key in ("size", "memory", "memory_alone", "log", "turn_us")
        }
        text = "         {} value of {:,.0f}: {:,.0f} bytes with points, {:,.0f} without;"
        yield text.format(name, talk["size"], talk["memory"], talk["memory_alone"])
        text = "         its log {:,.0f}; a turn {:.0f} us"
        yield text.format(talk["log"], talk["turn_us"])
    churn = recovery["churn"]
    yield "         points come and go: {:,.0f} bytes before, {:,.0f} after; {:.1f} us each".format(
        churn["memory_before"], churn["memory_after"], churn["us"]
    )
    for name, us in recovery["update"].items():
        if not name.endswith("_ratio"):
            text = "         update, %-17s %.2f us, %.2f of the other"
            over = recovery["update"]["%s_ratio" % name]
            yield text % (name.replace("_", " "), us, over)


# ---- Clients. ---------------------------------------------------------------------

UNARY_FLOOR = 0.85
EVENTS_FLOOR = 0.8

# Threads of Python take turns: what they gain is told, and has no goal.
COALESCING_FLOORS = {"go": 2.5, "java": 2.5, "python-asyncio": 3.0}


def client_goals(found):
    for row in found["rows"]:
        name = row["client"]
        yield Goal("%s: one caller over the bare stub" % name, row["unary_ratio"], UNARY_FLOOR)
        if name in COALESCING_FLOORS:
            yield Goal(
                "%s: 64 callers, with coalescing over without" % name,
                row["coalescing_ratio"],
                COALESCING_FLOORS[name],
            )
        yield Goal("%s: events over the bare stream" % name, row["events_ratio"], EVENTS_FLOOR)


def client_lines(found):
    yield "%-16s %10s %11s %8s %12s %14s" % (
        "client",
        "one caller",
        "64 callers",
        "events",
        "cpu us bare",
        "cpu us client",
    )
    for row in found["rows"]:
        yield "%-16s %10.2f %11.2f %8.2f %12.1f %14.1f" % (
            row["client"],
            row["unary_ratio"],
            row["coalescing_ratio"],
            row["events_ratio"],
            row["cpu_us_bare"],
            row["cpu_us_client"],
        )
    for folder in found["missing"]:
        yield "%-16s not measured: no benchmark, or no tools for it" % folder


GOALS = {
    "clients": client_goals,
    "events": events_goals,
    "history": history_goals,
    "sessions": sessions_goals,
    "table": table_goals,
    "idle": idle_goals,
    "restart": restart_goals,
    "memory": memory_goals,
    "growth": growth_goals,
    "recovery": recovery_goals,
}
LINES = {
    "restart": restart_lines,
    "memory": memory_lines,
    "growth": growth_lines,
    "history": history_lines,
    "sessions": sessions_lines,
    "events": events_lines,
    "recovery": recovery_lines,
    "clients": client_lines,
}


def goals_of(found):
    return [goal for name, value in found.items() if name in GOALS for goal in GOALS[name](value)]


def report_lines(found):
    """The whole report. `found` is what each section found, by its name."""
    if "table" in found:
        yield from table_lines(found["table"])
        yield ""
        yield from noise_lines(found["table"])
        yield ""
    for name, lines in LINES.items():
        if name in found:
            yield from lines(found[name])
    goals = goals_of(found)
    if goals:
        yield ""
        yield "%-58s %10s %13s %13s" % ("goal", "measured", "floor", "hoped")
        yield from (goal.line() for goal in goals)


# ---- JSON. ------------------------------------------------------------------------


def series_json(series):
    names = ("rate", "p50_us", "p99_us", "cpu_us")
    slices = [
        dict(
            {name: getattr(item, name) for name in names},
            foreign=item.noise.foreign,
            stolen=item.noise.stolen,
            load_average=item.noise.load_average,
        )
        for item in series.slices
    ]
    return {"median": {name: series.median(name) for name in names}, "slices": slices}


def to_json(found):
    result = {
        name: found[name]
        for name in ("idle", "restart", "memory", "sessions", "recovery", "clients")
        if name in found
    }
    if "table" in found:
        table = found["table"]
        result["syncs_per_s"] = table["syncs"]
        result["loads"] = {key: series_json(one) for key, one in table["series"].items()}
    if "growth" in found:
        growth = found["growth"]
        result["growth"] = {
            "contexts": growth["contexts"],
            "few": series_json(growth["few"]),
            "many": series_json(growth["many"]),
        }
    if "history" in found:
        history = found["history"]
        result["history"] = {
            "activities": history["activities"],
            "memory": history["memory"],
            "loads": {key: series_json(one) for key, one in history["series"].items()},
        }
    result["goals"] = [
        {
            "goal": goal.text,
            "measured": goal.measured,
            "floor": goal.floor,
            "hoped": goal.hoped,
            "mark": goal.mark,
        }
        for goal in goals_of(found)
    ]
    return result
