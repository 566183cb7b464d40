/* What a subscription gets when it asks. */

#include <assert.h>

#include "core/base/clock.h"
#include "core/base/limits.h"
#include "core/feed/feed_internal.h"

/* Blocks that one call looks through at most: more are left to the loader, so that nobody
 * waits behind one who finds nothing. */
enum { BLOCKS_MAX = 32 };

/* ---- Looking through a block. ----------------------------------------------- */

/* That a context is gone is told also of one that was purged since. */
static bool is_end(const struct cx_event *event)
{
    return event->type == CX_EVENT_DELETED || event->type == CX_EVENT_EXPIRED;
}

/* Whether it may be told an event that its filter selects. */
static bool may_tell(const struct cx_subscription *subscription, const struct cx_event *event)
{
    struct cx_feed *feed = subscription->feed;

    if (event->item != NULL && !is_end(event) &&
        cx_purges_hide(feed->options.purges, event->hash, event->revision,
                       __atomic_load_n(&feed->durable, __ATOMIC_SEQ_CST))) {
        return false;
    }
    return subscription->also == NULL || subscription->also(subscription->also_arg, event);
}

bool cx_subscription_wants(const struct cx_subscription *subscription, const struct cx_event *event)
{
    return cx_event_filter_match(subscription->filter, event) && may_tell(subscription, event);
}

size_t cx_subscription_find(const struct cx_subscription *subscription,
                            const struct cx_block *block, size_t from, size_t count)
{
    size_t found = cx_block_find(block, subscription->filter, from, count);

    while (found < count && !may_tell(subscription, &block->events[found])) {
        found = cx_block_find(block, subscription->filter, found + 1, count);
    }
    return found;
}

void cx_subscription_advance(struct cx_subscription *subscription, uint64_t revision)
{
    if (subscription->bound != 0 && revision > subscription->bound) {
        revision = subscription->bound + 1;
    }
    if (revision > subscription->position.revision) {
        subscription->position = (struct cx_feed_position){revision, 0};
    }
}

/* Adds events that it wants until the batch is full: true; or there are no more. False in
 * *ret_ok: out of memory, and nothing was added. */
static bool batch_fill(struct cx_subscription *subscription, struct cx_block *block, size_t count,
                       uint64_t size_max, struct cx_feed_batch *batch, bool *ret_ok)
{
    const struct cx_event_encoder *encoder = &subscription->feed->options.encoder;
    size_t at =
        cx_block_seek(block, count, subscription->position.revision, subscription->position.index);

    *ret_ok = true;
    for (at = cx_subscription_find(subscription, block, at, count); at < count;
         at = cx_subscription_find(subscription, block, at + 1, count)) {
        struct cx_bytes encoded;

        if (subscription->bound != 0 && block->events[at].revision > subscription->bound) {
            return false; /* The rest is beyond it. */
        }
        encoded = cx_block_encoded(block, encoder, at, subscription->without_values);
        if (encoded.data == NULL) {
            *ret_ok = batch->count > 0;
            return true;
        }
        if (batch->count == CX_FEED_BATCH_MAX ||
            (batch->count > 0 && batch->size + encoded.size > size_max)) {
            return true;
        }
        batch->pieces[batch->count++] = (struct cx_feed_piece){&block->events[at], encoded};
        batch->size += encoded.size;
        subscription->position = cx_feed_behind(&block->events[at]);
    }
    return false;
}

/* ---- One step. -------------------------------------------------------------- */

/* Whether it is to be told that it has caught up, once it has been told what lies before
 * `next`. */
static bool has_caught_up(const struct cx_subscription *subscription, uint64_t next,
                          uint64_t tail_next)
{
    return !subscription->caught_up_told && subscription->bound == 0 && next >= tail_next &&
           next > subscription->begun;
}

/* Whether there is something to tell, or to wait for, without a look at any event. */
static bool next_quick_locked(struct cx_subscription *subscription, struct cx_waiter *waiter,
                              enum cx_feed_outcome *ret_outcome, struct cx_error *error)
{
    struct cx_feed *feed = subscription->feed;

    if (feed->ended != CX_REASON_NONE) {
        (void)cx_feed_ended_error(feed->ended, error);
        *ret_outcome = CX_FEED_ENDED;
    } else if (subscription->position.revision <= cx_feed_floor(feed)) {
        (void)cx_feed_compacted_error(error);
        *ret_outcome = CX_FEED_ENDED;
    } else if (subscription->failure != CX_OK) {
        (void)cx_feed_load_error(subscription->failure, error);
        *ret_outcome = CX_FEED_ENDED;
    } else if (cx_subscription_is_bound(subscription)) {
        *ret_outcome = CX_FEED_BOUND;
    } else if (subscription->caught_up_due ||
               has_caught_up(subscription, subscription->position.revision, feed->tail_next)) {
        subscription->caught_up_due = false;
        subscription->caught_up_told = true;
        *ret_outcome = CX_FEED_CAUGHT_UP;
    } else if (subscription->progress_due) {
        *ret_outcome = CX_FEED_PROGRESS;
    } else if (subscription->position.revision >= feed->tail_next) {
        cx_subscription_park_locked(subscription, waiter);
        *ret_outcome = CX_FEED_WAIT;
    } else {
        return false;
    }
    return true;
}

static void wait_for_block_locked(struct cx_subscription *subscription, struct cx_waiter *waiter)
{
    struct cx_feed *feed = subscription->feed;

    subscription->state = CX_SUBSCRIPTION_WAITING;
    subscription->waiter = waiter;
    cx_subscription_enlist(&feed->waiting, subscription);
    pthread_cond_signal(&feed->load_wanted);
}

/* Where the reader of this block is likely to go next, if that must be loaded. */
static void look_ahead_locked(struct cx_feed *feed, const struct cx_block *block)
{
    if (block->shown_next < feed->tail_next && block->shown_next != feed->load_ahead &&
        cx_feed_next_block_locked(feed, block->first, 0) != block->shown_next) {
        feed->load_ahead = block->shown_next;
        pthread_cond_signal(&feed->load_wanted);
    }
}

/* Looks through one block, without the lock. Returns whether the batch has something. */
static bool look_through(struct cx_subscription *subscription, struct cx_block *block,
                         uint64_t size_max, struct cx_feed_batch *batch)
{
    struct cx_feed *feed = subscription->feed;
    uint64_t tail_next = feed->tail_next;
    uint64_t next = block->shown_next;
    size_t count = block->shown_count;
    bool full;
    bool ok;

    pthread_mutex_unlock(&feed->mutex);
    full = batch_fill(subscription, block, count, size_max, batch, &ok);
    if (!ok) {
        subscription->failure = CX_RESOURCE_EXHAUSTED;
    } else if (!full) {
        cx_subscription_advance(subscription, next);
        subscription->caught_up_due = has_caught_up(subscription, next, tail_next);
    }
    pthread_mutex_lock(&feed->mutex);
    return batch->count > 0;
}

enum cx_feed_outcome cx_subscription_next(struct cx_subscription *subscription, uint64_t size_max,
                                          struct cx_waiter *waiter, struct cx_feed_batch *ret_batch,
                                          struct cx_error *ret_error)
{
    struct cx_feed *feed = subscription->feed;
    enum cx_feed_outcome outcome;

    ret_batch->feed = feed;
    ret_batch->block = NULL;
    ret_batch->count = 0;
    ret_batch->size = 0;
    pthread_mutex_lock(&feed->mutex);
    assert(subscription->state == CX_SUBSCRIPTION_ACTIVE);
    for (size_t looked_at = 0;; looked_at++) {
        struct cx_block *block;

        if (next_quick_locked(subscription, waiter, &outcome, ret_error)) {
            break;
        }
        block = looked_at < BLOCKS_MAX ? cx_feed_hold_locked(feed, subscription->position.revision)
                                       : NULL;
        if (block == NULL) {
            wait_for_block_locked(subscription, waiter);
            outcome = CX_FEED_WAIT;
            break;
        }
        look_ahead_locked(feed, block);
        if (look_through(subscription, block, size_max, ret_batch)) {
            ret_batch->block = block;
            outcome = CX_FEED_EVENTS;
            break;
        }
        cx_feed_let_go_locked(feed, block);
    }
    if (outcome != CX_FEED_WAIT) {
        subscription->progress_due = false;
        subscription->told_us = feed->options.clock->monotonic_us(feed->options.clock);
        ret_batch->next = subscription->position;
    }
    pthread_mutex_unlock(&feed->mutex);
    return outcome;
}

void cx_feed_batch_done(struct cx_feed_batch *batch)
{
    struct cx_block *garbage = NULL;

    if (batch->block == NULL) {
        return;
    }
    pthread_mutex_lock(&batch->feed->mutex);
    cx_feed_let_go_locked(batch->feed, batch->block);
    cx_feed_shrink_locked(batch->feed, &garbage);
    pthread_mutex_unlock(&batch->feed->mutex);
    cx_feed_free_garbage(garbage);
    batch->block = NULL;
}

void cx_subscription_set_bound(struct cx_subscription *subscription, uint64_t revision)
{
    subscription->bound = revision;
}

void cx_subscription_set_also(struct cx_subscription *subscription, cx_subscription_also also,
                              void *arg)
{
    subscription->also = also;
    subscription->also_arg = arg;
}

const struct cx_event_filter *cx_subscription_filter(const struct cx_subscription *subscription)
{
    return subscription->filter;
}

struct cx_feed_position cx_subscription_position(const struct cx_subscription *subscription)
{
    return subscription->position;
}
