/* Where history, files and usage of a context stood when a state ended.
 *
 * Most of what leads back to a state is dropped again without anybody having asked for it. So
 * a past leans on the history that goes on, where it can: it knows how far it went, and a
 * history that is only added to still begins with it. A tree of its own would make the next
 * activity copy the path that it touches.
 *
 * What always holds:
 *
 *  (1) A past tells the same for ever, whatever happens to its context.
 *  (2) A later history that pasts lean on begins with theirs, and has at most CX_LEAN_MAX
 *      activities more, or those of one change.
 *  (3) A later history that is not taken yet is that of the head, and the tracked's `later`.
 *
 * Threads: pasts and later histories are counted, and given back on any thread. What leans on
 * a head is read under the lock of its shard, what is whole without one. */

#ifndef CX_STATE_PAST_H
#define CX_STATE_PAST_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/status.h"
#include "core/tree/tree.h"

struct cx_tracked;

/* A history that pasts lean on. */
struct cx_later {
    uint32_t refs; /* Atomic. */
    bool taken;
    uint64_t first_sequence; /* The last one of the first past that leans on it. */
    struct cx_tree history;  /* Once it is taken. */
};

/* Immutable, counted. */
struct cx_past {
    uint32_t refs; /* Atomic. */
    uint64_t last_sequence;
    struct cx_later *later; /* What it leans on: a reference. NULL: it is whole. */
    struct cx_tree history; /* Of one that is whole. */
    uint64_t history_count;
    uint64_t history_bytes;
    struct cx_tree files;
    size_t file_count;
    struct cx_tree usage;
    size_t usage_count;
};

/* Whether there is anything to remember. NULL: nothing. */
bool cx_past_is_worth(const struct cx_tracked *tracked);

/* Empty; to be filled once, before anybody else sees it. NULL when out of memory. */
struct cx_past *cx_past_new(void);

/* Makes it whole: as it stands now. O(1). */
void cx_past_fill(struct cx_past *past, const struct cx_tracked *tracked);
struct cx_past *cx_past_ref(struct cx_past *past); /* NULL is fine. */
void cx_past_unref(struct cx_past *past);          /* NULL is fine. */

/* How things stand now: *ret_past is a reference, whole, or NULL where nothing has happened.
 * CX_RESOURCE_EXHAUSTED when out of memory. O(1). */
CX_MUST_CHECK enum cx_status cx_past_take(struct cx_tracked *tracked, struct cx_past **ret_past);

/* The same, of one that may lean. */
CX_MUST_CHECK enum cx_status cx_past_lean(struct cx_tracked *tracked, struct cx_past **ret_past);

/* A past (NULL is fine) that is whole, from one that may lean on the head's history:
 * *ret_past is a reference. CX_RESOURCE_EXHAUSTED when out of memory. O(activities that came
 * later, of those that it leans on). */
CX_MUST_CHECK enum cx_status cx_past_whole(struct cx_past *past, const struct cx_tracked *tracked,
                                           struct cx_past **ret_past);

/* Before a change adds so many activities, or also drops some: takes the history for those
 * that lean on it, if it is time to. To be called before cx_tree_need_*(). O(1). */
void cx_past_prepare(struct cx_tracked *tracked, uint64_t added, bool drops);

/* Takes the history for those that lean on it. O(1). NULL is fine. */
void cx_past_settle(struct cx_tracked *tracked);

void cx_later_unref(struct cx_later *later); /* NULL is fine. */

/* Continues a digest over what a past (NULL is fine) tells. `tracked`: the head's, where it may
 * lean on that. */
uint64_t cx_past_mix(uint64_t digest, const struct cx_past *past, const struct cx_tracked *tracked);

#endif /* CX_STATE_PAST_H */
