/* The feed: durable changes on their way to those who subscribe.
 *
 *   log's writer --> hand-over --> tail: decode, find who waits, wake them
 *                                    |
 *   segments --> loader: decode ---> blocks <--- cx_feed_next(), on the subscriber's thread
 *
 * A subscription is a filter and a position, and is pulled: whoever owns it asks for what comes
 * next whenever there is room for it. It gets a batch out of one block, or is told to wait:
 * parked at the tail, where an event that it selects wakes it, or until the block that it needs
 * was read from the log. Near the tail the blocks are in memory; further back they are loaded,
 * one after the other, for all who are waiting at once.
 *
 * What always holds:
 *
 *  (1) A subscription gets every event behind its first position that its filter selects,
 *      once, in order, and none whose revision is not durable.
 *  (2) It holds no events: a batch holds its block until cx_feed_batch_done(). One that does
 *      not ask costs nothing but its own memory.
 *  (3) What the feed holds in memory can be read again from the log: a hand-over that is left
 *      out, a block that is dropped, cost time and never an event.
 *  (4) A position below the floor is refused, whether or not the log still has it.
 *  (5) Of a context that was purged, nothing that was before is told.
 *
 * Threads: cx_feed_hand_over() belongs to the log's writer. The steps belong to a thread each,
 * or are made by one thread instead. A subscription belongs to one thread at a time, any. The
 * rest may be called by any thread. What wakes waiters returns them in *ret_done, linked by
 * `work`, for the caller to complete under no lock. */

#ifndef CX_FEED_FEED_H
#define CX_FEED_FEED_H

#include "core/base/error.h"
#include "core/base/work.h"
#include "core/feed/block.h"
#include "core/feed/filter.h"
#include "core/feed/purges.h"
#include "core/log/log.h"

struct cx_clock;
struct cx_feed;
struct cx_subscription;

struct cx_feed_options {
    struct cx_log *log;           /* Borrowed, like the next; both outlive the feed. */
    const struct cx_clock *clock; /* For progress: its steady time. */
    struct cx_purges *purges;     /* What is not told any more. Borrowed, like the others. */
    struct cx_event_encoder encoder;
    uint64_t subscriptions_max;
    uint64_t durable; /* The last record that is durable. */
    uint64_t floor;   /* Up to here nothing is told any more. */
};

/* CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_feed_new(const struct cx_feed_options *options,
                                         struct cx_feed **ret_feed);

/* Frees a feed without subscriptions. NULL is fine. */
void cx_feed_free(struct cx_feed *feed);

/* ---- What comes in. --------------------------------------------------------- */

/* A batch has become durable. Takes over the memory of `frames` when there is use for it, and
 * leaves other memory, empty, in its place. */
void cx_feed_hand_over(struct cx_feed *feed, struct cx_buffer *frames, uint64_t first,
                       size_t count);

/* What is durable is known before it is handed over: a subscription that begins then is not
 * behind what was answered already. Any thread. */
void cx_feed_set_durable(struct cx_feed *feed, uint64_t revision);

/* Nothing up to `floor` is told any more; it never goes back. */
void cx_feed_set_floor(struct cx_feed *feed, uint64_t floor);
uint64_t cx_feed_floor(const struct cx_feed *feed);

/* Ends all subscriptions, now and from now on, with this reason (STOPPING, STORAGE_FAILED). */
void cx_feed_end(struct cx_feed *feed, enum cx_reason reason, struct cx_work **ret_done);

/* ---- The threads. ----------------------------------------------------------- */

/* Waits until the step has something to do. False: cx_feed_stop() was called. */
bool cx_feed_await_tail(struct cx_feed *feed);
bool cx_feed_await_load(struct cx_feed *feed);

/* Publishes a run of what has become durable. False when nothing was left to do. */
bool cx_feed_step_tail(struct cx_feed *feed, struct cx_work **ret_done);

/* Loads one block for those who wait for it. False when nobody does. */
bool cx_feed_step_load(struct cx_feed *feed, struct cx_work **ret_done);

/* Wakes those that have been quiet for so long that progress is due. */
void cx_feed_step_timers(struct cx_feed *feed, struct cx_work **ret_done);

/* Makes the awaits return false. */
void cx_feed_stop(struct cx_feed *feed);

/* ---- Subscriptions. --------------------------------------------------------- */

/* Names the next event: the one of this index in the change of this revision, or the first
 * behind it. */
struct cx_feed_position {
    uint64_t revision;
    uint32_t index;
};

/* Where whoever has had this event goes on. */
static inline struct cx_feed_position cx_feed_behind(const struct cx_event *event)
{
    return event->last ? (struct cx_feed_position){event->revision + 1, 0}
                       : (struct cx_feed_position){event->revision, event->index + 1};
}

struct cx_feed_request {
    const struct cx_event_filter *filter; /* Copied. */
    bool without_values;
    bool has_position;                /* Else it begins with what happens from now on. */
    struct cx_feed_position position; /* {0, 0}: the oldest. */
    int64_t progress_interval_us;
};

/* The caller owns *ret_subscription: cx_subscription_close(). Fails with CURSOR_COMPACTED
 * (without its detail), INVALID_FIELD (a position of the future), LIMIT_REACHED
 * (subscriptions_max, memory), and what cx_feed_end() said. */
CX_MUST_CHECK enum cx_status cx_feed_subscribe(struct cx_feed *feed,
                                               const struct cx_feed_request *request,
                                               struct cx_subscription **ret_subscription,
                                               struct cx_error *ret_error);

/* Ends a subscription. True: its waiter was with the feed, and is the caller's again; false: it
 * was not, or is about to be completed.
 * The loader may be looking for what the subscription wants until then: `owned`, which `also`
 * may use, is given to cx_free() when that is over. It may be NULL. */
bool cx_subscription_close(struct cx_subscription *subscription, void *owned);

enum { CX_FEED_BATCH_MAX = 256 };

/* One event of a batch. */
struct cx_feed_piece {
    const struct cx_event *event;
    struct cx_bytes encoded;
};

/* What a subscription gets. */
struct cx_feed_batch {
    struct cx_feed_position next; /* Where it goes on. */
    size_t count;
    uint64_t size; /* Of all that is encoded. */
    struct cx_feed *feed;
    struct cx_block *block; /* Held. NULL: none. */
    struct cx_feed_piece pieces[CX_FEED_BATCH_MAX];
};

void cx_feed_batch_done(struct cx_feed_batch *batch);

enum cx_feed_outcome {
    CX_FEED_EVENTS,    /* The batch has some. The caller releases it. */
    CX_FEED_CAUGHT_UP, /* Once: the end was reached, and with it all that was durable when it
                          began. `next` is there. */
    CX_FEED_PROGRESS,  /* Quiet for long. */
    CX_FEED_BOUND,     /* Everything up to the bound was told. */
    CX_FEED_WAIT,      /* The waiter was taken over: ask again when it is completed. */
    CX_FEED_ENDED,     /* *ret_error says why. */
};

/* Asks for what comes next: up to about `size_max` bytes, at least one event. Never blocks. */
enum cx_feed_outcome cx_subscription_next(struct cx_subscription *subscription, uint64_t size_max,
                                          struct cx_waiter *waiter, struct cx_feed_batch *ret_batch,
                                          struct cx_error *ret_error);

/* Tells no event beyond this revision until there is another bound; and CAUGHT_UP neither. 0:
 * no bound. */
void cx_subscription_set_bound(struct cx_subscription *subscription, uint64_t revision);

/* Tells just the events of contexts that this selects, beside the filter. NULL: all. Called by
 * the feed's threads too, while the subscription is with them. */
typedef bool (*cx_subscription_also)(void *arg, const struct cx_event *event);
void cx_subscription_set_also(struct cx_subscription *subscription, cx_subscription_also also,
                              void *arg);

/* Whether progress is due for one that its owner has, who has found nothing to tell for long.
 * Then it counts as told. */
bool cx_subscription_is_quiet(struct cx_subscription *subscription);

/* What it selects. Borrowed. */
const struct cx_event_filter *cx_subscription_filter(const struct cx_subscription *subscription);

/* Where it goes on. */
struct cx_feed_position cx_subscription_position(const struct cx_subscription *subscription);

struct cx_feed_statistics {
    uint64_t subscriptions;
    uint64_t cached_bytes; /* Of the log, in blocks. */
};

void cx_feed_statistics(struct cx_feed *feed, struct cx_feed_statistics *ret_statistics);

#endif /* CX_FEED_FEED_H */
