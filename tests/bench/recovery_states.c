/* Whole states: forks, and what differs. */

#include "tests/bench/recovery.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"
#include "core/state/state_diff.h"

enum { CHANGES = 10 };

/* ---- Forks. ----------------------------------------------------------------- */

static void make_fork(struct bench *bench, const char *source, const char *id, unsigned entries)
{
    struct cx_fork_request request = {.source = bench_name(source), .id = bench_name(id).id};
    struct cx_write_outcome outcome;
    struct cx_snapshot snapshot;
    struct cx_error error;

    bench_expect(cx_engine_fork(bench->engine, &request, &outcome, &snapshot, &error), &error);
    bench_check(snapshot.entry_count == entries, "the fork has other entries");
    cx_snapshot_done(&snapshot);
}

/* Forks a context again and again, each fork deleted before the next. */
static void fork_one(struct bench *bench, const char *source, unsigned entries)
{
    double *times_us = malloc(bench->rounds * sizeof *times_us);
    int64_t grown = 0;
    char name[32];

    bench_check(times_us != NULL, "out of memory");
    bench_fill(bench, source, entries);
    for (unsigned i = 0; i < bench->rounds; i++) {
        int64_t before = cx_memory_used();
        double begin_us = bench_now_us();

        make_fork(bench, source, "fork", entries);
        times_us[i] = bench_now_us() - begin_us;
        grown += cx_memory_used() - before;
        bench_delete(bench, "fork");
        bench_settle(bench);
    }
    snprintf(name, sizeof name, "%s_bytes", source);
    bench_tell(bench, name, (double)grown / bench->rounds);
    snprintf(name, sizeof name, "%s_us", source);
    bench_tell(bench, name, bench_median(times_us, bench->rounds));
    free(times_us);
}

void bench_fork(struct bench *bench)
{
    fork_one(bench, "small", 10);
    fork_one(bench, "large", bench->entries);
    bench_tell(bench, "memory_before_mb", (double)cx_memory_used() / 1e6);
    make_fork(bench, "large", "fork", bench->entries);
    bench_tell(bench, "memory_after_mb", (double)cx_memory_used() / 1e6);
}

/* ---- Differences. ----------------------------------------------------------- */

static struct cx_snapshot take(struct bench *bench, const struct cx_state_at *at)
{
    const struct cx_context_name name = bench_name("large");
    struct cx_snapshot snapshot;
    struct cx_error error;
    uint64_t wait_for;

    bench_expect(cx_engine_get(bench->engine, &name, at, &snapshot, &wait_for, &error), &error);
    return snapshot;
}

static unsigned count_differences(struct bench *bench, const struct cx_state_at *at)
{
    const struct cx_state_at newest = {0};
    struct cx_snapshot before = take(bench, at);
    struct cx_snapshot after = take(bench, &newest);
    struct cx_state_difference difference;
    struct cx_state_diff_walk walk;
    unsigned count = 0;

    cx_state_diff_walk_begin(&walk, &before, &after, (struct cx_bytes){0}, CX_DIFFERS_IN_VALUE);
    while (cx_state_diff_walk_next(&walk, &difference)) {
        count++;
    }
    cx_snapshot_done(&before);
    cx_snapshot_done(&after);
    return count;
}

void bench_diff(struct bench *bench)
{
    const struct bench_also nothing = {0};
    double *times_us = malloc(bench->rounds * sizeof *times_us);
    char point_id[CX_POINT_ID_ROOM];
    struct cx_state_at at = {0};
    char key[BENCH_KEY_ROOM];
    uint8_t value[200];

    bench_check(times_us != NULL, "out of memory");
    bench_fill(bench, "large", bench->entries);
    bench_point(bench, "large", NULL, point_id);
    at.point_id = (struct cx_bytes){(const uint8_t *)point_id, strlen(point_id)};
    for (unsigned i = 0; i < CHANGES; i++) {
        bench_letters(&bench->seed, value, sizeof value);
        bench_put(bench, "large", bench_key(key, i * (bench->entries / CHANGES)),
                  (struct cx_bytes){value, sizeof value}, &nothing);
    }
    for (unsigned i = 0; i < bench->rounds; i++) {
        double begin_us = bench_now_us();

        bench_check(count_differences(bench, &at) == CHANGES, "other differences");
        times_us[i] = bench_now_us() - begin_us;
    }
    bench_tell(bench, "us", bench_median(times_us, bench->rounds));
    free(times_us);
}
