#include "core/state/plan.h"

#include <assert.h>
#include <inttypes.h>

#include "core/base/limits.h"
#include "core/state/change_check.h"
#include "core/state/plan_common.h"

/* Of an item, with its head, its author and a run: the numbers and the sizes of its names, each
 * as large as it may be. */
enum { ITEM_WEIGHT = 128 + CX_SESSION_ID_SIZE };

void cx_plan_begin(struct cx_plan *plan)
{
    plan->error->reason = CX_REASON_NONE;
    plan->needed = 0;
    plan->wait_for = 0;
    plan->replayed = false;
    plan->part_items = NULL;
    plan->count = 0;
    plan->kept = 0;
    plan->dropped_count = 0;
    plan->dropped_weight = 0;
    plan->more = false;
    plan->change = (struct cx_change){.kind = CX_CHANGE_CONTEXTS};
    plan->stage = (struct cx_stage){0};
}

void cx_plan_end(struct cx_plan *plan)
{
    cx_stage_done(&plan->stage);
    plan->change = (struct cx_change){0};
    cx_arena_reset(plan->arena);
}

const struct cx_name_key *cx_plan_key(struct cx_plan *plan, struct cx_bytes namespace_id,
                                      struct cx_bytes id)
{
    struct cx_name_key *key = cx_arena_alloc(plan->arena, sizeof *key);

    if (key != NULL) {
        cx_name_key_init(key, namespace_id, id);
    }
    return key;
}

enum cx_plan_result cx_plan_out_of_memory(struct cx_plan *plan)
{
    (void)cx_error_out_of_memory(plan->error);
    return CX_PLAN_FAILED;
}

void cx_plan_note(struct cx_plan *plan, uint64_t revision)
{
    if (revision > plan->wait_for) {
        plan->wait_for = revision;
    }
}

enum cx_plan_result cx_plan_need_shard(struct cx_plan *plan, unsigned shard)
{
    uint64_t bit = 1ULL << shard;

    if ((plan->held & bit) != 0) {
        return CX_PLAN_CHANGE;
    }
    plan->needed |= bit;
    return CX_PLAN_NEEDS_SHARDS;
}

enum cx_plan_result cx_plan_look(struct cx_plan *plan, const struct cx_name_key *key,
                                 struct cx_context **ret_context)
{
    enum cx_plan_result result = cx_plan_need_shard(plan, key->shard);
    struct cx_context *context;

    if (result != CX_PLAN_CHANGE) {
        return result;
    }
    context = cx_state_find(plan->state, key);
    cx_plan_note(plan, cx_state_derived_from(plan->state, key, context));
    if (context != NULL && cx_context_is_expired(context, plan->now_us)) {
        plan->expired = *key;
        plan->expired_is_session = false;
        return CX_PLAN_NEEDS_EXPIRY;
    }
    *ret_context = context;
    return CX_PLAN_CHANGE;
}

enum cx_plan_result cx_plan_check_request(struct cx_plan *plan, const struct cx_name_key *key,
                                          struct cx_hash128 id, uint64_t content_hash)
{
    const struct cx_request_record *record =
        cx_request_ids_find(&plan->state->shards[key->shard].request_ids, id);

    if (record == NULL) {
        return CX_PLAN_CHANGE;
    }
    cx_plan_note(plan, record->revision);
    if (record->content_hash != content_hash) {
        (void)cx_error_set(plan->error, CX_REASON_REQUEST_ID_REUSED,
                           "the request id was used for another request; use a new one");
        return CX_PLAN_FAILED;
    }
    plan->replayed = true;
    plan->record = *record;
    return CX_PLAN_NOTHING;
}

/* ---- Preconditions. --------------------------------------------------------- */

static enum cx_plan_result check_version(struct cx_plan *plan, uint64_t current, uint64_t wanted)
{
    if (current == wanted) {
        return CX_PLAN_CHANGE;
    }
    (void)cx_error_set(plan->error, CX_REASON_VERSION_CONFLICT,
                       "the context has version %" PRIu64 ", not %" PRIu64
                       "; read it again and repeat the change",
                       current, wanted);
    cx_error_detail_number(plan->error, "current_version", current);
    return CX_PLAN_FAILED;
}

static enum cx_plan_result check_entry(struct cx_plan *plan, const struct cx_context *context,
                                       const struct cx_precondition *precondition)
{
    struct cx_tree_item *item =
        context != NULL ? cx_tree_get(&cx_entry_class, &context->entries, precondition->key) : NULL;
    uint64_t current = item != NULL ? cx_entry_of(item)->version : 0;

    if (current == precondition->version) {
        return CX_PLAN_CHANGE;
    }
    (void)cx_error_set(plan->error, CX_REASON_ENTRY_CONFLICT,
                       "the entry was set by version %" PRIu64 ", not %" PRIu64
                       "; read it again and repeat the change",
                       current, precondition->version);
    cx_error_detail(plan->error, "key", precondition->key);
    cx_error_detail_number(plan->error, "current_version", current);
    return CX_PLAN_FAILED;
}

enum cx_plan_result cx_plan_check_preconditions(struct cx_plan *plan,
                                                const struct cx_context *context,
                                                const struct cx_precondition *preconditions,
                                                size_t count)
{
    uint64_t version = context != NULL ? context->version : 0;
    enum cx_plan_result result = CX_PLAN_CHANGE;

    for (size_t i = 0; i < count && result == CX_PLAN_CHANGE; i++) {
        result = preconditions[i].kind == CX_PRECONDITION_CONTEXT_VERSION
                     ? check_version(plan, version, preconditions[i].version)
                     : check_entry(plan, context, &preconditions[i]);
    }
    return result;
}

enum cx_plan_result cx_plan_not_found(struct cx_plan *plan, const struct cx_context *tombstone)
{
    (void)cx_context_not_found(plan->error, tombstone);
    return CX_PLAN_FAILED;
}

/* ---- The change. ------------------------------------------------------------ */

enum cx_plan_result cx_plan_change_begin(struct cx_plan *plan, struct cx_bytes namespace_id,
                                         size_t item_count)
{
    enum cx_status status =
        cx_stage_begin(&plan->stage, plan->state, plan->arena, plan->error, item_count);

    plan->stage.value_size_max = plan->value_size_max;
    plan->change.namespace_id = namespace_id;
    plan->change.items = cx_arena_alloc(plan->arena, (item_count + 1) * sizeof *plan->change.items);
    if (status != CX_OK || plan->change.items == NULL) {
        return cx_plan_out_of_memory(plan);
    }
    return CX_PLAN_CHANGE;
}

enum cx_plan_result cx_plan_add_session(struct cx_plan *plan,
                                        const struct cx_session_change *session)
{
    enum cx_status status;

    plan->change.session = *session;
    status = cx_stage_session(&plan->stage, &plan->change.session);
    assert(status != CX_DATA_LOSS);
    return status == CX_OK ? CX_PLAN_CHANGE : CX_PLAN_FAILED;
}

void cx_plan_mark(struct cx_plan *plan, struct cx_hash128 id, uint64_t content_hash, size_t owner)
{
    plan->change.request.id = id;
    plan->change.request.content_hash = content_hash;
    plan->change.request.owner = owner;
}

enum cx_plan_result cx_plan_add_item(struct cx_plan *plan, const struct cx_name_key *key,
                                     const struct cx_change_item *item)
{
    struct cx_change_item *added = &plan->change.items[plan->change.item_count++];
    enum cx_status status;

    *added = *item;
    status = cx_stage_item(&plan->stage, plan->change.namespace_id, key, added);
    assert(status != CX_DATA_LOSS); /* What is planned fits the state. */
    if (status == CX_RESOURCE_EXHAUSTED) {
        plan->wait_for = CX_PLAN_WAIT_FOR_ALL; /* Other contexts may have used a limit up. */
    }
    return status == CX_OK ? CX_PLAN_CHANGE : CX_PLAN_FAILED;
}

enum cx_plan_result cx_plan_change_finish(struct cx_plan *plan)
{
    enum cx_status status = cx_stage_finish(&plan->stage, &plan->change);

    assert(status != CX_DATA_LOSS);
    return status == CX_OK ? CX_PLAN_CHANGE : CX_PLAN_FAILED;
}

struct cx_change_item cx_plan_touch(const struct cx_context *context)
{
    return (struct cx_change_item){
        .kind = CX_ITEM_TOUCH,
        .id = cx_context_id(context),
        .type = cx_context_type(context),
        .labels = cx_labels_list(context->labels),
        .labels_before = cx_labels_list(context->labels),
    };
}

static struct cx_bytes copy_bytes(struct cx_plan *plan, struct cx_bytes bytes)
{
    uint8_t *memory = cx_arena_alloc(plan->arena, bytes.size + 1);
    uint8_t *at = memory;

    return memory != NULL ? cx_bytes_put(&at, bytes) : (struct cx_bytes){0};
}

struct cx_label *cx_plan_copy_labels(struct cx_plan *plan, struct cx_label_list list)
{
    struct cx_label *labels =
        cx_arena_alloc(plan->arena, (list.count + CX_LABELS_MAX + 1) * sizeof *labels);

    for (size_t i = 0; labels != NULL && i < list.count; i++) {
        labels[i].key = copy_bytes(plan, list.items[i].key);
        labels[i].value = copy_bytes(plan, list.items[i].value);
        if (labels[i].key.data == NULL || labels[i].value.data == NULL) {
            return NULL;
        }
    }
    return labels;
}

uint64_t cx_plan_labels_weight(struct cx_label_list labels)
{
    uint64_t size = 1;

    for (size_t i = 0; i < labels.count; i++) {
        size += 3 + labels.items[i].key.size + labels.items[i].value.size;
    }
    return size;
}

uint64_t cx_plan_item_weight(const struct cx_context *context, size_t activation_count)
{
    return ITEM_WEIGHT + context->item.key_size + context->item.extra + context->parent_size +
           cx_plan_labels_weight(cx_labels_list(context->labels)) +
           activation_count * CX_PLAN_STEP_WEIGHT;
}
