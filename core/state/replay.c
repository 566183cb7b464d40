#include "core/state/replay.h"

#include <assert.h>

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/state/apply.h"

/* How far behind the last record the steps on the way to applying one are. */
enum {
    LOOK_BEHIND = 3,  /* Its context's slot of the table has come from memory. */
    TOUCH_BEHIND = 6, /* The context has. */
    APPLY_BEHIND = 9, /* What the context points at has. */
    SLOTS = 16,       /* A power of two above. */
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

/* ---- Hints: what they say may be wrong, and then they cost time alone. ------- */

static void prefetch(const void *memory, size_t size)
{
    for (size_t offset = 0; offset < size; offset += 64) {
        __builtin_prefetch((const char *)memory + offset);
    }
}

/* What the first item of a record probably changes, or NULL. Borrowed until the next
 * record is applied, which may free it. */
static const struct cx_context *slot_hint(const struct cx_state *state, const struct slot *slot)
{
    if (slot->keys == NULL) {
        return NULL;
    }
    return cx_table_peek(&state->shards[slot->keys[0].shard].contexts, slot->keys[0].hash);
}

static void slot_look(const struct cx_state *state, const struct slot *slot)
{
    const struct cx_context *hint = slot_hint(state, slot);

    if (hint != NULL) {
        prefetch(hint, sizeof *hint);
    }
}

static void slot_touch(const struct cx_state *state, const struct slot *slot)
{
    const struct cx_context *hint = slot_hint(state, slot);

    if (hint != NULL) {
        prefetch(hint->entries.root, 192);
        prefetch(hint->undo_oldest, sizeof *hint->undo_oldest);
        prefetch(hint->undo_newest, 64);
    }
}

/* ---- Applying. -------------------------------------------------------------- */

static enum cx_status slot_stage(struct cx_stage *stage, struct cx_state *state, struct slot *slot)
{
    struct cx_change *change = &slot->change;
    enum cx_status status = cx_stage_begin(stage, state, &slot->arena, NULL, change->item_count);

    for (size_t i = 0; i < change->item_count && status == CX_OK; i++) {
        status = cx_stage_item(stage, change->namespace_id, &slot->keys[i], &change->items[i]);
    }
    return status == CX_OK ? cx_stage_finish(stage, change) : status;
}

static enum cx_status slot_apply(struct cx_state *state, struct slot *slot)
{
    struct cx_stage stage = {.state = state};
    struct cx_undo *garbage = NULL;
    enum cx_status status = CX_OK;

    if (slot->change.kind == CX_CHANGE_CONTEXTS) {
        status = slot_stage(&stage, state, slot);
    }
    if (status == CX_OK) {
        cx_apply(&stage, &slot->change, slot->revision, slot->time_us, &garbage);
    }
    cx_stage_done(&stage);
    cx_undo_free_list(garbage);
    cx_arena_reset(&slot->arena);
    return status;
}

static enum cx_status replay_apply_next(struct cx_replay *replay)
{
    struct slot *slot = slot_at(replay, replay->applied++);
    enum cx_status status = slot_apply(replay->state, slot);

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
    if (slot->keys != NULL) {
        cx_table_prefetch(&replay->state->shards[slot->keys[0].shard].contexts, slot->keys[0].hash);
    }
    replay->added++;
    if (replay->added - replay->applied > LOOK_BEHIND) {
        slot_look(replay->state, slot_at(replay, replay->added - 1 - LOOK_BEHIND));
    }
    if (replay->added - replay->applied > TOUCH_BEHIND) {
        slot_touch(replay->state, slot_at(replay, replay->added - 1 - TOUCH_BEHIND));
    }
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
