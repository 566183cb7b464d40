/* The namespaces that hold anything, what they hold in all, and what models cost in
 * them.
 *
 * What always holds:
 *
 *  (1) A namespace is in the list while somebody holds a reference of it, and every
 *      context does.
 *  (2) What models cost outlives the contexts: a namespace in which a call was counted
 *      stays in the list for ever.
 *
 * Threads: any; the table has its own lock, the innermost but the log's. The totals
 * are atomic. */

#ifndef CX_STATE_NAMESPACES_H
#define CX_STATE_NAMESPACES_H

#include <pthread.h>

#include "core/state/usage.h"
#include "core/tree/tree.h"

struct cx_namespaces {
    pthread_mutex_t mutex;
    struct cx_tree by_name;
};

struct cx_namespace {
    struct cx_tree_item item; /* The key: its name. The tree's reference. */
    struct cx_namespaces *table;
    uint64_t users;         /* References of others, and of its rows. Under the table's lock. */
    uint64_t context_count; /* Live ones. */
    uint64_t size_bytes;    /* Of their keys and values. */
    struct cx_tree usage; /* The rows of what models cost. Under the table's lock, never copied. */
    size_t usage_count;   /* Rows. */
    uint8_t name[];
};

/* Begins without any. */
void cx_namespaces_init(struct cx_namespaces *table);

/* All references and uses must be gone. */
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

/* ---- What models cost. ------------------------------------------------------ */

/* The row of one provider, model, mode and currency in a namespace. It is there while
 * somebody uses it, and for ever once it has calls. */
struct cx_namespace_usage;

/* Finds a row, or adds one without calls. The caller owns a use of it. CX_OUT_OF_RANGE when
 * it would be a new one beyond `count_max` rows, of which those without calls that others
 * use count too; CX_RESOURCE_EXHAUSTED when out of memory. O(log n). */
CX_MUST_CHECK enum cx_status cx_namespace_usage_get(struct cx_namespace *totals,
                                                    const struct cx_usage_key *key,
                                                    size_t count_max,
                                                    struct cx_namespace_usage **ret_row);

/* Gives a use back. NULL is fine. */
void cx_namespace_usage_unref(struct cx_namespace_usage *row);

/* Adds calls to a row that the caller uses. */
void cx_namespace_usage_add(struct cx_namespace_usage *row, const struct cx_usage_sums *sums);

/* Sums up the rows of a namespace; nothing for one that is not there. On success the caller
 * owns *ret_summary. CX_RESOURCE_EXHAUSTED when out of memory. O(rows), under the table's
 * lock. */
CX_MUST_CHECK enum cx_status cx_namespaces_summarize_usage(struct cx_namespaces *table,
                                                           struct cx_bytes name,
                                                           struct cx_usage_summary *ret_summary);

/* Continues a digest over all rows with calls, by namespace and key. */
uint64_t cx_namespaces_mix_usage(struct cx_namespaces *table, uint64_t digest);

#endif /* CX_STATE_NAMESPACES_H */
