/* What a retention by age and bytes keeps: found by the milestones alone. */

#include "core/log/wal_internal.h"

/* What is asked for, and of which log. */
struct retention {
    int64_t since_us;
    uint64_t bytes_max;
    const struct cx_wal_tail *tail;
};

/* Whether the last record is too old, and so all before it. (Where there is none, either
 * answer leads to revision 1.) */
static bool is_too_old(const struct retention *retention, const struct cx_wal_tail *tail)
{
    return tail->time_us < retention->since_us;
}

/* Whether the milestone's record is durable, and all before it are to be dropped. */
static bool is_free_behind(const void *arg, const struct cx_milestone *milestone)
{
    const struct retention *retention = arg;
    const struct cx_wal_tail *before = &milestone->before;

    return before->position.revision < retention->tail->position.revision &&
           (is_too_old(retention, before) ||
            retention->tail->bytes - before->bytes > retention->bytes_max);
}

struct cx_log_retained cx_wal_retained(struct cx_log *log, int64_t since_us, uint64_t bytes_max)
{
    struct cx_wal *wal = cx_wal_of(log);
    struct retention retention = {.since_us = since_us, .bytes_max = bytes_max, .tail = &wal->tail};
    struct cx_log_retained retained;
    struct cx_wal_tail before;

    pthread_mutex_lock(&wal->mutex);
    if (is_too_old(&retention, &wal->tail)) {
        before = wal->tail;
    } else {
        const struct cx_milestone *milestone =
            cx_milestones_last(&wal->milestones, is_free_behind, &retention);

        before = milestone != NULL ? milestone->before : (struct cx_wal_tail){0};
    }
    retained.first = before.position.revision + 1;
    retained.bytes = wal->tail.bytes - before.bytes;
    pthread_mutex_unlock(&wal->mutex);
    return retained;
}
