/* Subscriptions: events from any position, with the contexts as they are before them where
 * that is asked for.
 *
 * A snapshot is taken shard by shard, a page of contexts at a time. A page is as of one
 * revision, which is where the events stand when it is told: so each context is shown once,
 * true at its revision, and afterwards come the events behind that of all that were shown.
 * Where it stands is a position among the events and a place among the contexts; both together
 * can be taken up again at any later time.
 *
 * What always holds, beside the promises of core/feed/feed.h:
 *
 *  (1) Nothing is told that is not durable; there is nothing to wait for.
 *  (2) A context that has been shown is true at its revision, and no event that it holds
 *      already follows.
 *  (3) No lock is held over more than CX_SNAPSHOT_ROWS contexts.
 *
 * Threads: a subscription belongs to one thread at a time, any. */

#ifndef CX_ENGINE_SUBSCRIPTION_H
#define CX_ENGINE_SUBSCRIPTION_H

#include "core/base/error.h"
#include "core/base/work.h"
#include "core/feed/feed.h"
#include "core/state/snapshot.h"

struct cx_engine;
struct cx_engine_subscription;

/* How far a snapshot has come: all contexts of the shards before this one were shown, and of
 * this one all whose ids are at most this. */
struct cx_snapshot_place {
    uint32_t shard;     /* CX_SHARDS: all. */
    struct cx_bytes id; /* Borrowed. Empty: none of this shard. */
};

struct cx_subscribe_request {
    struct cx_feed_request feed;
    bool with_snapshot;
    struct cx_snapshot_place place; /* Of a snapshot that is taken up again. */
};

/* The caller owns *ret_subscription: cx_engine_unsubscribe(). Fails like
 * cx_feed_subscribe(). */
CX_MUST_CHECK enum cx_status cx_engine_subscribe(struct cx_engine *engine,
                                                 const struct cx_subscribe_request *request,
                                                 struct cx_engine_subscription **ret_subscription,
                                                 struct cx_error *ret_error);

/* The oldest position that a subscription can begin with now. */
struct cx_feed_position cx_engine_oldest(const struct cx_engine *engine);

/* See cx_subscription_close(). NULL is fine. */
bool cx_engine_unsubscribe(struct cx_engine_subscription *subscription);

enum cx_told_kind {
    CX_TOLD_EVENTS,    /* `batch`: to be released. */
    CX_TOLD_SNAPSHOT,  /* `context`, as it is. */
    CX_TOLD_CAUGHT_UP, /* Once. */
    CX_TOLD_PROGRESS,
    CX_TOLD_NOTHING, /* The waiter was taken over: ask again when it is completed. */
    CX_TOLD_LATER,   /* Nothing yet; ask again, and let others have the thread before. */
    CX_TOLD_END,     /* The error says why. */
};

/* What a subscription gets. */
struct cx_told {
    enum cx_told_kind kind;
    bool in_snapshot;               /* The snapshot goes on after this. */
    struct cx_feed_position next;   /* Where it goes on, */
    struct cx_snapshot_place place; /* and in the snapshot. Borrowed until the next call. */

    /* Borrowed until a call before which there was no other context to tell, like `before`: the
     * place that leads to this context. */
    const struct cx_snapshot *context;
    struct cx_snapshot_place before;
    struct cx_feed_batch batch;
};

/* Asks for what comes next: up to about `size_max` bytes of events, or one context. Never
 * blocks. Events in the middle of a snapshot are encoded with cursors that know nothing of it:
 * `place` belongs to them. */
void cx_engine_next(struct cx_engine_subscription *subscription, uint64_t size_max,
                    struct cx_waiter *waiter, struct cx_told *ret_told, struct cx_error *ret_error);

/* Whether another context can be told right away. */
bool cx_engine_has_context(const struct cx_engine_subscription *subscription);

/* What it selects. Borrowed. */
const struct cx_event_filter *cx_engine_filter(const struct cx_engine_subscription *subscription);

/* Ends all subscriptions: the server is stopping. */
void cx_engine_end_subscriptions(struct cx_engine *engine);

#endif /* CX_ENGINE_SUBSCRIPTION_H */
