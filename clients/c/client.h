/* Inside the client library: the connection, and one call on it as gRPC sees it. */

#ifndef CXC_CLIENT_H
#define CXC_CLIENT_H

#include <grpc/grpc.h>
#include <grpc/support/time.h>
#include <pthread.h>

#include "clients/c/contextd.h"

/* A path that was registered on a connection. */
struct cxc_method {
    struct cxc_client *client;
    const char *path;
    void *registration; /* gRPC's. */
    struct cxc_method *next;
};

struct cxc_client {
    grpc_channel *channel;
    int64_t timeout_ms;
    bool no_repeats;
    bool tls;
    pthread_mutex_t mutex;      /* Guards `methods`; what it lists does not change. */
    struct cxc_method *methods; /* Owned. */
};

/* The method at `path`; NULL when out of memory. */
struct cxc_method *cxc_client_method(struct cxc_client *client, const char *path);

/* What a call got back. Written by gRPC, so it must not move while the call runs. */
struct cxc_exchange {
    grpc_call *call;
    bool tls; /* Of the client's connection. */
    grpc_metadata_array initial;
    grpc_metadata_array trailing;
    grpc_status_code status;
    grpc_slice status_text;
    grpc_byte_buffer *message; /* The one received last, owned. */
};

/* Begins a call on `queue`. `timeout_ms` 0: no deadline. */
void cxc_exchange_init(struct cxc_exchange *exchange, const struct cxc_method *method,
                       grpc_completion_queue *queue, int64_t timeout_ms);

/* Releases the call; no batch of it may be pending. Does nothing when zeroed. */
void cxc_exchange_done(struct cxc_exchange *exchange);

/* What a call with one request sends first: fills four operations, the initial
 * metadata of the answer among them. The message is the caller's. */
enum { CXC_OPENING_OPS = 4 };
void cxc_exchange_opening(struct cxc_exchange *exchange, grpc_byte_buffer *message,
                          grpc_op ops[CXC_OPENING_OPS]);

/* The operation that opens a call. One that waits for the server does not fail while it
 * cannot be reached, until its deadline. That is how to reach one that comes back: gRPC
 * gets on with connecting only while a call waits for it. */
grpc_op cxc_exchange_send_metadata(bool wait_for_server);

/* The operations that receive the next message, and the status. */
grpc_op cxc_exchange_receive_message(struct cxc_exchange *exchange);
grpc_op cxc_exchange_receive_status(struct cxc_exchange *exchange);

/* How the call ended, once its status has been received. */
enum cxc_code cxc_exchange_result(const struct cxc_exchange *exchange, struct cxc_error *ret_error);

/* Takes the message received last, as one slice of the caller's. Returns false when
 * there is none, or its compression is not known. */
bool cxc_exchange_take(struct cxc_exchange *exchange, grpc_slice *ret_slice);

/* Unpacks the message received last. Fails with CXC_INTERNAL when there is none or
 * it is malformed. */
CXC_MUST_CHECK enum cxc_code cxc_exchange_unpack(struct cxc_exchange *exchange,
                                                 const ProtobufCMessageDescriptor *type,
                                                 ProtobufCMessage **ret_message,
                                                 struct cxc_error *ret_error);

/* Packs a message into a slice of the caller's. */
grpc_slice cxc_message_pack(const ProtobufCMessage *message);

/* When a wait of `timeout_ms` ends. Negative: never; 0: at once. */
gpr_timespec cxc_wait_deadline(int64_t timeout_ms);

/* Waits on a queue for plucking until the batch with this tag is done; the second just
 * so long, and returns whether it is. */
void cxc_pluck(grpc_completion_queue *queue, void *tag);
bool cxc_pluck_for(grpc_completion_queue *queue, void *tag, int64_t timeout_ms);

/* Starts a batch; a refusal is a mistake of ours. */
void cxc_start_batch(grpc_call *call, const grpc_op *ops, size_t count, void *tag);

#endif /* CXC_CLIENT_H */
