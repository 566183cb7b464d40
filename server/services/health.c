#include "server/services/health.h"

#include <pthread.h>
#include <string.h>

#include "core/base/memory.h"
#include "grpc/health/v1/health.pb-c.h"
#include "server/rpc/call.h"
#include "server/rpc/service.h"

typedef Grpc__Health__V1__HealthCheckRequest CheckRequest;
typedef Grpc__Health__V1__HealthCheckResponse CheckResponse;
typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus ServingStatus;
typedef Grpc__Health__V1__HealthListResponse ListResponse;
typedef Grpc__Health__V1__HealthListResponse__StatusesEntry ListEntry;

#define SERVING GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
#define NOT_SERVING GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
#define SERVICE_UNKNOWN GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN

/* One call of Watch, in its memory. */
struct watcher {
    struct watcher *next; /* In the list of health, under its mutex like the rest. */
    struct watcher *prev;
    struct cx_call *call;
    bool known;         /* The service that it asks for. */
    bool sending;       /* A message is on its way. */
    bool ended;         /* The call, by us. Not in the list any more. */
    ServingStatus told; /* By the last message. */
};

struct cx_health {
    struct cx_service service;
    const char **names; /* Owned; the names are the descriptors'. The first is empty. */
    size_t name_count;
    pthread_mutex_t mutex;
    bool serving; /* Under the mutex, like the next. */
    bool stopped;
    struct watcher *watchers;
};

/* ---- What is told. ---------------------------------------------------------- */

static bool health_knows(const struct cx_health *health, const char *name)
{
    for (size_t i = 0; i < health->name_count; i++) {
        if (strcmp(health->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static ServingStatus status_of(const struct cx_health *health, bool known)
{
    if (!known) {
        return SERVICE_UNKNOWN;
    }
    return health->serving ? SERVING : NOT_SERVING;
}

static ServingStatus health_status(struct cx_health *health)
{
    ServingStatus status;

    pthread_mutex_lock(&health->mutex);
    status = status_of(health, true);
    pthread_mutex_unlock(&health->mutex);
    return status;
}

static void check(struct cx_call *call, const ProtobufCMessage *message)
{
    const CheckRequest *request = (const CheckRequest *)message;
    struct cx_health *health = cx_call_app(call);
    CheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

    if (!health_knows(health, request->service)) {
        cx_call_fail_plain(call, CX_NOT_FOUND, "no service has this name");
        return;
    }
    response.status = health_status(health);
    cx_call_reply(call, &response.base);
}

static void list(struct cx_call *call, const ProtobufCMessage *message)
{
    struct cx_health *health = cx_call_app(call);
    ListEntry *entries = cx_call_alloc(call, health->name_count * sizeof *entries);
    ListEntry **pointers = cx_call_alloc(call, health->name_count * sizeof *pointers);
    CheckResponse status = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    ListResponse response = GRPC__HEALTH__V1__HEALTH_LIST_RESPONSE__INIT;

    (void)message; /* It is empty. */
    if (entries == NULL || pointers == NULL) {
        cx_call_fail_plain(call, CX_RESOURCE_EXHAUSTED, "out of memory");
        return;
    }
    status.status = health_status(health);
    for (size_t i = 0; i < health->name_count; i++) {
        grpc__health__v1__health_list_response__statuses_entry__init(&entries[i]);
        entries[i].key = (char *)health->names[i];
        entries[i].value = &status;
        pointers[i] = &entries[i];
    }
    response.n_statuses = health->name_count;
    response.statuses = pointers;
    cx_call_reply(call, &response.base);
}

/* ---- Watchers. Their calls are touched under the mutex only, so that one that ends
 * cannot vanish under somebody else's hands. ---------------------------------- */

static void watcher_add_locked(struct cx_health *health, struct watcher *watcher)
{
    watcher->next = health->watchers;
    if (watcher->next != NULL) {
        watcher->next->prev = watcher;
    }
    health->watchers = watcher;
}

static void watcher_end_locked(struct cx_health *health, struct watcher *watcher)
{
    if (watcher->prev != NULL) {
        watcher->prev->next = watcher->next;
    } else {
        health->watchers = watcher->next;
    }
    if (watcher->next != NULL) {
        watcher->next->prev = watcher->prev;
    }
    watcher->ended = true;
    cx_call_finish(watcher->call);
}

static void watcher_tell_locked(struct watcher *watcher, ServingStatus status)
{
    CheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

    watcher->sending = true;
    watcher->told = status;
    response.status = status;
    cx_call_send(watcher->call, &response.base);
}

/* Does whatever there is to do for a watcher now. */
static void watcher_advance_locked(struct cx_health *health, struct watcher *watcher)
{
    ServingStatus status = status_of(health, watcher->known);

    if (watcher->sending) {
        return; /* watch_sent() goes on. */
    }
    if (watcher->told != status) {
        watcher_tell_locked(watcher, status);
    } else if (health->stopped) {
        watcher_end_locked(health, watcher);
    }
}

static void watch(struct cx_call *call, const ProtobufCMessage *message)
{
    const CheckRequest *request = (const CheckRequest *)message;
    struct cx_health *health = cx_call_app(call);
    struct watcher *watcher = cx_call_alloc(call, sizeof *watcher);

    if (watcher == NULL) {
        cx_call_fail_plain(call, CX_RESOURCE_EXHAUSTED, "out of memory");
        return;
    }
    *watcher = (struct watcher){.call = call, .known = health_knows(health, request->service)};
    cx_call_set_state(call, watcher);
    pthread_mutex_lock(&health->mutex);
    watcher_add_locked(health, watcher);
    watcher_tell_locked(watcher, status_of(health, watcher->known));
    pthread_mutex_unlock(&health->mutex);
}

static void watch_sent(struct cx_call *call)
{
    struct cx_health *health = cx_call_app(call);
    struct watcher *watcher = cx_call_state(call);

    pthread_mutex_lock(&health->mutex);
    watcher->sending = false;
    if (!watcher->ended) {
        watcher_advance_locked(health, watcher);
    }
    pthread_mutex_unlock(&health->mutex);
}

static void watch_left(struct cx_call *call)
{
    struct cx_health *health = cx_call_app(call);
    struct watcher *watcher = cx_call_state(call);

    pthread_mutex_lock(&health->mutex);
    if (!watcher->ended) {
        watcher_end_locked(health, watcher);
    }
    pthread_mutex_unlock(&health->mutex);
}

static void health_change(struct cx_health *health, bool serving, bool stopped)
{
    struct watcher *next;

    pthread_mutex_lock(&health->mutex);
    health->stopped = health->stopped || stopped;
    health->serving = serving && !health->stopped;
    for (struct watcher *each = health->watchers; each != NULL; each = next) {
        next = each->next; /* `each` may end. */
        watcher_advance_locked(health, each);
    }
    pthread_mutex_unlock(&health->mutex);
}

void cx_health_set(struct cx_health *health, bool serving)
{
    health_change(health, serving, false);
}

void cx_health_stop(struct cx_health *health)
{
    health_change(health, false, true);
}

/* ---- The service. ----------------------------------------------------------- */

static const struct cx_method methods[] = {
    {.name = "Check", .kind = CX_METHOD_UNARY, .handle = check},
    {.name = "List", .kind = CX_METHOD_UNARY, .handle = list},
    {
        .name = "Watch",
        .kind = CX_METHOD_SERVER_STREAM,
        .handle = watch,
        .sent = watch_sent,
        .left = watch_left,
    },
};

enum cx_status cx_health_new(const struct cx_service *const *services, size_t service_count,
                             struct cx_health **ret_health)
{
    struct cx_health *health = cx_calloc(sizeof *health);
    const char **names = cx_alloc((service_count + 1) * sizeof *names);

    if (health == NULL || names == NULL) {
        cx_free(health);
        cx_free(names);
        return CX_RESOURCE_EXHAUSTED;
    }
    names[0] = "";
    for (size_t i = 0; i < service_count; i++) {
        names[i + 1] = services[i]->descriptor->name;
    }
    health->service = (struct cx_service){
        .descriptor = &grpc__health__v1__health__descriptor,
        .methods = methods,
        .method_count = sizeof methods / sizeof methods[0],
        .app = health,
    };
    health->names = names;
    health->name_count = service_count + 1;
    pthread_mutex_init(&health->mutex, NULL);
    *ret_health = health;
    return CX_OK;
}

const struct cx_service *cx_health_service(const struct cx_health *health)
{
    return &health->service;
}

void cx_health_free(struct cx_health *health)
{
    if (health == NULL) {
        return;
    }
    pthread_mutex_destroy(&health->mutex);
    cx_free(health->names);
    cx_free(health);
}
