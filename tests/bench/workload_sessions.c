/* Sessions that do nothing but live. */

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "clients/c/contextd_async.h"
#include "contextd/v1/tracker.pb-c.h"
#include "tests/bench/workload.h"

enum { TTL_S = 3 * WORKLOAD_RENEW_S, STARTS_MAX = 256, TIMEOUT_MS = 20000, TICK_MS = 10 };

struct sessions {
    const struct workload_options *options;
    struct workload_result *result;
    struct cxc_loop *loop;
    struct cxc_method *start;
    struct cxc_method *renew;
    struct cxc_bytes *renewals; /* The packed request of each. */
    size_t begun;
    size_t started;
    size_t in_flight;
};

static void *must_alloc(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL) {
        abort();
    }
    return memory;
}

static void fail(struct workload_result *result, const struct cxc_error *error)
{
    workload_fail(result, "%s %s: %s", cxc_code_name(error->code), error->reason, error->message);
}

/* ---- Starts. ---------------------------------------------------------------- */

static void start_next(struct sessions *sessions);

static struct cxc_bytes pack_renewal(char *session_id)
{
    Contextd__V1__RenewSessionRequest request = CONTEXTD__V1__RENEW_SESSION_REQUEST__INIT;
    struct cxc_bytes packed;
    uint8_t *bytes;

    request.session_id = session_id;
    packed.size = contextd__v1__renew_session_request__get_packed_size(&request);
    bytes = must_alloc(packed.size);
    contextd__v1__renew_session_request__pack(&request, bytes);
    packed.data = bytes;
    return packed;
}

static void on_started(void *arg, struct cxc_bytes bytes, const struct cxc_error *error)
{
    struct sessions *sessions = arg;
    Contextd__V1__StartSessionResponse *response = NULL;

    if (error != NULL) {
        fail(sessions->result, error);
    } else {
        response = contextd__v1__start_session_response__unpack(NULL, bytes.size, bytes.data);
        assert(response != NULL);
        sessions->renewals[sessions->started++] = pack_renewal(response->session->id);
        cxc_response_free(response);
    }
    start_next(sessions);
}

static void start_next(struct sessions *sessions)
{
    Contextd__V1__StartSessionRequest request = CONTEXTD__V1__START_SESSION_REQUEST__INIT;
    Google__Protobuf__Duration ttl = GOOGLE__PROTOBUF__DURATION__INIT;
    uint8_t packed[64];

    if (sessions->begun == sessions->options->in_flight) {
        return;
    }
    sessions->begun++;
    ttl.seconds = TTL_S;
    request.ttl = &ttl;
    assert(contextd__v1__start_session_request__get_packed_size(&request) <= sizeof packed);
    cxc_start(
        sessions->loop, sessions->start,
        (struct cxc_bytes){packed, contextd__v1__start_session_request__pack(&request, packed)},
        TIMEOUT_MS, on_started, sessions);
}

/* ---- Renewals. -------------------------------------------------------------- */

static void on_renewed(void *arg, struct cxc_bytes response, const struct cxc_error *error)
{
    struct sessions *sessions = arg;

    (void)response;
    sessions->in_flight--;
    if (error != NULL) {
        fail(sessions->result, error);
    } else {
        workload_count(sessions->result, 1, workload_now());
    }
}

static bool input_has_ended(void)
{
    struct pollfd input = {.fd = 0, .events = POLLIN};

    return poll(&input, 1, TICK_MS) > 0 && getchar() == EOF;
}

/* Renews those whose turn has come since the last look. */
static void renew_until_told(struct sessions *sessions)
{
    double begin = workload_now();
    double per_s = (double)sessions->started / WORKLOAD_RENEW_S;
    uint64_t done = 0;

    while (sessions->started > 0 && !input_has_ended()) {
        uint64_t due = (uint64_t)((workload_now() - begin) * per_s);

        for (; done < due; done++) {
            sessions->in_flight++;
            cxc_start(sessions->loop, sessions->renew, sessions->renewals[done % sessions->started],
                      TIMEOUT_MS, on_renewed, sessions);
        }
        while (sessions->in_flight > 0) {
            cxc_loop_poll(sessions->loop, -1);
        }
    }
}

bool workload_sessions(const struct workload_options *options, struct workload_result *result)
{
    struct cxc_client *client = cxc_client_new(&(struct cxc_options){.address = options->address});
    struct sessions sessions = {
        .options = options,
        .result = result,
        .loop = cxc_loop_new(),
        .start = cxc_method_get(client, "/contextd.v1.Tracker/StartSession"),
        .renew = cxc_method_get(client, "/contextd.v1.Tracker/RenewSession"),
        .renewals = must_alloc(options->in_flight * sizeof(struct cxc_bytes)),
    };

    workload_begin(result, options);
    for (unsigned i = 0; i < STARTS_MAX; i++) {
        start_next(&sessions);
    }
    while (cxc_loop_poll(sessions.loop, -1)) {
    }
    puts("started");
    fflush(stdout);
    renew_until_told(&sessions);
    for (size_t i = 0; i < sessions.started; i++) {
        free((void *)sessions.renewals[i].data);
    }
    free(sessions.renewals);
    cxc_loop_free(sessions.loop);
    cxc_client_free(client);
    return true;
}
