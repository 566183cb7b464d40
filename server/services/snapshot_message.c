#include "server/services/snapshot_message.h"

#include <stdio.h>

#include "core/base/limits.h"
#include "server/services/convert_response.h"
#include "server/services/entry_block.h"

void cx_snapshot_part_begin(struct cx_snapshot_part *part, const struct cx_snapshot *context,
                            struct cx_bytes key_prefix, const char *start, const char *end)
{
    part->context = context;
    cx_snapshot_walk(context, key_prefix, &part->walk);
    snprintf(part->start, sizeof part->start, "%s", start);
    snprintf(part->end, sizeof part->end, "%s", end);
}

/* Measures what goes into the next part. Returns whether that is all. */
static bool measure(const struct cx_snapshot_part *part, bool without_values,
                    struct cx_bytes key_prefix, uint64_t room, struct cx_entry_measure *ret_measure)
{
    struct cx_entry_walk walk = part->walk;
    struct cx_entry_measure measure = {0};
    struct cx_entry_view entry;

    while (cx_entry_walk_next(&walk, &entry) && cx_bytes_has_prefix(entry.key, key_prefix)) {
        struct cx_entry_measure more = measure;

        cx_entry_measure_add(&more, &entry, !without_values);
        if (measure.count > 0 && more.packed_size > room) {
            *ret_measure = measure;
            return false;
        }
        measure = more;
    }
    *ret_measure = measure;
    return true;
}

static void add_entries(struct cx_draft *draft, struct cx_snapshot_part *part, bool without_values,
                        const struct cx_entry_measure *size, EventMessage *message)
{
    struct cx_entry_block block;
    struct cx_entry_view entry;

    if (!cx_entry_block_init(&block, &draft->memory, size, !without_values)) {
        draft->failed = true;
        return;
    }
    while (block.count < size->count && cx_entry_walk_next(&part->walk, &entry)) {
        cx_entry_block_add(&block, &entry);
    }
    message->entries = block.messages;
    message->n_entries = block.count;
}

EventMessage *cx_snapshot_part_message(struct cx_draft *draft, struct cx_snapshot_part *part,
                                       bool without_values, struct cx_bytes key_prefix,
                                       uint64_t room)
{
    const struct cx_snapshot *context = part->context;
    EventMessage *message = cx_draft_alloc(draft, sizeof *message);
    struct cx_entry_measure size;

    if (message == NULL) {
        return NULL;
    }
    *message = (EventMessage)CONTEXTD__V1__EVENT__INIT;
    message->type = CONTEXTD__V1__EVENT_TYPE__EVENT_TYPE_SNAPSHOT;
    message->namespace_ = cx_draft_text(draft, context->namespace_id);
    message->revision = context->revision;
    message->time = cx_draft_time(draft, context->update_time_us);
    message->context = cx_context_message(&draft->memory, context);
    draft->failed = draft->failed || message->context == NULL;
    message->more = !measure(part, without_values, key_prefix, room, &size);
    message->cursor = cx_draft_text(draft, cx_bytes_of(message->more ? part->start : part->end));
    add_entries(draft, part, without_values, &size, message);
    if (!message->more) {
        part->context = NULL;
    }
    return draft->failed ? NULL : message;
}
