/* One update among several: applied, and what is to be said about it.
 *
 * What always holds:
 *
 *  (1) A result depends on nothing that the request held.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_UPDATE_RESULT_H
#define CX_SERVICES_UPDATE_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/engine/engine.h"
#include "server/services/allocator.h"
#include "server/services/field.h"
#include "server/services/messages.h"
#include "server/services/write_order.h"

struct cx_update_result {
    uint64_t wait_for; /* May be told when this revision is durable. */
    uint64_t version;
    uint64_t revision;
    bool replayed;
    size_t failure_size;
    Failure *failure; /* One piece of memory. NULL: it was applied. */
};

/* What a packed result takes at most, where it is no failure; with one, add its size. */
enum { CX_UPDATE_RESULT_SIZE_MAX = 64 };

struct cx_update_source {
    struct cx_engine *engine;
    const char *namespace_id;    /* That all the updates must name: that of the first. */
    struct cx_allocator scratch; /* Not needed any more when this returns. */
    struct cx_allocator failures;
    uint64_t message_size_max; /* See struct cx_conversion. */
    struct cx_write_order *order;
};

/* Checks and applies one update, which stands at `at`; refuses it where the order asks for
 * that. False, after it may have been
 * applied, when there was no memory to say what is wrong. */
CX_MUST_CHECK bool cx_update_result_make(const struct cx_update_source *source,
                                         const struct cx_field *at,
                                         const UpdateContextRequest *message,
                                         struct cx_update_result *ret_result);

/* How far several updates look ahead; a few are not worth it. */
static inline size_t cx_update_foresight(size_t count)
{
    return count < 4 ? 0 : CX_FORESIGHT;
}

/* Tells the engine which update comes CX_FORESIGHT places behind the next one. NULL:
 * none does. See cx_engine_foresee(). */
void cx_update_foresee(struct cx_engine *engine, struct cx_foresight *foresight,
                       const UpdateContextRequest *message);

/* Messages for `count` results, made one by one. They borrow the failures. */
struct cx_update_result_block {
    UpdateResult **messages;
    size_t count;
    struct cx_update_result_parts *parts;
};

/* False when out of memory. */
CX_MUST_CHECK bool cx_update_result_block_init(struct cx_update_result_block *ret_block,
                                               const struct cx_allocator *allocator, size_t count);
void cx_update_result_block_add(struct cx_update_result_block *block,
                                const struct cx_update_result *result);

/* The answer to one update. `write` is where the rest of it lies. */
void cx_update_response_init(UpdateContextResponse *ret_response, WriteResult *ret_write,
                             uint64_t version, uint64_t revision, bool replayed);

#endif /* CX_SERVICES_UPDATE_RESULT_H */
