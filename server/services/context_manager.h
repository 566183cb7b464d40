/* The methods of contextd.v1.ContextManager: a file for each group of them. For
 * context_manager.c, which has their table. */

#ifndef CX_SERVICES_CONTEXT_MANAGER_H
#define CX_SERVICES_CONTEXT_MANAGER_H

#include <protobuf-c/protobuf-c.h>

struct cx_call;

/* Unary methods: a row of the table each. */
void cx_context_create(struct cx_call *call, const ProtobufCMessage *request);
void cx_context_get(struct cx_call *call, const ProtobufCMessage *request);
void cx_context_update(struct cx_call *call, const ProtobufCMessage *request);
void cx_context_delete(struct cx_call *call, const ProtobufCMessage *request);
void cx_context_list(struct cx_call *call, const ProtobufCMessage *request);
void cx_context_batch_get(struct cx_call *call, const ProtobufCMessage *request);
void cx_context_batch_update(struct cx_call *call, const ProtobufCMessage *request);

/* ReadEntries, a stream of answers. */
void cx_context_read(struct cx_call *call, const ProtobufCMessage *request);
void cx_context_read_sent(struct cx_call *call);
void cx_context_read_left(struct cx_call *call);

/* StreamUpdates, a stream in both directions. */
void cx_context_stream(struct cx_call *call, const ProtobufCMessage *request);
void cx_context_stream_received(struct cx_call *call, const ProtobufCMessage *request);
void cx_context_stream_sent(struct cx_call *call);
void cx_context_stream_left(struct cx_call *call);

/* What concerns the server as a whole. */
void cx_namespace_list(struct cx_call *call, const ProtobufCMessage *request);
void cx_server_info(struct cx_call *call, const ProtobufCMessage *request);

#endif /* CX_SERVICES_CONTEXT_MANAGER_H */
