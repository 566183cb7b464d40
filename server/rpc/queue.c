#include "server/rpc/queue.h"

#include <assert.h>

#include <grpc/grpc.h>

#include "core/base/clock.h"
#include "core/base/container_of.h"
#include "server/rpc/call_state.h"

/* Messages of streams that may go out before the network is looked at. */
enum { SENDS_AT_A_TIME = 32 };

static _Thread_local const struct cx_queue *current;

void cx_work_list_append(struct cx_work_list *list, struct cx_work *first, struct cx_work *last)
{
    last->next = NULL;
    if (list->first == NULL) {
        list->first = first;
    } else {
        list->last->next = first;
    }
    list->last = last;
}

/* ---- Waking. ---------------------------------------------------------------- */

void cx_queue_post(struct cx_queue *queue, const struct cx_work_list *list)
{
    bool idle;

    if (list->first == NULL) {
        return;
    }
    pthread_mutex_lock(&queue->mutex);
    assert(!queue->closed);
    idle = queue->posted.first == NULL;
    cx_work_list_append(&queue->posted, list->first, list->last);
    if (idle) {
        /* Under the mutex: a poller that has taken the list may close the queue next,
         * and then it is too late to ring. */
        grpc_call_start_batch(queue->bell_call, NULL, 0, cx_tag_give(&queue->bell), NULL);
    }
    pthread_mutex_unlock(&queue->mutex);
}

static void run_list(struct cx_work *work)
{
    while (work != NULL) {
        struct cx_work *next = work->next; /* What runs may put `work` into a list again. */

        work->run(work);
        work = next;
    }
}

static void on_bell(struct cx_tag *tag, bool ok)
{
    struct cx_queue *queue = CX_CONTAINER_OF(tag, struct cx_queue, bell);
    struct cx_work *work;

    (void)ok; /* Always true for an empty batch. */
    pthread_mutex_lock(&queue->mutex);
    work = queue->posted.first;
    queue->posted = (struct cx_work_list){0};
    pthread_mutex_unlock(&queue->mutex);
    run_list(work);
}

bool cx_queue_send_went(struct cx_queue *queue)
{
    return ++queue->sent_count % SENDS_AT_A_TIME == 0;
}

void cx_queue_defer(struct cx_queue *queue, struct cx_work *work)
{
    cx_work_list_append(&queue->deferred, work, work);
}

const struct cx_queue *cx_queue_current(void)
{
    return current;
}

/* ---- The poller. ------------------------------------------------------------ */

/* gRPC had nothing to tell. What it tells without a look at the network also makes it
 * skip the next look, so that only the second timeout in a row says that it has looked. */
static void on_timeout(struct cx_queue *queue)
{
    struct cx_work *deferred = queue->deferred.first;

    if (++queue->timeouts > 1) {
        queue->deferred = (struct cx_work_list){0};
        run_list(deferred);
    }
}

static gpr_timespec queue_deadline(const struct cx_queue *queue)
{
    int64_t left_us;

    if (queue->deferred.first != NULL) {
        return gpr_inf_past(GPR_CLOCK_MONOTONIC);
    }
    if (queue->stalls.first == NULL) {
        return gpr_inf_future(GPR_CLOCK_MONOTONIC);
    }
    left_us = queue->stalls.check_at_us - cx_clock_system.monotonic_us(&cx_clock_system);
    return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                        gpr_time_from_micros(left_us > 0 ? left_us : 0, GPR_TIMESPAN));
}

static void queue_check_stalls(struct cx_queue *queue)
{
    struct cx_stall *late;
    int64_t now_us;

    if (queue->stalls.first == NULL) {
        return;
    }
    now_us = cx_clock_system.monotonic_us(&cx_clock_system);
    while ((late = cx_stalls_take_late(&queue->stalls, now_us)) != NULL) {
        cx_call_stalled(CX_CONTAINER_OF(late, struct cx_call, stall), now_us);
    }
}

static void *queue_run(void *arg)
{
    struct cx_queue *queue = arg;

    current = queue;
    for (;;) {
        grpc_event event = grpc_completion_queue_next(queue->grpc, queue_deadline(queue), NULL);

        if (event.type == GRPC_QUEUE_SHUTDOWN) {
            return NULL;
        }
        if (event.type == GRPC_OP_COMPLETE) {
            struct cx_tag *tag = cx_tag_take(event.tag);

            queue->timeouts = 0;
            tag->done(tag, event.success != 0);
        } else {
            on_timeout(queue);
        }
        queue_check_stalls(queue);
    }
}

/* ---- The calls. ------------------------------------------------------------- */

static void queue_close(struct cx_queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    assert(queue->posted.first == NULL); /* Only a live call has work to post. */
    queue->closed = true;
    pthread_mutex_unlock(&queue->mutex);
    grpc_completion_queue_shutdown(queue->grpc);
}

struct cx_call *cx_queue_take_call(struct cx_queue *queue)
{
    struct cx_call *call = queue->free_calls;

    if (call != NULL) {
        queue->free_calls = call->next_free;
        queue->free_count--;
    }
    return call;
}

static void count(uint64_t *counter, int change)
{
    __atomic_store_n(counter, *counter + (uint64_t)change, __ATOMIC_RELAXED);
}

void cx_queue_call_began(struct cx_queue *queue)
{
    count(&queue->call_count, 1);
    count(&queue->began_count, 1);
}

void cx_queue_call_gone(struct cx_queue *queue)
{
    assert(queue->call_count > 0);
    count(&queue->call_count, -1);
    if (queue->draining && queue->call_count == 0) {
        queue_close(queue);
    }
}

static void run_drain(struct cx_work *work)
{
    struct cx_queue *queue = CX_CONTAINER_OF(work, struct cx_queue, drain);

    queue->draining = true;
    if (queue->call_count == 0) {
        queue_close(queue);
    }
}

void cx_queue_drain(struct cx_queue *queue)
{
    if (queue->ran) {
        cx_queue_post(queue, &(struct cx_work_list){&queue->drain, &queue->drain});
    }
}

/* ---- Begin and end. --------------------------------------------------------- */

enum cx_status cx_queue_init(struct cx_queue *queue)
{
    *queue = (struct cx_queue){.bell.done = on_bell, .drain.run = run_drain};
    if (pthread_mutex_init(&queue->mutex, NULL) != 0) {
        return CX_RESOURCE_EXHAUSTED;
    }
    queue->grpc = grpc_completion_queue_create_for_next(NULL);
    queue->bell_channel = grpc_lame_client_channel_create("bell", GRPC_STATUS_UNAVAILABLE, "");
    queue->bell_call = grpc_channel_create_call(queue->bell_channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                                queue->grpc, grpc_slice_from_static_string("/bell"),
                                                NULL, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    return CX_OK;
}

enum cx_status cx_queue_start(struct cx_queue *queue)
{
    if (pthread_create(&queue->thread, NULL, queue_run, queue) != 0) {
        return CX_RESOURCE_EXHAUSTED;
    }
    queue->ran = true;
    return CX_OK;
}

void cx_queue_join(struct cx_queue *queue)
{
    if (queue->ran) {
        pthread_join(queue->thread, NULL);
    }
}

void cx_queue_done(struct cx_queue *queue)
{
    struct cx_call *call;

    if (!queue->ran) {
        grpc_completion_queue_shutdown(queue->grpc);
        queue_run(queue); /* What was never polled: runs dry. */
        current = NULL;
    }
    while ((call = cx_queue_take_call(queue)) != NULL) {
        cx_call_free(call);
    }
    grpc_call_unref(queue->bell_call);
    grpc_channel_destroy(queue->bell_channel);
    grpc_completion_queue_destroy(queue->grpc);
    pthread_mutex_destroy(&queue->mutex);
}
