/* The namespaces that hold anything, and what they hold in all.
 *
 * What always holds: a namespace is in the list while somebody holds a reference of
 * it, and every context does.
 *
 * Threads: any; the table has its own lock, the innermost but the log's. The totals
 * are atomic. */

#ifndef CX_STATE_NAMESPACES_H
#define CX_STATE_NAMESPACES_H

#include <pthread.h>

#include "core/tree/tree.h"

struct cx_namespaces {
    pthread_mutex_t mutex;
    struct cx_tree by_name;
};

struct cx_namespace {
    struct cx_tree_item item; /* The key: its name. The tree's reference. */
    struct cx_namespaces *table;
    uint64_t users;         /* References of others. Under the table's lock. */
    uint64_t context_count; /* Live ones. */
    uint64_t size_bytes;    /* Of their keys and values. */
    uint8_t name[];
};

/* Begins without any. */
void cx_namespaces_init(struct cx_namespaces *table);

/* All references must be gone. */
void cx_namespaces_done(struct cx_namespaces *table);

/* Finds a namespace, or adds it. The caller owns a reference. CX_RESOURCE_EXHAUSTED
 * when out of memory. O(log n). */
CX_MUST_CHECK enum cx_status cx_namespaces_get(struct cx_namespaces *table, struct cx_bytes name,
                                               struct cx_namespace **ret_totals);

struct cx_namespace *cx_namespace_ref(struct cx_namespace *totals);
void cx_namespace_unref(struct cx_namespace *totals); /* NULL is fine. */

/* Adds to the totals; both may be negative. */
void cx_namespace_add(struct cx_namespace *totals, int64_t contexts, int64_t bytes);

/* One row of a list of namespaces. */
typedef bool (*cx_namespace_fn)(void *arg, struct cx_bytes name, uint64_t context_count,
                                uint64_t size_bytes);

/* Calls `each` for every namespace with contexts behind `after`, by name, until it
 * returns false. Holds the table's lock. */
void cx_namespaces_walk(struct cx_namespaces *table, struct cx_bytes after, cx_namespace_fn each,
                        void *arg);

#endif /* CX_STATE_NAMESPACES_H */
