/* The labels of a context: a small sorted array, counted and immutable.
 *
 * Threads: any number may hold references. No labels at all are NULL. */

#ifndef CX_STATE_LABELS_H
#define CX_STATE_LABELS_H

#include "core/state/request.h"

struct cx_labels {
    uint32_t refs; /* Atomic. */
    uint32_t count;
    struct cx_label items[]; /* By key. Their bytes lie behind the array. */
};

/* A borrowed run of labels. */
struct cx_label_list {
    const struct cx_label *items;
    size_t count;
};

static inline struct cx_label_list cx_labels_list(const struct cx_labels *labels)
{
    return labels != NULL ? (struct cx_label_list){labels->items, labels->count}
                          : (struct cx_label_list){NULL, 0};
}

/* Copies `list`, which is sorted by key without repeats. The caller owns a reference
 * of *ret_labels. CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_labels_new(struct cx_label_list list,
                                           struct cx_labels **ret_labels);

struct cx_labels *cx_labels_ref(struct cx_labels *labels); /* NULL is fine. */
void cx_labels_unref(struct cx_labels *labels);            /* NULL is fine. */

/* The label of this key, or NULL. */
const struct cx_label *cx_label_find(struct cx_label_list list, struct cx_bytes key);

/* Whether every label of `wanted` is in `list`, with its value. */
bool cx_labels_include(struct cx_label_list list, struct cx_label_list wanted);

/* Sets or removes a label in an array of *count labels that has room for one more.
 * Keeps the order. */
void cx_label_set(struct cx_label *items, size_t *count, struct cx_label label);
void cx_label_remove(struct cx_label *items, size_t *count, struct cx_bytes key);

/* Continues a digest over a list. */
uint64_t cx_labels_mix(uint64_t digest, struct cx_label_list list);

#endif /* CX_STATE_LABELS_H */
