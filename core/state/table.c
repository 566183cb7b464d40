#include "core/state/table.h"

#include <assert.h>

#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/state/context.h"

enum { CAPACITY_MIN = 16 };

struct cx_table_slot {
    uint64_t hash;
    struct cx_context *context; /* NULL: free. */
};

void cx_name_key_init(struct cx_name_key *key, struct cx_bytes namespace_id, struct cx_bytes id)
{
    assert(namespace_id.size >= 1 && namespace_id.size <= CX_NAMESPACE_SIZE_MAX);
    assert(id.size >= 1 && id.size <= CX_CONTEXT_ID_SIZE_MAX);
    memcpy(key->bytes, namespace_id.data, namespace_id.size);
    key->bytes[namespace_id.size] = 0;
    memcpy(key->bytes + namespace_id.size + 1, id.data, id.size);
    key->size = namespace_id.size + 1 + id.size;
    key->hash = cx_hash64((struct cx_bytes){key->bytes, key->size}, 0);
    key->shard = cx_name_shard(key->hash);
}

/* Where a name is, or the free slot where it would be. */
static size_t table_place(const struct cx_table *table, uint64_t hash, struct cx_bytes key)
{
    size_t mask = table->capacity - 1;
    size_t place = hash & mask;

    for (;; place = (place + 1) & mask) {
        const struct cx_table_slot *slot = &table->slots[place];

        if (slot->context == NULL ||
            (slot->hash == hash &&
             cx_bytes_equal(cx_tree_item_key(&cx_context_class, &slot->context->item), key))) {
            return place;
        }
    }
}

struct cx_context *cx_table_find(const struct cx_table *table, const struct cx_name_key *key)
{
    struct cx_bytes bytes = {key->bytes, key->size};

    if (table->capacity == 0) {
        return NULL;
    }
    return table->slots[table_place(table, key->hash, bytes)].context;
}

void cx_table_prefetch(const struct cx_table *table, uint64_t hash)
{
    if (table->capacity > 0) {
        __builtin_prefetch(&table->slots[hash & (table->capacity - 1)]);
    }
}

struct cx_context *cx_table_peek(const struct cx_table *table, uint64_t hash)
{
    size_t mask = table->capacity - 1;
    size_t place = hash & mask;

    if (table->capacity == 0) {
        return NULL;
    }
    while (table->slots[place].context != NULL && table->slots[place].hash != hash) {
        place = (place + 1) & mask;
    }
    return table->slots[place].context;
}

/* Puts a context into the first free slot from its place on. */
static void slots_add(struct cx_table_slot *slots, size_t capacity, struct cx_table_slot added)
{
    size_t place = added.hash & (capacity - 1);

    while (slots[place].context != NULL) {
        place = (place + 1) & (capacity - 1);
    }
    slots[place] = added;
}

enum cx_status cx_table_reserve(struct cx_table *table, size_t count)
{
    size_t capacity = table->capacity > 0 ? table->capacity : CAPACITY_MIN;
    struct cx_table_slot *slots;

    while ((table->count + count) * 4 > capacity * 3) {
        capacity *= 2;
    }
    if (capacity == table->capacity) {
        return CX_OK;
    }
    slots = cx_calloc(capacity * sizeof *slots);
    if (slots == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    for (size_t i = 0; i < table->capacity; i++) {
        if (table->slots[i].context != NULL) {
            slots_add(slots, capacity, table->slots[i]);
        }
    }
    cx_free(table->slots);
    table->slots = slots;
    table->capacity = capacity;
    return CX_OK;
}

void cx_table_add(struct cx_table *table, struct cx_context *context, uint64_t hash)
{
    assert((table->count + 1) * 4 <= table->capacity * 3);
    slots_add(table->slots, table->capacity, (struct cx_table_slot){hash, context});
    table->count++;
}

void cx_table_remove(struct cx_table *table, const struct cx_context *context, uint64_t hash)
{
    size_t mask = table->capacity - 1;
    size_t hole = table_place(table, hash, cx_tree_item_key(&cx_context_class, &context->item));

    assert(table->slots[hole].context == context);
    table->slots[hole].context = NULL;
    table->count--;

    /* Close the gap, so that no look-up stops before what it looks for: whatever lies
     * behind it and could lie in it moves there. */
    for (size_t place = (hole + 1) & mask; table->slots[place].context != NULL;
         place = (place + 1) & mask) {
        size_t home = table->slots[place].hash & mask;

        if (((place - home) & mask) >= ((place - hole) & mask)) {
            table->slots[hole] = table->slots[place];
            table->slots[place].context = NULL;
            hole = place;
        }
    }
}

struct cx_context *cx_table_at(const struct cx_table *table, size_t place)
{
    return table->slots[place].context;
}

void cx_table_done(struct cx_table *table)
{
    cx_free(table->slots);
    *table = (struct cx_table){0};
}
