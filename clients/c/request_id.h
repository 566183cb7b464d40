/* Inside the client library: request ids for the writes that have none. */

#ifndef CXC_REQUEST_ID_H
#define CXC_REQUEST_ID_H

#include "clients/c/contextd.h"

/* Gives each write in the request that lacks a request id a new one: the request's
 * own `write`, or those of the parts of a batch that is not atomic, as one of points
 * never is.
 *
 * *ret_copy is then a shallow copy that borrows the rest from `request`, to be
 * released with free(); NULL when the request can be sent as it is. Fails with
 * CXC_RESOURCE_EXHAUSTED. */
CXC_MUST_CHECK enum cxc_code cxc_request_identify(const ProtobufCMessage *request,
                                                  ProtobufCMessage **ret_copy);

#endif /* CXC_REQUEST_ID_H */
