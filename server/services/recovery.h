/* The methods of contextd.v1.Recovery, one file for each, joined to a table in recovery.c.
 * What each does is specified by recovery.proto.
 *
 * Threads: those of server/rpc/call.h. */

#ifndef CX_SERVICES_RECOVERY_H
#define CX_SERVICES_RECOVERY_H

#include <protobuf-c/protobuf-c.h>

struct cx_call;

/* Points. */
void cx_recovery_create_point(struct cx_call *call, const ProtobufCMessage *request);
void cx_recovery_get_point(struct cx_call *call, const ProtobufCMessage *request);
void cx_recovery_list_points(struct cx_call *call, const ProtobufCMessage *request);
void cx_recovery_update_point(struct cx_call *call, const ProtobufCMessage *request);
void cx_recovery_delete_point(struct cx_call *call, const ProtobufCMessage *request);
void cx_recovery_prune_points(struct cx_call *call, const ProtobufCMessage *request);
void cx_recovery_batch_points(struct cx_call *call, const ProtobufCMessage *request);

/* What is done with earlier states. */
void cx_recovery_restore_context(struct cx_call *call, const ProtobufCMessage *request);
void cx_recovery_fork_context(struct cx_call *call, const ProtobufCMessage *request);
void cx_recovery_merge_context(struct cx_call *call, const ProtobufCMessage *request);

/* Differences, streams of answers. */
void cx_recovery_diff_states(struct cx_call *call, const ProtobufCMessage *request);
void cx_recovery_diff_states_sent(struct cx_call *call);
void cx_recovery_sync_context(struct cx_call *call, const ProtobufCMessage *request);
void cx_recovery_sync_context_sent(struct cx_call *call);

#endif /* CX_SERVICES_RECOVERY_H */
