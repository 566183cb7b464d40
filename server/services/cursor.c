#include "server/services/cursor.h"

#include <string.h>

#include "core/base/limits.h"

enum {
    INDEX_SIZE = 4,
    SHARD_SIZE = 1,
    KEY_SIZE_MAX = INDEX_SIZE + SHARD_SIZE + CX_CONTEXT_ID_SIZE_MAX,
};

struct cx_token_scope cx_cursor_scope(const struct cx_engine *engine)
{
    return cx_token_scope_of(engine, CX_TOKEN_CURSOR, 0);
}

static size_t put_index(uint8_t *bytes, uint32_t index)
{
    for (int i = 0; i < INDEX_SIZE; i++) {
        bytes[i] = (uint8_t)(index >> (8 * i));
    }
    return INDEX_SIZE;
}

static uint32_t get_index(const uint8_t *bytes)
{
    uint32_t index = 0;

    for (int i = INDEX_SIZE - 1; i >= 0; i--) {
        index = index << 8 | bytes[i];
    }
    return index;
}

char *cx_cursor_encode(const struct cx_allocator *allocator, const struct cx_token_scope *scope,
                       uint64_t filter_digest, const struct cx_cursor *cursor)
{
    struct cx_token_scope own = *scope;
    uint8_t key[KEY_SIZE_MAX];
    size_t size = 0;

    if (cursor->in_snapshot || cursor->position.index != 0) {
        size = put_index(key, cursor->position.index);
    }
    if (cursor->in_snapshot) {
        own.kind = CX_TOKEN_SNAPSHOT;
        own.filters = filter_digest;
        key[size++] = (uint8_t)cursor->place.shard;
        if (cursor->place.id.size > 0) {
            memcpy(key + size, cursor->place.id.data, cursor->place.id.size);
            size += cursor->place.id.size;
        }
    }
    return cx_token_encode(allocator, &own,
                           &(struct cx_token){.epoch = own.epoch,
                                              .position = cursor->position.revision,
                                              .key = {key, size}});
}

/* Takes a cursor of a snapshot apart. */
static bool get_place(const struct cx_token *token, struct cx_cursor *cursor)
{
    const uint8_t *key = token->key.data;

    if (token->key.size < INDEX_SIZE + SHARD_SIZE || token->key.size > KEY_SIZE_MAX) {
        return false;
    }
    cursor->in_snapshot = true;
    cursor->position.index = get_index(key);
    cursor->place.shard = key[INDEX_SIZE];
    cursor->place.id =
        (struct cx_bytes){key + INDEX_SIZE + SHARD_SIZE, token->key.size - INDEX_SIZE - SHARD_SIZE};
    return cursor->place.shard < CX_SHARDS;
}

enum cx_status cx_cursor_decode(struct cx_conversion *conversion,
                                const struct cx_token_scope *scope, uint64_t filter_digest,
                                const char *text, struct cx_cursor *ret_cursor)
{
    struct cx_token_scope snapshots = *scope;
    struct cx_cursor cursor = {0};
    struct cx_token token;
    bool ok;

    snapshots.kind = CX_TOKEN_SNAPSHOT;
    snapshots.filters = filter_digest;
    if (text[0] == '\0') {
        return cx_field_invalid(NULL, "cursor", conversion->error,
                                "must not be empty; leave `start` out to begin with what happens "
                                "from now on");
    }
    if (cx_token_decode(&conversion->memory, scope, cx_bytes_of(text), &token)) {
        ok = token.key.size == 0 || token.key.size == INDEX_SIZE;
        cursor.position.index = token.key.size > 0 && ok ? get_index(token.key.data) : 0;
    } else {
        ok = cx_token_decode(&conversion->memory, &snapshots, cx_bytes_of(text), &token) &&
             get_place(&token, &cursor);
    }
    if (!ok || token.position == 0) {
        return cx_field_invalid(NULL, "cursor", conversion->error,
                                "must be a cursor of this server's log, and one of a snapshot "
                                "comes with the filter that it was made with");
    }
    cursor.position.revision = token.position;
    if (token.epoch != scope->epoch) {
        cursor.position = (struct cx_feed_position){0, 0};
    }
    *ret_cursor = cursor;
    return CX_OK;
}
