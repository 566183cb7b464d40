#include "clients/c/loop.h"

#include <assert.h>
#include <stdlib.h>

#include <grpc/byte_buffer.h>

#include "clients/c/client.h"

void *cxc_must_alloc(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL) {
        abort(); /* As gRPC does, which allocates beside us all the time. */
    }
    return memory;
}

struct cxc_loop *cxc_loop_new(void)
{
    struct cxc_loop *loop = cxc_must_alloc(sizeof *loop);

    grpc_init();
    loop->queue = grpc_completion_queue_create_for_next(NULL);
    return loop;
}

bool cxc_loop_poll(struct cxc_loop *loop, int64_t timeout_ms)
{
    grpc_event event;

    if (loop->pending == 0) {
        return false;
    }
    event = grpc_completion_queue_next(loop->queue, cxc_wait_deadline(timeout_ms), NULL);
    if (event.type == GRPC_OP_COMPLETE) {
        struct cxc_tag *tag = event.tag;

        loop->pending--;
        tag->done(tag, event.success != 0);
    }
    return true;
}

void cxc_loop_free(struct cxc_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    assert(loop->pending == 0);
    grpc_completion_queue_shutdown(loop->queue);
    grpc_completion_queue_destroy(loop->queue);
    free(loop);
    grpc_shutdown();
}

void cxc_loop_start(struct cxc_loop *loop, grpc_call *call, const grpc_op *ops, size_t count,
                    struct cxc_tag *tag)
{
    loop->pending++;
    cxc_start_batch(call, ops, count, tag);
}

grpc_byte_buffer *cxc_message_copy(struct cxc_bytes bytes)
{
    grpc_slice slice = grpc_slice_from_copied_buffer((const char *)bytes.data, bytes.size);
    grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);

    grpc_slice_unref(slice);
    return message;
}

struct cxc_method *cxc_method_get(struct cxc_client *client, const char *path)
{
    struct cxc_method *method = cxc_client_method(client, path);

    if (method == NULL) {
        abort();
    }
    return method;
}
