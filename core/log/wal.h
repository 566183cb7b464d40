/* The embedded write-ahead log: segments in one directory. The promises are those
 * of log.h; the bytes and the rules of recovery are in docs/disk-format.md. */

#ifndef CX_LOG_WAL_H
#define CX_LOG_WAL_H

#include "core/log/log.h"

struct cx_disk;
struct cx_random;

/* Writes into `text` (a C string, at most `size` bytes with its NUL) which contexts
 * a record that may be damaged seems to concern. Never fails. */
typedef void (*cx_wal_describe_fn)(void *arg, struct cx_bytes payload, char *text, size_t size);

struct cx_wal_options {
    struct cx_disk *disk;           /* Borrowed; outlives the log. */
    const struct cx_random *random; /* For the log's id and the salts. Borrowed. */

    /* Bytes of a segment, at least four times the largest frame. Segments that exist
     * keep their size. */
    uint64_t segment_size;

    bool sync;             /* false: nothing is ever synced. */
    bool accept_data_loss; /* Goes on after damage, in a new epoch. */

    cx_wal_describe_fn describe;     /* May be NULL. */
    void (*wake_prepare)(void *arg); /* Called by append() when prepare() has work. May be NULL. */
    void *arg;                       /* Of the two. */
};

struct cx_wal_report {
    struct cx_log_identity identity;
    struct cx_log_position tail;
    bool created;           /* There was nothing. */
    bool clean;             /* The last stop was a clean one. */
    uint64_t torn_bytes;    /* Cut off: of an append that was never answered. */
    bool data_lost;         /* Damage was accepted: what follows it is set aside. */
    char data_loss[1024];   /* Which file, offset and contexts, then. */
    uint64_t segment_count; /* Files in use, and their bytes. */
    uint64_t bytes;
};

/* Opens the log in `options->disk`, creating it when the directory is empty, and
 * recovers it. Takes the lock: a second process is refused.
 *
 * On success the caller owns *ret_log: ops->close(). On failure *ret_error says
 * what is wrong and what to do. What is damaged or refused is left as it is:
 *
 *   CX_DATA_LOSS            damage that a crash does not explain (CX_REASON_DAMAGED
 *                           with file, offset, and contexts if described)
 *   CX_FAILED_PRECONDITION  a newer format, a file of another log, or the directory
 *                           is in use by another process
 *   CX_PERMISSION_DENIED, CX_RESOURCE_EXHAUSTED, CX_UNAVAILABLE  from the disk
 *
 * ret_error->reason is CX_REASON_NOT_READY where no other fits. */
CX_MUST_CHECK enum cx_status cx_wal_open(const struct cx_wal_options *options,
                                         struct cx_log **ret_log, struct cx_wal_report *ret_report,
                                         struct cx_error *ret_error);

#endif /* CX_LOG_WAL_H */
