#include "core/state/state.h"

#include <assert.h>
#include <stddef.h>

#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/state/activity.h"
#include "core/state/point.h"
#include "core/state/retention.h"
#include "core/state/tracked.h"

enum cx_status cx_state_init(struct cx_state *state)
{
    memset(state, 0, sizeof *state);
    cx_namespaces_init(&state->namespaces);
    return cx_chunk_table_new(&state->chunks);
}

/* Takes sessions and contexts apart, so that each can go by itself. */
static void shard_end_sessions(struct cx_shard *shard)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item =
        cx_tree_seek(&cx_session_class, &shard->sessions, (struct cx_bytes){0}, &cursor);

    for (; item != NULL; item = cx_tree_next(&cursor)) {
        struct cx_session *session = cx_session_of(item);

        while (session->activation_newest != NULL) {
            struct cx_activation *activation = session->activation_newest;

            cx_activation_end(activation->context->tracked, activation);
        }
        while (session->resource_newest != NULL) {
            cx_session_let_go(session->resource_newest);
        }
    }
}

static void shard_done(struct cx_shard *shard)
{
    cx_tree_done(&cx_session_class, &shard->sessions);
    cx_tree_done(&cx_row_class, &shard->sessions_by_start);
    cx_due_done(&shard->leases);
    cx_tree_done(&cx_context_class, &shard->by_id);
    cx_tree_done(&cx_context_class, &shard->deleted);
    cx_tree_done(&cx_row_class, &shard->by_type);
    cx_tree_done(&cx_row_class, &shard->by_label);
    cx_tree_done(&cx_row_class, &shard->children);
    cx_tree_done(&cx_row_class, &shard->points);
    for (size_t place = 0; place < shard->contexts.capacity; place++) {
        cx_context_unref(cx_table_at(&shard->contexts, place));
    }
    cx_table_done(&shard->contexts);
    cx_due_done(&shard->due);
    cx_request_ids_done(&shard->request_ids);
    cx_tree_pool_done(&shard->pool);
}

void cx_state_done(struct cx_state *state)
{
    for (size_t i = 0; i < CX_SHARDS; i++) {
        shard_end_sessions(&state->shards[i]);
    }
    for (size_t i = 0; i < CX_SHARDS; i++) {
        shard_done(&state->shards[i]);
    }
    cx_namespaces_done(&state->namespaces);
    cx_chunk_table_free(state->chunks);
}

struct cx_context *cx_state_find(const struct cx_state *state, const struct cx_name_key *key)
{
    return cx_table_find(&state->shards[key->shard].contexts, key);
}

bool cx_session_key(struct cx_name_key *key, const struct cx_session_name *name)
{
    if (name->id.size == 0 || name->id.size > CX_SESSION_ID_SIZE) {
        return false;
    }
    cx_name_key_init(key, name->namespace_id, name->id);
    return true;
}

struct cx_session *cx_state_find_session(const struct cx_state *state,
                                         const struct cx_name_key *key)
{
    struct cx_tree_item *item = cx_tree_get(&cx_session_class, &state->shards[key->shard].sessions,
                                            (struct cx_bytes){key->bytes, key->size});

    return item != NULL ? cx_session_of(item) : NULL;
}

/* The earlier of two times; 0: never. */
static int64_t first_of(int64_t a_us, int64_t b_us)
{
    return a_us == 0 || (b_us != 0 && b_us < a_us) ? b_us : a_us;
}

int64_t cx_state_due_time(const struct cx_state *state, const struct cx_context *context)
{
    switch ((enum cx_context_life)context->life) {
    case CX_CONTEXT_LIVE:
        return first_of(context->end_time_us, cx_recovery_due_time(context));
    case CX_CONTEXT_DELETED:
        return context->end_time_us + state->settings.undelete_window_us;
    case CX_CONTEXT_BARE:
        return context->end_time_us + state->settings.tombstone_window_us;
    }
    assert(false);
    return 0;
}

static void context_settle(struct cx_state *state, struct cx_shard *shard,
                           struct cx_context *context, struct cx_undo **garbage)
{
    if (context->due.place != 0) {
        cx_due_set(&shard->due, &context->due, cx_state_due_time(state, context));
    }
    cx_context_trim_undo(context, state->settings.version_retention - 1, garbage);
}

void cx_state_settle(struct cx_state *state, struct cx_undo **garbage)
{
    for (size_t i = 0; i < CX_SHARDS; i++) {
        struct cx_shard *shard = &state->shards[i];

        for (size_t place = 0; place < shard->contexts.capacity; place++) {
            struct cx_context *context = cx_table_at(&shard->contexts, place);

            if (context != NULL) {
                context_settle(state, shard, context, garbage);
            }
        }
    }
}

/* ---- The digest. ------------------------------------------------------------ */

static uint64_t mix_undo(uint64_t digest, const struct cx_undo *undo,
                         const struct cx_tracked *tracked)
{
    const uint64_t numbers[] = {
        undo->kind,
        undo->version,
        undo->revision,
        undo->state_revision,
        undo->birth_revision,
        undo->entry_count,
        undo->size_bytes,
        (uint64_t)undo->create_time_us,
        (uint64_t)undo->update_time_us,
        (uint64_t)undo->expire_time_us,
    };

    digest = cx_hash_mix(digest, (struct cx_bytes){(const uint8_t *)numbers, sizeof numbers});
    digest = cx_past_mix(digest, undo->past, tracked);
    digest = cx_labels_mix(digest, cx_labels_list(undo->labels));
    digest = undo->old_entry != NULL ? cx_entry_mix(digest, undo->old_entry) : digest;
    digest = undo->new_entry != NULL ? cx_entry_mix(digest, undo->new_entry) : digest;
    return cx_entries_mix(digest, &undo->entries);
}

static uint64_t context_digest(const struct cx_context *context)
{
    const uint64_t numbers[] = {
        context->life,
        context->depth,
        context->sliding,
        context->version,
        context->revision,
        context->state_revision,
        context->birth_revision,
        context->change_count,
        context->entry_count,
        context->size_bytes,
        (uint64_t)context->create_time_us,
        (uint64_t)context->update_time_us,
        (uint64_t)context->end_time_us,
        (uint64_t)context->ttl_us,
        context->child_count,
    };
    uint64_t digest = cx_hash_mix(0, cx_tree_item_key(&cx_context_class, &context->item));

    digest =
        cx_hash_mix(cx_hash_mix(digest, cx_context_type(context)), cx_context_parent_id(context));
    digest = cx_hash_mix(digest, (struct cx_bytes){(const uint8_t *)numbers, sizeof numbers});
    digest = cx_labels_mix(digest, cx_labels_list(context->labels));
    digest = cx_entries_mix(digest, &context->entries);
    for (const struct cx_undo *undo = context->undo_oldest; undo != NULL; undo = undo->newer) {
        digest = mix_undo(digest, undo, context->tracked);
    }
    digest = cx_recovery_mix(digest, context->recovery);
    return cx_tracked_mix(digest, context->tracked);
}

static uint64_t mix_sessions(uint64_t digest, const struct cx_tree *sessions)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item =
        cx_tree_seek(&cx_session_class, sessions, (struct cx_bytes){0}, &cursor);

    for (; item != NULL; item = cx_tree_next(&cursor)) {
        digest = cx_session_mix(digest, cx_session_of(item));
    }
    return digest;
}

static uint64_t mix_keys(uint64_t digest, const struct cx_tree_class *kind,
                         const struct cx_tree *tree)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item = cx_tree_seek(kind, tree, (struct cx_bytes){0}, &cursor);

    for (; item != NULL; item = cx_tree_next(&cursor)) {
        digest = cx_hash_mix(digest, cx_tree_item_key(kind, item));
    }
    return digest;
}

static uint64_t mix_request_ids(uint64_t digest, const struct cx_request_ids *ids)
{
    for (size_t i = 0; i < ids->count; i++) {
        const struct cx_request_record *record = &ids->ring[(ids->first + i) & (ids->capacity - 1)];

        digest = cx_hash_mix(digest, (struct cx_bytes){(const uint8_t *)record, sizeof *record});
    }
    return digest;
}

static uint64_t shard_digest(const struct cx_shard *shard)
{
    uint64_t digest = 0;

    /* A table has no order of its own: add what its contexts give. */
    for (size_t place = 0; place < shard->contexts.capacity; place++) {
        const struct cx_context *context = cx_table_at(&shard->contexts, place);

        digest += context != NULL ? context_digest(context) : 0;
    }
    digest = mix_keys(digest, &cx_context_class, &shard->by_id);
    digest = mix_keys(digest, &cx_context_class, &shard->deleted);
    digest = mix_keys(digest, &cx_row_class, &shard->by_type);
    digest = mix_keys(digest, &cx_row_class, &shard->by_label);
    digest = mix_keys(digest, &cx_row_class, &shard->children);
    digest = mix_keys(digest, &cx_row_class, &shard->points);
    digest = mix_sessions(digest, &shard->sessions);
    digest = mix_keys(digest, &cx_row_class, &shard->sessions_by_start);
    digest = cx_hash_mix_number(digest, shard->due.count);
    digest = cx_hash_mix_number(digest, shard->session_end_revision);
    return mix_request_ids(cx_hash_mix_number(digest, shard->forgotten_revision),
                           &shard->request_ids);
}

uint64_t cx_state_digest(const struct cx_state *state)
{
    uint64_t digest = cx_hash_mix(
        0, (struct cx_bytes){(const uint8_t *)&state->settings, sizeof state->settings});

    digest = cx_hash_mix_number(digest, state->feed_floor);
    digest = cx_hash_mix_number(digest, state->feed_floor_revision);
    for (size_t i = 0; i < CX_SHARDS; i++) {
        digest = cx_hash_mix_number(digest, shard_digest(&state->shards[i]));
    }
    return cx_namespaces_mix_usage((struct cx_namespaces *)&state->namespaces, digest);
}

/* ---- Rows. ------------------------------------------------------------------ */

static void row_free(struct cx_tree_item *item)
{
    cx_free(item);
}

const struct cx_tree_class cx_row_class = {
    .key_offset = offsetof(struct cx_row, bytes),
    .free_item = row_free,
};

static size_t names_size(const struct cx_row_names *names)
{
    size_t size = names->count + names->id.size;

    for (size_t i = 0; i < names->count; i++) {
        size += names->names[i].size;
    }
    return size;
}

static void names_join(const struct cx_row_names *names, uint8_t *at)
{
    for (size_t i = 0; i < names->count; i++) {
        if (names->names[i].size > 0) {
            memcpy(at, names->names[i].data, names->names[i].size);
        }
        at += names->names[i].size;
        *at++ = 0;
    }
    if (names->id.size > 0) {
        memcpy(at, names->id.data, names->id.size);
    }
}

enum cx_status cx_row_key(struct cx_arena *arena, const struct cx_row_names *names,
                          struct cx_bytes *ret_key)
{
    size_t size = names_size(names);
    uint8_t *memory = cx_arena_alloc(arena, size);

    if (memory == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    names_join(names, memory);
    *ret_key = (struct cx_bytes){memory, size};
    return CX_OK;
}

enum cx_status cx_row_new(const struct cx_row_names *names, struct cx_row **ret_row)
{
    size_t size = names_size(names);
    struct cx_row *row = cx_alloc(sizeof *row + size);

    assert(size <= UINT16_MAX);
    if (row == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    row->item.refs = 1;
    row->item.key_size = (uint16_t)size;
    row->item.extra = (uint16_t)names->id.size;
    names_join(names, row->bytes);
    *ret_row = row;
    return CX_OK;
}

struct cx_bytes cx_row_id(const struct cx_row *row)
{
    return (struct cx_bytes){row->bytes + row->item.key_size - row->item.extra, row->item.extra};
}

void cx_session_row_id_init(struct cx_session_row_id *id, uint64_t start_revision,
                            struct cx_bytes session_id)
{
    struct cx_sequence_key revision;
    uint8_t *at = id->bytes;

    assert(session_id.size <= CX_SESSION_ID_SIZE);
    cx_sequence_key_init(&revision, start_revision);
    cx_bytes_put(&at, cx_sequence_key_bytes(&revision));
    cx_bytes_put(&at, session_id);
    id->size = 8 + session_id.size;
}

void cx_session_row_set_start(struct cx_row *row, uint64_t start_revision)
{
    struct cx_sequence_key revision;
    uint8_t *at = row->bytes + row->item.key_size - row->item.extra;

    cx_sequence_key_init(&revision, start_revision);
    cx_bytes_put(&at, cx_sequence_key_bytes(&revision));
}

uint64_t cx_session_row_start(const struct cx_row *row)
{
    struct cx_bytes id = cx_row_id(row);
    uint64_t revision = 0;

    for (size_t i = 0; i < 8; i++) {
        revision = revision << 8 | id.data[i];
    }
    return revision;
}

struct cx_bytes cx_session_row_session(const struct cx_row *row)
{
    struct cx_bytes id = cx_row_id(row);

    return (struct cx_bytes){id.data + 8, id.size - 8};
}
