#include "server/services/diff_part.h"

#include <assert.h>

#include "core/base/limits.h"
#include "server/services/convert_response.h"
#include "server/services/entry_block.h"

/* ---- Walking. --------------------------------------------------------------- */

void cx_diff_part_begin(struct cx_diff_part *part, const struct cx_snapshot *before,
                        const struct cx_snapshot *after, const struct cx_diff_view *view,
                        uint64_t size_max)
{
    *part = (struct cx_diff_part){.view = view, .size_max = size_max};
    cx_state_diff_walk_begin(&part->place.walk, before, after, view->key_prefix, view->rule);
}

/* What a difference is packed into. */
static uint64_t packed_size(const struct cx_diff_view *view,
                            const struct cx_state_difference *difference)
{
    struct cx_entry_measure entries = {0};
    struct cx_bytes key = difference->has_before ? difference->before.key : difference->after.key;

    if (difference->has_before) {
        cx_entry_measure_add(&entries, &difference->before, view->before_values);
    }
    if (difference->has_after) {
        cx_entry_measure_add(&entries, &difference->after, view->after_values);
    }
    return cx_message_field_size(cx_message_field_size(key.size) + entries.packed_size);
}

/* The next one that is asked for. False at the end, or where the walk pauses. */
static bool next_difference(const struct cx_diff_part *part, struct cx_diff_place *place,
                            struct cx_state_difference *ret_difference)
{
    struct cx_state_difference found;

    if (place->has_rest) {
        place->has_rest = false;
        *ret_difference = place->rest;
        return true;
    }
    if (!cx_state_diff_walk_next(&place->walk, &found)) {
        return false;
    }
    if (found.has_before && found.has_after && packed_size(part->view, &found) > part->size_max) {
        place->has_rest = true;
        place->rest = found;
        place->rest.has_before = false;
        found.has_after = false;
    }
    *ret_difference = found;
    return true;
}

/* ---- Messages. -------------------------------------------------------------- */

/* What goes into the next part. */
struct measure {
    size_t count;
    uint64_t packed_size;
    struct cx_entry_measure before;
    struct cx_entry_measure after;
};

static void measure_add(struct measure *measure, const struct cx_diff_view *view,
                        const struct cx_state_difference *difference)
{
    measure->count++;
    measure->packed_size += packed_size(view, difference);
    if (difference->has_before) {
        cx_entry_measure_add(&measure->before, &difference->before, view->before_values);
    }
    if (difference->has_after) {
        cx_entry_measure_add(&measure->after, &difference->after, view->after_values);
    }
}

/* Sets `ended` when nothing comes after. Where the walk pauses before there is anything to tell,
 * the part begins there the next time. */
static struct measure measure_part(struct cx_diff_part *part, uint64_t room, bool one_at_least)
{
    struct cx_diff_place place = part->place;
    struct cx_state_difference difference;
    struct measure measure = {0};

    place.walk.equal_left = CX_OFFLOAD_ITEMS;
    while (measure.count < CX_OFFLOAD_ITEMS) {
        struct measure more = measure;

        if (!next_difference(part, &place, &difference)) {
            part->ended = place.walk.equal_left > 0;
            break;
        }
        measure_add(&more, part->view, &difference);
        if (more.packed_size > room && (measure.count > 0 || !one_at_least)) {
            break;
        }
        measure = more;
    }
    if (measure.count == 0 && place.walk.equal_left == 0) {
        part->place = place;
        part->place.walk.equal_left = UINT64_MAX;
    }
    return measure;
}

/* The message of one that was measured. */
static void set_message(const struct cx_state_difference *difference, struct cx_entry_block *before,
                        struct cx_entry_block *after, EntryDiff *ret_message)
{
    *ret_message = (EntryDiff)CONTEXTD__V1__ENTRY_DIFF__INIT;
    if (difference->has_before) {
        cx_entry_block_add(before, &difference->before);
        ret_message->before = before->messages[before->count - 1];
        ret_message->key = ret_message->before->key;
    }
    if (difference->has_after) {
        cx_entry_block_add(after, &difference->after);
        ret_message->after = after->messages[after->count - 1];
        ret_message->key = ret_message->after->key;
    }
}

EntryDiff **cx_diff_part_make(struct cx_draft *draft, struct cx_diff_part *part, uint64_t room,
                              bool one_at_least, size_t *ret_count, uint64_t *ret_size)
{
    const struct measure size = measure_part(part, room, one_at_least);
    EntryDiff *messages = cx_draft_alloc(draft, size.count * sizeof *messages);
    EntryDiff **pointers = cx_draft_alloc(draft, size.count * sizeof(EntryDiff *));
    struct cx_state_difference difference;
    struct cx_entry_block before;
    struct cx_entry_block after;

    if (messages == NULL || pointers == NULL ||
        !cx_entry_block_init(&before, &draft->memory, &size.before, part->view->before_values) ||
        !cx_entry_block_init(&after, &draft->memory, &size.after, part->view->after_values)) {
        draft->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < size.count; i++) {
        bool found = next_difference(part, &part->place, &difference);

        assert(found); /* It was measured. */
        set_message(&difference, &before, &after, &messages[i]);
        pointers[i] = &messages[i];
    }
    *ret_count = size.count;
    *ret_size = size.packed_size;
    return pointers;
}

bool cx_diff_is_heavy(const struct cx_snapshot *before, const struct cx_snapshot *after)
{
    return before->entry_count + after->entry_count > CX_OFFLOAD_ITEMS ||
           before->size_bytes + after->size_bytes > CX_OFFLOAD_BYTES;
}
