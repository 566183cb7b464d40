/* What the API has and this server does not, in one table: its fields, refused with
 * CX_UNIMPLEMENTED/NOT_SUPPORTED {field}. Whoever builds a feature removes its rows.
 *
 * Threads: any. */

#ifndef CX_SERVICES_UNSUPPORTED_H
#define CX_SERVICES_UNSUPPORTED_H

#include <protobuf-c/protobuf-c.h>

#include "server/services/field.h"

struct cx_call;

/* Refuses `message`, which stands at `at`, when one of its own fields is in the table
 * and set. Does not look at the messages within. O(rows). */
CX_MUST_CHECK enum cx_status cx_unsupported_check(const ProtobufCMessage *message,
                                                  const struct cx_field *at,
                                                  struct cx_error *error);

/* Ends a call of a method that is not there yet, {field: the method's name}.
 * `service` is its service, such as "Tracker". */
void cx_unsupported_method(struct cx_call *call, const char *service,
                           const ProtobufCMessage *request);

#endif /* CX_SERVICES_UNSUPPORTED_H */
