/* Points: one after each change, pages of many, and such as come and go. */

#include "tests/bench/recovery.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/memory.h"

enum { BLOCK = 50, RARE_EVERY = 1000, CHAIN = 1000, PAGE = 100, CHURN_STEP = 1000 };

/* ---- After each change. ----------------------------------------------------- */

static void put_any(struct bench *bench, const char *id, const struct bench_also *also)
{
    char key[BENCH_KEY_ROOM];
    uint8_t value[200];
    uint64_t number;

    bench_letters(&bench->seed, value, sizeof value);
    number = bench->seed >> 33;
    bench_put(bench, id, bench_key(key, (unsigned)(number % bench->entries)),
              (struct cx_bytes){value, sizeof value}, also);
}

/* Microseconds of one of BLOCK updates. */
static double block_us(struct bench *bench, const char *id, const struct bench_also *also)
{
    double begin_us = bench_now_us();

    for (unsigned i = 0; i < BLOCK; i++) {
        put_any(bench, id, also);
    }
    begin_us = bench_now_us() - begin_us;
    bench_settle(bench);
    return begin_us / BLOCK;
}

/* Memory and log that so many updates take. */
static void weigh(struct bench *bench, const char *id, const struct bench_also *also,
                  double *ret_memory, double *ret_log)
{
    int64_t memory = cx_memory_used();
    uint64_t log_bytes = bench->log_bytes;
    unsigned blocks = bench->points / 2 / BLOCK;

    for (unsigned i = 0; i < blocks; i++) {
        block_us(bench, id, also);
    }
    *ret_memory = (double)(cx_memory_used() - memory) / (blocks * BLOCK);
    *ret_log = (double)(bench->log_bytes - log_bytes) / (blocks * BLOCK);
}

/* Times of blocks, of a context without points and of the one with, in turns. */
static void time_blocks(struct bench *bench, const char *alone_name, const char *point_name)
{
    const struct bench_also nothing = {0};
    const struct bench_also point = {.point = true};
    double *alone_us = malloc(2 * bench->rounds * sizeof *alone_us);
    double *above_us = alone_us + bench->rounds;

    bench_check(alone_us != NULL, "out of memory");
    for (unsigned i = 0; i < bench->rounds; i++) {
        alone_us[i] = block_us(bench, "plain", &nothing);
        above_us[i] = block_us(bench, "pointed", &point) - alone_us[i];
    }
    bench_tell(bench, alone_name, bench_median(alone_us, bench->rounds));
    bench_tell(bench, point_name, bench_median(above_us, bench->rounds));
    free(alone_us);
}

void bench_change(struct bench *bench)
{
    const struct bench_also nothing = {0};
    const struct bench_also point = {.point = true};
    double memory[2];
    double log_bytes[2];

    bench_fill(bench, "plain", bench->entries);
    bench_fill(bench, "pointed", bench->entries);
    weigh(bench, "plain", &nothing, &memory[0], &log_bytes[0]);
    weigh(bench, "pointed", &point, &memory[1], &log_bytes[1]);
    bench_tell(bench, "memory_bytes", memory[1] - memory[0]);
    bench_tell(bench, "log_bytes", log_bytes[1] - log_bytes[0]);
    weigh(bench, "pointed", &point, &memory[1], &log_bytes[1]);
    /* From here on each point lets the oldest go. */
    time_blocks(bench, "update_us", "point_us");
}

/* ---- Pages. ----------------------------------------------------------------- */

/* One page of a list, read as a client would; returns how many points were on it. */
static size_t read_page(struct bench *bench, const struct cx_point_query *query)
{
    struct cx_point_page page;
    struct cx_entry_view entry;
    struct cx_error error;
    uint8_t value[200];
    uint64_t wait_for;
    char key[BENCH_KEY_ROOM];
    struct cx_bytes wanted = bench_key(key, 0);
    size_t count;

    bench_expect(cx_engine_list_points(bench->engine, query, &page, &wait_for, &error), &error);
    for (size_t i = 0; i < page.count && query->ancestors_of.size > 0; i++) {
        bench_check(cx_snapshot_find(&page.rows[i].state, wanted, &entry), "no such entry");
        bench_check(entry.value_size == sizeof value, "another value");
        cx_entry_value_copy(&entry, value);
    }
    count = page.count;
    cx_point_page_done(&page);
    return count;
}

static void time_page(struct bench *bench, const char *name, const struct cx_point_query *query,
                      size_t expected)
{
    double *times_us = malloc(bench->rounds * sizeof *times_us);

    bench_check(times_us != NULL, "out of memory");
    for (unsigned i = 0; i < bench->rounds; i++) {
        double begin_us = bench_now_us();

        bench_check(read_page(bench, query) == expected, "another page");
        times_us[i] = bench_now_us() - begin_us;
    }
    bench_tell(bench, name, bench_median(times_us, bench->rounds));
    free(times_us);
}

void bench_pages(struct bench *bench)
{
    const struct bench_also nothing = {0};
    const struct cx_label usual = {bench_name("step").id, bench_name("usual").id};
    const struct cx_label rare = {bench_name("step").id, bench_name("rare").id};
    const struct cx_context_name name = bench_name("pages");
    struct cx_point_query query = {.namespace_id = name.namespace_id, .context_id = name.id};
    char newest[CX_POINT_ID_ROOM];
    char key[BENCH_KEY_ROOM];
    uint8_t value[200];

    bench_fill(bench, "pages", bench->entries);
    for (unsigned i = 0; i < bench->points; i++) {
        bench_letters(&bench->seed, value, sizeof value);
        bench_put(bench, "pages", bench_key(key, 0), (struct cx_bytes){value, sizeof value},
                  &nothing);
        bench_point(bench, "pages", i % RARE_EVERY == 0 ? &rare : &usual, newest);
        bench_settle(bench);
    }
    query.count_max = PAGE;
    time_page(bench, "newest_us", &query, PAGE);
    query.labels = &rare;
    query.label_count = 1;
    time_page(bench, "metadata_us", &query, (bench->points + RARE_EVERY - 1) / RARE_EVERY);
    query.label_count = 0;
    query.ancestors_of = (struct cx_bytes){(const uint8_t *)newest, strlen(newest)};
    query.count_max = CHAIN;
    time_page(bench, "chain_us", &query, CHAIN);
}

/* ---- Such as come and go. --------------------------------------------------- */

void bench_churn(struct bench *bench)
{
    const unsigned warm_up = bench->rounds / 10; /* What is made once is there then. */
    char point_id[CX_POINT_ID_ROOM];
    double begin_us = 0;
    int64_t memory = 0;

    bench_fill(bench, "churn", bench->entries);
    for (unsigned i = 0; i < bench->rounds; i++) {
        if (i == warm_up) {
            memory = cx_memory_used();
            begin_us = bench_now_us();
        }
        bench_point(bench, "churn", NULL, point_id);
        bench_delete_point(bench, "churn", point_id);
        if (i % CHURN_STEP == CHURN_STEP - 1) {
            bench_settle(bench);
        }
    }
    bench_tell(bench, "us", (bench_now_us() - begin_us) / (bench->rounds - warm_up));
    bench_tell(bench, "memory_before", (double)memory);
    bench_tell(bench, "memory_after", (double)cx_memory_used());
}
