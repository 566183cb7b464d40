/* Looking ahead. */

#include "core/base/limits.h"
#include "core/engine/engine_internal.h"
#include "core/state/hint.h"

/* Updates between two steps: in their time, memory has answered. */
enum { STEP = CX_FORESIGHT / 3 };

typedef void (*hint_fn)(const struct cx_state *state, const struct cx_hint *hint);

/* Takes a step for the update that was foreseen `back` calls ago. */
static void hint_step(struct cx_engine *engine, const struct cx_foresight *foresight, unsigned back,
                      hint_fn step)
{
    const struct cx_hint hint = {
        .hash = foresight->hashes[(foresight->count - 1 - back) % CX_FORESIGHT_PLACES],
        .key = foresight->keys[(foresight->count - 1 - back) % CX_FORESIGHT_PLACES],
    };
    pthread_mutex_t *lock = &engine->locks[cx_name_shard(hint.hash)];

    if (hint.hash != 0) {
        pthread_mutex_lock(lock);
        step(&engine->state, &hint);
        pthread_mutex_unlock(lock);
    }
}

static bool size_fits(struct cx_bytes name, size_t size_max)
{
    return name.size >= 1 && name.size <= size_max;
}

void cx_engine_foresee(struct cx_engine *engine, struct cx_foresight *foresight,
                       const struct cx_context_name *name, struct cx_bytes key)
{
    unsigned place = foresight->count++ % CX_FORESIGHT_PLACES;
    struct cx_name_key name_key;

    foresight->hashes[place] = 0;
    foresight->keys[place] = key;
    if (name != NULL && size_fits(name->namespace_id, CX_NAMESPACE_SIZE_MAX) &&
        size_fits(name->id, CX_CONTEXT_ID_SIZE_MAX)) {
        cx_name_key_init(&name_key, name->namespace_id, name->id);
        foresight->hashes[place] = name_key.hash;
    }
    hint_step(engine, foresight, 0, cx_hint_place);
    hint_step(engine, foresight, STEP, cx_hint_context);
    hint_step(engine, foresight, 2 * STEP, cx_hint_parts);
    hint_step(engine, foresight, CX_FORESIGHT - 1, cx_hint_entry);
}
