#include "core/tree/tree_node.h"

#include <assert.h>
#include <endian.h>

#include "core/base/memory.h"

static_assert(3 * CX_TREE_INNER_MAX <= CX_TREE_SLOTS, "an inner node fits into any full node");
static_assert((CX_TREE_LEAF_MAX & (CX_TREE_LEAF_MAX + 1)) == 0, "small leaves grow up to it");
static_assert(CX_TREE_LEAF_MAX <= UINT8_MAX, "the numbers of a node are bytes");

/* ---- Memory. --------------------------------------------------------------- */

static struct cx_tree_node *node_new(size_t capacity)
{
    struct cx_tree_node *node = cx_alloc(sizeof *node + 2 * capacity * sizeof(union cx_tree_slot));

    if (node != NULL) {
        *node = (struct cx_tree_node){.capacity = (uint8_t)capacity};
    }
    return node;
}

static void pool_push(struct cx_tree_pool *pool, struct cx_tree_node *node)
{
    node->slots[0].child = pool->free;
    pool->free = node;
    pool->count++;
}

static struct cx_tree_node *pool_pop(struct cx_tree_pool *pool)
{
    struct cx_tree_node *node = pool->free;

    assert(node != NULL && pool->count > 0);
    pool->free = node->slots[0].child;
    pool->count--;
    return node;
}

enum cx_status cx_tree_pool_fill(struct cx_tree_pool *pool, size_t count)
{
    while (pool->count < count) {
        struct cx_tree_node *node = node_new(CX_TREE_LEAF_MAX);

        if (node == NULL) {
            return CX_RESOURCE_EXHAUSTED;
        }
        pool_push(pool, node);
    }
    return CX_OK;
}

void cx_tree_pool_trim(struct cx_tree_pool *pool, size_t count)
{
    while (pool->count > count) {
        cx_free(pool_pop(pool));
    }
}

void cx_tree_pool_done(struct cx_tree_pool *pool)
{
    cx_tree_pool_trim(pool, 0);
}

enum cx_status cx_tree_pool_add_leaf(struct cx_tree_pool *pool, size_t count)
{
    struct cx_tree_node *node;
    size_t capacity = 1;

    assert(count <= CX_TREE_LEAF_MAX);
    while (capacity < count) {
        capacity = 2 * capacity + 1;
    }
    node = node_new(capacity);
    if (node == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    pool_push(pool, node);
    return CX_OK;
}

struct cx_tree_node *cx_tree_pool_take(struct cx_tree_pool *pool, uint8_t level)
{
    struct cx_tree_node *node = pool_pop(pool);

    assert(level == 0 || node->capacity == CX_TREE_LEAF_MAX);
    *node = (struct cx_tree_node){
        .refs = 1,
        .level = level,
        .capacity = level == 0 ? node->capacity : CX_TREE_INNER_MAX,
    };
    return node;
}

/* ---- References. ----------------------------------------------------------- */

/* Whether the last reference was given up. Nobody can add one to a last one, so
 * that it needs no exchange. */
static bool unref_is_last(uint32_t *refs)
{
    return __atomic_load_n(refs, __ATOMIC_ACQUIRE) == 1 ||
           __atomic_sub_fetch(refs, 1, __ATOMIC_ACQ_REL) == 0;
}

void cx_tree_item_unref(const struct cx_tree_class *kind, struct cx_tree_item *item)
{
    if (item != NULL && unref_is_last(&item->refs)) {
        kind->free_item(item);
    }
}

void cx_tree_node_unref(const struct cx_tree_class *kind, struct cx_tree_node *node)
{
    if (node == NULL || !unref_is_last(&node->refs)) {
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (node->level > 0) {
            cx_tree_node_unref(kind, cx_tree_node_child(node, i));
        } else {
            cx_tree_item_unref(kind, cx_tree_node_item(node, i));
        }
    }
    cx_free(node);
}

static void entry_ref(const struct cx_tree_node *node, size_t index)
{
    if (node->level > 0) {
        cx_tree_node_ref(cx_tree_node_child(node, index));
    } else {
        cx_tree_item_ref(cx_tree_node_item(node, index));
    }
}

/* ---- Entries. -------------------------------------------------------------- */

/* Moves `count` entries, also within a node. Their prefixes are right only where both
 * nodes skip the same. */
static void move_entries(struct cx_tree_node *to, size_t to_index, const struct cx_tree_node *from,
                         size_t from_index, size_t count)
{
    size_t arrays = from->level > 0 ? 3 : 2;

    assert(to->level == from->level);
    assert(to_index + count <= to->capacity);
    for (size_t i = 0; i < arrays; i++) {
        memmove(to->slots + i * to->capacity + to_index,
                from->slots + i * from->capacity + from_index, count * sizeof(union cx_tree_slot));
    }
}

struct cx_tree_node *cx_tree_node_copy(struct cx_tree_pool *pool, const struct cx_tree_node *node)
{
    struct cx_tree_node *copy = cx_tree_pool_take(pool, node->level);

    copy->count = node->count;
    copy->skip = node->skip;
    move_entries(copy, 0, node, 0, node->count);
    for (size_t i = 0; i < node->count; i++) {
        entry_ref(copy, i);
    }
    return copy;
}

/* The 8 bytes behind the first `skip`, with zeros where the key has no more. */
static uint64_t key_prefix(struct cx_bytes key, size_t skip)
{
    uint64_t prefix = 0;

    if (key.size >= skip + sizeof prefix) {
        memcpy(&prefix, key.data + skip, sizeof prefix);
        return be64toh(prefix);
    }
    for (size_t i = skip; i < skip + sizeof prefix; i++) {
        prefix = prefix << 8 | (i < key.size ? key.data[i] : 0);
    }
    return prefix;
}

static struct cx_bytes node_key(const struct cx_tree_class *kind, const struct cx_tree_node *node,
                                size_t index)
{
    return cx_tree_item_key(kind, cx_tree_node_item(node, index));
}

static bool begin_alike(struct cx_bytes a, struct cx_bytes b, size_t size)
{
    return a.size >= size && b.size >= size && (size == 0 || memcmp(a.data, b.data, size) == 0);
}

/* Sets `skip` and the prefixes: `key` is going to be in the node as well. What the
 * outermost keys begin with, all between them do too. */
static void refresh_long(const struct cx_tree_class *kind, struct cx_tree_node *node,
                         struct cx_bytes key)
{
    struct cx_bytes first = node->count > 0 ? node_key(kind, node, 0) : key;
    struct cx_bytes last = node->count > 0 ? node_key(kind, node, node->count - 1) : key;
    size_t skip = 0;

    while (skip < UINT8_MAX && skip < key.size && skip < first.size && skip < last.size &&
           first.data[skip] == key.data[skip] && last.data[skip] == key.data[skip]) {
        skip++;
    }
    node->skip = (uint8_t)skip;
    for (size_t i = 0; i < node->count; i++) {
        node->slots[i].prefix = key_prefix(node_key(kind, node, i), skip);
    }
}

/* Of short keys nothing is skipped: their prefixes are right as they are. */
static void refresh(const struct cx_tree_class *kind, struct cx_tree_node *node,
                    struct cx_bytes key)
{
    if (kind->keys_are_short) {
        assert(node->skip == 0 && key.size <= sizeof(uint64_t));
    } else {
        refresh_long(kind, node, key);
    }
}

/* Compares a key with what all keys of the node begin with. */
static int compare_skipped(const struct cx_tree_class *kind, const struct cx_tree_node *node,
                           struct cx_bytes key)
{
    size_t size = key.size < node->skip ? key.size : node->skip;
    int order = size == 0 ? 0 : memcmp(key.data, node_key(kind, node, 0).data, size);

    return order == 0 && key.size < node->skip ? -1 : order;
}

/* ---- Search. --------------------------------------------------------------- */

/* How many entries have a smaller prefix. */
static size_t search_prefix(const struct cx_tree_node *node, uint64_t prefix)
{
    const union cx_tree_slot *first = node->slots;
    size_t count = node->count;

    while (count > 1) {
        size_t half = count / 2;

        first += first[half - 1].prefix < prefix ? half : 0;
        count -= half;
    }
    return (size_t)(first - node->slots) + (count == 1 && first->prefix < prefix);
}

/* The search goes on among the entries of this prefix, by whole keys. */
static size_t search_keys(const struct cx_tree_class *kind, const struct cx_tree_node *node,
                          struct cx_bytes key, uint64_t prefix, size_t low)
{
    size_t high = node->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (node->slots[middle].prefix == prefix &&
            cx_bytes_compare(node_key(kind, node, middle), key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

size_t cx_tree_node_search(const struct cx_tree_class *kind, const struct cx_tree_node *node,
                           struct cx_bytes key, bool *ret_found)
{
    uint64_t prefix = key_prefix(key, node->skip);
    size_t index = search_prefix(node, prefix);
    bool tie = index < node->count && node->slots[index].prefix == prefix;
    int order;

    /* What is found needs no look at the bytes that were skipped. */
    if (tie && cx_bytes_equal(node_key(kind, node, index), key)) {
        *ret_found = true;
        return index;
    }
    *ret_found = false;
    order = node->count > 0 ? compare_skipped(kind, node, key) : 0;
    if (order != 0) {
        return order < 0 ? 0 : node->count;
    }
    if (tie) {
        index = search_keys(kind, node, key, prefix, index);
        *ret_found = index < node->count && node->slots[index].prefix == prefix &&
                     cx_bytes_equal(node_key(kind, node, index), key);
    }
    return index;
}

size_t cx_tree_node_guess(const struct cx_tree_node *node, struct cx_bytes key)
{
    return search_prefix(node, key_prefix(key, node->skip));
}

/* ---- Changes. -------------------------------------------------------------- */

void cx_tree_node_set(const struct cx_tree_class *kind, struct cx_tree_node *node, size_t index,
                      struct cx_tree_item *item)
{
    struct cx_bytes key = cx_tree_item_key(kind, item);

    node->slots[node->capacity + index].item = item;
    if (node->count == 1 ||
        (node->skip > 0 && !begin_alike(node_key(kind, node, index == 0), key, node->skip))) {
        refresh(kind, node, key);
    }
    node->slots[index].prefix = key_prefix(key, node->skip);
}

/* Moves the upper part to a new node. What grows at its end, as a log does, leaves
 * full nodes behind, but not so full that the next insertion splits them again. */
static struct cx_tree_node *split(const struct cx_tree_class *kind, struct cx_tree_node *node,
                                  struct cx_tree_pool *pool, size_t index)
{
    struct cx_tree_node *right = cx_tree_pool_take(pool, node->level);
    size_t kept = index == node->count ? node->count - node->count / 8u : node->count / 2u;

    right->count = (uint8_t)(node->count - kept);
    move_entries(right, 0, node, kept, right->count);
    node->count = (uint8_t)kept;
    refresh(kind, node, node_key(kind, node, 0));
    refresh(kind, right, node_key(kind, right, 0));
    return right;
}

static void insert(const struct cx_tree_class *kind, struct cx_tree_node *node, size_t index,
                   struct cx_tree_item *item, struct cx_tree_node *child)
{
    struct cx_bytes key = cx_tree_item_key(kind, item);

    assert(index <= node->count && node->count < node->capacity);
    if (node->count == 0 ||
        (node->skip > 0 && !begin_alike(node_key(kind, node, 0), key, node->skip))) {
        refresh(kind, node, key);
    }
    move_entries(node, index + 1, node, index, node->count - index);
    node->slots[index].prefix = key_prefix(key, node->skip);
    node->slots[node->capacity + index].item = item;
    if (node->level > 0) {
        node->slots[2 * node->capacity + index].child = child;
    }
    node->count++;
}

struct cx_tree_node *cx_tree_node_insert(const struct cx_tree_class *kind,
                                         struct cx_tree_node *node, struct cx_tree_pool *pool,
                                         size_t index, struct cx_tree_item *item,
                                         struct cx_tree_node *child)
{
    struct cx_tree_node *right = NULL;

    if (node->count == node->capacity) {
        right = split(kind, node, pool, index);
    }
    if (index > node->count) {
        insert(kind, right, index - node->count, item, child);
    } else {
        insert(kind, node, index, item, child);
    }
    return right;
}

void cx_tree_node_remove(struct cx_tree_node *node, size_t index)
{
    assert(index < node->count);
    move_entries(node, index, node, index + 1, node->count - index - 1);
    node->count--;
}

/* Puts what another node has in front of, or behind, what this one has, and gives up
 * the other. */
static void absorb(const struct cx_tree_class *kind, struct cx_tree_node *node,
                   struct cx_tree_node *other, bool in_front)
{
    size_t at = in_front ? 0 : node->count;

    for (size_t i = 0; i < other->count; i++) {
        entry_ref(other, i);
    }
    move_entries(node, at + (in_front ? other->count : 0), node, at, node->count - at);
    move_entries(node, at, other, 0, other->count);
    node->count = (uint8_t)(node->count + other->count);
    refresh(kind, node, node_key(kind, node, 0));
    cx_tree_node_unref(kind, other);
}

/* Leaves a quarter free, so that what was merged is not split again at once. */
static bool fit_well(const struct cx_tree_node *a, const struct cx_tree_node *b)
{
    return (a->count + b->count) * 4 <= a->capacity * 3;
}

void cx_tree_node_mend(const struct cx_tree_class *kind, struct cx_tree_node *node, size_t index)
{
    struct cx_tree_node *child = cx_tree_node_child(node, index);

    if (child->count * 4 > child->capacity) {
        return;
    }
    if (index + 1u < node->count && fit_well(child, cx_tree_node_child(node, index + 1))) {
        absorb(kind, child, cx_tree_node_child(node, index + 1), false);
        cx_tree_node_remove(node, index + 1);
    } else if (index > 0 && fit_well(child, cx_tree_node_child(node, index - 1))) {
        absorb(kind, child, cx_tree_node_child(node, index - 1), true);
        cx_tree_node_remove(node, index - 1);
        cx_tree_node_set(kind, node, index - 1, cx_tree_node_item(child, 0));
    }
}
