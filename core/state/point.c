#include "core/state/point.h"

#include <assert.h>
#include <stddef.h>

#include "core/base/hash.h"
#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/state/activity.h"
#include "core/state/context.h"
#include "core/state/entry.h"
#include "core/state/file.h"
#include "core/state/tracked.h"
#include "core/state/usage.h"

static_assert(offsetof(struct cx_point, item) == 0, "cx_point_of() relies on it");
static_assert(offsetof(struct cx_pending_point, item) == 0, "cx_pending_of() relies on it");

/* True when the reference that is given back was the last one. */
static bool was_last(uint32_t *refs)
{
    return __atomic_fetch_sub(refs, 1, __ATOMIC_ACQ_REL) == 1;
}

/* ---- What states keep. ------------------------------------------------------ */

void cx_kept_state_done(struct cx_kept_state *state)
{
    cx_tree_done(&cx_entry_class, &state->entries);
    cx_labels_unref(state->labels);
    cx_past_unref(state->past);
    *state = (struct cx_kept_state){0};
}

struct cx_kept_state cx_kept_state_copy(const struct cx_kept_state *state)
{
    struct cx_kept_state copy = *state;

    copy.entries = cx_tree_copy(&state->entries);
    cx_labels_ref(copy.labels);
    cx_past_ref(copy.past);
    return copy;
}

/* ---- Points. ---------------------------------------------------------------- */

static void point_free(struct cx_tree_item *item)
{
    struct cx_point *point = cx_point_of(item);

    cx_labels_unref(point->labels);
    cx_kept_state_done(&point->state);
    cx_tree_done(&cx_entry_class, &point->attachments);
    cx_free(point);
}

const struct cx_tree_class cx_point_class = {
    .key_offset = offsetof(struct cx_point, bytes),
    .free_item = point_free,
    .keys_are_short = true,
};

enum cx_status cx_point_new(uint64_t sequence, struct cx_bytes id, struct cx_point **ret_point)
{
    struct cx_point *point = cx_calloc(sizeof *point + 8 + id.size);
    struct cx_sequence_key key;
    uint8_t *at;

    if (point == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    point->item = (struct cx_tree_item){.refs = 1, .key_size = 8, .extra = (uint16_t)id.size};
    point->sequence = sequence;
    cx_sequence_key_init(&key, sequence);
    at = point->bytes;
    cx_bytes_put(&at, cx_sequence_key_bytes(&key));
    cx_bytes_put(&at, id);
    *ret_point = point;
    return CX_OK;
}

enum cx_status cx_point_copy(const struct cx_point *point, struct cx_point **ret_point)
{
    struct cx_point *copy;
    enum cx_status status = cx_point_new(point->sequence, cx_point_id(point), &copy);

    if (status != CX_OK) {
        return status;
    }
    copy->parent_sequence = point->parent_sequence;
    copy->revision = point->revision;
    copy->create_time_us = point->create_time_us;
    copy->expire_time_us = point->expire_time_us;
    copy->pinned = point->pinned;
    copy->aside = point->aside;
    copy->origin = point->origin;
    copy->labels = cx_labels_ref(point->labels);
    copy->state = cx_kept_state_copy(&point->state);
    copy->attachments = cx_tree_copy(&point->attachments);
    copy->attachment_count = point->attachment_count;
    *ret_point = copy;
    return CX_OK;
}

void cx_point_unref(struct cx_point *point)
{
    cx_tree_item_unref(&cx_point_class, point != NULL ? &point->item : NULL);
}

struct cx_bytes cx_point_id(const struct cx_point *point)
{
    return (struct cx_bytes){point->bytes + 8, point->item.extra};
}

void cx_dropped_points_free(struct cx_dropped_points *dropped)
{
    for (size_t i = 0; dropped != NULL && i < dropped->count; i++) {
        cx_point_unref(dropped->points[i]);
    }
    cx_free(dropped);
}

/* ---- Rows. ------------------------------------------------------------------ */

static void plain_free(struct cx_tree_item *item)
{
    cx_free(item);
}

const struct cx_tree_class cx_point_row_class = {
    .key_offset = offsetof(struct cx_point_row, bytes),
    .free_item = plain_free,
};

enum cx_status cx_point_row_new(struct cx_bytes key, uint64_t sequence,
                                struct cx_point_row **ret_row)
{
    struct cx_point_row *row = cx_alloc(sizeof *row + key.size);
    uint8_t *at;

    if (row == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    row->item = (struct cx_tree_item){.refs = 1, .key_size = (uint16_t)key.size};
    row->sequence = sequence;
    at = row->bytes;
    cx_bytes_put(&at, key);
    *ret_row = row;
    return CX_OK;
}

struct cx_bytes cx_number_pair_key(struct cx_number_pair_key *key, uint64_t first, uint64_t second)
{
    struct cx_sequence_key part;
    uint8_t *at = key->bytes;

    cx_sequence_key_init(&part, first);
    cx_bytes_put(&at, cx_sequence_key_bytes(&part));
    cx_sequence_key_init(&part, second);
    cx_bytes_put(&at, cx_sequence_key_bytes(&part));
    return (struct cx_bytes){key->bytes, sizeof key->bytes};
}

static void pending_free(struct cx_tree_item *item)
{
    struct cx_pending_point *pending = cx_pending_of(item);

    cx_tree_done(&cx_entry_class, &pending->attachments);
    cx_free(pending);
}

const struct cx_tree_class cx_pending_class = {
    .key_offset = offsetof(struct cx_pending_point, bytes),
    .free_item = pending_free,
};

enum cx_status cx_pending_new(struct cx_bytes id, struct cx_pending_point **ret_pending)
{
    struct cx_pending_point *pending = cx_calloc(sizeof *pending + id.size);
    uint8_t *at;

    if (pending == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    pending->item = (struct cx_tree_item){.refs = 1, .key_size = (uint16_t)id.size};
    at = pending->bytes;
    cx_bytes_put(&at, id);
    *ret_pending = pending;
    return CX_OK;
}

/* ---- The list by revision. -------------------------------------------------- */

/* The newest comes first: its complement is the smallest. */
void cx_point_list_id_stamp(uint8_t *row, uint64_t revision)
{
    struct cx_sequence_key key;

    cx_sequence_key_init(&key, ~revision);
    memcpy(row, key.bytes, sizeof key.bytes);
}

void cx_point_list_id_init(struct cx_point_list_id *id, uint64_t revision,
                           struct cx_bytes context_id, uint64_t sequence)
{
    struct cx_sequence_key key;
    uint8_t *at = id->bytes + 8;

    assert(context_id.size <= CX_CONTEXT_ID_SIZE_MAX);
    cx_point_list_id_stamp(id->bytes, revision);
    cx_bytes_put(&at, context_id);
    cx_sequence_key_init(&key, ~sequence);
    cx_bytes_put(&at, cx_sequence_key_bytes(&key));
    id->size = 16 + context_id.size;
}

static uint64_t read_number(const uint8_t *bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < 8; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

void cx_point_list_id_read(struct cx_bytes id, uint64_t *ret_revision,
                           struct cx_bytes *ret_context_id, uint64_t *ret_sequence)
{
    assert(id.size >= 16);
    *ret_revision = ~read_number(id.data);
    *ret_context_id = (struct cx_bytes){id.data + 8, id.size - 16};
    *ret_sequence = ~read_number(id.data + id.size - 8);
}

/* ---- Bases. ----------------------------------------------------------------- */

enum cx_status cx_base_new(struct cx_bytes id, struct cx_base **ret_base)
{
    struct cx_base *base = cx_calloc(sizeof *base + id.size);
    uint8_t *at;

    if (base == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    base->refs = 1;
    base->depth = 1;
    base->id_size = (uint16_t)id.size;
    at = base->id;
    cx_bytes_put(&at, id);
    *ret_base = base;
    return CX_OK;
}

enum cx_status cx_base_copy(const struct cx_base *base, struct cx_base **ret_base)
{
    enum cx_status status = cx_base_new(cx_base_id(base), ret_base);

    if (status != CX_OK) {
        return status;
    }
    (*ret_base)->birth = base->birth;
    (*ret_base)->state_birth = base->state_birth;
    (*ret_base)->revision = base->revision;
    (*ret_base)->version = base->version;
    (*ret_base)->head_version = base->head_version;
    (*ret_base)->entries = cx_tree_copy(&base->entries);
    (*ret_base)->labels = cx_labels_ref(base->labels);
    return CX_OK;
}

struct cx_base *cx_base_ref(struct cx_base *base)
{
    if (base != NULL) {
        __atomic_fetch_add(&base->refs, 1, __ATOMIC_RELAXED);
    }
    return base;
}

void cx_base_unref(struct cx_base *base)
{
    while (base != NULL && was_last(&base->refs)) {
        struct cx_base *older = base->older;

        cx_tree_done(&cx_entry_class, &base->entries);
        cx_labels_unref(base->labels);
        cx_free(base);
        base = older;
    }
}

void cx_merged_free(struct cx_merged *list)
{
    while (list != NULL) {
        struct cx_merged *next = list->next;

        cx_base_unref(list->base);
        cx_free(list);
        list = next;
    }
}

/* ---- Of a context. ---------------------------------------------------------- */

struct cx_recovery *cx_recovery_new(void)
{
    return cx_calloc(sizeof(struct cx_recovery));
}

void cx_recovery_free(struct cx_recovery *recovery)
{
    if (recovery == NULL) {
        return;
    }
    cx_tree_done(&cx_point_class, &recovery->points);
    cx_tree_done(&cx_point_row_class, &recovery->ids);
    cx_tree_done(&cx_point_row_class, &recovery->children);
    cx_tree_done(&cx_point_row_class, &recovery->expiring);
    cx_tree_done(&cx_pending_class, &recovery->pending);
    cx_base_unref(recovery->forked_from);
    cx_merged_free(recovery->merged);
    cx_free(recovery);
}

struct cx_point *cx_recovery_find(const struct cx_recovery *recovery, uint64_t sequence)
{
    struct cx_sequence_key key;
    struct cx_tree_item *item;

    if (recovery == NULL) {
        return NULL;
    }
    cx_sequence_key_init(&key, sequence);
    item = cx_tree_get(&cx_point_class, &recovery->points, cx_sequence_key_bytes(&key));
    return item != NULL ? cx_point_of(item) : NULL;
}

struct cx_point *cx_recovery_find_id(const struct cx_recovery *recovery, struct cx_bytes id)
{
    struct cx_tree_item *item =
        recovery != NULL ? cx_tree_get(&cx_point_row_class, &recovery->ids, id) : NULL;

    return item != NULL ? cx_recovery_find(recovery, ((struct cx_point_row *)item)->sequence)
                        : NULL;
}

struct cx_point *cx_recovery_newest(const struct cx_recovery *recovery)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item = recovery != NULL ? cx_tree_last(&recovery->points, &cursor) : NULL;

    return item != NULL ? cx_point_of(item) : NULL;
}

struct cx_point *cx_recovery_oldest(const struct cx_recovery *recovery)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item = recovery != NULL ? cx_tree_seek(&cx_point_class, &recovery->points,
                                                                (struct cx_bytes){0}, &cursor)
                                                 : NULL;

    return item != NULL ? cx_point_of(item) : NULL;
}

struct cx_point *cx_recovery_before(const struct cx_recovery *recovery, uint64_t sequence)
{
    struct cx_sequence_key key;
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item;

    cx_sequence_key_init(&key, sequence);
    item = cx_tree_seek_before(&cx_point_class, &recovery->points, cx_sequence_key_bytes(&key),
                               &cursor);
    return item != NULL ? cx_point_of(item) : NULL;
}

/* The first point from where the window began last, which so many are before; the newest, if that
 * is nearer to the one that `wanted` are before. */
static struct cx_tree_item *window_seek(const struct cx_recovery *recovery, uint64_t wanted,
                                        struct cx_tree_cursor *cursor, uint64_t *ret_before)
{
    uint64_t newest = recovery->point_count - 1;
    uint64_t before = recovery->window_before;
    uint64_t away = before < wanted ? wanted - before : before - wanted;
    struct cx_number_pair_key key;
    struct cx_bytes pair = cx_number_pair_key(&key, recovery->window_start, 0);

    if (before > newest || away > newest - wanted) {
        *ret_before = newest;
        return cx_tree_last(&recovery->points, cursor);
    }
    *ret_before = before;
    return cx_tree_seek(&cx_point_class, &recovery->points, (struct cx_bytes){pair.data, 8},
                        cursor);
}

uint64_t cx_recovery_window(struct cx_recovery *recovery, uint64_t keep_last, uint64_t more)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item;
    uint64_t wanted;
    uint64_t before;

    if (more >= keep_last) {
        return UINT64_MAX;
    }
    if (recovery->point_count + more <= keep_last) {
        return 0;
    }
    wanted = recovery->point_count + more - keep_last;
    item = window_seek(recovery, wanted, &cursor, &before);
    for (; before < wanted; before++) {
        item = cx_tree_next(&cursor);
    }
    for (; before > wanted; before--) {
        item = cx_tree_previous(&cursor);
    }
    assert(item != NULL);
    recovery->window_start = cx_point_of(item)->sequence;
    recovery->window_before = wanted;
    return recovery->window_start;
}

void cx_recovery_note_drop(struct cx_recovery *recovery, uint64_t sequence)
{
    assert(sequence >= recovery->window_start || recovery->window_before > 0);
    recovery->window_before -= sequence < recovery->window_start;
}

/* ---- The digest. ------------------------------------------------------------ */

static uint64_t mix_state(uint64_t digest, const struct cx_kept_state *state)
{
    digest = cx_hash_mix_number(digest, state->version);
    digest = cx_hash_mix_number(digest, state->head_version);
    digest = cx_hash_mix_number(digest, state->head_revision);
    digest = cx_hash_mix_number(digest, state->birth);
    digest = cx_hash_mix_number(digest, state->entry_count);
    digest = cx_hash_mix_number(digest, state->size_bytes);
    digest = cx_hash_mix_number(digest, (uint64_t)state->create_time_us);
    digest = cx_hash_mix_number(digest, (uint64_t)state->update_time_us);
    digest = cx_past_mix(digest, state->past, NULL);
    digest = cx_labels_mix(digest, cx_labels_list(state->labels));
    return cx_entries_mix(digest, &state->entries);
}

static uint64_t mix_point(uint64_t digest, const struct cx_point *point)
{
    digest = cx_hash_mix(cx_hash_mix_number(digest, point->sequence), cx_point_id(point));
    digest = cx_hash_mix_number(digest, point->parent_sequence);
    digest = cx_hash_mix_number(digest, point->revision);
    digest = cx_hash_mix_number(digest, (uint64_t)point->create_time_us);
    digest = cx_hash_mix_number(digest, (uint64_t)point->expire_time_us);
    digest = cx_hash_mix_number(digest, (point->pinned ? 1u : 0u) | (point->aside ? 2u : 0u));
    digest = cx_hash_mix_number(digest, point->origin);
    digest = cx_labels_mix(digest, cx_labels_list(point->labels));
    digest =
        cx_entries_mix(cx_hash_mix_number(digest, point->attachment_count), &point->attachments);
    return mix_state(digest, &point->state);
}

static uint64_t mix_keys(uint64_t digest, const struct cx_tree *tree)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item =
        cx_tree_seek(&cx_point_row_class, tree, (struct cx_bytes){0}, &cursor);

    for (; item != NULL; item = cx_tree_next(&cursor)) {
        digest = cx_hash_mix(digest, cx_tree_item_key(&cx_point_row_class, item));
        digest = cx_hash_mix_number(digest, ((struct cx_point_row *)item)->sequence);
    }
    return digest;
}

static uint64_t mix_base(uint64_t digest, const struct cx_base *base)
{
    if (base == NULL) {
        return cx_hash_mix_number(digest, 0);
    }
    digest = cx_hash_mix(cx_hash_mix_number(digest, base->depth), cx_base_id(base));
    digest = cx_hash_mix_number(cx_hash_mix_number(digest, base->birth), base->revision);
    digest = cx_hash_mix_number(digest, base->head_version);
    digest = cx_hash_mix_number(digest, base->state_birth);
    digest = cx_labels_mix(cx_hash_mix_number(digest, base->version), cx_labels_list(base->labels));
    return cx_entries_mix(digest, &base->entries);
}

static uint64_t mix_trees(uint64_t digest, const struct cx_recovery *recovery)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item =
        cx_tree_seek(&cx_point_class, &recovery->points, (struct cx_bytes){0}, &cursor);

    for (; item != NULL; item = cx_tree_next(&cursor)) {
        digest = mix_point(digest, cx_point_of(item));
    }
    item = cx_tree_seek(&cx_pending_class, &recovery->pending, (struct cx_bytes){0}, &cursor);
    for (; item != NULL; item = cx_tree_next(&cursor)) {
        digest = cx_hash_mix(digest, cx_tree_item_key(&cx_pending_class, item));
        digest = cx_entries_mix(digest, &cx_pending_of(item)->attachments);
    }
    digest = mix_keys(digest, &recovery->ids);
    digest = mix_keys(digest, &recovery->children);
    return mix_keys(digest, &recovery->expiring);
}

uint64_t cx_recovery_mix(uint64_t digest, const struct cx_recovery *recovery)
{
    static const struct cx_recovery none;
    const struct cx_recovery *mixed = recovery != NULL ? recovery : &none;
    const uint64_t numbers[] = {
        mixed->policy.is_set,
        mixed->policy.retention.keep_last,
        mixed->policy.retention.keep_every,
        (uint64_t)mixed->policy.retention.keep_within_us,
        mixed->policy.point_every_changes,
        (uint64_t)mixed->policy.point_every_us,
        mixed->version_last,
        mixed->point_count,
        mixed->pending_count,
        mixed->last_sequence,
        mixed->head_point,
        mixed->revived_revision,
        (uint64_t)mixed->last_point_time_us,
    };

    digest = cx_hash_mix(digest, (struct cx_bytes){(const uint8_t *)numbers, sizeof numbers});
    digest = mix_base(mix_trees(digest, mixed), mixed->forked_from);
    for (const struct cx_merged *merged = mixed->merged; merged != NULL; merged = merged->next) {
        digest = mix_base(digest, merged->base);
    }
    return digest;
}
