/* What the API has and this server does not: refused with CX_UNIMPLEMENTED/NOT_SUPPORTED
 * {field}.
 *
 * Threads: any. */

#ifndef CX_SERVICES_UNSUPPORTED_H
#define CX_SERVICES_UNSUPPORTED_H

#include <protobuf-c/protobuf-c.h>

struct cx_call;

/* Ends a call of a method that is not there yet, {field: the method's name}.
 * `service` is its service, such as "Tracker". */
void cx_unsupported_method(struct cx_call *call, const char *service,
                           const ProtobufCMessage *request);

#endif /* CX_SERVICES_UNSUPPORTED_H */
