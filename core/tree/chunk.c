#include "core/tree/chunk.h"

#include <assert.h>
#include <pthread.h>

#include "core/base/hash.h"
#include "core/base/memory.h"

enum { STRIPES = 64, BUCKETS_MIN = 8, GEAR_WINDOW = 64 };

/* A chunk of at least the smallest size ends where these bits of the rolling hash are 0: the
 * upper ones, which have seen the most bytes. One position in 256 is such: the larger chunks
 * are, the more do the unfinished one at the end of a value take, which the next value does not
 * share, and those at its front until they meet again with those of a value that lost a bit. */
#define CHUNK_END_MASK (0xffULL << 56)

/* A list ends behind a piece in whose hash these bits are 0: one in 4. Tables use
 * other bits. */
#define LIST_END_MASK (0x3ULL << 40)

struct stripe {
    pthread_mutex_t mutex;
    struct cx_value **buckets; /* The rest is under `mutex`. NULL while it has none. */
    size_t bucket_count;       /* A power of two. */
    size_t count;              /* Of pieces. */
};

struct cx_chunk_table {
    uint64_t gear[256];
    struct stripe stripes[STRIPES];
};

/* ---- Where pieces end. ----------------------------------------------------- */

/* A number for each byte, by splitmix64 from 0. It decides what is shared, never what
 * a value is, and so may differ between releases.
 *
 * Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
static void gear_fill(uint64_t gear[256])
{
    uint64_t state = 0;

    for (size_t i = 0; i < 256; i++) {
        uint64_t z = state += 0x9e3779b97f4a7c15ULL;

        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
        gear[i] = z ^ (z >> 31);
    }
}

size_t cx_chunk_cut(const struct cx_chunk_table *table, struct cx_bytes bytes)
{
    size_t size_max = bytes.size < CX_CHUNK_SIZE_MAX ? bytes.size : CX_CHUNK_SIZE_MAX;
    uint64_t hash = 0;

    /* Each step shifts a byte out of the hash 64 steps later: those before do not count. */
    for (size_t i = CX_CHUNK_SIZE_MIN - GEAR_WINDOW; i < size_max; i++) {
        hash = (hash << 1) + table->gear[bytes.data[i]];
        if ((hash & CHUNK_END_MASK) == 0 && i + 1 >= CX_CHUNK_SIZE_MIN) {
            return i + 1;
        }
    }
    return size_max;
}

size_t cx_list_cut(struct cx_value *const *pieces, size_t count)
{
    size_t count_max = count < CX_LIST_COUNT_MAX ? count : CX_LIST_COUNT_MAX;

    for (size_t i = CX_LIST_COUNT_MIN - 1; i < count_max; i++) {
        if ((pieces[i]->hash & LIST_END_MASK) == 0) {
            return i + 1;
        }
    }
    return count_max;
}

/* ---- The table. ------------------------------------------------------------ */

enum cx_status cx_chunk_table_new(struct cx_chunk_table **ret_table)
{
    struct cx_chunk_table *table = cx_calloc(sizeof *table);

    if (table == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    gear_fill(table->gear);
    for (size_t i = 0; i < STRIPES; i++) {
        pthread_mutex_init(&table->stripes[i].mutex, NULL);
    }
    *ret_table = table;
    return CX_OK;
}

void cx_chunk_table_free(struct cx_chunk_table *table)
{
    if (table == NULL) {
        return;
    }
    for (size_t i = 0; i < STRIPES; i++) {
        assert(table->stripes[i].count == 0);
        pthread_mutex_destroy(&table->stripes[i].mutex);
        cx_free(table->stripes[i].buckets);
    }
    cx_free(table);
}

static struct stripe *stripe_of(struct cx_chunk_table *table, uint64_t hash)
{
    return &table->stripes[hash >> 58];
}

static struct cx_value **bucket_of(struct stripe *stripe, uint64_t hash)
{
    return &stripe->buckets[hash & (stripe->bucket_count - 1)];
}

/* Doubles the buckets. Where there is no memory for it, those that it has must do. */
static void stripe_grow_locked(struct stripe *stripe)
{
    struct stripe grown = {
        .bucket_count = stripe->bucket_count > 0 ? 2 * stripe->bucket_count : BUCKETS_MIN,
    };

    grown.buckets = cx_calloc(grown.bucket_count * sizeof *grown.buckets);
    if (grown.buckets == NULL) {
        return;
    }
    for (size_t i = 0; i < stripe->bucket_count; i++) {
        while (stripe->buckets[i] != NULL) {
            struct cx_value *piece = stripe->buckets[i];
            struct cx_value **bucket = bucket_of(&grown, piece->hash);

            stripe->buckets[i] = piece->next;
            piece->next = *bucket;
            *bucket = piece;
        }
    }
    cx_free(stripe->buckets);
    stripe->buckets = grown.buckets;
    stripe->bucket_count = grown.bucket_count;
}

/* A piece that may not be there yet. */
struct wanted {
    struct cx_value head;           /* Its level, count, size and hash. */
    struct cx_bytes bytes;          /* Of a chunk. */
    struct cx_value *const *pieces; /* Of a list: `head.count` of them. */
};

static bool is_wanted(const struct cx_value *piece, const struct wanted *wanted)
{
    if (piece->hash != wanted->head.hash || piece->level != wanted->head.level ||
        piece->count != wanted->head.count || piece->size != wanted->head.size) {
        return false;
    }
    for (size_t i = 0; i < piece->count; i++) {
        if (cx_value_pieces(piece)[i] != wanted->pieces[i]) {
            return false;
        }
    }
    return cx_bytes_equal((struct cx_bytes){piece->bytes, wanted->bytes.size}, wanted->bytes);
}

static struct cx_value *find_locked(struct stripe *stripe, const struct wanted *wanted)
{
    struct cx_value *piece =
        stripe->bucket_count > 0 ? *bucket_of(stripe, wanted->head.hash) : NULL;

    while (piece != NULL && !is_wanted(piece, wanted)) {
        piece = piece->next;
    }
    return piece;
}

static struct cx_value *piece_new(const struct wanted *wanted)
{
    size_t size = wanted->bytes.size + wanted->head.count * sizeof(struct cx_value *);
    struct cx_value *piece = cx_alloc(sizeof *piece + size);

    if (piece == NULL) {
        return NULL;
    }
    *piece = wanted->head;
    piece->refs = 1;
    if (wanted->bytes.size > 0) {
        memcpy(piece->bytes, wanted->bytes.data, wanted->bytes.size);
    }
    for (size_t i = 0; i < wanted->head.count; i++) {
        ((struct cx_value **)piece->bytes)[i] = cx_value_ref(wanted->pieces[i]);
    }
    return piece;
}

static struct cx_value *add_locked(struct stripe *stripe, const struct wanted *wanted)
{
    struct cx_value *piece;
    struct cx_value **bucket;

    if (stripe->count >= stripe->bucket_count) {
        stripe_grow_locked(stripe);
    }
    piece = stripe->bucket_count > 0 ? piece_new(wanted) : NULL;
    if (piece == NULL) {
        return NULL;
    }
    bucket = bucket_of(stripe, piece->hash);
    piece->next = *bucket;
    *bucket = piece;
    stripe->count++;
    return piece;
}

static enum cx_status intern(const struct wanted *wanted, struct cx_value **ret_piece)
{
    struct stripe *stripe = stripe_of(wanted->head.table, wanted->head.hash);
    struct cx_value *piece;

    pthread_mutex_lock(&stripe->mutex);
    piece = find_locked(stripe, wanted);
    if (piece != NULL) {
        cx_value_ref(piece);
    } else {
        piece = add_locked(stripe, wanted);
    }
    pthread_mutex_unlock(&stripe->mutex);
    if (piece == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    *ret_piece = piece;
    return CX_OK;
}

enum cx_status cx_chunk_intern(struct cx_chunk_table *table, struct cx_bytes bytes,
                               struct cx_value **ret_chunk)
{
    struct wanted wanted = {
        .head = {.size = bytes.size, .hash = cx_hash64(bytes, 0), .table = table},
        .bytes = bytes,
    };

    assert(bytes.size <= CX_CHUNK_SIZE_MAX);
    return intern(&wanted, ret_chunk);
}

enum cx_status cx_list_intern(struct cx_chunk_table *table, struct cx_value *const *pieces,
                              size_t count, struct cx_value **ret_list)
{
    uint64_t hashes[CX_LIST_COUNT_MAX];
    struct wanted wanted = {.head = {.count = (uint16_t)count, .table = table}, .pieces = pieces};

    assert(count >= 1 && count <= CX_LIST_COUNT_MAX);
    for (size_t i = 0; i < count; i++) {
        assert(pieces[i]->level == pieces[0]->level);
        hashes[i] = pieces[i]->hash;
        wanted.head.size += pieces[i]->size;
    }
    wanted.head.level = (uint16_t)(pieces[0]->level + 1);
    wanted.head.hash = cx_hash64(
        (struct cx_bytes){(const uint8_t *)hashes, count * sizeof hashes[0]}, wanted.head.level);
    return intern(&wanted, ret_list);
}

/* ---- References. ----------------------------------------------------------- */

struct cx_value *cx_value_ref(struct cx_value *value)
{
    __atomic_fetch_add(&value->refs, 1, __ATOMIC_RELAXED);
    return value;
}

/* Gives up a reference that is not the last one; returns false when it may be. */
static bool unref_unless_last(struct cx_value *value)
{
    uint32_t refs = __atomic_load_n(&value->refs, __ATOMIC_RELAXED);

    while (refs > 1) {
        if (__atomic_compare_exchange_n(&value->refs, &refs, refs - 1, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED)) {
            return true;
        }
    }
    return false;
}

static void remove_locked(struct stripe *stripe, struct cx_value *piece)
{
    struct cx_value **link = bucket_of(stripe, piece->hash);

    while (*link != piece) {
        link = &(*link)->next;
    }
    *link = piece->next;
    stripe->count--;
}

void cx_value_unref(struct cx_value *value)
{
    struct stripe *stripe;
    bool last;

    if (value == NULL || unref_unless_last(value)) {
        return;
    }
    stripe = stripe_of(value->table, value->hash);
    pthread_mutex_lock(&stripe->mutex);
    last = __atomic_sub_fetch(&value->refs, 1, __ATOMIC_ACQ_REL) == 0;
    if (last) {
        remove_locked(stripe, value);
    }
    pthread_mutex_unlock(&stripe->mutex);
    if (last) {
        for (size_t i = 0; i < value->count; i++) {
            cx_value_unref(cx_value_pieces(value)[i]);
        }
        cx_free(value);
    }
}
