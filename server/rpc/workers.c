#include "server/rpc/workers.h"

#include "core/base/memory.h"

/* Waits for work and takes it. NULL: there will be no more. */
static struct cx_work *workers_next(struct cx_workers *workers)
{
    struct cx_work *work;

    pthread_mutex_lock(&workers->mutex);
    while (workers->waiting.first == NULL && !workers->stopping) {
        pthread_cond_wait(&workers->changed, &workers->mutex);
    }
    work = workers->waiting.first;
    if (work != NULL) {
        workers->waiting.first = work->next;
    }
    pthread_mutex_unlock(&workers->mutex);
    return work;
}

static void *worker_run(void *arg)
{
    struct cx_workers *workers = arg;
    struct cx_work *work;

    while ((work = workers_next(workers)) != NULL) {
        work->run(work);
    }
    return NULL;
}

enum cx_status cx_workers_start(struct cx_workers *workers, size_t count)
{
    *workers = (struct cx_workers){
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER,
        .threads = cx_calloc(count * sizeof *workers->threads),
    };
    if (workers->threads == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    while (workers->thread_count < count) {
        if (pthread_create(&workers->threads[workers->thread_count], NULL, worker_run, workers) !=
            0) {
            cx_workers_stop(workers);
            return CX_RESOURCE_EXHAUSTED;
        }
        workers->thread_count++;
    }
    return CX_OK;
}

void cx_workers_add(struct cx_workers *workers, struct cx_work *work)
{
    pthread_mutex_lock(&workers->mutex);
    cx_work_list_append(&workers->waiting, work, work);
    pthread_cond_signal(&workers->changed);
    pthread_mutex_unlock(&workers->mutex);
}

void cx_workers_stop(struct cx_workers *workers)
{
    if (workers->threads == NULL) {
        return;
    }
    pthread_mutex_lock(&workers->mutex);
    workers->stopping = true;
    pthread_cond_broadcast(&workers->changed);
    pthread_mutex_unlock(&workers->mutex);
    for (size_t i = 0; i < workers->thread_count; i++) {
        pthread_join(workers->threads[i], NULL);
    }
    cx_free(workers->threads);
    pthread_cond_destroy(&workers->changed);
    pthread_mutex_destroy(&workers->mutex);
    *workers = (struct cx_workers){0};
}
