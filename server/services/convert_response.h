/* What the core answered into messages of the API.
 *
 * What always holds:
 *
 *  (1) A message borrows from what it was made of, and from the allocator's memory.
 *  (2) A failure for want of memory is NULL.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_CONVERT_RESPONSE_H
#define CX_SERVICES_CONVERT_RESPONSE_H

#include "core/state/snapshot.h"
#include "server/services/allocator.h"
#include "server/services/convert_request.h"
#include "server/services/messages.h"

struct cx_error;
struct cx_write_outcome;

/* A context without its entries. */
Context *cx_context_message(const struct cx_allocator *allocator,
                            const struct cx_snapshot *snapshot);

/* The same for the answer to a write: version and revision are those of its change. */
Context *cx_context_written_message(const struct cx_allocator *allocator,
                                    const struct cx_snapshot *snapshot,
                                    const struct cx_write_outcome *outcome);

/* Whether a snapshot that a write answers with is of a context that is there: the context of a
 * repeat may be deleted, expired or purged by now. */
bool cx_snapshot_shows_live(const struct cx_snapshot *snapshot);

/* A context with what `query` asks for: its view, its keys. Fails with
 * RESPONSE_TOO_LARGE {size, limit} when it would be packed into more than `size_max`
 * bytes, before anything large is allocated, or LIMIT_REACHED (memory). *ret_size is
 * its packed size. O(entries that the query selects). */
CX_MUST_CHECK enum cx_status cx_context_message_full(const struct cx_allocator *allocator,
                                                     const struct cx_snapshot *snapshot,
                                                     const struct cx_get_query *query,
                                                     uint64_t size_max, Context **ret_message,
                                                     uint64_t *ret_size, struct cx_error *error);

/* How many entries a message of `snapshot` may look at: what its cost grows with. Large
 * states count as many. */
uint64_t cx_context_cost(const struct cx_snapshot *snapshot, const struct cx_get_query *query);

/* What a message within another adds to its packed size, in a field below 16. */
uint64_t cx_message_field_size(uint64_t packed_size);

/* What a write came to. */
void cx_write_result_init(WriteResult *ret_message, const struct cx_write_outcome *outcome);

/* One piece of memory, which holds nothing borrowed from `error`; *ret_size is its
 * size. */
Failure *cx_failure_message(const struct cx_allocator *allocator, const struct cx_error *error,
                            size_t *ret_size);

/* Drops what a failure tells beside code and reason, for answers that have no room for it.
 * Returns how much less it is packed into. */
size_t cx_failure_shorten(Failure *failure);

/* Says RESPONSE_TOO_LARGE {size, limit}. */
enum cx_status cx_error_response_too_large(struct cx_error *error, uint64_t size, uint64_t limit);

#endif /* CX_SERVICES_CONVERT_RESPONSE_H */
