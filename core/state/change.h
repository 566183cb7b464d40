/* A change: one validated mutation of the state, with every decision already taken.
 * What the log stores, what replay applies, what subscribers will see.
 *
 * What always holds:
 *
 *  (1) A change and the state before it determine the state after it: no clock, no
 *      random number and no configuration enters.
 *  (2) Decoding what was encoded gives the same change, and any bytes are either a
 *      change or refused.
 *  (3) A change tells, from its own bytes, which contexts it touches and what there is to
 *      say of each but its entries (afterwards; of one that ends, before; labels that
 *      change both), what there is to say of its session, and who did it.
 *
 * Its revision and its time are in the log's record around it.
 * Bytes: docs/disk-format.md, "Changes". Threads: plain data. */

#ifndef CX_STATE_CHANGE_H
#define CX_STATE_CHANGE_H

#include "core/base/arena.h"
#include "core/base/hash.h"
#include "core/state/history.h"
#include "core/state/labels.h"
#include "core/state/request.h"

struct cx_settings;

enum cx_change_kind {
    CX_CHANGE_CONTEXTS = 1, /* Does something to contexts, or a session, of one namespace. */
    CX_CHANGE_SETTINGS = 2, /* Sets what apply drops. */
    CX_CHANGE_FLOOR = 3,    /* Says how far back events are told. */
};

enum cx_item_kind {
    CX_ITEM_CREATE = 1,
    CX_ITEM_UPDATE = 2,
    CX_ITEM_DELETE = 3,      /* By a client; can be undone for a while. */
    CX_ITEM_EXPIRE = 4,      /* The same, by its time to live. */
    CX_ITEM_PURGE = 5,       /* Its states are gone; its last version is remembered. */
    CX_ITEM_DROP_STATES = 6, /* The undelete window of a deleted one is over. */
    CX_ITEM_FORGET = 7,      /* The tombstone window is over: nothing is left. */
    CX_ITEM_TOUCH = 8,       /* Its state stays: activities, activations and points alone. */
    CX_ITEM_UNDELETE = 9,    /* A deleted one is there again, as a new version. */
};

/* Which state a context, or a point, begins from. */
enum cx_base_kind {
    CX_BASE_NONE = 0,
    CX_BASE_POINT = 1,   /* `number`: a sequence. */
    CX_BASE_VERSION = 2, /* `number`: one of the states right before the head. */
    CX_BASE_HEAD = 3,    /* The newest. */
};

struct cx_base_ref {
    enum cx_base_kind kind;
    uint64_t number;
};

/* One step on the entries or the expiry of a context. Label steps are there for those
 * who read the log: the labels that result are in the item. */
struct cx_op {
    enum cx_mutation_kind kind;
    bool sliding;
    struct cx_bytes key;
    struct cx_bytes content_type;
    uint64_t kept;         /* A put keeps that much of the value before it, */
    struct cx_bytes value; /* and these bytes follow. */
    int64_t ttl_us;
    const struct cx_activity_content *activity;
    const struct cx_recovery_policy *policy;

    /* Not stored: what an append was promised to find. */
    bool has_expected_size;
    uint64_t expected_size;
};

/* A session that begins, or ends, to have the context active. */
struct cx_activation_step {
    struct cx_bytes session_id;
    bool active; /* From now on. */
    bool guard;
    uint64_t fence; /* Of the activation. 0: shared. */
};

enum cx_point_step_kind {
    CX_POINT_MAKE = 1,    /* A new point, */
    CX_POINT_REPLACE = 2, /* or a new state and all for one that is there. */
    CX_POINT_CHANGE = 3,  /* What lies beside its state. */
    CX_POINT_DROP = 4,
    CX_POINT_PENDING = 5, /* Attachments for one that is still to be made. */
};

/* One step on the recovery points of a context. */
struct cx_point_step {
    enum cx_point_step_kind kind;
    uint8_t origin; /* enum cx_point_origin, of one that is made. */
    bool pinned;
    bool aside;   /* Of one that is made: the head does not have its state. */
    bool expired; /* Of one that is dropped. */
    struct cx_bytes id;
    uint64_t sequence;
    uint64_t version;        /* Of its state. */
    struct cx_base_ref base; /* Of one aside: a point, or the head before the change. */
    struct cx_op *ops;       /* Of one aside: on top of the base. */
    size_t op_count;
    struct cx_label_list state_labels; /* Of one aside: the labels of its state. */
    struct cx_label_list labels;       /* Its own, afterwards. */
    struct cx_op *attachments;         /* Puts and deletes. */
    size_t attachment_count;
    int64_t expire_time_us; /* 0: never. */
};

/* A state of another context of the namespace. */
struct cx_source_ref {
    struct cx_bytes id; /* Empty: there is none. */
    struct cx_base_ref base;
};

/* What else there is to tell of the context: as it is after the change, or was before one
 * that ends it. Staging works it out; a replay refuses any other. */
struct cx_change_head {
    /* The change is told to subscribers: false where a context that had ended already is
     * purged, dropped or forgotten, and all else is empty then. */
    bool told;
    struct cx_bytes parent_id;
    int64_t create_time_us; /* 0: the change's own time. */
    int64_t update_time_us; /* 0: the change's own time. */
    bool expires_from_now;  /* `expire_us` counts from the change's time; else it is a time. */
    int64_t expire_us;      /* 0: never. */
    uint64_t entry_count;
    uint64_t size_bytes;
    uint64_t fence;
    struct cx_recovery_policy policy;
    struct cx_bytes forked_from_id; /* Empty: it was not. */
    uint64_t forked_from_version;
};

struct cx_change_item {
    enum cx_item_kind kind;
    bool labels_changed; /* Always for a create. */
    bool sliding;
    struct cx_bytes id;
    uint64_t version; /* After the change; of a delete, the last one. */
    struct cx_bytes type;
    struct cx_change_head head; /* Of a create, parent and policy are decided before staging. */
    struct cx_label_list labels;
    struct cx_label_list labels_before; /* Only if labels_changed. */
    int64_t ttl_us;                     /* Only of a create. */
    struct cx_op *ops;
    size_t op_count;
    struct cx_bytes session_id;                   /* Whose change it is. Empty: nobody says. */
    uint64_t first_sequence;                      /* Of the activities among the ops. 0: none. */
    struct cx_run_list trimmed;                   /* Activities that are dropped. */
    const struct cx_activation_step *activations; /* In their order, after the ops. */
    size_t activation_count;

    /* Of an update or undelete: the state that the new one is made from, with these steps on
     * top. `ops` tell, but for activities, what that came to. Of a create: what it is forked
     * from. */
    struct cx_base_ref base;
    struct cx_bytes base_id; /* Of a point. */
    struct cx_op *base_ops;
    size_t base_op_count;
    bool untold;   /* What it came to is too much for `ops`. */
    bool by_timer; /* Of a touch that nobody asked for: an expiry that slides stays. */
    struct cx_source_ref source;
    bool with_history; /* These two: of a fork. */
    bool with_points;
    struct cx_source_ref merged;  /* Of an update: all of that state is in it now. */
    struct cx_point_step *points; /* After everything else, in their order. */
    size_t point_count;
};

enum cx_session_step {
    CX_SESSION_NONE = 0,
    CX_SESSION_START = 1,
    CX_SESSION_END = 2,
    CX_SESSION_LOSE = 3,
    CX_SESSION_SWITCH = 4, /* Another context is the current one. */
    CX_SESSION_PART = 5,   /* Some of its contexts and resources go; its end follows. */
};

/* What happens to a session, apart from what the items say. A session that ends has an item
 * for each of its contexts; where one change is too small for all, others come before. */
struct cx_session_change {
    enum cx_session_step step;

    /* The name, always. Owner, labels and ttl: not of a part; staging fills them in where
     * nothing starts, and a replay refuses any others. The rest, of a start. */
    struct cx_session_start_request start;
    int64_t create_time_us;     /* Like the owner; 0: the change's own time, of a start. */
    struct cx_bytes current_id; /* Of a switch. */
};

/* Which request a change answers. */
struct cx_request_mark {
    struct cx_hash128 id;  /* Of namespace, context and request id; zero: none. */
    uint64_t content_hash; /* Of the request without what only identifies it. */
    size_t owner;          /* The item of the context that the request named. */
    bool each;             /* The request named a context per item: each keeps a mark. */
    bool of_session;       /* The session keeps the mark, and there is no owner. */
    bool has_answer;       /* What is remembered is `answer`, not the owner's version. */
    uint64_t answer;
};

static inline bool cx_request_mark_is_set(const struct cx_request_mark *mark)
{
    return mark->id.low != 0 || mark->id.high != 0;
}

/* The id under which the other contexts of an atomic batch keep its mark. */
struct cx_hash128 cx_request_mark_id_of(const struct cx_request_mark *mark,
                                        struct cx_bytes context_key);

struct cx_change {
    enum cx_change_kind kind;
    struct cx_bytes namespace_id;
    struct cx_request_mark request;
    struct cx_session_change session;
    struct cx_change_item *items;
    size_t item_count;                  /* 0 only if there is a session. */
    const struct cx_settings *settings; /* Of CX_CHANGE_SETTINGS. */
    uint64_t floor; /* Of CX_CHANGE_FLOOR: no event up to this revision is told any more. */
};

/* The sequence of the last activity among the item's ops; 0 when there are none. */
uint64_t cx_change_item_last_sequence(const struct cx_change_item *item);

/* Appends the encoded change. CX_RESOURCE_EXHAUSTED when out of memory. O(size). */
CX_MUST_CHECK enum cx_status cx_change_encode(const struct cx_change *change,
                                              struct cx_buffer *buffer);

/* Decodes a change. What it points at is in `bytes` or in the arena. Fails with
 * CX_DATA_LOSS when the bytes are no change, CX_RESOURCE_EXHAUSTED when out of
 * memory. O(size). */
CX_MUST_CHECK enum cx_status cx_change_decode(struct cx_bytes bytes, struct cx_arena *arena,
                                              struct cx_change *ret_change);

/* Writes the names of the contexts that a change, which may be damaged, seems to
 * concern: at most `size` bytes, a C string. */
void cx_change_describe(struct cx_bytes bytes, char *text, size_t size);

#endif /* CX_STATE_CHANGE_H */
