/* bench: a quick load on a running server, to see what it does on this machine. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/contextd_async.h"
#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/messages.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/progress.h"
#include "clients/ctxctl/request.h"
#include "clients/ctxctl/timing.h"

typedef Contextd__V1__BatchUpdateContextsRequest BatchUpdateContextsRequest;
typedef Contextd__V1__BatchUpdateContextsResponse BatchUpdateContextsResponse;

enum bench_kind { BENCH_UPDATE, BENCH_GET, BENCH_BATCH, BENCH_STREAM };

static const struct {
    const char *name;
    const char *path;
    bool grouped; /* Several operations in a message. */
} kinds[] = {
    [BENCH_UPDATE] = {"update", "/contextd.v1.ContextManager/UpdateContext", false},
    [BENCH_GET] = {"get", "/contextd.v1.ContextManager/GetContext", false},
    [BENCH_BATCH] = {"batch", "/contextd.v1.ContextManager/BatchUpdateContexts", true},
    [BENCH_STREAM] = {"stream", "/contextd.v1.ContextManager/StreamUpdates", true},
};

enum { BENCH_OPERATIONS, BENCH_IN_FLIGHT, BENCH_VALUE_SIZE, BENCH_CONTEXTS, BENCH_PER_MESSAGE };

enum {
    ENTRIES = 10, /* Of each context. */
    GROUP_MAX = 1000,
    IN_FLIGHT_MAX = 10000,
    VALUE_SIZE_MAX = 1024 * 1024,
    SETUP_GROUP_BYTES = 1024 * 1024,
    CLEANING_IN_FLIGHT = 64,
};

static const struct ctl_option options[] = {
    {"operations", "NUMBER", "how many in all (default: 100000)"},
    {"in-flight", "NUMBER", "messages under way at once (default: 64)"},
    {"value-size", "BYTES", "of each value (default: 200)"},
    {"contexts", "NUMBER", "over so many contexts, of 10 entries each (default: 1000)"},
    {"per-message", "NUMBER", "operations in a message of batch and stream (default: 16)"},
};

struct bench {
    struct ctl *ctl;
    enum bench_kind kind;
    uint64_t numbers[5]; /* By option. */
    char *value;
    struct cxc_loop *loop;
    struct cxc_method *method;
    struct cxc_stream *stream;
    int64_t *begun_us; /* Of the messages in flight: a ring for the stream. */
    uint64_t messages_sent;
    uint64_t messages_done;
    uint64_t operations_sent;
    uint64_t operations_done;
    uint64_t answered; /* Of the stream's oldest message. */
    bool failed;
    struct cxc_error error;
    struct ctl_timing timing;
    struct ctl_progress progress;
};

/* ---- Requests. ------------------------------------------------------------- */

static char *context_id(struct ctl_pool *pool, uint64_t index)
{
    return ctl_pool_format(pool, "ctxctl-bench-%08" PRIu64, index);
}

/* An update that sets entry after entry of context after context. */
static UpdateContextRequest *update_new(const struct bench *bench, struct ctl_pool *pool,
                                        uint64_t index)
{
    UpdateContextRequest *request = ctl_pool_alloc(pool, sizeof *request);
    uint64_t contexts = bench->numbers[BENCH_CONTEXTS];
    struct ctl_bytes value = {bench->value, bench->numbers[BENCH_VALUE_SIZE]};
    const char *key = ctl_pool_format(pool, "entry-%" PRIu64, index / contexts % ENTRIES);
    struct ctl_list mutations = {0};

    contextd__v1__update_context_request__init(request);
    ctl_list_add(pool, &mutations, ctl_mutation_put(pool, key, value, ""));
    request->namespace_ = (char *)bench->ctl->namespace_;
    request->context_id = context_id(pool, index % contexts);
    request->mutations = (Mutation **)mutations.items;
    request->n_mutations = 1;
    return request;
}

static ProtobufCMessage *get_new(const struct bench *bench, struct ctl_pool *pool, uint64_t index)
{
    GetContextRequest *request = ctl_pool_alloc(pool, sizeof *request);
    char *id = context_id(pool, index % bench->numbers[BENCH_CONTEXTS]);

    contextd__v1__get_context_request__init(request);
    request->state = ctl_state(pool, bench->ctl, id, 0);
    return &request->base;
}

/* A message with the next `count` operations. */
static ProtobufCMessage *group_new(const struct bench *bench, struct ctl_pool *pool, uint64_t count)
{
    UpdateContextRequest **updates = ctl_pool_alloc(pool, count * sizeof *updates);
    BatchUpdateContextsRequest *batch = ctl_pool_alloc(pool, sizeof *batch);
    StreamUpdatesRequest *stream = ctl_pool_alloc(pool, sizeof *stream);

    for (uint64_t i = 0; i < count; i++) {
        updates[i] = update_new(bench, pool, bench->operations_sent + i);
    }
    if (bench->kind == BENCH_BATCH) {
        contextd__v1__batch_update_contexts_request__init(batch);
        batch->requests = updates;
        batch->n_requests = count;
        return &batch->base;
    }
    contextd__v1__stream_updates_request__init(stream);
    stream->updates = updates;
    stream->n_updates = count;
    return &stream->base;
}

static uint64_t message_size(const struct bench *bench)
{
    uint64_t left = bench->numbers[BENCH_OPERATIONS] - bench->operations_sent;
    uint64_t size = kinds[bench->kind].grouped ? bench->numbers[BENCH_PER_MESSAGE] : 1;

    return left < size ? left : size;
}

/* The next message, packed, of the caller's. */
static struct cxc_bytes message_pack(const struct bench *bench)
{
    struct ctl_pool pool = {0};
    ProtobufCMessage *message;
    uint8_t *packed;
    size_t size;

    switch (bench->kind) {
    case BENCH_UPDATE:
        message = &update_new(bench, &pool, bench->operations_sent)->base;
        break;
    case BENCH_GET:
        message = get_new(bench, &pool, bench->operations_sent);
        break;
    default:
        message = group_new(bench, &pool, message_size(bench));
        break;
    }
    size = protobuf_c_message_get_packed_size(message);
    packed = ctl_realloc(NULL, size);
    protobuf_c_message_pack(message, packed);
    ctl_pool_done(&pool);
    return (struct cxc_bytes){packed, size};
}

/* ---- Load. ----------------------------------------------------------------- */

/* One message under way. */
struct slot {
    struct bench *bench;
    int64_t begun_us;
    uint64_t count;
};

static void on_done(void *arg, struct cxc_bytes response, const struct cxc_error *error);

static void bench_fail(struct bench *bench, const struct cxc_error *error)
{
    if (!bench->failed) {
        bench->failed = true;
        bench->error = *error;
    }
}

static bool has_more(const struct bench *bench)
{
    return !bench->failed && bench->operations_sent < bench->numbers[BENCH_OPERATIONS];
}

static void message_done(struct bench *bench, int64_t begun_us, uint64_t count)
{
    ctl_timing_add(&bench->timing, ctl_now_us() - begun_us);
    bench->messages_done++;
    bench->operations_done += count;
    ctl_progress_update(&bench->progress, bench->operations_done, bench->operations_done);
}

static void slot_start(struct slot *slot)
{
    struct bench *bench = slot->bench;
    struct cxc_bytes message = message_pack(bench);

    slot->count = message_size(bench);
    slot->begun_us = ctl_now_us();
    bench->operations_sent += slot->count;
    bench->messages_sent++;
    cxc_start(bench->loop, bench->method, message, bench->ctl->timeout_ms, on_done, slot);
    free((void *)message.data);
}

/* Looks for parts that failed. */
static void check_results(struct bench *bench, UpdateResult *const *results, size_t count)
{
    for (size_t i = 0; i < count && !bench->failed; i++) {
        if (results[i]->outcome_case == CONTEXTD__V1__UPDATE_RESULT__OUTCOME_FAILURE) {
            struct cxc_error error;

            cxc_error_from_failure(results[i]->failure, &error);
            bench_fail(bench, &error);
        }
    }
}

static void check_batch(struct bench *bench, struct cxc_bytes bytes)
{
    BatchUpdateContextsResponse *response =
        contextd__v1__batch_update_contexts_response__unpack(NULL, bytes.size, bytes.data);

    if (response != NULL) {
        check_results(bench, response->results, response->n_results);
        cxc_response_free(response);
    }
}

static void on_done(void *arg, struct cxc_bytes response, const struct cxc_error *error)
{
    struct slot *slot = arg;

    if (error != NULL) {
        bench_fail(slot->bench, error);
        return;
    }
    if (slot->bench->kind == BENCH_BATCH) {
        check_batch(slot->bench, response);
    }
    message_done(slot->bench, slot->begun_us, slot->count);
    if (has_more(slot->bench)) {
        slot_start(slot);
    }
}

static void load_calls(struct bench *bench)
{
    uint64_t in_flight = bench->numbers[BENCH_IN_FLIGHT];
    struct slot *slots = ctl_pool_alloc(&bench->ctl->pool, in_flight * sizeof *slots);

    for (uint64_t i = 0; i < in_flight && has_more(bench); i++) {
        slots[i].bench = bench;
        slot_start(&slots[i]);
    }
    while (cxc_loop_poll(bench->loop, -1)) {
    }
}

/* ---- Load over a stream. --------------------------------------------------- */

static void stream_fill(struct bench *bench)
{
    uint64_t in_flight = bench->numbers[BENCH_IN_FLIGHT];

    while (has_more(bench) && bench->messages_sent - bench->messages_done < in_flight) {
        struct cxc_bytes message = message_pack(bench);

        bench->begun_us[bench->messages_sent % in_flight] = ctl_now_us();
        bench->operations_sent += message_size(bench);
        bench->messages_sent++;
        cxc_stream_send(bench->stream, message);
        free((void *)message.data);
    }
}

/* Counts the answers against the oldest messages. */
static void stream_count(struct bench *bench, uint64_t results)
{
    uint64_t in_flight = bench->numbers[BENCH_IN_FLIGHT];

    bench->answered += results;
    while (bench->messages_done < bench->messages_sent) {
        uint64_t left = bench->operations_sent - bench->operations_done;
        uint64_t size = bench->numbers[BENCH_PER_MESSAGE];

        size = left < size ? left : size;
        if (bench->answered < size) {
            return;
        }
        bench->answered -= size;
        message_done(bench, bench->begun_us[bench->messages_done % in_flight], size);
    }
}

static void on_received(void *arg, struct cxc_bytes bytes)
{
    struct bench *bench = arg;
    StreamUpdatesResponse *response =
        contextd__v1__stream_updates_response__unpack(NULL, bytes.size, bytes.data);

    if (response != NULL) {
        check_results(bench, response->results, response->n_results);
        stream_count(bench, response->n_results);
        cxc_response_free(response);
    }
    stream_fill(bench);
    if (bench->failed) {
        cxc_stream_cancel(bench->stream);
    } else if (bench->operations_done == bench->numbers[BENCH_OPERATIONS]) {
        cxc_stream_finish(bench->stream);
    }
}

static void on_ended(void *arg, const struct cxc_error *error)
{
    struct bench *bench = arg;

    if (error != NULL) {
        bench_fail(bench, error);
    }
}

static void load_stream(struct bench *bench)
{
    static const struct cxc_stream_events events = {.received = on_received, .ended = on_ended};

    bench->begun_us = ctl_pool_alloc(&bench->ctl->pool,
                                     bench->numbers[BENCH_IN_FLIGHT] * sizeof *bench->begun_us);
    bench->stream = cxc_stream_new(bench->loop, bench->method, &events, bench);
    stream_fill(bench);
    while (cxc_loop_poll(bench->loop, -1)) {
    }
}

/* ---- Before and after. ----------------------------------------------------- */

/* Creates a context with its entries, or sets them. */
static UpdateContextRequest *setup_new(const struct bench *bench, struct ctl_pool *pool,
                                       uint64_t index)
{
    UpdateContextRequest *request = update_new(bench, pool, index);
    struct ctl_bytes value = {bench->value, bench->numbers[BENCH_VALUE_SIZE]};
    struct ctl_list mutations = {0};

    for (unsigned i = 0; i < ENTRIES; i++) {
        ctl_list_add(pool, &mutations,
                     ctl_mutation_put(pool, ctl_pool_format(pool, "entry-%u", i), value, ""));
    }
    request->mutations = (Mutation **)mutations.items;
    request->n_mutations = mutations.count;
    request->create_if_missing = ctl_new_context(pool);
    return request;
}

/* Creates the contexts from `first` on that go into one message. Returns how many. */
static uint64_t setup_group(struct bench *bench, uint64_t first)
{
    BatchUpdateContextsRequest request = CONTEXTD__V1__BATCH_UPDATE_CONTEXTS_REQUEST__INIT;
    uint64_t each = ENTRIES * (bench->numbers[BENCH_VALUE_SIZE] + 64);
    uint64_t left = bench->numbers[BENCH_CONTEXTS] - first;
    uint64_t count = SETUP_GROUP_BYTES / each + 1;
    BatchUpdateContextsResponse *response;
    struct ctl_list requests = {0};
    struct ctl_pool pool = {0};
    struct cxc_error error;

    count = count < GROUP_MAX ? count : GROUP_MAX;
    count = count < left ? count : left;
    for (uint64_t i = 0; i < count; i++) {
        ctl_list_add(&pool, &requests, setup_new(bench, &pool, first + i));
    }
    request.requests = (UpdateContextRequest **)requests.items;
    request.n_requests = requests.count;
    if (cxc_batch_update_contexts(bench->ctl->client, &request, &response, &error) == CXC_OK) {
        check_results(bench, response->results, response->n_results);
        cxc_response_free(response);
    } else {
        bench_fail(bench, &error);
    }
    ctl_pool_done(&pool);
    return count;
}

/* Deleting the contexts again, several at once. */
struct cleaning {
    struct bench *bench;
    struct cxc_loop *loop;
    struct cxc_method *method;
    uint64_t next; /* The first that nobody has deleted. */
    bool failed;
};

static void on_cleaned(void *arg, struct cxc_bytes response, const struct cxc_error *error);

static void clean_next(struct cleaning *cleaning)
{
    DeleteContextRequest request = CONTEXTD__V1__DELETE_CONTEXT_REQUEST__INIT;
    struct ctl_pool pool = {0};
    uint8_t *packed;

    if (cleaning->failed || cleaning->next == cleaning->bench->numbers[BENCH_CONTEXTS]) {
        return;
    }
    request.namespace_ = (char *)cleaning->bench->ctl->namespace_;
    request.context_id = context_id(&pool, cleaning->next++);
    request.allow_missing = true;
    request.purge = true;
    packed = ctl_pool_alloc(&pool, protobuf_c_message_get_packed_size(&request.base));
    cxc_start(cleaning->loop, cleaning->method,
              (struct cxc_bytes){packed, protobuf_c_message_pack(&request.base, packed)},
              cleaning->bench->ctl->timeout_ms, on_cleaned, cleaning);
    ctl_pool_done(&pool);
}

static void on_cleaned(void *arg, struct cxc_bytes response, const struct cxc_error *error)
{
    struct cleaning *cleaning = arg;

    (void)response;
    cleaning->failed = cleaning->failed || error != NULL;
    clean_next(cleaning);
}

static void clean_up(struct bench *bench)
{
    struct cleaning cleaning = {.bench = bench, .loop = cxc_loop_new()};

    cleaning.method =
        cxc_method_get(bench->ctl->client, "/contextd.v1.ContextManager/DeleteContext");
    cleaning.failed = bench->failed && cxc_error_is_transient(&bench->error);
    for (unsigned i = 0; i < CLEANING_IN_FLIGHT; i++) {
        clean_next(&cleaning);
    }
    while (cxc_loop_poll(cleaning.loop, -1)) {
    }
    cxc_loop_free(cleaning.loop);
    if (cleaning.failed) {
        fprintf(stderr, "ctxctl: contexts are left whose ids begin with ctxctl-bench-\n");
    }
}

static void print(struct bench *bench, double seconds)
{
    double rate = seconds > 0 ? (double)bench->operations_done / seconds : 0;
    int64_t p50_us;
    int64_t p99_us;

    ctl_timing_sort(&bench->timing);
    p50_us = ctl_timing_at(&bench->timing, 50);
    p99_us = ctl_timing_at(&bench->timing, 99);
    if (bench->ctl->json) {
        ctl_json_print(json_pack("{s:s, s:I, s:f, s:f, s:I, s:I}", "kind", kinds[bench->kind].name,
                                 "operations", (json_int_t)bench->operations_done, "seconds",
                                 seconds, "per_second", rate, "p50_us", (json_int_t)p50_us,
                                 "p99_us", (json_int_t)p99_us),
                       stdout);
        return;
    }
    printf("%s: %" PRIu64 " operations in %.2f s\n", kinds[bench->kind].name,
           bench->operations_done, seconds);
    printf("  rate  %.0f/s\n  p50   %.2f ms a message\n  p99   %.2f ms a message\n", rate,
           (double)p50_us / 1000, (double)p99_us / 1000);
}

static enum ctl_exit bench_run(struct bench *bench)
{
    int64_t begin_us;
    int64_t end_us;

    for (uint64_t i = 0; i < bench->numbers[BENCH_CONTEXTS] && !bench->failed;) {
        i += setup_group(bench, i);
    }
    begin_us = ctl_now_us();
    if (!bench->failed) {
        ctl_progress_begin(&bench->progress, bench->ctl, "operations",
                           bench->numbers[BENCH_OPERATIONS]);
        bench->loop = cxc_loop_new();
        bench->method = cxc_method_get(bench->ctl->client, kinds[bench->kind].path);
        if (bench->kind == BENCH_STREAM) {
            load_stream(bench);
        } else {
            load_calls(bench);
        }
        cxc_loop_free(bench->loop);
        ctl_progress_end(&bench->progress);
    }
    end_us = ctl_now_us();
    clean_up(bench);
    if (bench->failed) {
        return ctl_fail(bench->ctl, &bench->error, "the load failed");
    }
    print(bench, (double)(end_us - begin_us) / 1e6);
    return CTL_OK;
}

/* ---- The command. ---------------------------------------------------------- */

static enum ctl_exit bench_options(struct bench *bench, const struct ctl_args *args)
{
    static const uint64_t most[] = {UINT64_MAX / 2, IN_FLIGHT_MAX, VALUE_SIZE_MAX, 10000000,
                                    GROUP_MAX};

    for (size_t i = 0; i < args->setting_count; i++) {
        size_t option = args->settings[i].option;
        enum ctl_exit exit = ctl_option_number(bench->ctl, options[option].name,
                                               args->settings[i].value, &bench->numbers[option]);

        if (exit != CTL_OK) {
            return exit;
        }
        if (bench->numbers[option] == 0 || bench->numbers[option] > most[option]) {
            return ctl_complain(bench->ctl, CTL_USAGE, "--%s is 1 to %" PRIu64,
                                options[option].name, most[option]);
        }
    }
    return CTL_OK;
}

static enum ctl_exit run(struct ctl *ctl, const struct ctl_args *args)
{
    struct bench bench = {.ctl = ctl, .numbers = {100000, 64, 200, 1000, 16}};
    const char *name = args->operand_count > 0 ? args->operands[0] : "update";
    enum ctl_exit exit = bench_options(&bench, args);
    size_t kind = 0;

    while (kind < sizeof kinds / sizeof kinds[0] && strcmp(kinds[kind].name, name) != 0) {
        kind++;
    }
    if (exit == CTL_OK && kind == sizeof kinds / sizeof kinds[0]) {
        exit =
            ctl_complain(ctl, CTL_USAGE, "there is update, get, batch and stream, not '%s'", name);
    }
    if (exit != CTL_OK) {
        return exit;
    }
    bench.kind = (enum bench_kind)kind;
    bench.value = ctl_pool_alloc(&ctl->pool, bench.numbers[BENCH_VALUE_SIZE]);
    memset(bench.value, 'x', bench.numbers[BENCH_VALUE_SIZE]);
    exit = bench_run(&bench);
    ctl_timing_done(&bench.timing);
    return exit;
}

const struct ctl_command ctl_bench = {
    .name = "bench",
    .operands = "[update|get|batch|stream]",
    .operand_max = 1,
    .summary = "put a load on the server and measure it",
    .description =
        "Creates contexts whose ids begin with ctxctl-bench-, sends operations over one\n"
        "connection, and deletes the contexts again. The times are those of a message:\n"
        "of one operation for update and get, of several for batch and stream.\n",
    .examples = "  ctxctl bench\n"
                "  ctxctl bench get --in-flight 256 -o json\n"
                "  ctxctl bench stream --per-message 100 --in-flight 16 --operations 1000000\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
