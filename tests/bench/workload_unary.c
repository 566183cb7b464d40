/* Unary calls over gRPC: contextd, the null server, etcd. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "contextd/v1/tracker.pb-c.h"
#include "tests/bench/messages.h"
#include "tests/bench/workload.h"

enum { TIMEOUT_MS = 20000 };

struct slot;

/* What a workload is made of. */
struct kind {
    const char *name;
    const char *path;
    struct message *(*message_new)(const struct workload_options *options);

    /* Goes through all contexts and keys in order, instead of picking at random. */
    bool in_order;

    /* Looks at an answer: how many operations it is for. NULL: one. */
    uint64_t (*check)(const struct slot *slot, struct cxc_bytes response);
};

struct unary {
    const struct workload_options *options;
    const struct kind *kind;
    struct workload_result *result;
    struct cxc_loop *loop;
    struct cxc_method *method;
    struct message *message;
    uint64_t seed;
    uint64_t begun;
};

/* One of the requests in flight. */
struct slot {
    struct unary *unary;
    uint64_t number;
    double start;
};

static uint64_t check_results(const struct slot *slot, struct cxc_bytes response);
static uint64_t check_context(const struct slot *slot, struct cxc_bytes response);
static uint64_t check_recorded(const struct slot *slot, struct cxc_bytes response);
static uint64_t check_newest(const struct slot *slot, struct cxc_bytes response);
static uint64_t check_middle(const struct slot *slot, struct cxc_bytes response);

static const struct kind kinds[] = {
    {
        .name = "update",
        .path = "/contextd.v1.ContextManager/UpdateContext",
        .message_new = message_new_update,
    },
    {
        .name = "batch",
        .path = "/contextd.v1.ContextManager/BatchUpdateContexts",
        .message_new = message_new_batch,
        .check = check_results,
    },
    {
        .name = "get",
        .path = "/contextd.v1.ContextManager/GetContext",
        .message_new = message_new_get,
    },
    {
        .name = "create",
        .path = "/contextd.v1.ContextManager/CreateContext",
        .message_new = message_new_create,
        .in_order = true,
    },
    {
        .name = "verify",
        .path = "/contextd.v1.ContextManager/GetContext",
        .message_new = message_new_get,
        .in_order = true,
        .check = check_context,
    },
    {
        .name = "record",
        .path = "/contextd.v1.Tracker/RecordActivities",
        .message_new = message_new_record,
        .check = check_recorded,
    },
    {
        .name = "record-batch",
        .path = "/contextd.v1.ContextManager/BatchUpdateContexts",
        .message_new = message_new_record_batch,
        .check = check_results,
    },
    {
        .name = "newest",
        .path = "/contextd.v1.Tracker/ListActivities",
        .message_new = message_new_newest,
        .check = check_newest,
    },
    {
        .name = "middle",
        .path = "/contextd.v1.Tracker/ListActivities",
        .message_new = message_new_middle,
        .check = check_middle,
    },
    {
        .name = "etcd",
        .path = "/etcdserverpb.KV/Put",
        .message_new = message_new_etcd_put,
    },
    {
        .name = "etcd-fill",
        .path = "/etcdserverpb.KV/Put",
        .message_new = message_new_etcd_put,
        .in_order = true,
    },
};

/* ---- Looking at answers. -------------------------------------------------------- */

/* A batch is answered with OK as a whole, whatever became of its parts. */
static uint64_t check_results(const struct slot *slot, struct cxc_bytes response)
{
    const struct workload_options *options = slot->unary->options;
    uint64_t failed;
    uint64_t count = message_results(response, &failed);

    if (failed > 0 || count != options->per_request) {
        workload_fail(slot->unary->result, "of %u updates, %llu were answered and %llu failed",
                      options->per_request, (unsigned long long)count, (unsigned long long)failed);
    }
    return count - (failed < count ? failed : count);
}

static uint64_t check_context(const struct slot *slot, struct cxc_bytes bytes)
{
    struct workload_result *result = slot->unary->result;
    Contextd__V1__GetContextResponse *response =
        contextd__v1__get_context_response__unpack(NULL, bytes.size, bytes.data);

    if (response == NULL ||
        !message_is_context(response->context, slot->unary->options, slot->number)) {
        workload_fail(result, "context %llu does not hold what was stored",
                      (unsigned long long)slot->number);
    } else {
        result->entries += response->context->n_entries;
        result->versions += response->context->version;
    }
    cxc_response_free(response);
    return 1;
}

/* The activities of one request have consecutive sequences. */
static uint64_t check_recorded(const struct slot *slot, struct cxc_bytes bytes)
{
    const struct workload_options *options = slot->unary->options;
    Contextd__V1__RecordActivitiesResponse *response =
        contextd__v1__record_activities_response__unpack(NULL, bytes.size, bytes.data);

    if (response == NULL ||
        response->last_sequence - response->first_sequence + 1 != options->per_request) {
        workload_fail(slot->unary->result, "%u activities were not recorded as such",
                      options->per_request);
    }
    cxc_response_free(response);
    return options->per_request;
}

/* A full page whose sequences go on one by one. The highest is kept for who knows what it
 * must be. */
static uint64_t check_page(const struct slot *slot, struct cxc_bytes bytes, uint64_t first,
                           int64_t step)
{
    const struct workload_options *options = slot->unary->options;
    struct workload_result *result = slot->unary->result;
    Contextd__V1__ListActivitiesResponse *response =
        contextd__v1__list_activities_response__unpack(NULL, bytes.size, bytes.data);
    bool right = response != NULL && response->n_activities == options->per_request;

    for (size_t i = 0; right && i < response->n_activities; i++) {
        uint64_t sequence = response->activities[i]->sequence;

        first = first == 0 ? sequence : first;
        right = sequence == first + (uint64_t)(step * (int64_t)i) &&
                response->activities[i]->data.len == options->value_size;
        result->sequence = sequence > result->sequence ? sequence : result->sequence;
    }
    if (!right) {
        workload_fail(result, "a page of a history is not what was recorded");
    }
    cxc_response_free(response);
    return 1;
}

static uint64_t check_newest(const struct slot *slot, struct cxc_bytes response)
{
    return check_page(slot, response, 0, -1);
}

static uint64_t check_middle(const struct slot *slot, struct cxc_bytes response)
{
    return check_page(slot, response, slot->unary->options->first, 1);
}

/* ---- Calls. --------------------------------------------------------------------- */

static void slot_start(struct slot *slot);

static void on_done(void *arg, struct cxc_bytes response, const struct cxc_error *error)
{
    struct slot *slot = arg;
    struct workload_result *result = slot->unary->result;
    const struct kind *kind = slot->unary->kind;

    if (error != NULL) {
        workload_fail(result, "%s %s: %s", cxc_code_name(error->code), error->reason,
                      error->message);
    } else {
        double now = workload_now();

        result->bytes += response.size;
        workload_note(result, slot->start, now);
        workload_count(result, kind->check != NULL ? kind->check(slot, response) : 1, now);
    }
    slot_start(slot);
}

static void slot_start(struct slot *slot)
{
    struct unary *unary = slot->unary;
    const struct workload_options *options = unary->options;
    struct cxc_bytes request;

    if (!workload_goes_on(unary->result, options, unary->begun)) {
        return;
    }
    slot->number = options->first + unary->begun++;
    request = unary->kind->in_order ? message_numbered(unary->message, options, slot->number)
                                    : message_random(unary->message, options, &unary->seed);
    slot->start = workload_now();
    cxc_start(unary->loop, unary->method, request, TIMEOUT_MS, on_done, slot);
}

static const struct kind *kind_find(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

bool workload_unary(const struct workload_options *options, const char *name,
                    struct workload_result *result)
{
    const struct kind *kind = kind_find(name);
    struct unary unary = {
        .options = options, .kind = kind, .result = result, .seed = options->seed};
    struct cxc_client *client;
    struct slot *slots;

    if (kind == NULL) {
        workload_fail(result, "no such kind");
        return false;
    }
    client = cxc_client_new(&(struct cxc_options){.address = options->address});
    slots = calloc(options->in_flight, sizeof *slots);
    assert(client != NULL && slots != NULL);
    unary.loop = cxc_loop_new();
    unary.method = cxc_method_get(client, kind->path);
    unary.message = kind->message_new(options);
    workload_begin(result, options);
    for (unsigned i = 0; i < options->in_flight; i++) {
        slots[i].unary = &unary;
        slot_start(&slots[i]);
    }
    while (cxc_loop_poll(unary.loop, -1)) {
    }
    message_free(unary.message);
    cxc_loop_free(unary.loop);
    cxc_client_free(client);
    free(slots);
    return true;
}
