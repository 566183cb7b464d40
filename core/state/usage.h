/* The sums of one model's calls: immutable, counted, an item of a context's usage.
 *
 * What always holds: sums stop at UINT64_MAX.
 *
 * Threads: any number may hold references. */

#ifndef CX_STATE_USAGE_H
#define CX_STATE_USAGE_H

#include "core/state/tracking.h"
#include "core/tree/tree.h"

/* What is added up. */
struct cx_usage_sums {
    uint64_t call_count;
    uint64_t input_tokens;
    uint64_t output_tokens;
    uint64_t cached_tokens;
    uint64_t cost_micros;
    uint64_t latency_us;
};

/* The sums of one call, and adding one to others. */
struct cx_usage_sums cx_usage_sums_of(const struct cx_model_usage *usage);
void cx_usage_add(struct cx_usage_sums *sums, const struct cx_usage_sums *more);

struct cx_usage {
    struct cx_tree_item item; /* The key: provider, NUL, model, NUL, mode, NUL, currency. */
    struct cx_usage_sums sums;
    uint8_t bytes[];
};

extern const struct cx_tree_class cx_usage_class;

static inline struct cx_usage *cx_usage_of(struct cx_tree_item *item)
{
    return (struct cx_usage *)item; /* Its first member. */
}

/* The key of a call's row, in *ret_key. */
struct cx_usage_key {
    size_t size;
    uint8_t bytes[3 * (256 + 1) + 8];
};

void cx_usage_key_init(struct cx_usage_key *key, const struct cx_model_usage *usage);

/* Makes a row. The caller owns a reference. CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_usage_new(const struct cx_usage_key *key,
                                          const struct cx_usage_sums *sums,
                                          struct cx_usage **ret_usage);

/* The same in memory of the caller's, which has room for the key behind it. */
void cx_usage_init(struct cx_usage *usage, const struct cx_usage_key *key,
                   const struct cx_usage_sums *sums);

/* Sums up the rows of a tree, leaving out those without calls. On success the caller owns
 * *ret_summary. CX_RESOURCE_EXHAUSTED when out of memory. O(rows). */
CX_MUST_CHECK enum cx_status cx_usage_summarize(const struct cx_tree *usage,
                                                struct cx_usage_summary *ret_summary);

/* Continues a digest over it. */
uint64_t cx_usage_mix(uint64_t digest, const struct cx_usage *usage);

#endif /* CX_STATE_USAGE_H */
