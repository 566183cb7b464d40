#include "core/state/usage.h"

#include <assert.h>
#include <stddef.h>

#include "core/base/hash.h"
#include "core/base/limits.h"
#include "core/base/memory.h"

static_assert(offsetof(struct cx_usage, item) == 0, "cx_usage_of() relies on it");
static_assert(sizeof((struct cx_usage_key *)NULL)->bytes >=
                  3 * (CX_MODEL_NAME_SIZE_MAX + 1) + CX_CURRENCY_SIZE,
              "a key has room for the longest names");

static void usage_free(struct cx_tree_item *item)
{
    cx_free(item);
}

const struct cx_tree_class cx_usage_class = {
    .key_offset = offsetof(struct cx_usage, bytes),
    .free_item = usage_free,
};

/* ---- Sums. ------------------------------------------------------------------ */

struct cx_usage_sums cx_usage_sums_of(const struct cx_model_usage *usage)
{
    assert(usage->latency_us >= 0);
    return (struct cx_usage_sums){
        .call_count = 1,
        .input_tokens = usage->input_tokens,
        .output_tokens = usage->output_tokens,
        .cached_tokens = usage->cached_tokens,
        .cost_micros = usage->cost_micros,
        .latency_us = (uint64_t)usage->latency_us,
    };
}

static uint64_t add_up(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void cx_usage_add(struct cx_usage_sums *sums, const struct cx_usage_sums *more)
{
    sums->call_count = add_up(sums->call_count, more->call_count);
    sums->input_tokens = add_up(sums->input_tokens, more->input_tokens);
    sums->output_tokens = add_up(sums->output_tokens, more->output_tokens);
    sums->cached_tokens = add_up(sums->cached_tokens, more->cached_tokens);
    sums->cost_micros = add_up(sums->cost_micros, more->cost_micros);
    sums->latency_us = add_up(sums->latency_us, more->latency_us);
}

/* ---- Rows. ------------------------------------------------------------------ */

static void key_add(struct cx_usage_key *key, struct cx_bytes name)
{
    assert(name.size < sizeof key->bytes - key->size);
    assert(name.size == 0 || memchr(name.data, 0, name.size) == NULL);
    if (name.size > 0) {
        memcpy(key->bytes + key->size, name.data, name.size);
    }
    key->size += name.size;
}

static void key_add_name(struct cx_usage_key *key, struct cx_bytes name)
{
    key_add(key, name);
    key->bytes[key->size++] = 0;
}

void cx_usage_key_init(struct cx_usage_key *key, const struct cx_model_usage *usage)
{
    key->size = 0;
    key_add_name(key, usage->provider);
    key_add_name(key, usage->model);
    key_add_name(key, usage->mode);
    key_add(key, usage->currency);
}

enum cx_status cx_usage_new(const struct cx_usage_key *key, const struct cx_usage_sums *sums,
                            struct cx_usage **ret_usage)
{
    struct cx_usage *usage = cx_alloc(sizeof *usage + key->size);

    if (usage == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    cx_usage_init(usage, key, sums);
    *ret_usage = usage;
    return CX_OK;
}

void cx_usage_init(struct cx_usage *usage, const struct cx_usage_key *key,
                   const struct cx_usage_sums *sums)
{
    *usage = (struct cx_usage){
        .item = {.refs = 1, .key_size = (uint16_t)key->size},
        .sums = *sums,
    };
    memcpy(usage->bytes, key->bytes, key->size);
}

/* ---- Summing up. ------------------------------------------------------------ */

/* How many rows with calls there are, and how large their keys are. */
static size_t count_rows(const struct cx_tree *tree, size_t *ret_size)
{
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item = cx_tree_seek(&cx_usage_class, tree, (struct cx_bytes){0}, &cursor);
    size_t count = 0;

    *ret_size = 0;
    for (; item != NULL; item = cx_tree_next(&cursor)) {
        if (cx_usage_of(item)->sums.call_count > 0) {
            count++;
            *ret_size += item->key_size;
        }
    }
    return count;
}

/* The name at the front of a key, up to its NUL. */
static struct cx_bytes take_name(struct cx_bytes *key)
{
    const uint8_t *end = memchr(key->data, 0, key->size);
    struct cx_bytes name = {key->data, (size_t)(end - key->data)};

    key->data += name.size + 1;
    key->size -= name.size + 1;
    return name;
}

static struct cx_usage_total total_of(const struct cx_usage_sums *sums, struct cx_bytes key)
{
    struct cx_usage_total total = {
        .call_count = sums->call_count,
        .input_tokens = sums->input_tokens,
        .output_tokens = sums->output_tokens,
        .cached_tokens = sums->cached_tokens,
        .cost_micros = sums->cost_micros,
        .latency_us = sums->latency_us,
    };

    total.provider = take_name(&key);
    total.model = take_name(&key);
    total.mode = take_name(&key);
    total.currency = key;
    return total;
}

enum cx_status cx_usage_summarize(const struct cx_tree *usage, struct cx_usage_summary *ret_summary)
{
    struct cx_usage_summary summary = {0};
    struct cx_tree_cursor cursor;
    struct cx_tree_item *item = cx_tree_seek(&cx_usage_class, usage, (struct cx_bytes){0}, &cursor);
    size_t size;
    size_t count = count_rows(usage, &size);
    uint8_t *at;

    if (count == 0) {
        *ret_summary = summary;
        return CX_OK;
    }
    summary.totals = cx_alloc(count * sizeof *summary.totals + size);
    if (summary.totals == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    at = (uint8_t *)&summary.totals[count];
    for (; item != NULL; item = cx_tree_next(&cursor)) {
        const struct cx_usage *row = cx_usage_of(item);

        if (row->sums.call_count > 0) {
            memcpy(at, row->bytes, item->key_size);
            summary.totals[summary.count++] =
                total_of(&row->sums, (struct cx_bytes){at, item->key_size});
            at += item->key_size;
        }
    }
    assert(summary.count == count);
    *ret_summary = summary;
    return CX_OK;
}

uint64_t cx_usage_mix(uint64_t digest, const struct cx_usage *usage)
{
    const uint64_t sums[] = {
        usage->sums.call_count,    usage->sums.input_tokens, usage->sums.output_tokens,
        usage->sums.cached_tokens, usage->sums.cost_micros,  usage->sums.latency_us,
    };

    digest = cx_hash_mix(digest, cx_tree_item_key(&cx_usage_class, &usage->item));
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        digest = cx_hash_mix_number(digest, sums[i]);
    }
    return digest;
}
