#include "core/state/entry.h"

#include <assert.h>
#include <stddef.h>

#include "core/base/hash.h"
#include "core/base/limits.h"
#include "core/base/memory.h"

static_assert(offsetof(struct cx_entry, item) == 0, "cx_entry_of() relies on it");

static void entry_free(struct cx_tree_item *item)
{
    struct cx_entry *entry = cx_entry_of(item);

    cx_value_unref(entry->value);
    cx_free(entry);
}

const struct cx_tree_class cx_entry_class = {
    .key_offset = offsetof(struct cx_entry, bytes),
    .free_item = entry_free,
};

void cx_entry_unref(struct cx_entry *entry)
{
    cx_tree_item_unref(&cx_entry_class, entry != NULL ? &entry->item : NULL);
}

struct cx_bytes cx_entry_key(const struct cx_entry *entry)
{
    return (struct cx_bytes){entry->bytes, entry->item.key_size};
}

struct cx_bytes cx_entry_content_type(const struct cx_entry *entry)
{
    return (struct cx_bytes){entry->bytes + entry->item.key_size, entry->item.extra};
}

uint64_t cx_entry_value_size(const struct cx_entry *entry)
{
    return entry->value != NULL ? cx_value_size(entry->value) : entry->inline_size;
}

struct cx_bytes cx_entry_inline_value(const struct cx_entry *entry)
{
    if (entry->value != NULL) {
        return (struct cx_bytes){0};
    }
    return (struct cx_bytes){entry->bytes + entry->item.key_size + entry->item.extra,
                             entry->inline_size};
}

void cx_entry_read(const struct cx_entry *entry, uint8_t *memory, uint64_t size)
{
    assert(size <= cx_entry_value_size(entry));
    if (entry->value == NULL) {
        memcpy(memory, cx_entry_inline_value(entry).data, size);
        return;
    }
    cx_value_read(entry->value, memory, size);
}

uint64_t cx_entry_common_prefix(const struct cx_entry *entry, struct cx_bytes bytes)
{
    struct cx_bytes value = cx_entry_inline_value(entry);
    size_t size = value.size < bytes.size ? value.size : bytes.size;
    size_t common = 0;

    if (entry->value != NULL) {
        return cx_value_common_prefix(entry->value, bytes);
    }
    while (common < size && value.data[common] == bytes.data[common]) {
        common++;
    }
    return common;
}

bool cx_entry_values_equal(const struct cx_entry *a, const struct cx_entry *b)
{
    /* Equal values of one table are the same one, and sizes tell which are inline. */
    if (a->value != NULL || b->value != NULL) {
        return a->value == b->value;
    }
    return cx_bytes_equal(cx_entry_inline_value(a), cx_entry_inline_value(b));
}

uint64_t cx_entry_weight(const struct cx_entry *entry)
{
    return entry != NULL ? entry->item.key_size + cx_entry_value_size(entry) : 0;
}

/* Makes the chunked value of an entry. */
static enum cx_status value_make(struct cx_chunk_table *table, const struct cx_entry_parts *parts,
                                 struct cx_value **ret_value)
{
    struct cx_buffer whole = {0};
    enum cx_status status;

    if (parts->kept == 0) {
        return cx_value_new(table, parts->added, ret_value);
    }
    if (parts->old->value != NULL) {
        return cx_value_splice(table, parts->old->value, parts->kept, parts->added, ret_value);
    }
    status = cx_buffer_reserve(&whole, parts->kept + parts->added.size);
    if (status == CX_OK) {
        struct cx_bytes start = {cx_entry_inline_value(parts->old).data, parts->kept};

        status = cx_buffer_append(&whole, start);
        assert(status == CX_OK);
        status = cx_buffer_append(&whole, parts->added);
        assert(status == CX_OK);
        status = cx_value_new(table, cx_buffer_bytes(&whole), ret_value);
    }
    cx_buffer_done(&whole);
    return status;
}

enum cx_status cx_entry_new(struct cx_chunk_table *table, const struct cx_entry_parts *parts,
                            struct cx_entry **ret_entry)
{
    uint64_t value_size = parts->kept + parts->added.size;
    size_t inline_size = value_size <= CX_VALUE_INLINE_MAX ? value_size : 0;
    size_t head_size = parts->key.size + parts->content_type.size;
    struct cx_entry *entry;
    uint8_t *at;

    assert(parts->key.size >= 1 && parts->key.size <= CX_ENTRY_KEY_SIZE_MAX);
    assert(parts->content_type.size <= CX_CONTENT_TYPE_SIZE_MAX);
    assert(parts->kept == 0 || parts->kept <= cx_entry_value_size(parts->old));

    entry = cx_alloc(sizeof *entry + head_size + inline_size);
    if (entry == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    entry->item.refs = 1;
    entry->item.key_size = (uint16_t)parts->key.size;
    entry->item.extra = (uint16_t)parts->content_type.size;
    entry->version = parts->version;
    entry->value = NULL;
    entry->inline_size = (uint32_t)inline_size;

    at = entry->bytes;
    memcpy(at, parts->key.data, parts->key.size);
    at += parts->key.size;
    if (parts->content_type.size > 0) {
        memcpy(at, parts->content_type.data, parts->content_type.size);
        at += parts->content_type.size;
    }
    if (value_size > CX_VALUE_INLINE_MAX) {
        enum cx_status status = value_make(table, parts, &entry->value);

        if (status != CX_OK) {
            cx_free(entry);
            return status;
        }
    } else {
        if (parts->kept > 0) {
            cx_entry_read(parts->old, at, parts->kept);
        }
        if (parts->added.size > 0) {
            memcpy(at + parts->kept, parts->added.data, parts->added.size);
        }
    }
    *ret_entry = entry;
    return CX_OK;
}

uint64_t cx_entry_mix(uint64_t digest, const struct cx_entry *entry)
{
    digest = cx_hash_mix(cx_hash_mix(digest, cx_entry_key(entry)), cx_entry_content_type(entry));
    digest =
        cx_hash_mix_number(cx_hash_mix_number(digest, entry->version), cx_entry_value_size(entry));
    return entry->value != NULL ? cx_value_mix(digest, entry->value)
                                : cx_hash_mix(digest, cx_entry_inline_value(entry));
}

uint64_t cx_entries_mix(uint64_t digest, const struct cx_tree *entries)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item =
        cx_tree_seek(&cx_entry_class, entries, (struct cx_bytes){0}, &cursor);

    for (; item != NULL; item = cx_tree_next(&cursor)) {
        digest = cx_entry_mix(digest, cx_entry_of(item));
    }
    return digest;
}
