/* Which blocks are in memory. */

#include <assert.h>

#include "core/base/limits.h"
#include "core/base/memory.h"
#include "core/feed/feed_internal.h"

/* What a block takes up, more or less: a full one has so much of the log, and as much again
 * twice once that is decoded. What is encoded is counted as it comes. For whoever builds it. */
static uint64_t weigh(const struct cx_block *block)
{
    uint64_t payload_bytes =
        block->payload_bytes > CX_FEED_BLOCK_BYTES ? block->payload_bytes : CX_FEED_BLOCK_BYTES;

    return sizeof *block + block->event_capacity * sizeof *block->events + 3 * payload_bytes;
}

/* The place of the last block that begins at or before `revision`, plus one. */
static size_t place_behind(const struct cx_feed *feed, uint64_t revision)
{
    size_t low = 0;
    size_t high = feed->block_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (feed->blocks[middle]->first <= revision) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct cx_block *cx_feed_hold_locked(struct cx_feed *feed, uint64_t revision)
{
    size_t place = place_behind(feed, revision);
    struct cx_block *block = place > 0 ? feed->blocks[place - 1] : NULL;

    if (block == NULL || revision >= block->shown_next) {
        return NULL;
    }
    block->used = ++feed->uses;
    block->holds++;
    return block;
}

void cx_feed_let_go_locked(struct cx_feed *feed, struct cx_block *block)
{
    uint64_t encoded = __atomic_load_n(&block->encoded_bytes, __ATOMIC_RELAXED);
    uint64_t more = encoded - block->encoded_weight;

    assert(block->holds > 0);
    block->holds--;
    feed->block_bytes += more;
    block->weight += more;
    block->encoded_weight = encoded;
}

uint64_t cx_feed_next_block_locked(const struct cx_feed *feed, uint64_t revision,
                                   uint64_t otherwise)
{
    size_t place = place_behind(feed, revision);

    return place < feed->block_count ? feed->blocks[place]->first : otherwise;
}

static void remove_at(struct cx_feed *feed, size_t place, struct cx_block **garbage)
{
    struct cx_block *block = feed->blocks[place];

    feed->block_bytes -= block->weight;
    feed->block_count--;
    memmove(feed->blocks + place, feed->blocks + place + 1,
            (feed->block_count - place) * sizeof(struct cx_block *));
    block->garbage_next = *garbage;
    *garbage = block;
}

/* The block that nobody holds and that was looked at least lately; block_count: none. */
static size_t find_idle(const struct cx_feed *feed)
{
    size_t found = feed->block_count;

    for (size_t i = 0; i < feed->block_count; i++) {
        const struct cx_block *block = feed->blocks[i];

        if (block->holds == 0 && block != feed->tail &&
            (found == feed->block_count || block->used < feed->blocks[found]->used)) {
            found = i;
        }
    }
    return found;
}

static bool reserve_place(struct cx_feed *feed)
{
    size_t capacity = feed->block_capacity > 0 ? 2 * feed->block_capacity : 64;
    struct cx_block **blocks;

    if (feed->block_count < feed->block_capacity) {
        return true;
    }
    blocks = cx_realloc(feed->blocks, capacity * sizeof(struct cx_block *));
    if (blocks == NULL) {
        return false;
    }
    feed->blocks = blocks;
    feed->block_capacity = capacity;
    return true;
}

void cx_feed_shrink_locked(struct cx_feed *feed, struct cx_block **garbage)
{
    size_t idle;

    while (feed->block_bytes > CX_FEED_CACHE_BYTES_MAX &&
           (idle = find_idle(feed)) < feed->block_count) {
        remove_at(feed, idle, garbage);
    }
}

bool cx_feed_insert_locked(struct cx_feed *feed, struct cx_block *block, struct cx_block **garbage)
{
    size_t place = place_behind(feed, block->first);

    if (!reserve_place(feed)) {
        return false;
    }
    memmove(feed->blocks + place + 1, feed->blocks + place,
            (feed->block_count - place) * sizeof(struct cx_block *));
    feed->blocks[place] = block;
    feed->block_count++;
    block->weight = weigh(block);
    feed->block_bytes += block->weight;
    block->used = ++feed->uses;
    block->holds++;
    cx_feed_shrink_locked(feed, garbage);
    return true;
}

void cx_feed_drop_locked(struct cx_feed *feed, struct cx_block **garbage)
{
    size_t idle;

    while ((idle = find_idle(feed)) < feed->block_count) {
        remove_at(feed, idle, garbage);
    }
}

void cx_feed_free_garbage(struct cx_block *garbage)
{
    while (garbage != NULL) {
        struct cx_block *next = garbage->garbage_next;

        cx_block_free(garbage);
        garbage = next;
    }
}
