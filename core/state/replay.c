#include "core/state/replay.h"

#include "core/base/limits.h"
#include "core/state/apply.h"

static bool size_fits(struct cx_bytes name, size_t size_max)
{
    return name.size >= 1 && name.size <= size_max;
}

static enum cx_status stage_all(struct cx_stage *stage, struct cx_state *state,
                                struct cx_arena *arena, const struct cx_change *change)
{
    enum cx_status status = cx_stage_begin(stage, state, arena, NULL, change->item_count);

    if (status == CX_OK && !size_fits(change->namespace_id, CX_NAMESPACE_SIZE_MAX)) {
        status = CX_DATA_LOSS;
    }
    for (size_t i = 0; i < change->item_count && status == CX_OK; i++) {
        struct cx_change_item *item = &change->items[i];
        struct cx_name_key *key = cx_arena_alloc(arena, sizeof *key);

        if (key == NULL) {
            return CX_RESOURCE_EXHAUSTED;
        }
        if (!size_fits(item->id, CX_CONTEXT_ID_SIZE_MAX)) {
            return CX_DATA_LOSS;
        }
        cx_name_key_init(key, change->namespace_id, item->id);
        status = cx_stage_item(stage, change->namespace_id, key, item);
    }
    return status == CX_OK ? cx_stage_finish(stage, change) : status;
}

enum cx_status cx_replay(struct cx_state *state, struct cx_arena *arena, struct cx_bytes payload,
                         uint64_t revision, int64_t time_us)
{
    struct cx_stage stage = {.state = state};
    struct cx_undo *garbage = NULL;
    struct cx_change change;
    enum cx_status status = cx_change_decode(payload, arena, &change);

    if (status == CX_OK && change.kind == CX_CHANGE_CONTEXTS) {
        status = stage_all(&stage, state, arena, &change);
    }
    if (status == CX_OK) {
        cx_apply(&stage, &change, revision, time_us, &garbage);
    }
    cx_stage_done(&stage);
    cx_undo_free_list(garbage);
    cx_arena_reset(arena);
    return status;
}
