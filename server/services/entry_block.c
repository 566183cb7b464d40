#include "server/services/entry_block.h"

#include <assert.h>
#include <string.h>

/* ---- Sizes, as the protobuf encoding has them. ------------------------------ */

static uint64_t varint_size(uint64_t number)
{
    uint64_t size = 1;

    for (; number >= 0x80; number >>= 7) {
        size++;
    }
    return size;
}

/* A run of bytes in a field whose number is below 16; empty ones are left out. */
static uint64_t bytes_field_size(uint64_t size)
{
    return size > 0 ? 1 + varint_size(size) + size : 0;
}

static bool value_is_whole(const struct cx_entry_view *entry)
{
    return entry->value_size == 0 || cx_entry_value(entry).data != NULL;
}

void cx_entry_measure_add(struct cx_entry_measure *measure, const struct cx_entry_view *entry,
                          bool with_value)
{
    uint64_t size = bytes_field_size(entry->key.size) + bytes_field_size(entry->content_type.size) +
                    (entry->version > 0 ? 1 + varint_size(entry->version) : 0);

    measure->count++;
    measure->copied_size += entry->key.size + 1 + entry->content_type.size + 1;
    if (with_value) {
        size += bytes_field_size(entry->value_size);
        measure->copied_size += value_is_whole(entry) ? 0 : entry->value_size;
    }
    measure->packed_size += 1 + varint_size(size) + size;
}

/* ---- The block. ------------------------------------------------------------- */

bool cx_entry_block_init(struct cx_entry_block *ret_block, const struct cx_allocator *allocator,
                         const struct cx_entry_measure *measure, bool with_values)
{
    size_t heads = measure->count * (sizeof(Entry) + sizeof(Entry *));
    uint8_t *memory = cx_allocator_alloc(allocator, heads + measure->copied_size);

    if (memory == NULL) {
        return false;
    }
    *ret_block = (struct cx_entry_block){
        .messages = (Entry **)(void *)(memory + measure->count * sizeof(Entry)),
        .with_values = with_values,
        .next = (Entry *)(void *)memory,
        .bytes = memory + heads,
    };
    return true;
}

static char *block_text(struct cx_entry_block *block, struct cx_bytes text)
{
    char *copy = (char *)block->bytes;

    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    copy[text.size] = '\0';
    block->bytes += text.size + 1;
    return copy;
}

static ProtobufCBinaryData block_value(struct cx_entry_block *block,
                                       const struct cx_entry_view *entry)
{
    ProtobufCBinaryData value = {entry->value_size, NULL};

    if (value_is_whole(entry)) {
        value.data = (uint8_t *)cx_entry_value(entry).data;
    } else {
        value.data = block->bytes;
        cx_entry_value_copy(entry, block->bytes);
        block->bytes += entry->value_size;
    }
    return value;
}

void cx_entry_block_add(struct cx_entry_block *block, const struct cx_entry_view *entry)
{
    Entry *message = block->next++;

    *message = (Entry)CONTEXTD__V1__ENTRY__INIT;
    message->key = block_text(block, entry->key);
    message->content_type = block_text(block, entry->content_type);
    message->version = entry->version;
    if (block->with_values) {
        message->value = block_value(block, entry);
    }
    block->messages[block->count++] = message;
}

/* ---- What a get asked for. -------------------------------------------------- */

void cx_entry_picker_init(struct cx_entry_picker *ret_picker, const struct cx_snapshot *snapshot,
                          const struct cx_get_query *query)
{
    ret_picker->snapshot = snapshot;
    ret_picker->query = query;
    ret_picker->key_index = 0;
    ret_picker->walk_done = query->key_count > 0 && query->key_prefix.size == 0;
    if (!ret_picker->walk_done) {
        cx_snapshot_walk(snapshot, query->key_prefix, &ret_picker->walk);
    }
}

/* The keys that come before those of the prefix, or, when these are done, after. */
static bool pick_named(struct cx_entry_picker *picker, struct cx_entry_view *ret_entry)
{
    const struct cx_get_query *query = picker->query;

    while (picker->key_index < query->key_count) {
        struct cx_bytes key = query->keys[picker->key_index];

        if (!picker->walk_done && cx_bytes_compare(key, query->key_prefix) >= 0) {
            return false;
        }
        picker->key_index++;
        if (query->key_prefix.size > 0 && cx_bytes_has_prefix(key, query->key_prefix)) {
            continue; /* The walk has shown it. */
        }
        if (cx_snapshot_find(picker->snapshot, key, ret_entry)) {
            return true;
        }
    }
    return false;
}

bool cx_entry_picker_next(struct cx_entry_picker *picker, struct cx_entry_view *ret_entry)
{
    if (pick_named(picker, ret_entry)) {
        return true;
    }
    if (picker->walk_done) {
        return false;
    }
    if (cx_entry_walk_next(&picker->walk, ret_entry) &&
        cx_bytes_has_prefix(ret_entry->key, picker->query->key_prefix)) {
        return true;
    }
    picker->walk_done = true;
    return pick_named(picker, ret_entry);
}
