/* Who has to be told of an event: subscriptions, found by what they select.
 *
 * A subscription is found by one of its conditions: each of its context ids, else the prefix of
 * the id, the first of the labels, the type, each of the types of events, or else the namespace.
 * So an event costs those whom it may concern, and a few look-ups, however many others there are.
 *
 * What always holds:
 *
 *  (1) An event that the filter of a subscription selects visits it, if its link is in.
 *  (2) Others may be visited too: whoever visits looks at the filter.
 *
 * Threads: belongs to the feed's lock. */

#ifndef CX_FEED_SELECTORS_H
#define CX_FEED_SELECTORS_H

#include "core/base/limits.h"
#include "core/feed/filter.h"

enum cx_selector_kind {
    CX_SELECTOR_ID,
    CX_SELECTOR_PREFIX,
    CX_SELECTOR_LABEL,
    CX_SELECTOR_TYPE,
    CX_SELECTOR_EVENT,
    CX_SELECTOR_NAMESPACE,
    CX_SELECTOR_KINDS,
};

struct cx_subscription;

/* One way to a subscription; embedded in it. */
struct cx_selector_link {
    struct cx_subscription *subscription;
    struct cx_selector_link *next;
    struct cx_selector_link **place; /* What points here. NULL: it is out. */
    uint64_t hash;
    uint8_t kind;
    uint16_t prefix_size;
};

/* Zeroed: empty. */
struct cx_selectors {
    struct cx_selector_link **buckets;
    size_t capacity; /* A power of two, or 0. */
    size_t reserved; /* Links that may be in at once. */
    size_t counts[CX_SELECTOR_KINDS];
    size_t prefix_counts[CX_CONTEXT_ID_SIZE_MAX + 1]; /* By the prefix's size. */
};

/* How many links a filter needs, and what they are. */
size_t cx_selector_link_count(const struct cx_event_filter *filter);
void cx_selector_links_init(const struct cx_event_filter *filter,
                            struct cx_subscription *subscription, struct cx_selector_link *links);

/* Makes room for `count` more links. CX_RESOURCE_EXHAUSTED when out of memory. Amortized
 * O(1). */
CX_MUST_CHECK enum cx_status cx_selectors_reserve(struct cx_selectors *selectors, size_t count);
void cx_selectors_release(struct cx_selectors *selectors, size_t count);

/* Puts a link in, for which there is room, or takes it out. O(1). */
void cx_selectors_add(struct cx_selectors *selectors, struct cx_selector_link *link);
void cx_selectors_remove(struct cx_selectors *selectors, struct cx_selector_link *link);

/* Calls `visit` for each link that the event may concern; it may take out that link. */
void cx_selectors_visit(const struct cx_selectors *selectors, const struct cx_event *event,
                        void (*visit)(void *arg, struct cx_selector_link *link,
                                      const struct cx_event *event),
                        void *arg);

void cx_selectors_done(struct cx_selectors *selectors);

#endif /* CX_FEED_SELECTORS_H */
