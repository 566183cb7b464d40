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
    FLAGS_ITEM = 255,

    FLAG_ACTIVE = 1, /* In front of an activation. */
    FLAG_GUARD = 2,
    FLAG_EXCLUSIVE = 4,
    FLAGS_ACTIVATION = 7,

    FLAG_MAY_CREATE = 1, /* Of a session that starts. */
    FLAG_CREATE_PARENT = 2,
    FLAG_CREATE_SLIDING = 4,
    FLAGS_START = 7,
};

#endif /* CX_STATE_CHANGE_FORMAT_H */
