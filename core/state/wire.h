/* Numbers and runs of bytes as they lie in the log: a number is a varint (seven
 * bits a byte, the lowest first, the top bit says that more follow), a run is its
 * size as a number and then the bytes.
 *
 * Threads: a reader or writer belongs to whoever made it. */

#ifndef CX_STATE_WIRE_H
#define CX_STATE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/bytes.h"

/* Appends to a buffer. The first failure, for want of memory, stays in `status`, and
 * what is put after it is dropped. */
struct cx_wire_writer {
    struct cx_buffer *buffer; /* Borrowed. */
    enum cx_status status;
};

/* Any number; the function below is faster for the small ones, which most are. */
void cx_wire_put_large_number(struct cx_wire_writer *writer, uint64_t number);

static inline void cx_wire_put_number(struct cx_wire_writer *writer, uint64_t number)
{
    struct cx_buffer *buffer = writer->buffer;

    if (number < 0x80 && buffer->size < buffer->capacity && writer->status == CX_OK) {
        buffer->data[buffer->size++] = (uint8_t)number;
    } else {
        cx_wire_put_large_number(writer, number);
    }
}

/* A run of bytes; a number of eight bytes. */
void cx_wire_put_bytes(struct cx_wire_writer *writer, struct cx_bytes bytes);
void cx_wire_put_fixed64(struct cx_wire_writer *writer, uint64_t number);

/* Reads from borrowed bytes. The first thing that is not there, or not whole, sets
 * `bad`, and everything after it reads as zero or empty. */
struct cx_wire_reader {
    struct cx_bytes rest;
    bool bad;
};

/* Any number; the function below is faster for the small ones, which most are. */
uint64_t cx_wire_get_large_number(struct cx_wire_reader *reader);

static inline uint64_t cx_wire_get_number(struct cx_wire_reader *reader)
{
    if (reader->rest.size > 0 && reader->rest.data[0] < 0x80) {
        reader->rest.size--;
        return *reader->rest.data++;
    }
    return cx_wire_get_large_number(reader);
}

struct cx_bytes cx_wire_get_bytes(struct cx_wire_reader *reader); /* Borrowed, too. */
uint64_t cx_wire_get_fixed64(struct cx_wire_reader *reader);

#endif /* CX_STATE_WIRE_H */
