/* What connections are served with: plain text, or TLS with certificates that can be
 * replaced while the server serves.
 *
 * What always holds:
 *
 *  (1) A connection is made with certificates that were set together, the newest.
 *      Connections that are open keep theirs.
 *  (2) Where there are authorities for clients, a client without a certificate of theirs
 *      gets no connection.
 *
 * Threads: any. */

#ifndef CX_RPC_CREDENTIALS_H
#define CX_RPC_CREDENTIALS_H

#include <grpc/grpc_security.h>

#include "core/base/status.h"
#include "server/rpc/server.h"

struct cx_credentials;

/* Copies the certificates. Fails with CX_RESOURCE_EXHAUSTED when out of memory. The
 * caller owns *ret_credentials: cx_credentials_free(). */
CX_MUST_CHECK enum cx_status cx_credentials_new(const struct cx_rpc_certificates *certificates,
                                                struct cx_credentials **ret_credentials);

/* Puts others in their place, for connections from now on. Fails likewise, with nothing
 * changed. */
CX_MUST_CHECK enum cx_status cx_credentials_set(struct cx_credentials *credentials,
                                                const struct cx_rpc_certificates *certificates);

/* As gRPC has them, for a port. NULL is plain text. The caller releases them; the
 * credentials must outlive the server. */
grpc_server_credentials *cx_credentials_grpc(struct cx_credentials *credentials);

/* Releases them. NULL is fine. */
void cx_credentials_free(struct cx_credentials *credentials);

#endif /* CX_RPC_CREDENTIALS_H */
