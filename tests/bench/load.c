/* The load generator of the benchmark: one workload, one line of JSON with what came of
 * it. Usage: load KIND ADDRESS [name=number ...]; see run.py. */

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/workload.h"

enum { LATENCIES_MAX = 1 << 20 };

/* ---- What the workloads share. ---------------------------------------------- */

double workload_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

uint64_t workload_random(uint64_t *seed)
{
    uint64_t mixed = *seed += 0x9e3779b97f4a7c15; /* splitmix64 */

    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
}

void workload_begin(struct workload_result *result, const struct workload_options *options)
{
    result->begin = workload_now() + options->warm_up;
    result->end = options->seconds > 0 ? result->begin + options->seconds : INFINITY;
}

bool workload_goes_on(const struct workload_result *result, const struct workload_options *options,
                      uint64_t begun)
{
    return options->seconds > 0 ? workload_now() < result->end : begun < options->requests;
}

void workload_count(struct workload_result *result, uint64_t operations, double now)
{
    result->total += operations;
    if (now >= result->begin && now < result->end) {
        result->operations += operations;
    }
}

void workload_note(struct workload_result *result, double start, double now)
{
    if (now >= result->begin && now < result->end && result->latency_count < LATENCIES_MAX) {
        result->latencies[result->latency_count++] = (uint32_t)((now - start) * 1e6);
    }
}

void workload_fail(struct workload_result *result, const char *format, ...)
{
    va_list arguments;

    if (result->failures++ == 0) {
        va_start(arguments, format);
        vsnprintf(result->failure, sizeof result->failure, format, arguments);
        va_end(arguments);
    }
}

/* ---- What came of it. ------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

static uint32_t percentile(const struct workload_result *result, unsigned percent)
{
    return result->latency_count > 0 ? result->latencies[result->latency_count * percent / 100] : 0;
}

/* A text of the server's, so that no JSON is broken by it. */
static void text_clean(char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\' || (unsigned char)*text < ' ') {
            *text = '\'';
        }
    }
}

static void result_print(struct workload_result *result)
{
    double now = workload_now();

    qsort(result->latencies, result->latency_count, sizeof *result->latencies, compare);
    text_clean(result->failure);
    printf("{\"operations\": %llu, \"total\": %llu, \"seconds\": %.6f, \"bytes\": %llu, ",
           (unsigned long long)result->operations, (unsigned long long)result->total,
           (now < result->end ? now : result->end) - result->begin,
           (unsigned long long)result->bytes);
    printf("\"caught_up_s\": %.6f, ", result->caught_up_s);
    printf("\"p50_us\": %u, \"p99_us\": %u, ", percentile(result, 50), percentile(result, 99));
    printf("\"entries\": %llu, \"versions\": %llu, \"sequence\": %llu, ",
           (unsigned long long)result->entries, (unsigned long long)result->versions,
           (unsigned long long)result->sequence);
    printf("\"failures\": %llu, \"failure\": \"%s\"}\n", (unsigned long long)result->failures,
           result->failure);
}

/* ---- The command line. ------------------------------------------------------ */

/* Sets what a name=number says. False when there is no such name. */
static bool option_set(struct workload_options *options, const char *text)
{
    const char *equals = strchr(text, '=');
    char name[32];
    double number;

    if (equals == NULL || (size_t)(equals - text) >= sizeof name) {
        return false;
    }
    snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
    number = strtod(equals + 1, NULL);
    if (strcmp(name, "in_flight") == 0) {
        options->in_flight = (unsigned)number;
    } else if (strcmp(name, "per_request") == 0) {
        options->per_request = (unsigned)number;
    } else if (strcmp(name, "streams") == 0) {
        options->streams = (unsigned)number;
    } else if (strcmp(name, "contexts") == 0) {
        options->contexts = (unsigned)number;
    } else if (strcmp(name, "keys") == 0) {
        options->keys = (unsigned)number;
    } else if (strcmp(name, "value_size") == 0) {
        options->value_size = (size_t)number;
    } else if (strcmp(name, "warm_up") == 0) {
        options->warm_up = number;
    } else if (strcmp(name, "seconds") == 0) {
        options->seconds = number;
    } else if (strcmp(name, "requests") == 0) {
        options->requests = (uint64_t)number;
    } else if (strcmp(name, "first") == 0) {
        options->first = (uint64_t)number;
    } else if (strcmp(name, "rate") == 0) {
        options->rate = number;
    } else if (strcmp(name, "offset") == 0) {
        options->offset = (unsigned)number;
    } else if (strcmp(name, "each") == 0) {
        options->each = number != 0;
    } else if (strcmp(name, "oldest") == 0) {
        options->oldest = number != 0;
    } else if (strcmp(name, "seed") == 0) {
        options->seed = (uint64_t)number;
    } else {
        return false;
    }
    return true;
}

static bool run(const char *kind, const struct workload_options *options,
                struct workload_result *result)
{
    if (strcmp(kind, "stream") == 0) {
        return workload_stream(options, result);
    }
    if (strcmp(kind, "redis") == 0 || strcmp(kind, "redis-fill") == 0) {
        return workload_redis(options, strcmp(kind, "redis-fill") == 0, result);
    }
    if (strcmp(kind, "sessions") == 0) {
        return workload_sessions(options, result);
    }
    if (strcmp(kind, "subscribe") == 0) {
        return workload_subscribe(options, result);
    }
    if (strcmp(kind, "connections") == 0) {
        return workload_connections(options, result);
    }
    return workload_unary(options, kind, result);
}

int main(int argc, char **argv)
{
    static uint32_t latencies[LATENCIES_MAX];
    struct workload_options options = {
        .in_flight = 1,
        .per_request = 1,
        .streams = 1,
        .contexts = 10000,
        .keys = 10,
        .value_size = 200,
        .seed = 1,
    };
    struct workload_result result = {.latencies = latencies};

    if (argc < 3) {
        fprintf(stderr, "usage: load KIND ADDRESS [name=number ...]\n");
        return 2;
    }
    options.address = argv[2];
    for (int i = 3; i < argc; i++) {
        if (!option_set(&options, argv[i])) {
            fprintf(stderr, "load: no such option: %s\n", argv[i]);
            return 2;
        }
    }
    if (!run(argv[1], &options, &result)) {
        fprintf(stderr, "load: %s at %s could not be driven: %s\n", argv[1], argv[2],
                result.failure);
        return 1;
    }
    result_print(&result);
    return 0;
}
