/* Messages that are being made, piece by piece, in memory that may run out.
 *
 * What always holds:
 *
 *  (1) A draft that ran out of memory says so at its end, in `failed`: until then its
 *      messages can be worked on, and must not be sent after.
 *  (2) What is made borrows nothing but from the allocator's memory.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_DRAFT_H
#define CX_SERVICES_DRAFT_H

#include <stdbool.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "core/state/request.h"
#include "server/services/allocator.h"
#include "server/services/messages.h"

struct cx_draft {
    struct cx_allocator memory;
    bool failed;
};

/* Memory for a message or an array, not zeroed. NULL when out of memory. */
void *cx_draft_alloc(struct cx_draft *draft, size_t size);

/* A copy of `bytes` as a C string; an empty one when out of memory. */
char *cx_draft_text(struct cx_draft *draft, struct cx_bytes bytes);

/* NULL for a time that was not set, as when out of memory. */
Timestamp *cx_draft_time(struct cx_draft *draft, int64_t time_us);

/* The entries of a map `metadata`, whose generated type has the descriptor `type`: an array
 * of `count` pointers. NULL when out of memory, with *ret_count 0. */
void *cx_draft_labels(struct cx_draft *draft, const ProtobufCMessageDescriptor *type,
                      const struct cx_label *labels, size_t count, size_t *ret_count);

#endif /* CX_SERVICES_DRAFT_H */
