/* The typed part of an activity as bytes: in the log, and in memory.
 *
 * What always holds:
 *
 *  (1) Decoding what was encoded gives the same detail, and any bytes are either a
 *      detail or refused.
 *
 * Bytes: docs/disk-format.md, "Changes". Threads: plain data. */

#ifndef CX_STATE_DETAIL_H
#define CX_STATE_DETAIL_H

#include "core/state/request.h"
#include "core/state/wire.h"

/* An upper bound for the size of any detail that is encoded. */
enum { CX_DETAIL_SIZE_MAX = 4096 };

/* Encodes into `writer`, kind first. */
void cx_detail_put(struct cx_wire_writer *writer, const struct cx_detail *detail);

/* Decodes from `reader`; what it points at is in the reader's bytes. A kind that there is
 * not, a number out of bounds, or a name of the wrong size or with a NUL sets `bad`, and
 * the detail is empty. */
void cx_detail_get(struct cx_wire_reader *reader, struct cx_detail *ret_detail);

/* Whether two are the same. */
bool cx_detail_equal(const struct cx_detail *a, const struct cx_detail *b);

#endif /* CX_STATE_DETAIL_H */
