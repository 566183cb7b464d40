/* How a client's connection is secured, as gRPC has it. */

#ifndef CXC_CREDENTIALS_H
#define CXC_CREDENTIALS_H

#include <grpc/grpc_security.h>

#include "clients/c/contextd.h"

/* Credentials for a channel: plain text or TLS, with a token for each call where the
 * options give one. The caller releases them. NULL when out of memory. */
grpc_channel_credentials *cxc_credentials_new(const struct cxc_options *options);

#endif /* CXC_CREDENTIALS_H */
