/* The write-ahead log from inside.
 *
 * What always holds, beside the promises of log.h:
 *
 *  (1) segments[i] is number i + 1. Those up to the current one are in use; those
 *      behind it are prepared: durable, and nothing but zeros behind the header.
 *  (2) The admitted position is never before the appended one: both move by the same
 *      rule (cx_wal_fits), and admit() goes first.
 *  (3) All of segment n, its end mark included, is durable before anything of n + 1 is
 *      written.
 *
 *  (4) Milestones may lead the tail: append() adds them while it seals, before the
 *      records are durable. Nobody looks at those behind the tail.
 *
 * Threads: the fields say whose they are. The mutex is never held over I/O. */

#ifndef CX_LOG_WAL_INTERNAL_H
#define CX_LOG_WAL_INTERNAL_H

#include <pthread.h>

#include "core/base/container_of.h"
#include "core/log/segment.h"
#include "core/log/wal.h"
#include "core/log/wal_milestones.h"

#define CX_WAL_LOCK_NAME "LOCK"

/* Segments that are kept prepared: one, and one more for each that was filled since
 * the log was opened, up to this many. So a busy log, which may fill a segment while
 * the next is being prepared, soon has some in hand, and a quiet one keeps its disk. */
enum { CX_WAL_AHEAD_MAX = 4 };

struct cx_wal {
    struct cx_log base;

    /* Set by open. */
    struct cx_wal_options options;
    struct cx_log_identity identity;
    struct cx_file *lock; /* Owned. NULL until the lock is held. */
    size_t opened_index;  /* The current segment, then. */

    /* The writer's. */
    struct cx_segment current; /* Owns its file. */
    size_t current_index;
    uint64_t offset;      /* Where the next frame goes. */
    uint64_t synced_upto; /* The revision that is known to be durable. */
    bool clean;           /* The last thing in the log is a clean mark. */

    pthread_mutex_t mutex; /* Of all below. */
    struct cx_segment *segments;
    size_t segment_count;
    size_t segment_capacity;
    size_t admitted_index; /* Where the next admitted frame goes. */
    uint64_t admitted_offset;
    struct cx_wal_tail tail;         /* The last record of the last append. */
    struct cx_milestones milestones; /* Changed by the writer alone, which may look at them
                                        without the mutex. */
    bool no_room;                    /* The last prepare() found none. */
    bool failed;                     /* For good: see (4) of log.h. */
};

static inline struct cx_wal *cx_wal_of(struct cx_log *log)
{
    return CX_CONTAINER_OF(log, struct cx_wal, base);
}

/* Whether a data frame goes to `offset` of a segment of `segment_size` bytes: the one
 * rule of placement. What does not fit goes to the next segment. */
static inline bool cx_wal_fits(uint64_t segment_size, uint64_t offset, size_t frame_size)
{
    return offset + frame_size + CX_SEGMENT_RESERVE <= segment_size;
}

/* Ends the log for good. Returns CX_UNAVAILABLE. */
enum cx_status cx_wal_fail(struct cx_wal *wal);

/* Whether fewer segments are prepared than should be. */
bool cx_wal_wants_segment_locked(const struct cx_wal *wal);

/* log.h: prepare(), read() and retained(). */
enum cx_status cx_wal_prepare(struct cx_log *log);
enum cx_status cx_wal_read(struct cx_log *log, uint64_t from, uint64_t to, cx_log_read_fn each,
                           void *arg);
struct cx_log_retained cx_wal_retained(struct cx_log *log, int64_t since_us, uint64_t bytes_max);

/* Creates segment `number` under its name, durable if options->sync. */
enum cx_status cx_wal_create_segment(const struct cx_wal_options *options,
                                     const struct cx_log_identity *identity, uint64_t number,
                                     struct cx_segment *ret_segment);

#endif /* CX_LOG_WAL_INTERNAL_H */
