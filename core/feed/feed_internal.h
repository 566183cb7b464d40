/* The feed from inside. For core/feed alone.
 *
 * The feed's lock guards everything but what says otherwise; nothing is decoded, encoded or
 * read under it. The hand-over has a lock of its own, so that the log's writer never waits for
 * those who look for subscriptions. Neither is taken under the other. */

#ifndef CX_FEED_FEED_INTERNAL_H
#define CX_FEED_FEED_INTERNAL_H

#include "core/feed/feed.h"
#include "core/feed/selectors.h"
#include "core/state/due.h"

/* Where a subscription is. */
enum cx_subscription_state {
    CX_SUBSCRIPTION_ACTIVE,  /* With its owner, or on the way there. */
    CX_SUBSCRIPTION_PARKED,  /* At the tail, until an event concerns it. */
    CX_SUBSCRIPTION_WAITING, /* For a block. */
    CX_SUBSCRIPTION_LOADING, /* With the loader, which looks for it without the lock. */
};

struct cx_subscription {
    struct cx_feed *feed;
    struct cx_event_filter *filter; /* Owned. */
    struct cx_subscription *next;   /* Among all. */
    struct cx_subscription *previous;
    struct cx_subscription *waiting_next; /* In the list that its state names. */
    struct cx_subscription **waiting_place;
    enum cx_subscription_state state;
    struct cx_waiter *waiter; /* Unless it is active. */
    struct cx_feed_position position;
    uint64_t begun; /* What was durable when it began. */
    uint64_t bound; /* 0: none. */
    cx_subscription_also also;
    void *also_arg;
    void *owned; /* By its owner, until it was closed. Freed with it. */
    bool without_values;
    bool caught_up_told;
    bool caught_up_due;
    bool progress_due;
    bool closed;            /* By its owner, while the loader had it. */
    bool found;             /* By the loader: there is something to do. */
    enum cx_status failure; /* Of a load. */
    struct cx_due_mark due; /* For progress. */
    int64_t progress_interval_us;
    int64_t told_us; /* When it got something last. */
    size_t link_count;
    struct cx_selector_link links[];
};

/* A batch of the log's writer. */
struct cx_handed {
    struct cx_handed *next;
    struct cx_buffer frames;
    uint64_t first;
    size_t count;
};

struct cx_feed {
    struct cx_feed_options options;
    uint64_t floor;   /* Atomic. */
    uint64_t durable; /* Atomic. */
    bool interested;  /* Atomic: there are subscriptions. */

    pthread_mutex_t mutex;
    pthread_cond_t load_wanted;
    struct cx_subscription *subscriptions;
    size_t subscription_count;
    uint64_t begun_count;          /* Subscriptions that ever began. */
    struct cx_selectors selectors; /* Those that are parked, and those with several links. */
    struct cx_due due;
    struct cx_subscription *waiting; /* For blocks. */
    struct cx_subscription *bounded; /* Parked, until the tail is beyond what they await. */
    struct cx_block **blocks;        /* By first revision. */
    size_t block_count;
    size_t block_capacity;
    uint64_t block_bytes;
    uint64_t uses;
    struct cx_block *tail; /* One of the blocks: it still grows. Or NULL. */
    uint64_t tail_next;    /* Everything before was published, or is in the log. */
    uint64_t load_head;    /* Where the last load ended. */
    uint64_t load_ahead;   /* To be loaded for those who come there next. 0: nothing. */
    enum cx_reason ended;  /* Why there are no subscriptions any more. */
    bool stopping;

    /* The tail's own. */
    struct cx_handed *current; /* What it is at. */
    size_t current_offset;
    uint64_t current_next;

    pthread_mutex_t handing; /* Guards what follows. */
    pthread_cond_t handed;
    struct cx_handed *handed_first;
    struct cx_handed **handed_end;
    uint64_t handed_bytes;
    bool announced; /* Something has become durable since the tail looked last. */
    bool handing_stopped;
};

void cx_feed_free_handed(struct cx_handed *handed);

/* ---- Blocks. ---------------------------------------------------------------- */

/* The block that shows this revision, held for the caller, or NULL. */
struct cx_block *cx_feed_hold_locked(struct cx_feed *feed, uint64_t revision);
void cx_feed_let_go_locked(struct cx_feed *feed, struct cx_block *block);

/* Where the first block behind `revision` begins; `otherwise` when there is none. */
uint64_t cx_feed_next_block_locked(const struct cx_feed *feed, uint64_t revision,
                                   uint64_t otherwise);

/* Adds a block, with one hold for the caller, and drops those that nobody has looked at for
 * long: they are in *garbage, for cx_feed_free_garbage() under no lock. False when out of
 * memory: the block is as it was. */
bool cx_feed_insert_locked(struct cx_feed *feed, struct cx_block *block, struct cx_block **garbage);

/* Drops what is beyond CX_FEED_CACHE_BYTES_MAX, and nobody holds. */
void cx_feed_shrink_locked(struct cx_feed *feed, struct cx_block **garbage);

/* Drops all blocks that nobody holds. */
void cx_feed_drop_locked(struct cx_feed *feed, struct cx_block **garbage);
void cx_feed_free_garbage(struct cx_block *garbage);

/* ---- Subscriptions. --------------------------------------------------------- */

/* Hands a subscription that waits back to its owner. */
void cx_subscription_wake_locked(struct cx_subscription *subscription, struct cx_work **done);

/* Puts one that is active in the place where the next event that concerns it wakes it. */
void cx_subscription_park_locked(struct cx_subscription *subscription, struct cx_waiter *waiter);

/* Whether it wants this event. */
bool cx_subscription_wants(const struct cx_subscription *subscription,
                           const struct cx_event *event);

/* The first event that it wants from `from` on; `count` when there is none. */
size_t cx_subscription_find(const struct cx_subscription *subscription,
                            const struct cx_block *block, size_t from, size_t count);

/* Goes on to this revision, or as far as its bound lets it: it wants nothing of what lies
 * before. */
void cx_subscription_advance(struct cx_subscription *subscription, uint64_t revision);

/* Whether everything up to its bound was told. */
static inline bool cx_subscription_is_bound(const struct cx_subscription *subscription)
{
    return subscription->bound != 0 && subscription->position.revision > subscription->bound;
}

/* The revision behind which it has something to say even if no event concerns it: its bound,
 * or where it has caught up. 0: none. */
static inline uint64_t cx_subscription_awaits(const struct cx_subscription *subscription)
{
    return subscription->bound != 0 || subscription->caught_up_told ? subscription->bound
                                                                    : subscription->begun;
}

/* Puts it into a list of those that wait, or takes it out of the one that it is in. */
void cx_subscription_enlist(struct cx_subscription **list, struct cx_subscription *subscription);
void cx_subscription_delist(struct cx_subscription *subscription);

/* Takes it off everything that the feed knows it by. */
void cx_feed_forget_locked(struct cx_feed *feed, struct cx_subscription *subscription);

/* Frees one that was forgotten, or never known. NULL is fine. */
void cx_subscription_free(struct cx_subscription *subscription);

/* Why a subscription ends: what cx_feed_end() said, the floor, a load. Each sets the error. */
enum cx_status cx_feed_ended_error(enum cx_reason reason, struct cx_error *error);
enum cx_status cx_feed_compacted_error(struct cx_error *error);
enum cx_status cx_feed_load_error(enum cx_status status, struct cx_error *error);

#endif /* CX_FEED_FEED_INTERNAL_H */
