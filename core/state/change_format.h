/* The bits that stand in front of the parts of an encoded change, and say which fields
 * follow. For change.c and change_encode.c alone.
 *
 * Threads: constants. */

#ifndef CX_STATE_CHANGE_FORMAT_H
#define CX_STATE_CHANGE_FORMAT_H

enum {
    FLAG_REQUEST = 1, /* In front of a change. */
    FLAG_EACH = 2,
    FLAG_SESSION = 4,
    FLAG_OF_SESSION = 8,
    FLAG_ANSWER = 16,
    FLAGS_CHANGE = 31,

    FLAG_LABELS_CHANGED = 1, /* In front of an item. */
    FLAG_SLIDING = 2,
    FLAG_AUTHOR = 4,
    FLAG_ACTIVITIES = 8,
    FLAG_TRIMMED = 16,
    FLAG_ACTIVATIONS = 32,
    FLAG_TOLD = 64,
    FLAG_FROM_NOW = 128,
    FLAG_POLICY = 256,
    FLAG_FORKED = 512,
    FLAG_BASE = 1024,
    FLAG_UNTOLD = 2048,
    FLAG_SOURCE = 4096,
    FLAG_WITH_HISTORY = 8192,
    FLAG_WITH_POINTS = 16384,
    FLAG_MERGED = 32768,
    FLAG_POINTS = 65536,
    FLAG_BY_TIMER = 131072,
    FLAGS_ITEM = 262143,

    FLAG_PINNED = 1, /* In front of a step on a point. */
    FLAG_ASIDE = 2,
    FLAG_EXPIRED = 4,
    FLAGS_POINT = 7,

    FLAG_ACTIVE = 1, /* In front of an activation. */
    FLAG_GUARD = 2,
    FLAG_EXCLUSIVE = 4,
    FLAGS_ACTIVATION = 7,

    FLAG_MAY_CREATE = 1, /* Of a session that starts. */
    FLAG_CREATE_PARENT = 2,
    FLAG_CREATE_SLIDING = 4,
    FLAG_CREATE_POLICY = 8,
    FLAG_POINT_ON_LOSS = 16,
    FLAGS_START = 31,
};

#endif /* CX_STATE_CHANGE_FORMAT_H */
