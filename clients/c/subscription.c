/* Subscribe, pulled, and opened again where it broke.
 *
 * A stream is open or waits for `open_ms`. The first attempt fails at once where nobody
 * listens; the others wait for the server, as repeated calls do. */

#include "clients/c/contextd.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "clients/c/clock.h"
#include "clients/c/error.h"
#include "clients/c/pull.h"
#include "clients/c/retry.h"

struct cxc_subscription {
    const struct cxc_method *method;
    const struct cxc_subscription_events *events;
    void *arg;
    Contextd__V1__SubscribeRequest *request; /* Owned. Its start counts until there is a cursor. */
    char *cursor;                            /* Owned. NULL: none yet. */
    struct cxc_pull pull;
    int64_t open_ms;        /* When a closed stream may be opened. */
    struct cxc_retry retry; /* Of the attempts since the last message. */
    struct cxc_error loss;  /* Why the last of them failed. */
    bool broken;            /* There has been such a failure. */
    bool reached;           /* There has been a message, ever. */
    bool ended;
};

static const struct cxc_subscription_events no_events = {0};

/* ---- Life. ----------------------------------------------------------------- */

/* Copies the request, deeply, by way of its packed form. The cursor becomes the
 * subscription's own. */
static bool request_copy(struct cxc_subscription *subscription,
                         const Contextd__V1__SubscribeRequest *request)
{
    Contextd__V1__SubscribeRequest rest = *request;
    grpc_slice packed;

    if (request->start_case == CONTEXTD__V1__SUBSCRIBE_REQUEST__START_CURSOR) {
        subscription->cursor = strdup(request->cursor);
        if (subscription->cursor == NULL) {
            return false;
        }
        rest.start_case = CONTEXTD__V1__SUBSCRIBE_REQUEST__START__NOT_SET;
    }
    packed = cxc_message_pack(&rest.base);
    subscription->request = contextd__v1__subscribe_request__unpack(NULL, GRPC_SLICE_LENGTH(packed),
                                                                    GRPC_SLICE_START_PTR(packed));
    grpc_slice_unref(packed);
    return subscription->request != NULL;
}

struct cxc_subscription *cxc_subscription_new(struct cxc_client *client,
                                              const Contextd__V1__SubscribeRequest *request,
                                              const struct cxc_subscription_events *events,
                                              void *arg)
{
    struct cxc_subscription *subscription = calloc(1, sizeof *subscription);

    if (subscription == NULL) {
        return NULL;
    }
    subscription->method = cxc_client_method(client, "/contextd.v1.Tracker/Subscribe");
    subscription->events = events != NULL ? events : &no_events;
    subscription->arg = arg;
    if (subscription->method == NULL || !request_copy(subscription, request)) {
        cxc_subscription_free(subscription);
        return NULL;
    }
    cxc_retry_init(&subscription->retry, cxc_now_ms(), client->timeout_ms);
    return subscription;
}

void cxc_subscription_free(struct cxc_subscription *subscription)
{
    if (subscription == NULL) {
        return;
    }
    cxc_pull_close(&subscription->pull);
    if (subscription->request != NULL) {
        contextd__v1__subscribe_request__free_unpacked(subscription->request, NULL);
    }
    free(subscription->cursor);
    free(subscription);
}

const char *cxc_subscription_cursor(const struct cxc_subscription *subscription)
{
    return subscription->cursor != NULL ? subscription->cursor : "";
}

/* ---- The stream. ----------------------------------------------------------- */

/* What is left of the time until `until_ms`, as waits have it: negative for ever. */
static int64_t time_left(int64_t until_ms)
{
    int64_t left = until_ms - cxc_now_ms();

    if (until_ms == INT64_MAX) {
        return -1;
    }
    return left > 0 ? left : 0;
}

/* Opens the stream when it may be. Returns false when the time is up before that. */
static bool stream_open(struct cxc_subscription *subscription, int64_t until_ms)
{
    Contextd__V1__SubscribeRequest request = *subscription->request;
    bool in_time = subscription->open_ms <= until_ms;

    cxc_sleep_ms(time_left(in_time ? subscription->open_ms : until_ms));
    if (!in_time) {
        return false;
    }
    if (subscription->cursor != NULL) {
        request.start_case = CONTEXTD__V1__SUBSCRIBE_REQUEST__START_CURSOR;
        request.cursor = subscription->cursor;
    }
    cxc_pull_open(&subscription->pull, subscription->method, &request.base, subscription->broken);
    return true;
}

static enum cxc_code subscription_end(struct cxc_subscription *subscription, enum cxc_code code)
{
    subscription->ended = true;
    cxc_pull_close(&subscription->pull);
    return code;
}

/* Whether what the stream ended with may be gone when it is opened again. Nobody here
 * cancels a stream that is read: a server does that to those that just arrive while it
 * stops. */
static bool may_resume(const struct cxc_subscription *subscription)
{
    const struct cxc_error *error = &subscription->loss;

    return !subscription->method->client->no_repeats &&
           (cxc_error_is_transient(error) || error->code == CXC_CANCELLED ||
            strcmp(error->reason, "STREAM_STALLED") == 0);
}

/* Sees to it that a stream that has ended is opened again, or returns why not. */
static enum cxc_code stream_break(struct cxc_subscription *subscription,
                                  struct cxc_error *ret_error)
{
    struct cxc_error *loss = &subscription->loss;
    int64_t now_ms = cxc_now_ms();
    int64_t wait;

    if (cxc_exchange_result(&subscription->pull.exchange, loss) == CXC_OK) {
        cxc_error_set(loss, CXC_UNAVAILABLE, "the server has ended the subscription");
    }
    wait = cxc_retry_wait(&subscription->retry, loss, cxc_random());
    if (!may_resume(subscription) || wait >= subscription->retry.deadline_ms - now_ms) {
        *ret_error = *loss;
        return subscription_end(subscription, loss->code);
    }
    cxc_pull_close(&subscription->pull);
    subscription->open_ms = now_ms + wait;
    if (subscription->reached && !subscription->broken && subscription->events->lost != NULL) {
        subscription->events->lost(subscription->arg, cxc_subscription_cursor(subscription), loss);
    }
    subscription->broken = true;
    return CXC_OK;
}

/* ---- Messages. ------------------------------------------------------------- */

/* The position behind a message; NULL when it has none. */
static const char *message_cursor(const Contextd__V1__SubscribeResponse *message)
{
    const Contextd__V1__EventBatch *events = message->events;
    const char *cursor = NULL;

    switch (message->kind_case) {
    case CONTEXTD__V1__SUBSCRIBE_RESPONSE__KIND_EVENTS:
        cursor = events->n_events > 0 ? events->events[events->n_events - 1]->cursor : NULL;
        break;
    case CONTEXTD__V1__SUBSCRIBE_RESPONSE__KIND_CAUGHT_UP:
        cursor = message->caught_up->cursor;
        break;
    case CONTEXTD__V1__SUBSCRIBE_RESPONSE__KIND_PROGRESS:
        cursor = message->progress->cursor;
        break;
    default: /* Of a newer server. */
        break;
    }
    return cursor != NULL && cursor[0] != '\0' ? cursor : NULL;
}

/* Keeps the position behind a message. */
static bool cursor_keep(struct cxc_subscription *subscription,
                        const Contextd__V1__SubscribeResponse *message)
{
    const char *cursor = message_cursor(message);
    char *copy;

    if (cursor == NULL) {
        return true;
    }
    copy = strdup(cursor);
    if (copy == NULL) {
        return false;
    }
    free(subscription->cursor);
    subscription->cursor = copy;
    return true;
}

/* Hands out the message that has come. */
static enum cxc_code message_take(struct cxc_subscription *subscription,
                                  Contextd__V1__SubscribeResponse **ret_message,
                                  struct cxc_error *ret_error)
{
    Contextd__V1__SubscribeResponse *message = NULL;
    enum cxc_code code = cxc_exchange_unpack(&subscription->pull.exchange,
                                             &contextd__v1__subscribe_response__descriptor,
                                             (ProtobufCMessage **)&message, ret_error);

    if (code != CXC_OK) {
        return subscription_end(subscription, code);
    }
    if (!cursor_keep(subscription, message)) {
        cxc_response_free(message);
        cxc_error_set(ret_error, CXC_RESOURCE_EXHAUSTED, "the client is out of memory");
        return subscription_end(subscription, CXC_RESOURCE_EXHAUSTED);
    }
    if (subscription->reached && subscription->broken && subscription->events->resumed != NULL) {
        subscription->events->resumed(subscription->arg);
    }
    subscription->reached = true;
    subscription->broken = false;
    cxc_retry_init(&subscription->retry, 0, INT64_MAX);
    *ret_message = message;
    return CXC_OK;
}

/* ---- Waiting. -------------------------------------------------------------- */

/* Until when at most a server is waited for that has not answered yet. */
static int64_t patience_ms(const struct cxc_subscription *subscription)
{
    return subscription->broken && !subscription->reached ? subscription->retry.deadline_ms
                                                          : INT64_MAX;
}

enum cxc_code cxc_subscription_next(struct cxc_subscription *subscription, int64_t timeout_ms,
                                    Contextd__V1__SubscribeResponse **ret_message,
                                    struct cxc_error *ret_error)
{
    const int64_t asked_ms = timeout_ms < 0 ? INT64_MAX : cxc_now_ms() + timeout_ms;
    struct cxc_error ignored;
    struct cxc_error *error = ret_error != NULL ? ret_error : &ignored;

    assert(!subscription->ended);
    for (;;) {
        int64_t limit_ms = patience_ms(subscription);
        int64_t until_ms = asked_ms < limit_ms ? asked_ms : limit_ms;
        enum cxc_pulled pulled = CXC_PULLED_NOTHING;
        enum cxc_code code;

        if (subscription->pull.queue != NULL || stream_open(subscription, until_ms)) {
            pulled = cxc_pull_next(&subscription->pull, time_left(until_ms));
        }
        switch (pulled) {
        case CXC_PULLED_ANSWER:
            return message_take(subscription, ret_message, error);
        case CXC_PULLED_NOTHING:
            if (cxc_now_ms() >= limit_ms) {
                *error = subscription->loss;
                return subscription_end(subscription, error->code);
            }
            if (cxc_now_ms() >= asked_ms) {
                *ret_message = NULL;
                return CXC_OK;
            }
            break;
        case CXC_PULLED_END:
            code = stream_break(subscription, error);
            if (code != CXC_OK) {
                return code;
            }
            break;
        }
    }
}
