/* A conversation that grows, and updates with and without what leads back. */

#include "tests/bench/recovery.h"

#include <stdlib.h>

#include "core/base/memory.h"

enum { TURN = 500, TURNS = 500, WINDOW = 250, PUTS = 200, KEYS = 10 };

/* ---- A conversation. -------------------------------------------------------- */

/* What a conversation takes, of which the last `window` turns are kept. */
struct talk {
    double memory;
    double log_bytes;
    double us; /* Of one turn. */
    size_t size;
};

static struct talk hold_talk(struct bench *bench, const char *id, unsigned window, bool points)
{
    const struct bench_also also = {.point = points};
    const struct cx_bytes key = bench_name("messages").id;
    uint8_t *text = malloc(TURN * TURNS);
    uint64_t log_bytes = bench->log_bytes;
    int64_t memory = cx_memory_used();
    struct talk talk = {0};

    bench_check(text != NULL, "out of memory");
    bench_letters(&bench->seed, text, TURN * TURNS);
    for (unsigned turn = 1; turn <= TURNS; turn++) {
        unsigned first = turn > window ? turn - window : 0;
        double begin_us = bench_now_us();

        talk.size = (size_t)TURN * (turn - first);
        bench_put(bench, id, key, (struct cx_bytes){text + (size_t)TURN * first, talk.size}, &also);
        talk.us += (bench_now_us() - begin_us) / TURNS;
        bench_settle(bench);
    }
    talk.memory = (double)(cx_memory_used() - memory);
    talk.log_bytes = (double)(bench->log_bytes - log_bytes);
    free(text);
    return talk;
}

static void tell_talk(struct bench *bench, const char *name, unsigned window)
{
    struct talk alone = hold_talk(bench, "alone", window, false);
    struct talk pointed = hold_talk(bench, name, window, true);
    char figure[32];

    snprintf(figure, sizeof figure, "%s_size", name);
    bench_tell(bench, figure, (double)pointed.size);
    snprintf(figure, sizeof figure, "%s_memory", name);
    bench_tell(bench, figure, pointed.memory);
    snprintf(figure, sizeof figure, "%s_memory_alone", name);
    bench_tell(bench, figure, alone.memory);
    snprintf(figure, sizeof figure, "%s_log", name);
    bench_tell(bench, figure, pointed.log_bytes);
    snprintf(figure, sizeof figure, "%s_turn_us", name);
    bench_tell(bench, figure, pointed.us);
}

void bench_conversation(struct bench *bench)
{
    bench_put(bench, "first", bench_name("key").id, bench_name("value").id,
              &(struct bench_also){.point = true}); /* What is made once is there. */
    tell_talk(bench, "growing", TURNS);
    tell_talk(bench, "trimmed", WINDOW);
}

/* ---- Updates. --------------------------------------------------------------- */

/* What a context has, what its updates do, and which kind they are compared with. */
struct kind {
    const char *name;
    unsigned other;
    unsigned points;
    unsigned activities;
    struct bench_also also;
};

enum { PLAIN, RECORDING };

static const struct kind kinds[] = {
    [PLAIN] = {"plain", PLAIN, 0, 0, {0}},
    [RECORDING] = {"recording", PLAIN, 0, 1000, {.activity = true}},
    {"with_points", PLAIN, 1000, 0, {0}},
    {"with_history", PLAIN, 0, 1000, {0}},
    {"with_both", PLAIN, 1000, 1000, {0}},
    {"pointed_recording", RECORDING, 1000, 1000, {.activity = true}},
    {"pointing", PLAIN, 0, 0, {.point = true}},
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void put_next(struct bench *bench, const struct kind *kind, unsigned number,
                     const struct bench_also *also)
{
    char key[BENCH_KEY_ROOM];
    uint8_t value[200] = {(uint8_t)number};

    bench_put(bench, kind->name, bench_key(key, number % KEYS),
              (struct cx_bytes){value, sizeof value}, also);
}

static void prepare(struct bench *bench, const struct kind *kind)
{
    bench_fill(bench, kind->name, KEYS);
    for (unsigned i = 0; i < kind->points || i < kind->activities; i++) {
        const struct bench_also also = {
            .point = i < kind->points,
            .activity = i < kind->activities,
        };

        put_next(bench, kind, i, &also);
        bench_settle(bench);
    }
}

/* Tells the time of a kind, and its ratio to that of another, round by round. */
static void tell_kind(struct bench *bench, const double *times_us, unsigned kind)
{
    const double *others_us = times_us + kinds[kind].other * bench->rounds;
    const double *mine_us = times_us + kind * bench->rounds;
    double *values = malloc(bench->rounds * sizeof *values);
    char name[40];

    bench_check(values != NULL, "out of memory");
    for (unsigned i = 0; i < bench->rounds; i++) {
        values[i] = mine_us[i];
    }
    bench_tell(bench, kinds[kind].name, bench_median(values, bench->rounds));
    for (unsigned i = 0; i < bench->rounds; i++) {
        values[i] = mine_us[i] / others_us[i];
    }
    snprintf(name, sizeof name, "%s_ratio", kinds[kind].name);
    bench_tell(bench, name, bench_median(values, bench->rounds));
    free(values);
}

void bench_update(struct bench *bench)
{
    double *times_us = malloc(KINDS * bench->rounds * sizeof *times_us);

    bench_check(times_us != NULL, "out of memory");
    for (unsigned k = 0; k < KINDS; k++) {
        prepare(bench, &kinds[k]);
    }
    for (unsigned round = 0; round < bench->rounds; round++) {
        for (unsigned k = 0; k < KINDS; k++) {
            double begin_us = bench_now_us();

            for (unsigned i = 0; i < PUTS; i++) {
                put_next(bench, &kinds[k], i, &kinds[k].also);
            }
            times_us[k * bench->rounds + round] = (bench_now_us() - begin_us) / PUTS;
            bench_settle(bench);
        }
    }
    for (unsigned k = 0; k < KINDS; k++) {
        tell_kind(bench, times_us, k);
    }
    free(times_us);
}
