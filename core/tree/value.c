#include "core/tree/value.h"

#include <assert.h>

#include "core/base/hash.h"
#include "core/base/memory.h"
#include "core/tree/chunk.h"

/* ---- Pieces in a row, of one level. ---------------------------------------- */

struct row {
    struct cx_value **pieces;
    size_t count;
    size_t capacity;
    size_t borrowed; /* So many at the front are the old value's; the others are ours. */
};

static enum cx_status row_push(struct row *row, struct cx_value *piece)
{
    if (row->count == row->capacity) {
        size_t capacity = row->capacity > 0 ? 2 * row->capacity : 16;
        struct cx_value **pieces = cx_realloc(row->pieces, capacity * sizeof *pieces);

        if (pieces == NULL) {
            return CX_RESOURCE_EXHAUSTED;
        }
        row->pieces = pieces;
        row->capacity = capacity;
    }
    row->pieces[row->count++] = piece;
    return CX_OK;
}

static void row_done(struct row *row)
{
    for (size_t i = row->borrowed; i < row->count; i++) {
        cx_value_unref(row->pieces[i]);
    }
    cx_free(row->pieces);
}

/* Borrows the chunks of `piece` that end within its first `size` bytes. */
static enum cx_status row_borrow(struct row *row, struct cx_value *piece, uint64_t size)
{
    uint64_t start = 0;

    if (piece->level == 0 && piece->size > size) {
        return CX_OK;
    }
    if (piece->level == 0) {
        row->borrowed++;
        return row_push(row, piece);
    }
    for (size_t i = 0; i < piece->count && start < size; i++) {
        enum cx_status status = row_borrow(row, cx_value_pieces(piece)[i], size - start);

        if (status != CX_OK) {
            return status;
        }
        start += cx_value_pieces(piece)[i]->size;
    }
    return CX_OK;
}

static enum cx_status row_add_chunk(struct row *row, struct cx_chunk_table *table,
                                    struct cx_bytes bytes)
{
    struct cx_value *chunk;
    enum cx_status status = cx_chunk_intern(table, bytes, &chunk);

    if (status != CX_OK) {
        return status;
    }
    status = row_push(row, chunk);
    if (status != CX_OK) {
        cx_value_unref(chunk);
    }
    return status;
}

static enum cx_status row_add_bytes(struct row *row, struct cx_chunk_table *table,
                                    struct cx_bytes bytes)
{
    enum cx_status status = CX_OK;

    while (bytes.size > 0 && status == CX_OK) {
        size_t size = cx_chunk_cut(table, bytes);

        status = row_add_chunk(row, table, (struct cx_bytes){bytes.data, size});
        bytes = (struct cx_bytes){bytes.data + size, bytes.size - size};
    }
    return status;
}

/* Adds the chunk that begins with `tail`, which is no whole chunk but possibly the end
 * of a value, and goes on in *bytes; takes away from *bytes what is in it. */
static enum cx_status row_add_joint(struct row *row, struct cx_chunk_table *table,
                                    struct cx_bytes tail, struct cx_bytes *bytes)
{
    uint8_t joint[CX_CHUNK_SIZE_MAX];
    size_t room = sizeof joint - tail.size;
    size_t taken = bytes->size < room ? bytes->size : room;
    size_t size;

    memcpy(joint, tail.data, tail.size);
    if (taken > 0) {
        memcpy(joint + tail.size, bytes->data, taken);
    }
    size = cx_chunk_cut(table, (struct cx_bytes){joint, tail.size + taken});
    assert(size >= tail.size);
    *bytes = (struct cx_bytes){bytes->data + (size - tail.size), bytes->size - (size - tail.size)};
    return row_add_chunk(row, table, (struct cx_bytes){joint, size});
}

/* Replaces the pieces by lists of them. */
static enum cx_status row_raise(struct row *row, struct cx_chunk_table *table)
{
    struct row lists = {0};
    enum cx_status status = CX_OK;
    size_t at = 0;

    while (at < row->count && status == CX_OK) {
        size_t count = cx_list_cut(row->pieces + at, row->count - at);
        struct cx_value *list;

        status = cx_list_intern(table, row->pieces + at, count, &list);
        if (status == CX_OK) {
            status = row_push(&lists, list);
            if (status != CX_OK) {
                cx_value_unref(list);
            }
        }
        at += count;
    }
    if (status != CX_OK) {
        row_done(&lists);
        return status;
    }
    row_done(row);
    *row = lists;
    return CX_OK;
}

/* Makes a value of the chunks in a row. */
static enum cx_status row_finish(struct row *row, struct cx_chunk_table *table,
                                 struct cx_value **ret_value)
{
    enum cx_status status = CX_OK;

    if (row->count == 0) {
        status = row_add_chunk(row, table, (struct cx_bytes){0});
    }
    while (status == CX_OK && row->count > 1) {
        status = row_raise(row, table);
    }
    if (status == CX_OK) {
        *ret_value = cx_value_ref(row->pieces[0]);
    }
    return status;
}

/* ---- Public interface. ----------------------------------------------------- */

enum cx_status cx_value_new(struct cx_chunk_table *table, struct cx_bytes bytes,
                            struct cx_value **ret_value)
{
    struct row row = {0};
    enum cx_status status = row_add_bytes(&row, table, bytes);

    if (status == CX_OK) {
        status = row_finish(&row, table, ret_value);
    }
    row_done(&row);
    return status;
}

enum cx_status cx_value_splice(struct cx_chunk_table *table, const struct cx_value *old,
                               uint64_t kept, struct cx_bytes bytes, struct cx_value **ret_value)
{
    /* Where the last chunk of a value ends says nothing: more bytes may belong to it. */
    uint64_t sure = kept > 0 && kept == old->size ? kept - 1 : kept;
    struct row row = {0};
    enum cx_status status = CX_OK;
    uint64_t done = 0;

    assert(kept <= old->size && table == old->table);
    if (kept > 0) {
        status = row_borrow(&row, (struct cx_value *)old, sure);
    }
    for (size_t i = 0; i < row.count; i++) {
        done += row.pieces[i]->size;
    }
    if (status == CX_OK && done < kept) {
        struct cx_bytes tail = {cx_value_run(old, done).data, (size_t)(kept - done)};

        status = row_add_joint(&row, table, tail, &bytes);
    }
    if (status == CX_OK) {
        status = row_add_bytes(&row, table, bytes);
    }
    if (status == CX_OK) {
        status = row_finish(&row, table, ret_value);
    }
    row_done(&row);
    return status;
}

uint64_t cx_value_size(const struct cx_value *value)
{
    return value->size;
}

struct cx_bytes cx_value_run(const struct cx_value *value, uint64_t offset)
{
    assert(offset < value->size);
    while (value->level > 0) {
        struct cx_value *const *piece = cx_value_pieces(value);

        while (offset >= (*piece)->size) {
            offset -= (*piece)->size;
            piece++;
        }
        value = *piece;
    }
    return (struct cx_bytes){value->bytes + offset, (size_t)(value->size - offset)};
}

void cx_value_read(const struct cx_value *value, uint8_t *memory, uint64_t size)
{
    assert(size <= value->size);
    if (value->level == 0 && size > 0) {
        memcpy(memory, value->bytes, size);
        return;
    }
    for (size_t i = 0; size > 0; i++) {
        const struct cx_value *piece = cx_value_pieces(value)[i];
        uint64_t count = piece->size < size ? piece->size : size;

        cx_value_read(piece, memory, count);
        memory += count;
        size -= count;
    }
}

uint64_t cx_value_mix(uint64_t digest, const struct cx_value *value)
{
    struct cx_bytes run;

    for (uint64_t offset = 0; offset < value->size; offset += run.size) {
        run = cx_value_run(value, offset);
        digest = cx_hash_mix(digest, run);
    }
    return digest;
}

/* Of two runs that differ. */
static size_t first_difference(const uint8_t *a, const uint8_t *b)
{
    size_t i = 0;

    while (a[i] == b[i]) {
        i++;
    }
    return i;
}

uint64_t cx_value_common_prefix(const struct cx_value *value, struct cx_bytes bytes)
{
    uint64_t size = value->size < bytes.size ? value->size : bytes.size;
    uint64_t at = 0;

    while (at < size) {
        struct cx_bytes run = cx_value_run(value, at);
        size_t count = run.size < size - at ? run.size : (size_t)(size - at);

        if (memcmp(run.data, bytes.data + at, count) != 0) {
            return at + first_difference(run.data, bytes.data + at);
        }
        at += count;
    }
    return size;
}
