/* A few threads for work that would keep other calls waiting, first come, first
 * served.
 *
 * Threads: cx_workers_add() any; the rest the thread that made them. */

#ifndef CX_RPC_WORKERS_H
#define CX_RPC_WORKERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/base/status.h"
#include "core/base/work.h"
#include "server/rpc/queue.h"

struct cx_workers {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct cx_work_list waiting; /* Under the mutex, like the next. */
    bool stopping;
    pthread_t *threads; /* Owned. */
    size_t thread_count;
};

/* Starts `count` threads. Fails with CX_RESOURCE_EXHAUSTED, and then none is left. */
CX_MUST_CHECK enum cx_status cx_workers_start(struct cx_workers *workers, size_t count);

/* Runs `work` on one of them. */
void cx_workers_add(struct cx_workers *workers, struct cx_work *work);

/* Ends the threads once nothing is waiting. Fine for zeroed ones. */
void cx_workers_stop(struct cx_workers *workers);

#endif /* CX_RPC_WORKERS_H */
