#include "core/state/labels.h"

#include "core/base/hash.h"
#include "core/base/memory.h"

enum cx_status cx_labels_new(struct cx_label_list list, struct cx_labels **ret_labels)
{
    size_t size = sizeof(struct cx_labels) + list.count * sizeof(struct cx_label);
    struct cx_labels *labels;
    uint8_t *at;

    if (list.count == 0) {
        *ret_labels = NULL;
        return CX_OK;
    }
    for (size_t i = 0; i < list.count; i++) {
        size += list.items[i].key.size + list.items[i].value.size;
    }
    labels = cx_alloc(size);
    if (labels == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    labels->refs = 1;
    labels->count = (uint32_t)list.count;
    at = (uint8_t *)&labels->items[list.count];
    for (size_t i = 0; i < list.count; i++) {
        labels->items[i].key = cx_bytes_put(&at, list.items[i].key);
        labels->items[i].value = cx_bytes_put(&at, list.items[i].value);
    }
    *ret_labels = labels;
    return CX_OK;
}

struct cx_labels *cx_labels_ref(struct cx_labels *labels)
{
    if (labels != NULL) {
        __atomic_fetch_add(&labels->refs, 1, __ATOMIC_RELAXED);
    }
    return labels;
}

void cx_labels_unref(struct cx_labels *labels)
{
    if (labels != NULL && __atomic_fetch_sub(&labels->refs, 1, __ATOMIC_ACQ_REL) == 1) {
        cx_free(labels);
    }
}

/* The place of the first label that is not before `key`. */
static size_t lower_bound(const struct cx_label *items, size_t count, struct cx_bytes key)
{
    size_t low = 0;

    while (count > 0) {
        size_t half = count / 2;

        if (cx_bytes_compare(items[low + half].key, key) < 0) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

const struct cx_label *cx_label_find(struct cx_label_list list, struct cx_bytes key)
{
    size_t at = lower_bound(list.items, list.count, key);

    return at < list.count && cx_bytes_equal(list.items[at].key, key) ? &list.items[at] : NULL;
}

bool cx_labels_include(struct cx_label_list list, struct cx_label_list wanted)
{
    for (size_t i = 0; i < wanted.count; i++) {
        const struct cx_label *found = cx_label_find(list, wanted.items[i].key);

        if (found == NULL || !cx_bytes_equal(found->value, wanted.items[i].value)) {
            return false;
        }
    }
    return true;
}

void cx_label_set(struct cx_label *items, size_t *count, struct cx_label label)
{
    size_t at = lower_bound(items, *count, label.key);

    if (at == *count || !cx_bytes_equal(items[at].key, label.key)) {
        memmove(&items[at + 1], &items[at], (*count - at) * sizeof *items);
        ++*count;
    }
    items[at] = label;
}

void cx_label_remove(struct cx_label *items, size_t *count, struct cx_bytes key)
{
    size_t at = lower_bound(items, *count, key);

    if (at < *count && cx_bytes_equal(items[at].key, key)) {
        --*count;
        memmove(&items[at], &items[at + 1], (*count - at) * sizeof *items);
    }
}

uint64_t cx_labels_mix(uint64_t digest, struct cx_label_list list)
{
    digest = cx_hash_mix_number(digest, list.count);
    for (size_t i = 0; i < list.count; i++) {
        digest = cx_hash_mix(cx_hash_mix(digest, list.items[i].key), list.items[i].value);
    }
    return digest;
}
