/* Inside the client library: a batch of gRPC's that a loop waits for. */

#ifndef CXC_LOOP_H
#define CXC_LOOP_H

#include <grpc/grpc.h>

#include "clients/c/contextd_async.h"

struct cxc_loop {
    grpc_completion_queue *queue;
    size_t pending; /* Batches whose tags have not come back. */
};

/* Embedded in the object that waits. `ok` is false when the batch did not happen. */
struct cxc_tag {
    void (*done)(struct cxc_tag *tag, bool ok);
};

/* Starts a batch. `tag->done` runs once, in the loop. */
void cxc_loop_start(struct cxc_loop *loop, grpc_call *call, const grpc_op *ops, size_t count,
                    struct cxc_tag *tag);

/* A message for sending, which copies the bytes. */
grpc_byte_buffer *cxc_message_copy(struct cxc_bytes bytes);

/* Zeroed memory; ends the process when there is none. */
void *cxc_must_alloc(size_t size);

#endif /* CXC_LOOP_H */
