/* A completion queue and the poller thread that runs it: everything that gRPC does for
 * the calls of a queue is started and finished on that thread.
 *
 * What always holds:
 *
 *  (1) Only the poller starts gRPC operations on the calls of its queue: another
 *      thread would fight it for the connection, and gRPC then needs a third one to
 *      settle that.
 *  (2) Posted work runs in the order in which it was posted, on the poller. However
 *      much is posted, the poller is woken once while it has not looked yet.
 *  (3) Deferred work runs after everything that gRPC has to tell, the network included.
 *  (4) A queue ends by itself when it was told to drain and its last call is gone.
 *
 * Threads: cx_queue_post() any; what concerns calls the poller alone; the rest the
 * thread that made the queue. */

#ifndef CX_RPC_QUEUE_H
#define CX_RPC_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <grpc/grpc.h>

#include "core/base/status.h"
#include "core/base/work.h"
#include "server/rpc/stall.h"
#include "server/rpc/tag.h"

struct cx_call;

/* Work in order. Zeroed: empty. */
struct cx_work_list {
    struct cx_work *first;
    struct cx_work *last;
};

/* Appends a chain of work that ends at `last`. */
void cx_work_list_append(struct cx_work_list *list, struct cx_work *first, struct cx_work *last);

struct cx_queue {
    grpc_completion_queue *grpc;
    pthread_t thread;
    bool ran; /* The thread was started. */

    /* Wakes the poller: gRPC posts the tag of an empty batch at once, and a call that
     * is never started has no other use. Every queue has one of its own, so that
     * nobody needs a live call of the queue to wake it. */
    struct cx_tag bell;
    grpc_channel *bell_channel;
    grpc_call *bell_call;

    pthread_mutex_t mutex;
    struct cx_work_list posted; /* Under the mutex, like the next. */
    bool closed;                /* Nobody may ring any more. */

    /* The poller's own. */
    struct cx_call *free_calls;
    size_t free_count;
    struct cx_stalls stalls;
    struct cx_work_list deferred;
    unsigned timeouts;   /* In a row. */
    unsigned sent_count; /* Of messages, for cx_queue_send_went(). */
    bool draining;
    struct cx_work drain;

    /* Written by the poller alone, read by any thread: cx_queue_count(). */
    uint64_t call_count;  /* Calls that live. */
    uint64_t began_count; /* Calls that ever were. */
};

/* Makes a queue without a thread. Fails with CX_RESOURCE_EXHAUSTED. */
CX_MUST_CHECK enum cx_status cx_queue_init(struct cx_queue *queue);

/* Starts the poller. Fails with CX_RESOURCE_EXHAUSTED when there is no thread to be
 * had. */
CX_MUST_CHECK enum cx_status cx_queue_start(struct cx_queue *queue);

/* Tells the poller, if there is one, to end with the last call. No call may arrive
 * after this. */
void cx_queue_drain(struct cx_queue *queue);

/* Waits for the end of a poller that drains, if there is one. */
void cx_queue_join(struct cx_queue *queue);

/* Releases everything. The poller has been joined, or was never started. */
void cx_queue_done(struct cx_queue *queue);

/* Runs a list on the poller; empty ones are fine. */
void cx_queue_post(struct cx_queue *queue, const struct cx_work_list *list);

/* Counts a message of a stream that went out. Now and then it returns true: then the
 * stream must go on by way of cx_queue_defer(). gRPC looks at the network only when it
 * has nothing else to tell, and a stream that always has room for its next message
 * would keep it from that. */
bool cx_queue_send_went(struct cx_queue *queue);

/* Runs `work` on the poller once gRPC has looked at the network. The poller only. */
void cx_queue_defer(struct cx_queue *queue, struct cx_work *work);

/* The queue whose poller the calling thread is, or NULL. */
const struct cx_queue *cx_queue_current(void);

/* Reads one of the counts. */
static inline uint64_t cx_queue_count(const uint64_t *count)
{
    return __atomic_load_n(count, __ATOMIC_RELAXED);
}

/* Takes a call that was used before, or NULL: then the caller makes one. */
struct cx_call *cx_queue_take_call(struct cx_queue *queue);

/* Counts a call that begins. */
void cx_queue_call_began(struct cx_queue *queue);

/* Counts a call that is gone. The last thing that is done for it. */
void cx_queue_call_gone(struct cx_queue *queue);

#endif /* CX_RPC_QUEUE_H */
