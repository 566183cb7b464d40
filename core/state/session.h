/* A session: a client's presence, with the contexts that it has active and the resources
 * that it holds.
 *
 * What always holds:
 *
 *  (1) Its names, owner, labels and what it was started with never change: whoever holds
 *      a reference may read them without a lock.
 *  (2) An activation is in the lists of its session and of its context, or in none.
 *  (3) The current context is one of the active ones.
 *  (4) `deadline_us` is the engine's: no change sets it, and no digest counts it.
 *
 * Threads: what changes belongs to the lock of the session's shard; an activation or a
 * resource comes and goes under that and the lock of its context's shard together, so
 * that either is enough to look at it. */

#ifndef CX_STATE_SESSION_H
#define CX_STATE_SESSION_H

#include "core/base/error.h"
#include "core/state/due.h"
#include "core/state/labels.h"
#include "core/state/tracking.h"
#include "core/tree/tree.h"

struct cx_context;
struct cx_session;

/* A context that is active in a session. */
struct cx_activation {
    struct cx_session *session; /* Borrowed, like the context: neither goes before it. */
    struct cx_context *context;
    struct cx_activation *session_previous; /* Oldest first. */
    struct cx_activation *session_next;
    struct cx_activation *context_previous; /* Oldest first. */
    struct cx_activation *context_next;
    uint64_t fence; /* 0: shared. */
    int64_t time_us;
    bool guard;
    bool staged; /* The change that is being made ends it. */
};

/* A resource of a context that a session holds: an item of the context's resources. Its
 * links belong to the locks, the rest never changes. */
struct cx_resource {
    struct cx_tree_item item;     /* The key: the name. `extra`: the type's size. */
    struct cx_session *session;   /* A reference. */
    struct cx_context *context;   /* Borrowed: of one that is held. */
    struct cx_resource *previous; /* Of the session. */
    struct cx_resource *next;
    struct cx_labels *labels; /* A reference. */
    int64_t time_us;
    bool staged;     /* The change that is being made ends it. */
    uint8_t bytes[]; /* The name, the type. */
};

struct cx_session {
    struct cx_tree_item item; /* The key: namespace, NUL, id. `extra`: the owner's size. */
    struct cx_due_mark lease;
    uint8_t namespace_size;
    uint8_t shard;
    bool ending;        /* The change that is being made ends it. */
    bool may_create;    /* Missing contexts begin as `new_context` says. */
    bool point_on_loss; /* Its exclusive contexts get a recovery point when it is lost. */
    struct cx_labels *labels;
    struct cx_new_context new_context; /* Borrowed from `new_labels` and `bytes`. */
    struct cx_labels *new_labels;
    struct cx_bytes default_context_id; /* In `bytes`. */
    uint64_t max_active_contexts;
    int64_t ttl_us;
    int64_t create_time_us;
    uint64_t start_revision;
    uint64_t revision;   /* Of its last change. */
    int64_t deadline_us; /* When it is lost, on the engine's steady clock. Atomic. */
    struct cx_activation *activation_oldest;
    struct cx_activation *activation_newest;
    struct cx_activation *current; /* NULL: none. */
    size_t activation_count;
    struct cx_resource *resource_newest;
    size_t resource_count;
    uint8_t bytes[]; /* Namespace, NUL, id, owner, default context, new type, new parent. */
};

extern const struct cx_tree_class cx_session_class;
extern const struct cx_tree_class cx_resource_class;

static inline struct cx_session *cx_session_of(struct cx_tree_item *item)
{
    return (struct cx_session *)item; /* Its first member. */
}

static inline struct cx_resource *cx_resource_of(struct cx_tree_item *item)
{
    return (struct cx_resource *)item; /* Its first member. */
}

/* Makes a session that nobody sees yet, without a lease. The caller owns a reference.
 * CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_session_new(const struct cx_session_start_request *start,
                                            struct cx_session **ret_session);
void cx_session_unref(struct cx_session *session); /* NULL is fine. */

/* The names, borrowed for as long as the session lives. */
struct cx_bytes cx_session_namespace(const struct cx_session *session);
struct cx_bytes cx_session_id(const struct cx_session *session);
struct cx_bytes cx_session_owner(const struct cx_session *session);

/* SESSION_NOT_FOUND. */
enum cx_status cx_session_not_found(struct cx_error *error, struct cx_bytes id);

/* Whether its term is over. Needs no lock, as long as the session lives. */
static inline bool cx_session_has_lapsed(const struct cx_session *session, int64_t lease_now_us)
{
    return __atomic_load_n(&session->deadline_us, __ATOMIC_RELAXED) <= lease_now_us;
}

/* The activation of a context in it, or NULL. O(activations of the session). */
struct cx_activation *cx_session_find(const struct cx_session *session,
                                      const struct cx_context *context);

/* Puts a resource into its session's list, or takes it out. */
void cx_session_hold(struct cx_session *session, struct cx_resource *resource);
void cx_session_let_go(struct cx_resource *resource);

/* Makes a resource for a session, which gets no link yet. The caller owns a reference.
 * CX_RESOURCE_EXHAUSTED when out of memory. */
CX_MUST_CHECK enum cx_status cx_resource_new(struct cx_session *session, struct cx_context *context,
                                             const struct cx_activity_content *acquired,
                                             struct cx_resource **ret_resource);

/* What it says, borrowed from it. */
void cx_resource_view(const struct cx_resource *resource, struct cx_resource_view *ret_view);

/* Fills a page, whose `resources` is set, with what the query asks for.
 * CX_RESOURCE_EXHAUSTED when out of memory. O(log n + rows). */
CX_MUST_CHECK enum cx_status cx_resource_list(const struct cx_tracked_query *query,
                                              struct cx_resource_page *page);

/* The bytes of memory that a copy takes at most, also after one more context was activated.
 * O(activations). */
size_t cx_session_view_room(const struct cx_session *session);

/* Copies a session as it is into memory from cx_alloc() of that size. `expire_time_us` is the
 * caller's to set. O(activations). */
void cx_session_view_fill(const struct cx_session *session, struct cx_session_view *ret_view);

/* Continues a digest over everything that changes have made. */
uint64_t cx_session_mix(uint64_t digest, const struct cx_session *session);

#endif /* CX_STATE_SESSION_H */
