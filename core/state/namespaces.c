#include "core/state/namespaces.h"

#include <assert.h>
#include <stddef.h>

#include "core/base/container_of.h"
#include "core/base/hash.h"
#include "core/base/memory.h"

struct cx_namespace_usage {
    struct cx_namespace *totals; /* A reference. */
    uint64_t users;              /* Under the table's lock. */
    struct cx_usage usage;       /* Last: its key lies behind it. */
};

static struct cx_namespace_usage *row_of(struct cx_tree_item *item)
{
    return CX_CONTAINER_OF(item, struct cx_namespace_usage, usage.item);
}

static void row_free(struct cx_tree_item *item)
{
    struct cx_namespace_usage *row = row_of(item);

    assert(row->users == 0);
    cx_free(row);
}

/* Of the usage of a namespace. It differs from cx_usage_class in what it frees alone. */
static const struct cx_tree_class row_class = {
    .key_offset = offsetof(struct cx_usage, bytes),
    .free_item = row_free,
};

static struct cx_namespace *namespace_of(struct cx_tree_item *item)
{
    return (struct cx_namespace *)item;
}

static void namespace_free(struct cx_tree_item *item)
{
    struct cx_namespace *totals = namespace_of(item);

    assert(totals->users == totals->usage_count);
    cx_tree_done(&row_class, &totals->usage);
    cx_free(totals);
}

static const struct cx_tree_class namespace_class = {
    .key_offset = offsetof(struct cx_namespace, name),
    .free_item = namespace_free,
};

void cx_namespaces_init(struct cx_namespaces *table)
{
    *table = (struct cx_namespaces){0};
    pthread_mutex_init(&table->mutex, NULL);
}

void cx_namespaces_done(struct cx_namespaces *table)
{
    cx_tree_done(&namespace_class, &table->by_name);
    pthread_mutex_destroy(&table->mutex);
}

static enum cx_status namespace_new(struct cx_namespaces *table, struct cx_bytes name,
                                    struct cx_namespace **ret_totals)
{
    struct cx_namespace *totals = cx_calloc(sizeof *totals + name.size);
    struct cx_tree_item *old;
    enum cx_status status;

    if (totals == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    totals->item.refs = 1;
    totals->item.key_size = (uint16_t)name.size;
    totals->table = table;
    memcpy(totals->name, name.data, name.size);
    status = cx_tree_put(&namespace_class, &table->by_name, NULL, &totals->item, &old);
    if (status != CX_OK) {
        cx_free(totals);
        return status;
    }
    assert(old == NULL);
    *ret_totals = totals;
    return CX_OK;
}

enum cx_status cx_namespaces_get(struct cx_namespaces *table, struct cx_bytes name,
                                 struct cx_namespace **ret_totals)
{
    struct cx_namespace *totals;
    enum cx_status status = CX_OK;

    pthread_mutex_lock(&table->mutex);
    totals = namespace_of(cx_tree_get(&namespace_class, &table->by_name, name));
    if (totals == NULL) {
        status = namespace_new(table, name, &totals);
    }
    if (status == CX_OK) {
        totals->users++;
        *ret_totals = totals;
    }
    pthread_mutex_unlock(&table->mutex);
    return status;
}

struct cx_namespace *cx_namespace_ref(struct cx_namespace *totals)
{
    pthread_mutex_lock(&totals->table->mutex);
    assert(totals->users > 0);
    totals->users++;
    pthread_mutex_unlock(&totals->table->mutex);
    return totals;
}

/* Removes an item and gives its reference up. The tree is never copied, so that takes no
 * memory. */
static void remove_item(const struct cx_tree_class *kind, struct cx_tree *tree,
                        struct cx_tree_item *item)
{
    struct cx_tree_item *removed;
    enum cx_status status =
        cx_tree_remove(kind, tree, NULL, cx_tree_item_key(kind, item), &removed);

    assert(status == CX_OK && removed == item);
    (void)status;
    cx_tree_item_unref(kind, removed);
}

static void unref_locked(struct cx_namespace *totals)
{
    assert(totals->users > 0);
    if (--totals->users == 0) {
        remove_item(&namespace_class, &totals->table->by_name, &totals->item);
    }
}

void cx_namespace_unref(struct cx_namespace *totals)
{
    struct cx_namespaces *table = totals != NULL ? totals->table : NULL;

    if (totals == NULL) {
        return;
    }
    pthread_mutex_lock(&table->mutex);
    unref_locked(totals);
    pthread_mutex_unlock(&table->mutex);
}

void cx_namespace_add(struct cx_namespace *totals, int64_t contexts, int64_t bytes)
{
    if (contexts != 0) {
        __atomic_fetch_add(&totals->context_count, (uint64_t)contexts, __ATOMIC_RELAXED);
    }
    if (bytes != 0) {
        __atomic_fetch_add(&totals->size_bytes, (uint64_t)bytes, __ATOMIC_RELAXED);
    }
}

void cx_namespaces_walk(struct cx_namespaces *table, struct cx_bytes after, cx_namespace_fn each,
                        void *arg)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item;
    bool more = true;

    pthread_mutex_lock(&table->mutex);
    item = cx_tree_seek(&namespace_class, &table->by_name, after, &cursor);
    for (; item != NULL && more; item = cx_tree_next(&cursor)) {
        const struct cx_namespace *totals = namespace_of(item);
        struct cx_bytes name = cx_tree_item_key(&namespace_class, item);
        uint64_t contexts = __atomic_load_n(&totals->context_count, __ATOMIC_RELAXED);

        if (contexts > 0 && !cx_bytes_equal(name, after)) {
            more =
                each(arg, name, contexts, __atomic_load_n(&totals->size_bytes, __ATOMIC_RELAXED));
        }
    }
    pthread_mutex_unlock(&table->mutex);
}

/* ---- What models cost. ------------------------------------------------------ */

static enum cx_status row_new(struct cx_namespace *totals, const struct cx_usage_key *key,
                              struct cx_namespace_usage **ret_row)
{
    const struct cx_usage_sums none = {0};
    struct cx_namespace_usage *row = cx_alloc(sizeof *row + key->size);
    struct cx_tree_item *old;
    enum cx_status status;

    if (row == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    row->totals = totals;
    row->users = 0;
    cx_usage_init(&row->usage, key, &none);
    status = cx_tree_put(&row_class, &totals->usage, NULL, &row->usage.item, &old);
    if (status != CX_OK) {
        cx_free(row);
        return status;
    }
    assert(old == NULL);
    totals->usage_count++;
    totals->users++;
    *ret_row = row;
    return CX_OK;
}

static enum cx_status usage_get_locked(struct cx_namespace *totals, const struct cx_usage_key *key,
                                       size_t count_max, struct cx_namespace_usage **ret_row)
{
    struct cx_tree_item *item =
        cx_tree_get(&row_class, &totals->usage, (struct cx_bytes){key->bytes, key->size});
    enum cx_status status;

    if (item == NULL) {
        if (totals->usage_count >= count_max) {
            return CX_OUT_OF_RANGE;
        }
        status = row_new(totals, key, ret_row);
        if (status != CX_OK) {
            return status;
        }
    } else {
        *ret_row = row_of(item);
    }
    (*ret_row)->users++;
    return CX_OK;
}

enum cx_status cx_namespace_usage_get(struct cx_namespace *totals, const struct cx_usage_key *key,
                                      size_t count_max, struct cx_namespace_usage **ret_row)
{
    enum cx_status status;

    pthread_mutex_lock(&totals->table->mutex);
    status = usage_get_locked(totals, key, count_max, ret_row);
    pthread_mutex_unlock(&totals->table->mutex);
    return status;
}

void cx_namespace_usage_unref(struct cx_namespace_usage *row)
{
    struct cx_namespace *totals = row != NULL ? row->totals : NULL;
    struct cx_namespaces *table = totals != NULL ? totals->table : NULL;

    if (row == NULL) {
        return;
    }
    pthread_mutex_lock(&table->mutex);
    assert(row->users > 0);
    if (--row->users == 0 && row->usage.sums.call_count == 0) {
        remove_item(&row_class, &totals->usage, &row->usage.item);
        totals->usage_count--;
        unref_locked(totals);
    }
    pthread_mutex_unlock(&table->mutex);
}

void cx_namespace_usage_add(struct cx_namespace_usage *row, const struct cx_usage_sums *sums)
{
    struct cx_namespaces *table = row->totals->table;

    pthread_mutex_lock(&table->mutex);
    assert(row->users > 0);
    cx_usage_add(&row->usage.sums, sums);
    pthread_mutex_unlock(&table->mutex);
}

enum cx_status cx_namespaces_summarize_usage(struct cx_namespaces *table, struct cx_bytes name,
                                             struct cx_usage_summary *ret_summary)
{
    const struct cx_tree none = {0};
    const struct cx_namespace *totals;
    enum cx_status status;

    pthread_mutex_lock(&table->mutex);
    totals = namespace_of(cx_tree_get(&namespace_class, &table->by_name, name));
    status = cx_usage_summarize(totals != NULL ? &totals->usage : &none, ret_summary);
    pthread_mutex_unlock(&table->mutex);
    return status;
}

static uint64_t mix_rows(uint64_t digest, const struct cx_namespace *totals)
{
    struct cx_bytes name = cx_tree_item_key(&namespace_class, &totals->item);
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item =
        cx_tree_seek(&row_class, &totals->usage, (struct cx_bytes){0}, &cursor);

    for (; item != NULL; item = cx_tree_next(&cursor)) {
        const struct cx_usage *usage = &row_of(item)->usage;

        if (usage->sums.call_count > 0) {
            digest = cx_usage_mix(cx_hash_mix(digest, name), usage);
        }
    }
    return digest;
}

uint64_t cx_namespaces_mix_usage(struct cx_namespaces *table, uint64_t digest)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item;

    pthread_mutex_lock(&table->mutex);
    item = cx_tree_seek(&namespace_class, &table->by_name, (struct cx_bytes){0}, &cursor);
    for (; item != NULL; item = cx_tree_next(&cursor)) {
        digest = mix_rows(digest, namespace_of(item));
    }
    pthread_mutex_unlock(&table->mutex);
    return digest;
}
