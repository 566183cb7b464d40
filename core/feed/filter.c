#include "core/feed/filter.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/memory.h"
#include "core/state/table.h"

/* ---- A copy. ---------------------------------------------------------------- */

static size_t size_of(const struct cx_event_filter *filter)
{
    size_t size = sizeof *filter + filter->namespace_id.size + filter->id_prefix.size +
                  filter->type.size + filter->key_prefix.size +
                  filter->context_id_count * (sizeof(struct cx_bytes) + sizeof *filter->ids) +
                  filter->label_count * sizeof *filter->labels;

    for (size_t i = 0; i < filter->context_id_count; i++) {
        size += filter->context_ids[i].size;
    }
    for (size_t i = 0; i < filter->label_count; i++) {
        size += filter->labels[i].key.size + filter->labels[i].value.size;
    }
    return size;
}

static int compare_ids(const void *a, const void *b)
{
    const struct cx_filter_id *first = a;
    const struct cx_filter_id *second = b;

    return (first->hash > second->hash) - (first->hash < second->hash);
}

static void sort_ids(const struct cx_event_filter *filter, struct cx_filter_id *ids)
{
    for (size_t i = 0; i < filter->context_id_count; i++) {
        struct cx_name_key key;

        cx_name_key_init(&key, filter->namespace_id, filter->context_ids[i]);
        ids[i] = (struct cx_filter_id){key.hash, i};
    }
    qsort(ids, filter->context_id_count, sizeof *ids, compare_ids);
}

struct cx_event_filter *cx_event_filter_copy(const struct cx_event_filter *filter)
{
    struct cx_event_filter *copy = cx_alloc(size_of(filter));
    struct cx_filter_id *ids;
    struct cx_bytes *context_ids;
    struct cx_label *labels;
    uint8_t *at;

    if (copy == NULL) {
        return NULL;
    }
    ids = (struct cx_filter_id *)(copy + 1);
    context_ids = (struct cx_bytes *)(ids + filter->context_id_count);
    labels = (struct cx_label *)(context_ids + filter->context_id_count);
    at = (uint8_t *)(labels + filter->label_count);
    *copy = *filter;
    copy->namespace_id = cx_bytes_put(&at, filter->namespace_id);
    copy->id_prefix = cx_bytes_put(&at, filter->id_prefix);
    copy->type = cx_bytes_put(&at, filter->type);
    copy->key_prefix = cx_bytes_put(&at, filter->key_prefix);
    for (size_t i = 0; i < filter->context_id_count; i++) {
        context_ids[i] = cx_bytes_put(&at, filter->context_ids[i]);
    }
    for (size_t i = 0; i < filter->label_count; i++) {
        labels[i].key = cx_bytes_put(&at, filter->labels[i].key);
        labels[i].value = cx_bytes_put(&at, filter->labels[i].value);
    }
    copy->context_ids = context_ids;
    copy->labels = labels;
    copy->ids = ids;
    sort_ids(copy, ids);
    return copy;
}

/* ---- Contexts. -------------------------------------------------------------- */

/* The first of the sorted ids whose hash is at least this. */
static size_t first_id(const struct cx_event_filter *filter, uint64_t hash)
{
    size_t low = 0;
    size_t high = filter->context_id_count;

    assert(filter->context_id_count == 0 || filter->ids != NULL);
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (filter->ids[middle].hash < hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool match_id(const struct cx_event_filter *filter, struct cx_bytes id, uint64_t hash)
{
    if (filter->context_id_count == 0) {
        return true;
    }
    for (size_t i = first_id(filter, hash);
         i < filter->context_id_count && filter->ids[i].hash == hash; i++) {
        if (cx_bytes_equal(filter->context_ids[filter->ids[i].place], id)) {
            return true;
        }
    }
    return false;
}

const struct cx_bytes *cx_event_filter_next_id(const struct cx_event_filter *filter, unsigned shard,
                                               struct cx_bytes after)
{
    const struct cx_bytes *found = NULL;

    for (size_t i = first_id(filter, cx_name_shard_begin(shard));
         i < filter->context_id_count && cx_name_shard(filter->ids[i].hash) == shard; i++) {
        const struct cx_bytes *id = &filter->context_ids[filter->ids[i].place];

        if (cx_bytes_compare(*id, after) > 0 &&
            (found == NULL || cx_bytes_compare(*id, *found) < 0)) {
            found = id;
        }
    }
    return found;
}

static bool match_labels(const struct cx_event_filter *filter, struct cx_label_list labels)
{
    return filter->label_count == 0 ||
           cx_labels_include(labels, (struct cx_label_list){filter->labels, filter->label_count});
}

static bool match_type(const struct cx_event_filter *filter, struct cx_bytes type)
{
    return filter->type.size == 0 || cx_bytes_equal(type, filter->type);
}

bool cx_event_filter_match_kind(const struct cx_event_filter *filter, struct cx_bytes type,
                                struct cx_label_list labels)
{
    return match_type(filter, type) && match_labels(filter, labels);
}

/* ---- Keys. ------------------------------------------------------------------ */

/* Whether any of the mutations touches an entry whose key begins like this; also if there
 * is none that touches an entry, or if they are not known. */
static bool match_keys(const struct cx_change_item *item, struct cx_bytes prefix)
{
    bool touches = false;

    if (item->untold) {
        return true;
    }
    for (size_t i = 0; i < item->op_count; i++) {
        const struct cx_op *op = &item->ops[i];

        if (op->kind > CX_MUTATION_DELETE_PREFIX) {
            continue;
        }
        if (cx_bytes_has_prefix(op->key, prefix) ||
            (op->kind == CX_MUTATION_DELETE_PREFIX && cx_bytes_has_prefix(prefix, op->key))) {
            return true;
        }
        touches = true;
    }
    return !touches;
}

/* Whether it is about entries, some of them. (A fork is about all that it begins with.) */
static bool is_about_entries(const struct cx_event *event)
{
    return event->type == CX_EVENT_CREATED || event->type == CX_EVENT_UPDATED ||
           event->type == CX_EVENT_RESTORED || event->type == CX_EVENT_MERGED;
}

/* ---- Events. ---------------------------------------------------------------- */

static bool match_item(const struct cx_event_filter *filter, const struct cx_event *event)
{
    const struct cx_change_item *item = event->item;

    return match_id(filter, item->id, event->hash) &&
           cx_bytes_has_prefix(item->id, filter->id_prefix) && match_type(filter, item->type) &&
           (match_labels(filter, item->labels) ||
            (item->labels_changed && match_labels(filter, item->labels_before))) &&
           (filter->key_prefix.size == 0 || !is_about_entries(event) ||
            match_keys(item, filter->key_prefix));
}

bool cx_event_filter_match(const struct cx_event_filter *filter, const struct cx_event *event)
{
    if (filter->event_types != 0 && (filter->event_types >> event->type & 1) == 0) {
        return false;
    }
    if (!cx_bytes_equal(filter->namespace_id, event->namespace_id)) {
        return false;
    }
    return event->item != NULL ? match_item(filter, event)
                               : !cx_event_filter_selects_contexts(filter);
}

uint64_t cx_event_filter_digest(const struct cx_event_filter *filter)
{
    uint64_t digest = cx_hash_mix(0, filter->namespace_id);
    uint64_t ids = filter->context_id_count;

    digest = cx_hash_mix(digest, filter->id_prefix);
    digest = cx_hash_mix(digest, filter->type);
    digest = cx_hash_mix(digest, filter->key_prefix);
    for (size_t i = 0; i < filter->context_id_count; i++) {
        ids += cx_hash64(filter->context_ids[i], 1); /* In whatever order they come. */
    }
    digest = cx_hash_mix_number(digest, ids);
    for (size_t i = 0; i < filter->label_count; i++) {
        digest = cx_hash_mix(digest, filter->labels[i].key);
        digest = cx_hash_mix(digest, filter->labels[i].value);
    }
    return digest;
}
