#include "server/services/token.h"

#include <assert.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/base/limits.h"
#include "core/engine/engine.h"

enum {
    HEAD_SIZE = 1 + 8 + 8 + 8,
    CHECKSUM_SIZE = 8,
    TOKEN_SIZE_MAX = HEAD_SIZE + CX_TOKEN_KEY_SIZE_MAX + CHECKSUM_SIZE,
    TEXT_SIZE_MAX = (TOKEN_SIZE_MAX * 4 + 2) / 3,
};

static_assert(CX_NAMESPACE_SIZE_MAX <= CX_TOKEN_KEY_SIZE_MAX, "any namespace fits into a token");
static_assert(CX_CONTEXT_ID_SIZE_MAX <= CX_TOKEN_KEY_SIZE_MAX, "any id fits into a token");
static_assert(CX_RESOURCE_NAME_SIZE_MAX <= CX_TOKEN_KEY_SIZE_MAX, "any name fits into a token");
static_assert((int)TEXT_SIZE_MAX <= (int)CX_TOKEN_TEXT_SIZE_MAX &&
                  CX_TOKEN_TEXT_SIZE_MAX <= (int)CX_TEXT_SIZE_MAX,
              "a token is as long as token.h says, and fits into a string");

/* ---- base64url, RFC 4648, section 5. ---------------------------------------- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t base64_encode(const uint8_t *bytes, size_t size, char *ret_text)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t length = 0;

    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | bytes[i];
        for (held += 8; held >= 6; held -= 6) {
            ret_text[length++] = alphabet[bits >> (held - 6) & 63];
        }
    }
    if (held > 0) {
        ret_text[length++] = alphabet[bits << (6 - held) & 63];
    }
    return length;
}

/* Returns the size; 0 for a text that base64_encode() does not make. */
static size_t base64_decode(struct cx_bytes text, uint8_t *ret_bytes)
{
    uint32_t bits = 0;
    unsigned held = 0;
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        const char *found = memchr(alphabet, text.data[i], sizeof alphabet - 1);

        if (found == NULL) {
            return 0;
        }
        bits = bits << 6 | (uint32_t)(found - alphabet);
        held += 6;
        if (held >= 8) {
            held -= 8;
            ret_bytes[size++] = (uint8_t)(bits >> held);
        }
    }
    return held < 6 && (bits & ((1u << held) - 1)) == 0 ? size : 0;
}

/* ---- Tokens. ---------------------------------------------------------------- */

static uint8_t *put_number(uint8_t *place, uint64_t number)
{
    for (int i = 0; i < 8; i++) {
        *place++ = (uint8_t)(number >> (8 * i));
    }
    return place;
}

static uint64_t get_number(const uint8_t *place)
{
    uint64_t number = 0;

    for (int i = 7; i >= 0; i--) {
        number = number << 8 | place[i];
    }
    return number;
}

static uint64_t hash_more(uint64_t hash, struct cx_bytes bytes)
{
    return cx_hash64(bytes, hash + bytes.size);
}

static uint64_t hash_labels(uint64_t hash, const struct cx_label *labels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hash = hash_more(hash, labels[i].key);
        hash = hash_more(hash, labels[i].value);
    }
    return hash;
}

uint64_t cx_token_filters(const struct cx_list_query *query)
{
    uint64_t hash = query->deleted ? 1 : 0;

    hash = hash_more(hash, query->namespace_id);
    hash = hash_more(hash, query->id_prefix);
    hash = hash_more(hash, query->type);
    hash = hash_more(hash, query->parent_id);
    return hash_labels(hash, query->labels, query->label_count);
}

uint64_t cx_token_session_filters(const struct cx_session_query *query)
{
    return hash_more(hash_more(0, query->namespace_id), query->owner);
}

static uint64_t hash_name(const struct cx_context_name *name)
{
    return hash_more(hash_more(0, name->namespace_id), name->id);
}

uint64_t cx_token_activity_filters(const struct cx_activity_query *query)
{
    const uint64_t numbers[] = {
        query->newest_first ? 1 : 0,
        (uint64_t)query->start_time_us,
        (uint64_t)query->end_time_us,
        query->from_sequence,
    };
    uint64_t hash = hash_name(&query->name);

    for (size_t i = 0; i < query->type_count; i++) {
        hash = hash_more(hash, query->types[i]);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        hash = cx_hash_mix_number(hash, numbers[i]);
    }
    return hash;
}

uint64_t cx_token_tracked_filters(const struct cx_tracked_query *query)
{
    return hash_more(hash_name(&query->name), query->prefix);
}

uint64_t cx_token_point_filters(const struct cx_point_query *query)
{
    uint64_t hash = hash_more(0, query->namespace_id);

    hash = hash_more(hash, query->context_id);
    hash = hash_more(hash, query->id_prefix);
    hash = hash_more(hash, query->before_id);
    hash = hash_more(hash, query->ancestors_of);
    return hash_labels(hash, query->labels, query->label_count);
}

struct cx_token_scope cx_token_scope_of(const struct cx_engine *engine, enum cx_token_kind kind,
                                        uint64_t filters)
{
    struct cx_token_scope scope = {.kind = kind, .filters = filters};
    uint8_t log_id[16];

    cx_engine_identity(engine, log_id, &scope.epoch);
    scope.log = cx_hash64((struct cx_bytes){log_id, sizeof log_id}, 0);
    return scope;
}

char *cx_token_encode(const struct cx_allocator *allocator, const struct cx_token_scope *scope,
                      const struct cx_token *token)
{
    uint8_t bytes[TOKEN_SIZE_MAX];
    char text[TEXT_SIZE_MAX];
    uint8_t *place = bytes;

    assert(token->key.size <= CX_TOKEN_KEY_SIZE_MAX);
    *place++ = (uint8_t)scope->kind;
    place = put_number(place, scope->filters);
    place = put_number(place, token->epoch);
    place = put_number(place, token->position);
    if (token->key.size > 0) {
        memcpy(place, token->key.data, token->key.size);
        place += token->key.size;
    }
    place =
        put_number(place, cx_hash64((struct cx_bytes){bytes, (size_t)(place - bytes)}, scope->log));
    return cx_allocator_text(allocator, text, base64_encode(bytes, (size_t)(place - bytes), text));
}

bool cx_token_decode(const struct cx_allocator *allocator, const struct cx_token_scope *scope,
                     struct cx_bytes text, struct cx_token *ret_token)
{
    uint8_t *bytes;
    size_t size;

    if (text.size > TEXT_SIZE_MAX) {
        return false;
    }
    bytes = cx_allocator_alloc(allocator, TOKEN_SIZE_MAX);
    size = bytes != NULL ? base64_decode(text, bytes) : 0;
    if (size < HEAD_SIZE + CHECKSUM_SIZE) {
        return false;
    }
    size -= CHECKSUM_SIZE;
    if (get_number(bytes + size) != cx_hash64((struct cx_bytes){bytes, size}, scope->log) ||
        bytes[0] != scope->kind || get_number(bytes + 1) != scope->filters) {
        return false;
    }
    ret_token->epoch = get_number(bytes + 9);
    ret_token->position = get_number(bytes + 17);
    ret_token->key = (struct cx_bytes){bytes + HEAD_SIZE, size - HEAD_SIZE};
    return true;
}
