#include "core/state/replay.h"

#include <assert.h>

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/state/apply.h"
#include "core/state/hint.h"

/* How far behind the last record the steps on the way to applying one are: what the
 * step before asked for has come from memory by then. */
enum {
    CONTEXT_BEHIND = 3,
    PARTS_BEHIND = 6,
    ENTRY_BEHIND = 9,
    APPLY_BEHIND = 12,
    SLOTS = 16, /* A power of two above. */
    COPY_KEPT_MAX = 65536,
};
static_assert(APPLY_BEHIND < SLOTS, "a record's slot is free again when it comes around");

/* A record on its way. */
struct slot {
    uint64_t revision;
    int64_t time_us;
    struct cx_buffer copy; /* The payload, which the change points into. */
    struct cx_arena arena;
    struct cx_change change;
    struct cx_name_key *keys; /* One for each item. */
};

struct cx_replay {
    struct cx_state *state;
    uint64_t added;
    uint64_t applied;
    uint64_t failed; /* A revision. */
    cx_replay_purged_fn purged;
    void *purged_arg;
    struct slot slots[SLOTS];
};

enum cx_status cx_replay_new(struct cx_state *state, struct cx_replay **ret_replay)
{
    struct cx_replay *replay = cx_calloc(sizeof *replay);

    if (replay == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    replay->state = state;
    *ret_replay = replay;
    return CX_OK;
}

void cx_replay_on_purge(struct cx_replay *replay, cx_replay_purged_fn purged, void *arg)
{
    replay->purged = purged;
    replay->purged_arg = arg;
}

void cx_replay_free(struct cx_replay *replay)
{
    if (replay == NULL) {
        return;
    }
    for (size_t i = 0; i < SLOTS; i++) {
        cx_buffer_done(&replay->slots[i].copy);
        cx_arena_done(&replay->slots[i].arena);
    }
    cx_free(replay);
}

uint64_t cx_replay_failed_revision(const struct cx_replay *replay)
{
    return replay->failed;
}

static struct slot *slot_at(struct cx_replay *replay, uint64_t number)
{
    return &replay->slots[number % SLOTS];
}

/* ---- Decoding. -------------------------------------------------------------- */

static bool size_fits(struct cx_bytes name, size_t size_max)
{
    return name.size >= 1 && name.size <= size_max;
}

static enum cx_status slot_make_keys(struct slot *slot)
{
    const struct cx_change *change = &slot->change;

    if (change->kind != CX_CHANGE_CONTEXTS) {
        return CX_OK;
    }
    slot->keys = cx_arena_alloc(&slot->arena, change->item_count * sizeof *slot->keys);
    if (slot->keys == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    if (!size_fits(change->namespace_id, CX_NAMESPACE_SIZE_MAX)) {
        return CX_DATA_LOSS;
    }
    for (size_t i = 0; i < change->item_count; i++) {
        if (!size_fits(change->items[i].id, CX_CONTEXT_ID_SIZE_MAX)) {
            return CX_DATA_LOSS;
        }
        cx_name_key_init(&slot->keys[i], change->namespace_id, change->items[i].id);
    }
    return CX_OK;
}

static enum cx_status slot_fill(struct slot *slot, struct cx_bytes payload)
{
    enum cx_status status;

    if (slot->copy.capacity > COPY_KEPT_MAX) {
        cx_buffer_done(&slot->copy);
    }
    slot->copy.size = 0;
    slot->keys = NULL;
    status = cx_buffer_append(&slot->copy, payload);
    if (status == CX_OK) {
        status = cx_change_decode(cx_buffer_bytes(&slot->copy), &slot->arena, &slot->change);
    }
    return status == CX_OK ? slot_make_keys(slot) : status;
}

/* ---- Hints. ----------------------------------------------------------------- */

typedef void (*hint_fn)(const struct cx_state *state, const struct cx_hint *hint);

/* Takes a step for the first item of the record that was added `behind` others ago. */
static void hint_step(struct cx_replay *replay, uint64_t behind, hint_fn step)
{
    const struct slot *slot;
    struct cx_hint hint;

    if (replay->added - replay->applied <= behind) {
        return;
    }
    slot = slot_at(replay, replay->added - 1 - behind);
    if (slot->keys == NULL || slot->change.item_count == 0) {
        return;
    }
    hint.hash = slot->keys[0].hash;
    hint.key = slot->change.items[0].op_count > 0 ? slot->change.items[0].ops[0].key
                                                  : (struct cx_bytes){0};
    step(replay->state, &hint);
}

/* ---- Applying. -------------------------------------------------------------- */

static enum cx_status slot_stage(struct cx_stage *stage, struct cx_state *state, struct slot *slot)
{
    struct cx_change *change = &slot->change;
    enum cx_status status = cx_stage_begin(stage, state, &slot->arena, NULL, change->item_count);

    if (status == CX_OK) {
        status = cx_stage_session(stage, &change->session);
    }
    for (size_t i = 0; i < change->item_count && status == CX_OK; i++) {
        status = cx_stage_item(stage, change->namespace_id, &slot->keys[i], &change->items[i]);
    }
    return status == CX_OK ? cx_stage_finish(stage, change) : status;
}

static void tell_purges(const struct cx_replay *replay, const struct slot *slot)
{
    for (size_t i = 0; i < slot->change.item_count && replay->purged != NULL; i++) {
        if (slot->change.items[i].kind == CX_ITEM_PURGE) {
            replay->purged(replay->purged_arg, slot->keys[i].hash, slot->revision);
        }
    }
}

static enum cx_status slot_apply(struct cx_replay *replay, struct slot *slot)
{
    struct cx_state *state = replay->state;
    struct cx_stage stage = {.state = state};
    struct cx_undo *garbage = NULL;
    enum cx_status status = CX_OK;

    if (slot->change.kind == CX_CHANGE_CONTEXTS) {
        status = slot_stage(&stage, state, slot);
    } else if (slot->change.kind == CX_CHANGE_FLOOR) {
        bool fits = slot->change.floor > state->feed_floor && slot->change.floor < slot->revision;

        status = fits ? CX_OK : CX_DATA_LOSS;
    }
    if (status == CX_OK) {
        cx_apply(&stage, &slot->change, slot->revision, slot->time_us, &garbage);
        tell_purges(replay, slot);
    }
    cx_stage_done(&stage);
    cx_undo_free_list(garbage);
    cx_arena_reset(&slot->arena);
    return status;
}

static enum cx_status replay_apply_next(struct cx_replay *replay)
{
    struct slot *slot = slot_at(replay, replay->applied++);
    enum cx_status status = slot_apply(replay, slot);

    if (status != CX_OK) {
        replay->failed = slot->revision;
    }
    return status;
}

enum cx_status cx_replay_add(struct cx_replay *replay, struct cx_bytes payload, uint64_t revision,
                             int64_t time_us)
{
    struct slot *slot = slot_at(replay, replay->added);
    enum cx_status status = slot_fill(slot, payload);

    if (status != CX_OK) {
        replay->failed = revision;
        return status;
    }
    slot->revision = revision;
    slot->time_us = time_us;
    replay->added++;
    hint_step(replay, 0, cx_hint_place);
    hint_step(replay, CONTEXT_BEHIND, cx_hint_context);
    hint_step(replay, PARTS_BEHIND, cx_hint_parts);
    hint_step(replay, ENTRY_BEHIND, cx_hint_entry);
    return replay->added - replay->applied > APPLY_BEHIND ? replay_apply_next(replay) : CX_OK;
}

enum cx_status cx_replay_finish(struct cx_replay *replay)
{
    enum cx_status status = CX_OK;

    while (replay->applied < replay->added && status == CX_OK) {
        status = replay_apply_next(replay);
    }
    return status;
}
