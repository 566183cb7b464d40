/* What apply drops, and so a part of the state. */

#ifndef CX_STATE_SETTINGS_H
#define CX_STATE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

/* A start that finds other values in the state writes a change first. */
struct cx_settings {
    uint64_t version_retention; /* States of a context that can be read, the newest included. */
    int64_t undelete_window_us;
    int64_t tombstone_window_us; /* At least undelete_window_us. */
    int64_t request_id_window_us;
    uint64_t request_ids_max;
};

static inline bool cx_settings_equal(const struct cx_settings *a, const struct cx_settings *b)
{
    return a->version_retention == b->version_retention &&
           a->undelete_window_us == b->undelete_window_us &&
           a->tombstone_window_us == b->tombstone_window_us &&
           a->request_id_window_us == b->request_id_window_us &&
           a->request_ids_max == b->request_ids_max;
}

#endif /* CX_STATE_SETTINGS_H */
