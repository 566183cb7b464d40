/* What the tracker knows of one context: who has it active, what was done to it, what is
 * held. Most of it goes with the context's states; fence and sequence stay as long as
 * its version does.
 *
 * What always holds:
 *
 *  (1) The fence and the last sequence never go back.
 *  (2) `exclusive` is one of the activations, the only one with a fence, which is the
 *      context's then.
 *  (3) `history_count` and `history_bytes` are those of `history`.
 *
 * Threads: the lock of the context's shard; the activations' as session.h says. */

#ifndef CX_STATE_TRACKED_H
#define CX_STATE_TRACKED_H

#include "core/state/past.h"
#include "core/state/session.h"

struct cx_tracked {
    uint64_t fence; /* Of the last exclusive activation. */
    struct cx_activation *activation_oldest;
    struct cx_activation *activation_newest;
    struct cx_activation *exclusive; /* NULL: none. */
    size_t activation_count;

    uint64_t last_sequence;
    struct cx_tree history; /* Activities, by sequence. */
    uint64_t history_count;
    uint64_t history_bytes;
    uint64_t history_revision; /* Of its last change. */
    uint64_t trim_revision;    /* Of the last one that dropped anything. */

    /* States of the context share these. */
    struct cx_tree files; /* By path. */
    size_t file_count;
    struct cx_tree usage; /* By model. */
    size_t usage_count;

    struct cx_tree resources; /* Those that are held, by name. */

    struct cx_past *past;   /* Where all that stands now, once somebody asked. A reference. */
    struct cx_later *later; /* What pasts lean on, while it is not taken. A reference. */
};

/* Nothing yet. NULL when out of memory. */
struct cx_tracked *cx_tracked_new(void);

/* Forgets the past that was asked for: what it tells changes. */
void cx_tracked_move_on(struct cx_tracked *tracked);

/* What stays when the states are dropped: fence and sequence. NULL when out of memory. */
struct cx_tracked *cx_tracked_bare(const struct cx_tracked *tracked);

/* Frees it; nothing may be active or held. NULL is fine. O(activities and files that nobody
 * else holds). */
void cx_tracked_free(struct cx_tracked *tracked);

/* Links an activation that is in no list into the lists of its context, as its newest, and
 * of its session. It takes the place of one that they had before, which is freed, and
 * becomes the current one of a session that has none. */
void cx_activation_begin(struct cx_tracked *tracked, struct cx_activation *activation);

/* Takes an activation out of both lists and frees it. When it was the session's current
 * one, its default context takes the place if it is active, else the newest. */
void cx_activation_end(struct cx_tracked *tracked, struct cx_activation *activation);

/* Continues a digest over a history up to its last sequence, files and usage. */
uint64_t cx_history_mix(uint64_t digest, const struct cx_tree *history, uint64_t last_sequence,
                        const struct cx_tree *files, const struct cx_tree *usage);

/* Continues a digest over all of it. NULL counts like one that is new. */
uint64_t cx_tracked_mix(uint64_t digest, const struct cx_tracked *tracked);

#endif /* CX_STATE_TRACKED_H */
