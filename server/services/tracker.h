/* The methods of contextd.v1.Tracker, one file for each or for two that are alike, joined to
 * a table in tracker.c. What each does is specified by tracker.proto.
 *
 * Threads: those of server/rpc/call.h. */

#ifndef CX_SERVICES_TRACKER_H
#define CX_SERVICES_TRACKER_H

#include <protobuf-c/protobuf-c.h>

struct cx_call;

/* Sessions. */
void cx_tracker_start_session(struct cx_call *call, const ProtobufCMessage *request);
void cx_tracker_renew_session(struct cx_call *call, const ProtobufCMessage *request);
void cx_tracker_end_session(struct cx_call *call, const ProtobufCMessage *request);
void cx_tracker_get_session(struct cx_call *call, const ProtobufCMessage *request);
void cx_tracker_list_sessions(struct cx_call *call, const ProtobufCMessage *request);

/* Who works on which context. */
void cx_tracker_activate_context(struct cx_call *call, const ProtobufCMessage *request);
void cx_tracker_switch_context(struct cx_call *call, const ProtobufCMessage *request);
void cx_tracker_deactivate_context(struct cx_call *call, const ProtobufCMessage *request);
void cx_tracker_get_context_status(struct cx_call *call, const ProtobufCMessage *request);

/* What was done. */
void cx_tracker_record_activities(struct cx_call *call, const ProtobufCMessage *request);
void cx_tracker_list_activities(struct cx_call *call, const ProtobufCMessage *request);
void cx_tracker_optimize_history(struct cx_call *call, const ProtobufCMessage *request);
void cx_tracker_truncate_history(struct cx_call *call, const ProtobufCMessage *request);
void cx_tracker_list_files(struct cx_call *call, const ProtobufCMessage *request);
void cx_tracker_summarize_usage(struct cx_call *call, const ProtobufCMessage *request);

/* Resources. */
void cx_tracker_acquire_resource(struct cx_call *call, const ProtobufCMessage *request);
void cx_tracker_release_resource(struct cx_call *call, const ProtobufCMessage *request);
void cx_tracker_list_resources(struct cx_call *call, const ProtobufCMessage *request);

/* Subscriptions. */
void cx_tracker_subscribe(struct cx_call *call, const ProtobufCMessage *request);
void cx_tracker_subscribe_sent(struct cx_call *call);
void cx_tracker_subscribe_left(struct cx_call *call);

#endif /* CX_SERVICES_TRACKER_H */
