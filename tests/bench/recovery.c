/* Usage: recovery PART FOLDER [entries=N] [value_size=N] [rounds=N] [points=N]; prints one
 * object of JSON. */

#include "tests/bench/recovery.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/disk.h"
#include "core/base/limits.h"
#include "core/base/random.h"

enum { FILL_MUTATIONS = 1000 };

/* ---- Measuring. ------------------------------------------------------------- */

double bench_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void on_complete(void *arg, struct cx_work *list)
{
    (void)arg;
    (void)list;
}

static void on_failed(void *arg, const char *message)
{
    (void)arg;
    bench_check(false, message);
}

void bench_settle(struct bench *bench)
{
    const struct cx_engine_events events = {.complete = on_complete, .failed = on_failed};
    struct cx_engine_statistics statistics;

    cx_engine_statistics(bench->engine, &statistics);
    bench->log_bytes += statistics.log_pending_bytes;
    cx_engine_step(bench->engine, &events);
}

void bench_tell(struct bench *bench, const char *name, double value)
{
    printf("%s\"%s\": %.3f", bench->comma, name, value);
    bench->comma = ", ";
}

static int compare_numbers(const void *a, const void *b)
{
    double first = *(const double *)a;
    double second = *(const double *)b;

    return (first > second) - (first < second);
}

double bench_median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare_numbers);
    return values[count / 2];
}

void bench_expect(enum cx_status status, const struct cx_error *error)
{
    bench_check(status == CX_OK, error->message);
}

void bench_check(bool right, const char *what)
{
    if (!right) {
        fprintf(stderr, "recovery: %s\n", what);
        exit(1);
    }
}

/* ---- Doing. ----------------------------------------------------------------- */

static struct cx_bytes text(const char *string)
{
    return (struct cx_bytes){(const uint8_t *)string, strlen(string)};
}

struct cx_context_name bench_name(const char *id)
{
    return (struct cx_context_name){text("bench"), text(id)};
}

struct cx_bytes bench_key(char key[BENCH_KEY_ROOM], unsigned number)
{
    snprintf(key, BENCH_KEY_ROOM, "key-%08u", number);
    return text(key);
}

void bench_letters(uint64_t *seed, uint8_t *memory, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        *seed = *seed * 6364136223846793005U + 1442695040888963407U;
        memory[i] = (uint8_t)('a' + (*seed >> 33) % 26);
    }
}

static void update(struct bench *bench, const char *id, const struct cx_mutation *mutations,
                   size_t count)
{
    static const struct cx_new_context properties;
    const struct cx_update_request request = {
        .name = bench_name(id),
        .mutations = mutations,
        .mutation_count = count,
        .create_if_missing = &properties,
    };
    struct cx_write_outcome outcome;
    struct cx_error error;

    bench_expect(cx_engine_update(bench->engine, &request, &outcome, &error), &error);
}

void bench_fill(struct bench *bench, const char *id, unsigned entries)
{
    static struct cx_mutation mutations[FILL_MUTATIONS];
    static char keys[FILL_MUTATIONS][BENCH_KEY_ROOM];
    size_t count = entries < FILL_MUTATIONS ? entries : FILL_MUTATIONS;
    uint8_t *values = malloc(count * bench->value_size);

    bench_check(values != NULL, "out of memory");
    for (unsigned next = 0; next < entries; next += (unsigned)count) {
        count = entries - next < count ? entries - next : count;
        bench_letters(&bench->seed, values, count * bench->value_size);
        for (unsigned i = 0; i < count; i++) {
            mutations[i] = (struct cx_mutation){
                .kind = CX_MUTATION_PUT,
                .key = bench_key(keys[i], next + i),
                .value = {values + i * bench->value_size, bench->value_size},
            };
        }
        update(bench, id, mutations, count);
        bench_settle(bench);
    }
    free(values);
}

void bench_put(struct bench *bench, const char *id, struct cx_bytes key, struct cx_bytes value,
               const struct bench_also *also)
{
    static const uint8_t data[200];
    const struct cx_activity_content activity = {
        .type = text("message"),
        .data = {data, sizeof data},
    };
    const struct cx_mutation mutations[] = {
        {.kind = CX_MUTATION_PUT, .key = key, .value = value},
        {.kind = CX_MUTATION_RECORD, .activity = &activity},
    };

    update(bench, id, mutations, also->activity ? 2 : 1);
    if (also->point) {
        bench_point(bench, id, NULL, NULL);
    }
}

void bench_point(struct bench *bench, const char *id, const struct cx_label *label, char *ret_id)
{
    const struct cx_create_point_request request = {
        .name = bench_name(id),
        .labels = label,
        .label_count = label != NULL,
    };
    struct cx_write_outcome outcome;
    struct cx_point_view point;
    struct cx_error error;

    bench_expect(cx_engine_create_point(bench->engine, &request, &outcome, &point, &error), &error);
    if (ret_id != NULL) {
        memcpy(ret_id, point.id.data, point.id.size);
        ret_id[point.id.size] = '\0';
    }
    cx_point_view_done(&point);
}

void bench_delete_point(struct bench *bench, const char *id, const char *point_id)
{
    const struct cx_delete_point_request request = {
        .name = bench_name(id),
        .point_id = text(point_id),
    };
    struct cx_write_outcome outcome;
    struct cx_error error;

    bench_expect(cx_engine_delete_point(bench->engine, &request, &outcome, &error), &error);
}

void bench_delete(struct bench *bench, const char *id)
{
    const struct cx_delete_request request = {.name = bench_name(id), .purge = true};
    struct cx_write_outcome outcome;
    struct cx_error error;

    bench_expect(cx_engine_delete(bench->engine, &request, &outcome, &error), &error);
}

/* ---- The program. ----------------------------------------------------------- */

/* As the server has them, but for what would end a part early. */
static void open_engine(struct bench *bench, const char *folder)
{
    struct cx_engine_options options = {
        .clock = &cx_clock_system,
        .random = &cx_random_system,
        .settings =
            {
                .version_retention = 16,
                .undelete_window_us = 86400 * CX_SECOND_US,
                .tombstone_window_us = 2 * 86400 * CX_SECOND_US,
                .request_id_window_us = 600 * CX_SECOND_US,
                .request_ids_max = 8000000,
            },
        .value_size_max = CX_MIB,
        .message_size_max = 4 * CX_MIB,
        .history_count_max = 1000000,
        .history_bytes_max = 256 * CX_MIB,
        .recovery_points_max = bench->points,
        .feed_retention_bytes = CX_GIB,
        .feed_retention_age_us = 86400 * CX_SECOND_US,
    };
    struct cx_engine_report report;
    struct cx_error error;

    bench_check(cx_disk_posix_open(folder, &bench->disk) == CX_OK, "no such folder");
    options.disk = bench->disk;
    bench_expect(cx_engine_open(&options, &bench->engine, &report, &error), &error);
}

static void parse_option(struct bench *bench, const char *option)
{
    const struct {
        const char *name;
        unsigned *value;
    } numbers[] = {
        {"entries=", &bench->entries},
        {"value_size=", &bench->value_size},
        {"rounds=", &bench->rounds},
        {"points=", &bench->points},
    };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        size_t length = strlen(numbers[i].name);

        if (strncmp(option, numbers[i].name, length) == 0) {
            *numbers[i].value = (unsigned)strtoul(option + length, NULL, 10);
            return;
        }
    }
    bench_check(false, option);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(struct bench *bench);
    } parts[] = {
        {"fork", bench_fork},     {"diff", bench_diff},
        {"change", bench_change}, {"conversation", bench_conversation},
        {"pages", bench_pages},   {"churn", bench_churn},
        {"update", bench_update},
    };
    struct bench bench = {
        .comma = "{",
        .entries = 1000,
        .value_size = 200,
        .rounds = 100,
        .points = 1000,
    };
    size_t part = 0;

    bench_check(argc >= 3, "recovery PART FOLDER [option=number...]");
    for (int i = 3; i < argc; i++) {
        parse_option(&bench, argv[i]);
    }
    while (part < sizeof parts / sizeof parts[0] && strcmp(parts[part].name, argv[1]) != 0) {
        part++;
    }
    bench_check(part < sizeof parts / sizeof parts[0], "no such part");
    open_engine(&bench, argv[2]);
    parts[part].run(&bench);
    puts("}");
    cx_engine_stop(bench.engine);
    cx_engine_close(bench.engine);
    cx_disk_posix_close(bench.disk);
    return 0;
}
