/* Segments: the files of a log, their names and headers, and a window to read them
 * through.
 *
 * A segment is a file of fixed size: a header of 64 bytes, frames (record.h), zeros.
 * It gets its name only when header and zeros are durable. So a name promises a
 * whole header, and room; and a header is never torn.
 *
 * Threads: a segment's file belongs to one thread at a time.
 * Specification: docs/disk-format.md. */

#ifndef CX_LOG_SEGMENT_H
#define CX_LOG_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/disk.h"
#include "core/base/limits.h"
#include "core/base/random.h"
#include "core/log/log.h"
#include "core/log/record.h"

enum {
    CX_SEGMENT_HEADER_SIZE = 64,
    CX_SEGMENT_FORMAT = 1, /* The version that this code writes, and the newest it reads. */
    CX_SEGMENT_NAME_SIZE = 48,

    /* A data record leaves at least this room behind it: for a clean mark, and for the
     * end mark. */
    CX_SEGMENT_RESERVE = 2 * CX_LOG_HEADER_SIZE,
};

/* How many bytes one read moves, larger frames aside, where the window does not say. */
#define CX_SEGMENT_WINDOW (1 * CX_MIB)

struct cx_segment {
    struct cx_log_identity identity; /* The epoch is that of the segment's creation. */
    uint64_t number;                 /* From 1, without gaps. */
    uint64_t size;
    uint64_t salt;           /* Of this use of the file. */
    uint32_t seed;           /* What all checksums in it begin with. */
    uint64_t first_revision; /* Of its first data record. 0: not known, or none. */
    struct cx_file *file;    /* Owned. NULL while closed. */
};

/* What a file can be called. */
enum cx_segment_name {
    CX_SEGMENT_NAME_LOG,    /* log-<number>: a segment of the log. */
    CX_SEGMENT_NAME_NEW,    /* new-<number>: left over from a preparation. */
    CX_SEGMENT_NAME_ACCEPT, /* accept-<number>: see wal_damage.c. */
};

/* The name of segment `number`, in 16 hexadecimal digits. */
void cx_segment_name(enum cx_segment_name kind, uint64_t number, char name[CX_SEGMENT_NAME_SIZE]);

/* Returns whether `name` is such a name, and which. */
bool cx_segment_name_parse(const char *name, enum cx_segment_name *ret_kind, uint64_t *ret_number);

/* Whether `text` is 16 hexadecimal digits in lower case, and their value. */
bool cx_segment_number_parse(const char *text, uint64_t *ret_number);

/* Describes a new segment with a salt of its own. */
void cx_segment_init(struct cx_segment *segment, const struct cx_log_identity *identity,
                     uint64_t number, uint64_t size, const struct cx_random *random);

/* Creates the file called `name` for an initialized segment: room, header, zeros, and
 * all of it synced if `sync`. The directory is not. On success segment->file is open;
 * on failure there is no such file, unless it existed (CX_ALREADY_EXISTS) or the disk
 * failed. */
CX_MUST_CHECK enum cx_status cx_segment_create(struct cx_segment *segment, struct cx_disk *disk,
                                               const char *name, bool sync);

/* Writes zeros from `start` to `end`. */
CX_MUST_CHECK enum cx_status cx_segment_zero(struct cx_file *file, uint64_t start, uint64_t end,
                                             bool sync);

/* What the header of a file says. */
enum cx_segment_header {
    CX_SEGMENT_HEADER_GOOD,
    CX_SEGMENT_HEADER_BAD,   /* Damaged, or the file is too short. */
    CX_SEGMENT_HEADER_NEWER, /* Of a format that this code does not know. */
};

/* Opens segment->file under `name` and reads its header into the segment, which is set
 * as far as the header is good. */
CX_MUST_CHECK enum cx_status cx_segment_open(struct cx_segment *segment, struct cx_disk *disk,
                                             const char *name, enum cx_segment_header *ret_header);

/* Closes segment->file, if it is open. */
void cx_segment_close(struct cx_segment *segment);

/* A piece of a segment in memory. Zeroed, it is empty and valid. */
struct cx_window {
    uint8_t *data; /* Owned. */
    size_t capacity;
    size_t
        read_size;   /* How many bytes one read moves, larger frames aside. 0: CX_SEGMENT_WINDOW. */
    uint64_t offset; /* Of the first byte, in the file. */
    size_t size;
};

/* Makes `size` bytes at `offset` of the segment's open file visible at *ret_data,
 * which is valid until the next call. CX_OUT_OF_RANGE when the file ends before. */
CX_MUST_CHECK enum cx_status cx_window_at(struct cx_window *window,
                                          const struct cx_segment *segment, uint64_t offset,
                                          size_t size, const uint8_t **ret_data);

/* Forgets the content, so that another file can be read. */
void cx_window_reset(struct cx_window *window);
void cx_window_done(struct cx_window *window);

/* Looks at the frame at `offset`: *ret_frame is NULL when there is no whole, valid
 * one, and valid like *ret_data of cx_window_at() otherwise. */
CX_MUST_CHECK enum cx_status cx_segment_frame(const struct cx_segment *segment,
                                              struct cx_window *window, uint64_t offset,
                                              struct cx_record *ret_record,
                                              const uint8_t **ret_frame);

#endif /* CX_LOG_SEGMENT_H */
