/* The log: records that survive a crash, in the order they were made.
 *
 * A table of functions, because the embedded write-ahead log (wal.h) is not the
 * last one: a replicated log can take its place.
 *
 * What always holds:
 *
 *  (1) Records are numbered by `revision` from 1, without gaps.
 *  (2) A record is durable once append() has returned CX_OK for it; records become
 *      durable in their order.
 *  (3) read() gives every durable record, oldest first. Records of a failed append
 *      may follow after a restart: a prefix of them, each whole.
 *  (4) After a failed append the log accepts nothing more: what reached the disk is
 *      only known by opening it again.
 *  (5) An admitted record finds room: append() does not fail for want of it.
 *
 * A batch is a run of frames in one piece of memory. A frame is a header that the
 * log fills, the payload, and zeros up to a multiple of 8 bytes; the caller leaves
 * CX_LOG_HEADER_SIZE bytes free in front of each payload and calls
 * cx_log_frame_begin(). So a record goes from the caller's buffer to the disk
 * without a copy.
 *
 * Threads: admit() is called by any thread, one at a time, in the order in which
 * the records will be appended. append() belongs to one thread (the log's writer),
 * prepare() to one other. read(), retained() and tail() are called by any, at any time
 * between opening and close().
 * Bytes on disk: docs/disk-format.md. */

#ifndef CX_LOG_LOG_H
#define CX_LOG_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/base/error.h"
#include "core/base/status.h"

struct cx_log;

enum { CX_LOG_HEADER_SIZE = 40, CX_LOG_ALIGNMENT = 8 };

/* Names one record for good: its number, and a checksum of it and of all records
 * before it. {0, 0} is the beginning. */
struct cx_log_position {
    uint64_t revision;
    uint32_t identity;
};

/* One record, as read back. */
struct cx_log_record {
    uint64_t revision;
    int64_t time_us; /* When it was made; never smaller than that of the record before. */
    struct cx_bytes payload;
};

/* A run of `count` frames, the first of which has revision `first`. Borrowed; the
 * log fills the headers' open fields in place. */
struct cx_log_batch {
    uint8_t *data;
    size_t size;
    uint64_t first;
    size_t count;
};

/* Receives one record; `record` is valid until the function returns. Anything but
 * CX_OK stops the reading and becomes its result. */
typedef enum cx_status (*cx_log_read_fn)(void *arg, const struct cx_log_record *record);

/* The newest records, from one on. */
struct cx_log_retained {
    uint64_t first; /* Its revision; that of the tail + 1: there are none. */
    uint64_t bytes; /* That they take up in the log. */
};

struct cx_log_ops {
    /* Sets aside room for a frame of `frame_size` bytes.
     * Fails with CX_REASON_STORAGE_FULL when the disk has no room for the next
     * segment, CX_REASON_OVERLOADED while that is being prepared, and
     * CX_REASON_STORAGE_FAILED after (4). Never waits. */
    enum cx_reason (*admit)(struct cx_log *log, size_t frame_size);

    /* Makes a batch durable, in one write and one sync per segment that it touches.
     * Stored only if the last record is `prev`, else CX_ABORTED and nothing happens.
     * Blocks. On success *ret_tail names the last record. CX_UNAVAILABLE: see (4). */
    enum cx_status (*append)(struct cx_log *log, struct cx_log_position prev,
                             struct cx_log_batch *batch, struct cx_log_position *ret_tail);

    /* Gets the next segment ready if it is time to. Blocks. To be called again and
     * again, at the latest when wake_prepare says so. CX_RESOURCE_EXHAUSTED while the
     * disk has no room for it; CX_UNAVAILABLE when the disk failed, which ends the
     * log like a failed append. */
    enum cx_status (*prepare)(struct cx_log *log);

    /* Reads the records `from` to `to`, both included, which are durable; none when
     * `from` is behind `to`. Each is checked again on its way. A reading of any range
     * costs what it gives, and at most a few hundred KiB of its own: so the log can be read
     * in runs, each going on where the last one was stopped. No lock is held while
     * `each` runs.
     * Fails with what `each` returns; CX_DATA_LOSS when a record is not what was
     * written; CX_RESOURCE_EXHAUSTED without memory; and as core/base/disk.h says. */
    enum cx_status (*read)(struct cx_log *log, uint64_t from, uint64_t to, cx_log_read_fn each,
                           void *arg);

    /* What a retention by age and bytes keeps of the durable records. One is to be dropped
     * when it was made before `since_us`, or when the records behind it take up more than
     * `bytes_max` already. All others are kept, and a little more: what is told begins
     * with a record that is easy to find, and is perhaps an earlier one the next time.
     * There are none only when all are too old. Without I/O; O(log records). */
    struct cx_log_retained (*retained)(struct cx_log *log, int64_t since_us, uint64_t bytes_max);

    /* The last durable record. */
    struct cx_log_position (*tail)(struct cx_log *log);

    /* Closes the log, with a mark that everything is there if `clean`. */
    void (*close)(struct cx_log *log, bool clean);
};

struct cx_log {
    const struct cx_log_ops *ops;
};

/* Names this log: random at its creation, and the number of times that a start
 * went on after a loss of data. A cursor of another log or epoch means nothing. */
struct cx_log_identity {
    uint8_t log_id[16];
    uint64_t epoch;
};

/* The bytes that a record of this payload takes up in a batch. */
static inline size_t cx_log_frame_size(size_t payload_size)
{
    return CX_LOG_HEADER_SIZE +
           ((payload_size + CX_LOG_ALIGNMENT - 1) & ~(size_t)(CX_LOG_ALIGNMENT - 1));
}

/* Writes the part of a frame's header that the log does not fill, and the zeros
 * behind its payload. `frame` has cx_log_frame_size(payload_size) bytes. */
void cx_log_frame_begin(uint8_t *frame, uint64_t revision, int64_t time_us, size_t payload_size);

/* What such a frame says, before or after it was appended. Borrowed from it. */
struct cx_log_record cx_log_frame_read(const uint8_t *frame);

#endif /* CX_LOG_LOG_H */
