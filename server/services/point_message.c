#include "server/services/point_message.h"

#include <assert.h>

#include "core/base/limits.h"
#include "server/services/convert_response.h"
#include "server/services/entry_block.h"

#define SAME_NUMBER(origin)                                                                        \
    static_assert((int)CX_##origin == (int)CONTEXTD__V1__RECOVERY_POINT__ORIGIN__##origin,         \
                  "the origins have the numbers of the API")
SAME_NUMBER(ORIGIN_CLIENT);
SAME_NUMBER(ORIGIN_POLICY);
SAME_NUMBER(ORIGIN_SAFETY);
SAME_NUMBER(ORIGIN_SESSION_LOSS);

RecoveryPoint *cx_point_message(struct cx_draft *draft, const struct cx_point_view *view)
{
    RecoveryPoint *point = cx_draft_alloc(draft, sizeof *point);

    if (point == NULL) {
        return NULL;
    }
    *point = (RecoveryPoint)CONTEXTD__V1__RECOVERY_POINT__INIT;
    point->namespace_ = cx_draft_text(draft, view->state.namespace_id);
    point->context_id = cx_draft_text(draft, view->state.id);
    point->id = cx_draft_text(draft, view->id);
    point->parent_id = cx_draft_text(draft, view->parent_id);
    point->sequence = view->sequence;
    point->version = view->state.version;
    point->create_time = cx_draft_time(draft, view->create_time_us);
    point->expire_time = cx_draft_time(draft, view->expire_time_us);
    point->pinned = view->pinned;
    point->origin = (Contextd__V1__RecoveryPoint__Origin)view->origin;
    point->metadata =
        cx_draft_labels(draft, &contextd__v1__recovery_point__metadata_entry__descriptor,
                        view->labels, view->label_count, &point->n_metadata);
    point->entry_count = view->state.entry_count;
    point->size_bytes = view->state.size_bytes;
    point->revision = view->revision;
    return draft->failed ? NULL : point;
}

/* ---- Entries and attachments. ----------------------------------------------- */

/* What is shown of the entries or the attachments, in the order of the keys. */
struct picker {
    struct cx_snapshot shown; /* Borrowed from the view. */
    struct cx_get_query query;
    struct cx_entry_picker entries;
};

static void picker_init(struct picker *picker, const struct cx_point_view *view,
                        const struct cx_point_view_query *query, bool attachments)
{
    picker->shown = view->state;
    if (attachments) {
        picker->shown = (struct cx_snapshot){.entries = view->attachments};
    }
    picker->query = (struct cx_get_query){.keys = query->keys, .key_count = query->key_count};
    cx_entry_picker_init(&picker->entries, &picker->shown, &picker->query);
}

static bool picker_next(struct picker *picker, struct cx_entry_view *ret_entry)
{
    return cx_entry_picker_next(&picker->entries, ret_entry);
}

/* Measures no further than to what does not fit into `size_max` bytes. */
static struct cx_entry_measure measure(const struct cx_point_view *view,
                                       const struct cx_point_view_query *query, bool attachments,
                                       uint64_t size_max)
{
    struct cx_entry_measure measure = {0};
    struct cx_entry_view entry;
    struct picker picker;

    picker_init(&picker, view, query, attachments);
    while (measure.packed_size <= size_max && picker_next(&picker, &entry)) {
        cx_entry_measure_add(&measure, &entry, true);
    }
    return measure;
}

/* Makes what was measured. */
static Entry **make(struct cx_draft *draft, const struct cx_point_view *view,
                    const struct cx_point_view_query *query, bool attachments,
                    const struct cx_entry_measure *size, size_t *ret_count)
{
    struct cx_entry_block block;
    struct cx_entry_view entry;
    struct picker picker;

    *ret_count = 0;
    if (size->count == 0) {
        return NULL;
    }
    if (!cx_entry_block_init(&block, &draft->memory, size, true)) {
        draft->failed = true;
        return NULL;
    }
    picker_init(&picker, view, query, attachments);
    while (picker_next(&picker, &entry)) {
        cx_entry_block_add(&block, &entry);
    }
    assert(block.count == size->count);
    *ret_count = block.count;
    return block.messages;
}

enum cx_status cx_point_message_full(struct cx_draft *draft, const struct cx_point_view *view,
                                     const struct cx_point_view_query *query, uint64_t size_max,
                                     GetRecoveryPointResponse **ret_message, uint64_t *ret_size,
                                     struct cx_error *error)
{
    GetRecoveryPointResponse *message = cx_draft_alloc(draft, sizeof *message);
    RecoveryPoint *point = cx_point_message(draft, view);
    struct cx_entry_measure attachments = {0};
    struct cx_entry_measure entries = {0};
    uint64_t size;

    if (message == NULL || point == NULL) {
        return cx_error_out_of_memory(error);
    }
    if (query->attachments) {
        attachments = measure(view, query, true, size_max);
    }
    if (query->entries && attachments.packed_size <= size_max) {
        entries = measure(view, query, false, size_max);
    }
    size = protobuf_c_message_get_packed_size(&point->base) + attachments.packed_size;
    size = cx_message_field_size(size) + entries.packed_size;
    if (size > size_max) {
        return cx_error_response_too_large(error, size, size_max);
    }
    *message = (GetRecoveryPointResponse)CONTEXTD__V1__GET_RECOVERY_POINT_RESPONSE__INIT;
    message->recovery_point = point;
    point->attachments = make(draft, view, query, true, &attachments, &point->n_attachments);
    message->entries = make(draft, view, query, false, &entries, &message->n_entries);
    if (draft->failed) {
        return cx_error_out_of_memory(error);
    }
    *ret_message = message;
    *ret_size = size;
    return CX_OK;
}

/* ---- Cost. ------------------------------------------------------------------ */

/* What the values weigh, of few enough to look at them at once. */
static bool is_heavy(const struct cx_point_view *view, const struct cx_point_view_query *query)
{
    struct cx_entry_view entry;
    struct picker picker;
    uint64_t size = 0;

    picker_init(&picker, view, query, true);
    while (size <= CX_OFFLOAD_BYTES && picker_next(&picker, &entry)) {
        size += entry.value_size;
    }
    return size > CX_OFFLOAD_BYTES;
}

uint64_t cx_point_cost(const struct cx_point_view *view, const struct cx_point_view_query *query)
{
    uint64_t count = 1;

    if (query->entries) {
        count += query->key_count > 0 ? query->key_count : view->state.entry_count;
    }
    if (query->attachments) {
        count += query->key_count > 0 ? query->key_count : view->attachment_count;
    }
    if (count > CX_OFFLOAD_ITEMS || (query->entries && view->state.size_bytes > CX_OFFLOAD_BYTES) ||
        (query->attachments && is_heavy(view, query))) {
        return CX_OFFLOAD_ITEMS + 1 + count;
    }
    return count;
}
