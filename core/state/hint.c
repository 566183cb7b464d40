#include "core/state/hint.h"

#include "core/base/prefetch.h"
#include "core/state/tracked.h"

/* The allocator's own lies in front of a piece of memory; it is looked at when that is
 * freed. */
enum { HEAD = 16 };

/* Asks for what is going to be freed, the part that is read before. */
static void prefetch_doomed(const void *memory, size_t size)
{
    cx_prefetch((const void *)((uintptr_t)memory - HEAD), HEAD + size);
}

static const struct cx_context *context_of(const struct cx_state *state, const struct cx_hint *hint)
{
    return cx_table_peek(&state->shards[cx_name_shard(hint->hash)].contexts, hint->hash);
}

void cx_hint_place(const struct cx_state *state, const struct cx_hint *hint)
{
    cx_table_prefetch(&state->shards[cx_name_shard(hint->hash)].contexts, hint->hash);
}

void cx_hint_context(const struct cx_state *state, const struct cx_hint *hint)
{
    const struct cx_context *context = context_of(state, hint);

    if (context != NULL) {
        cx_prefetch(context, sizeof *context);
    }
}

void cx_hint_parts(const struct cx_state *state, const struct cx_hint *hint)
{
    const struct cx_context *context = context_of(state, hint);

    if (context != NULL) {
        cx_prefetch(context->entries.root, 3 * CX_CACHE_LINE);
        cx_prefetch(context->tracked, sizeof(struct cx_tracked));
        cx_prefetch(context->undo_newest, CX_CACHE_LINE);
        prefetch_doomed(context->undo_oldest, sizeof *context->undo_oldest);
    }
}

void cx_hint_entry(const struct cx_state *state, const struct cx_hint *hint)
{
    const struct cx_context *context = context_of(state, hint);

    if (context == NULL) {
        return;
    }
    if (hint->key.size > 0) {
        cx_tree_prefetch(&context->entries, hint->key);
    } else if (context->tracked != NULL) {
        cx_prefetch(context->tracked->history.root, 3 * CX_CACHE_LINE);
    }
    if (context->undo_oldest != NULL) {
        prefetch_doomed(context->undo_oldest->old_entry, sizeof(struct cx_entry));
        prefetch_doomed(context->undo_oldest->new_entry, sizeof(struct cx_entry));
    }
}
