/* A pending gRPC operation: what to do once it completes. */

#ifndef CX_RPC_TAG_H
#define CX_RPC_TAG_H

#include <stdbool.h>

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

/* Embedded in the object that waits, and passed to gRPC as the tag. `ok` is false
 * when the operation did not happen: the peer or the server is gone. */
struct cx_tag {
    void (*done)(struct cx_tag *tag, bool ok);
};

/* Both ends of a tag's way through a completion queue. What was written before the
 * one is seen after the other; gRPC sees to that, out of sight of ThreadSanitizer. */
static inline void *cx_tag_give(struct cx_tag *tag)
{
#if defined(__SANITIZE_THREAD__)
    __tsan_release(tag);
#endif
    return tag;
}

static inline struct cx_tag *cx_tag_take(void *tag)
{
#if defined(__SANITIZE_THREAD__)
    __tsan_acquire(tag);
#endif
    return (struct cx_tag *)tag;
}

#endif /* CX_RPC_TAG_H */
