#include "core/state/namespaces.h"

#include <assert.h>
#include <stddef.h>

#include "core/base/memory.h"

static void namespace_free(struct cx_tree_item *item)
{
    cx_free(item);
}

static const struct cx_tree_class namespace_class = {
    .key_offset = offsetof(struct cx_namespace, name),
    .free_item = namespace_free,
};

static struct cx_namespace *namespace_of(struct cx_tree_item *item)
{
    return (struct cx_namespace *)item;
}

void cx_namespaces_init(struct cx_namespaces *table)
{
    *table = (struct cx_namespaces){0};
    pthread_mutex_init(&table->mutex, NULL);
}

void cx_namespaces_done(struct cx_namespaces *table)
{
    assert(table->by_name.root == NULL);
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

void cx_namespace_unref(struct cx_namespace *totals)
{
    struct cx_namespaces *table = totals != NULL ? totals->table : NULL;
    struct cx_tree_item *removed = NULL;

    if (totals == NULL) {
        return;
    }
    pthread_mutex_lock(&table->mutex);
    assert(totals->users > 0);
    if (--totals->users == 0) {
        struct cx_bytes name = cx_tree_item_key(&namespace_class, &totals->item);

        /* The tree is never copied, so removing takes no memory. */
        enum cx_status status =
            cx_tree_remove(&namespace_class, &table->by_name, NULL, name, &removed);

        assert(status == CX_OK && removed == &totals->item);
        (void)status;
    }
    pthread_mutex_unlock(&table->mutex);
    cx_tree_item_unref(&namespace_class, removed);
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
