#include "server/services/convert_response.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/engine/engine.h"
#include "server/services/convert_policy.h"
#include "server/services/convert_time.h"
#include "server/services/entry_block.h"

/* Copies `bytes`, with a NUL behind, to *place, and moves that on. */
static char *place_text(char **place, struct cx_bytes bytes)
{
    char *text = *place;

    if (bytes.size > 0) {
        memcpy(text, bytes.data, bytes.size);
    }
    text[bytes.size] = '\0';
    *place += bytes.size + 1;
    return text;
}

/* ---- Contexts. -------------------------------------------------------------- */

/* A context's message in one piece of memory: this, then its labels, then texts. */
struct context_block {
    Context context;
    Timestamp create_time;
    Timestamp update_time;
    Timestamp expire_time;
    Timestamp delete_time;
    StateRef forked_from;
    struct cx_policy_parts policy;
    ContextLabel labels[];
};

static size_t context_texts_size(const struct cx_snapshot *snapshot)
{
    size_t size = snapshot->namespace_id.size + snapshot->id.size + snapshot->type.size +
                  snapshot->parent_id.size + snapshot->forked_from_id.size + 5;

    for (size_t i = 0; i < snapshot->label_count; i++) {
        size += snapshot->labels[i].key.size + snapshot->labels[i].value.size + 2;
    }
    return size;
}

static void fill_labels(const struct cx_snapshot *snapshot, ContextLabel *labels,
                        ContextLabel **pointers, char **place)
{
    for (size_t i = 0; i < snapshot->label_count; i++) {
        labels[i] = (ContextLabel)CONTEXTD__V1__CONTEXT__METADATA_ENTRY__INIT;
        labels[i].key = place_text(place, snapshot->labels[i].key);
        labels[i].value = place_text(place, snapshot->labels[i].value);
        pointers[i] = &labels[i];
    }
}

/* Sets where a fork came from; NULL for what is none. */
static StateRef *set_forked_from(const struct cx_snapshot *snapshot, char *namespace_id,
                                 StateRef *state, char **place)
{
    if (snapshot->forked_from_id.size == 0) {
        return NULL;
    }
    *state = (StateRef)CONTEXTD__V1__STATE_REF__INIT;
    state->namespace_ = namespace_id;
    state->context_id = place_text(place, snapshot->forked_from_id);
    state->at_case = CONTEXTD__V1__STATE_REF__AT_VERSION;
    state->version = snapshot->forked_from_version;
    return state;
}

Context *cx_context_message(const struct cx_allocator *allocator,
                            const struct cx_snapshot *snapshot)
{
    size_t count = snapshot->label_count;
    size_t heads = sizeof(struct context_block) + count * sizeof(ContextLabel);
    size_t pointers = count * sizeof(ContextLabel *);
    struct context_block *block =
        cx_allocator_alloc(allocator, heads + pointers + context_texts_size(snapshot));
    Context *context;
    char *place;

    if (block == NULL) {
        return NULL;
    }
    place = (char *)block + heads + pointers;
    context = &block->context;
    *context = (Context)CONTEXTD__V1__CONTEXT__INIT;
    context->namespace_ = place_text(&place, snapshot->namespace_id);
    context->id = place_text(&place, snapshot->id);
    context->type = place_text(&place, snapshot->type);
    context->parent_id = place_text(&place, snapshot->parent_id);
    context->n_metadata = count;
    context->metadata = (ContextLabel **)(void *)((char *)block + heads);
    fill_labels(snapshot, block->labels, context->metadata, &place);
    context->version = snapshot->version;
    context->revision = snapshot->revision;
    context->entry_count = snapshot->entry_count;
    context->size_bytes = snapshot->size_bytes;
    context->fence = snapshot->fence;
    context->create_time = cx_time_message(&block->create_time, snapshot->create_time_us);
    context->update_time = cx_time_message(&block->update_time, snapshot->update_time_us);
    context->expire_time = cx_time_message(&block->expire_time, snapshot->expire_time_us);
    context->delete_time = cx_time_message(&block->delete_time, snapshot->delete_time_us);
    context->forked_from =
        set_forked_from(snapshot, context->namespace_, &block->forked_from, &place);
    context->recovery_policy = cx_policy_message(&block->policy, &snapshot->policy);
    return context;
}

bool cx_snapshot_shows_live(const struct cx_snapshot *snapshot)
{
    return snapshot->revision > 0 && snapshot->delete_time_us == 0;
}

Context *cx_context_written_message(const struct cx_allocator *allocator,
                                    const struct cx_snapshot *snapshot,
                                    const struct cx_write_outcome *outcome)
{
    Context *context = cx_context_message(allocator, snapshot);

    if (context != NULL) {
        context->version = outcome->version;
    }
    if (context != NULL && outcome->revision > 0) {
        context->revision = outcome->revision;
    }
    return context;
}

uint64_t cx_message_field_size(uint64_t packed_size)
{
    uint64_t size = 2 + packed_size;

    for (uint64_t rest = packed_size; rest >= 0x80; rest >>= 7) {
        size++;
    }
    return size;
}

uint64_t cx_context_cost(const struct cx_snapshot *snapshot, const struct cx_get_query *query)
{
    if (query->view == CX_VIEW_BASIC) {
        return 1;
    }
    if (query->view == CX_VIEW_FULL && snapshot->size_bytes > CX_OFFLOAD_BYTES) {
        return CX_OFFLOAD_ITEMS + 1;
    }
    return query->key_count > 0 && query->key_prefix.size == 0 ? query->key_count
                                                               : snapshot->entry_count;
}

/* Measures no further than to what does not fit into `size_max` bytes. */
static void measure_entries(const struct cx_snapshot *snapshot, const struct cx_get_query *query,
                            uint64_t size_max, struct cx_entry_measure *ret_measure)
{
    struct cx_entry_picker picker;
    struct cx_entry_view entry;

    *ret_measure = (struct cx_entry_measure){0};
    cx_entry_picker_init(&picker, snapshot, query);
    while (ret_measure->packed_size <= size_max && cx_entry_picker_next(&picker, &entry)) {
        cx_entry_measure_add(ret_measure, &entry, query->view == CX_VIEW_FULL);
    }
}

static bool add_entries(const struct cx_allocator *allocator, const struct cx_snapshot *snapshot,
                        const struct cx_get_query *query, const struct cx_entry_measure *measure,
                        Context *context)
{
    struct cx_entry_picker picker;
    struct cx_entry_block block;
    struct cx_entry_view entry;

    if (!cx_entry_block_init(&block, allocator, measure, query->view == CX_VIEW_FULL)) {
        return false;
    }
    cx_entry_picker_init(&picker, snapshot, query);
    while (cx_entry_picker_next(&picker, &entry)) {
        cx_entry_block_add(&block, &entry);
    }
    assert(block.count == measure->count);
    context->entries = block.messages;
    context->n_entries = block.count;
    return true;
}

enum cx_status cx_context_message_full(const struct cx_allocator *allocator,
                                       const struct cx_snapshot *snapshot,
                                       const struct cx_get_query *query, uint64_t size_max,
                                       Context **ret_message, uint64_t *ret_size,
                                       struct cx_error *error)
{
    struct cx_entry_measure measure = {0};
    Context *context = cx_context_message(allocator, snapshot);
    uint64_t size;

    if (context == NULL) {
        return cx_error_out_of_memory(error);
    }
    if (query->view != CX_VIEW_BASIC) {
        measure_entries(snapshot, query, size_max, &measure);
    }
    size = protobuf_c_message_get_packed_size(&context->base) + measure.packed_size;
    if (size > size_max) {
        return cx_error_response_too_large(error, size, size_max);
    }
    if (measure.count > 0 && !add_entries(allocator, snapshot, query, &measure, context)) {
        return cx_error_out_of_memory(error);
    }
    *ret_message = context;
    *ret_size = size;
    return CX_OK;
}

/* ---- Writes. ---------------------------------------------------------------- */

void cx_write_result_init(WriteResult *ret_message, const struct cx_write_outcome *outcome)
{
    *ret_message = (WriteResult)CONTEXTD__V1__WRITE_RESULT__INIT;
    ret_message->revision = outcome->revision;
    ret_message->replayed = outcome->replayed;
}

/* ---- Failures. -------------------------------------------------------------- */

struct failure_block {
    Failure failure;
    Duration retry_delay;
    FailureDetail details[CX_ERROR_DETAILS_MAX];
    FailureDetail *pointers[CX_ERROR_DETAILS_MAX];
};

Failure *cx_failure_message(const struct cx_allocator *allocator, const struct cx_error *error,
                            size_t *ret_size)
{
    size_t message_size = strlen(error->message);
    size_t size =
        sizeof(struct failure_block) + message_size + 1 + error->text_size + error->detail_count;
    struct failure_block *block = cx_allocator_alloc(allocator, size);
    Failure *failure;
    char *place;

    if (block == NULL) {
        return NULL;
    }
    place = (char *)(block + 1);
    failure = &block->failure;
    *failure = (Failure)CONTEXTD__V1__FAILURE__INIT;
    failure->code = (int32_t)cx_reason_status(error->reason);
    failure->reason = (char *)cx_reason_name(error->reason);
    failure->message =
        place_text(&place, (struct cx_bytes){(const uint8_t *)error->message, message_size});
    failure->retry_delay =
        cx_duration_message(&block->retry_delay, (uint64_t)error->retry_delay_us);
    failure->n_metadata = error->detail_count;
    failure->metadata = block->pointers;
    for (size_t i = 0; i < error->detail_count; i++) {
        const struct cx_bytes value = {(const uint8_t *)error->text + error->details[i].start,
                                       error->details[i].size};

        block->details[i] = (FailureDetail)CONTEXTD__V1__FAILURE__METADATA_ENTRY__INIT;
        block->details[i].key = (char *)error->details[i].key;
        block->details[i].value = place_text(&place, value);
        block->pointers[i] = &block->details[i];
    }
    *ret_size = size;
    return failure;
}

size_t cx_failure_shorten(Failure *failure)
{
    size_t size = protobuf_c_message_get_packed_size(&failure->base);

    failure->message = (char *)protobuf_c_empty_string;
    failure->n_metadata = 0;
    return size - protobuf_c_message_get_packed_size(&failure->base);
}

enum cx_status cx_error_response_too_large(struct cx_error *error, uint64_t size, uint64_t limit)
{
    enum cx_status status =
        cx_error_set(error, CX_REASON_RESPONSE_TOO_LARGE,
                     "the answer would have %" PRIu64 " bytes or more, not the %" PRIu64
                     " of a message; ask for less, or use ReadEntries",
                     size, limit);

    cx_error_detail_number(error, "size", size);
    cx_error_detail_number(error, "limit", limit);
    return status;
}
