/* Subscriptions: how many events arrive, and how long after the answer to the write. */

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "contextd/v1/tracker.pb-c.h"
#include "tests/bench/messages.h"
#include "tests/bench/workload.h"

enum { TICK_MS = 1, SUBSCRIPTIONS_PER_CONNECTION = 100, WRITES_MAX = 64 };

/* What is known of each change that this process has made. */
struct moment {
    double answered;
    double told; /* First of all by whichever subscription. */
};

struct subscriber {
    struct cxc_client *client;
    const struct workload_options *options;
    struct workload_result *result;
    struct cxc_loop *loop;
    uint64_t caught_up;     /* Subscriptions. */
    uint64_t open;          /* Streams that have not ended. */
    uint64_t revision;      /* The highest that was told. */
    struct moment *moments; /* By revision, behind `base`. NULL: this process does not write. */
    uint64_t base;
    unsigned writes; /* In flight. */
    bool stopping;
};

/* ---- Reading. --------------------------------------------------------------- */

static uint64_t get_varint(const uint8_t **at)
{
    uint64_t number = 0;

    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = *(*at)++;

        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return number;
        }
    }
}

/* Goes along the fields in front of the revision, which is the fourth. */
static uint64_t event_revision(const uint8_t *at, const uint8_t *end)
{
    while (at < end) {
        uint64_t tag = get_varint(&at);
        uint64_t number;

        if ((tag & 7) == 0) {
            number = get_varint(&at);
            if (tag >> 3 == 4) {
                return number;
            }
        } else {
            assert((tag & 7) == 2);
            number = get_varint(&at);
            at += number;
        }
    }
    return 0;
}

static void on_told(struct subscriber *subscriber, uint64_t revision, double now)
{
    struct workload_result *result = subscriber->result;

    workload_count(result, 1, now);
    subscriber->revision = revision > subscriber->revision ? revision : subscriber->revision;
    if (subscriber->moments != NULL && revision > subscriber->base &&
        revision - subscriber->base < WORKLOAD_MOMENTS_MAX) {
        struct moment *moment = &subscriber->moments[revision - subscriber->base];

        if (moment->told == 0) {
            moment->told = now;
        }
        if (moment->answered > 0) {
            workload_note(result, moment->answered, now);
        }
    }
}

static void on_received(void *arg, struct cxc_bytes message)
{
    struct subscriber *subscriber = arg;
    const uint8_t *at = message.data;
    const uint8_t *end = message.data + message.size;
    double now = workload_now();
    uint64_t tag = get_varint(&at);

    subscriber->result->bytes += message.size;
    if (tag >> 3 != 1) {
        subscriber->caught_up += tag >> 3 == 2 ? 1 : 0;
        return;
    }
    get_varint(&at);
    while (at < end) {
        uint64_t size;

        tag = get_varint(&at);
        assert(tag >> 3 == 1);
        size = get_varint(&at);
        on_told(subscriber, event_revision(at, at + size), now);
        at += size;
    }
}

static void on_ended(void *arg, const struct cxc_error *error)
{
    struct subscriber *subscriber = arg;

    subscriber->open--;
    if (!subscriber->stopping) {
        workload_fail(subscriber->result, "a subscription ended: %s",
                      error != NULL ? error->message : "without an error");
    }
}

/* ---- Opening. --------------------------------------------------------------- */

static struct cxc_bytes pack_request(const struct workload_options *options, unsigned number,
                                     uint8_t *bytes)
{
    Contextd__V1__SubscribeRequest request = CONTEXTD__V1__SUBSCRIBE_REQUEST__INIT;
    char id[MESSAGE_NAME_SIZE + 1];
    char *ids[] = {id};

    if (options->each) {
        snprintf(id, sizeof id, "context-%012u", number % options->contexts);
        request.context_ids = ids;
        request.n_context_ids = 1;
    }
    if (options->oldest) {
        request.start_case = CONTEXTD__V1__SUBSCRIBE_REQUEST__START_FROM_OLDEST;
        request.from_oldest = true;
    }
    return (struct cxc_bytes){bytes, contextd__v1__subscribe_request__pack(&request, bytes)};
}

static void open_all(struct subscriber *subscriber, struct cxc_client **clients)
{
    static const struct cxc_stream_events events = {.received = on_received, .ended = on_ended};
    const struct workload_options *options = subscriber->options;
    uint8_t bytes[128];

    for (unsigned i = 0; i < options->in_flight; i++) {
        struct cxc_client *client = clients[i / SUBSCRIPTIONS_PER_CONNECTION];
        struct cxc_stream *stream;

        stream = cxc_stream_new(subscriber->loop,
                                cxc_method_get(client, "/contextd.v1.Tracker/Subscribe"), &events,
                                subscriber);
        cxc_stream_send(stream, pack_request(options, i, bytes));
        cxc_stream_finish(stream);
        subscriber->open++;
    }
    while (subscriber->caught_up < options->in_flight && subscriber->result->failures == 0) {
        cxc_loop_poll(subscriber->loop, -1);
    }
}

static struct cxc_client **clients_new(const struct workload_options *options, size_t *ret_count)
{
    size_t count = options->in_flight / SUBSCRIPTIONS_PER_CONNECTION + 1;
    struct cxc_client **clients = calloc(count, sizeof(struct cxc_client *));

    assert(clients != NULL);
    for (size_t i = 0; i < count; i++) {
        clients[i] = cxc_client_new(&(struct cxc_options){.address = options->address});
        assert(clients[i] != NULL);
    }
    *ret_count = count;
    return clients;
}

static bool input_has_ended(void)
{
    struct pollfd input = {.fd = 0, .events = POLLIN};

    return poll(&input, 1, 0) > 0 && getchar() == EOF;
}

/* ---- Writing, beside it. ---------------------------------------------------- */

static void on_written(struct subscriber *subscriber, uint64_t revision, double now)
{
    uint64_t place = revision - subscriber->base;

    if (place < WORKLOAD_MOMENTS_MAX) {
        struct moment *moment = &subscriber->moments[place];

        moment->answered = now;
        if (moment->told > 0) { /* The event was faster than the answer. */
            workload_note(subscriber->result, now, now);
        }
    }
}

static void on_answer(void *arg, struct cxc_bytes bytes, const struct cxc_error *error)
{
    struct subscriber *subscriber = arg;
    Contextd__V1__BatchUpdateContextsResponse *response;
    double now = workload_now();

    subscriber->writes--;
    if (error != NULL) {
        workload_fail(subscriber->result, "%s", error->message);
        return;
    }
    response = contextd__v1__batch_update_contexts_response__unpack(NULL, bytes.size, bytes.data);
    assert(response != NULL);
    for (size_t i = 0; i < response->n_results; i++) {
        const Contextd__V1__UpdateResult *result = response->results[i];

        assert(result->outcome_case == CONTEXTD__V1__UPDATE_RESULT__OUTCOME_RESPONSE);
        on_written(subscriber, result->response->write->revision, now);
    }
    cxc_response_free(response);
}

/* Writes at the rate that is wanted, as far as the server keeps up, and reads, until the time is
 * over. */
static void write_and_read(struct subscriber *subscriber)
{
    const struct workload_options *options = subscriber->options;
    struct message *message = message_new_batch(options);
    struct cxc_method *update =
        cxc_method_get(subscriber->client, "/contextd.v1.ContextManager/BatchUpdateContexts");
    uint64_t seed = options->seed;
    double begin = workload_now();
    uint64_t done = 0;

    subscriber->base = subscriber->revision;
    workload_begin(subscriber->result, options);
    while (workload_now() < subscriber->result->end) {
        double seconds = workload_now() - begin;
        uint64_t due = (uint64_t)(seconds * options->rate / options->per_request);

        for (; done < due && subscriber->writes < WRITES_MAX; done++) {
            subscriber->writes++;
            cxc_start(subscriber->loop, update, message_random(message, options, &seed), 20000,
                      on_answer, subscriber);
        }
        cxc_loop_poll(subscriber->loop, TICK_MS);
    }
    message_free(message);
}

/* ---- The kinds. ------------------------------------------------------------- */

/* Closes everything. A client that goes away takes its streams with it. */
static void close_all(struct subscriber *subscriber)
{
    subscriber->stopping = true;
    fflush(stdout);
}

bool workload_subscribe(const struct workload_options *options, struct workload_result *result)
{
    size_t client_count;
    struct cxc_client **clients = clients_new(options, &client_count);
    struct subscriber subscriber = {
        .client = clients[0],
        .options = options,
        .result = result,
        .loop = cxc_loop_new(),
    };

    workload_begin(result, options);
    if (options->rate > 0) {
        subscriber.moments = calloc(WORKLOAD_MOMENTS_MAX, sizeof *subscriber.moments);
        assert(subscriber.moments != NULL);
    }
    open_all(&subscriber, clients);
    result->caught_up_s = workload_now() - (result->begin - options->warm_up);
    if (options->rate > 0) {
        write_and_read(&subscriber);
    } else {
        puts("subscribed");
        fflush(stdout);
        workload_begin(result, options);
        while (!input_has_ended()) {
            cxc_loop_poll(subscriber.loop, TICK_MS);
        }
    }
    close_all(&subscriber);
    return true;
}
