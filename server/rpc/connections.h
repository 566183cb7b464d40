/* The limit on connections, enforced where they are accepted: before TLS, before gRPC
 * has set anything aside for them.
 *
 * gRPC has no such limit, no word when a connection begins or ends, and takes accepted
 * sockets from outside only without TLS. But it calls accept4() and close() through
 * the dynamic linker: connections.c defines both, for the whole program, and counts
 * the sockets that were accepted on a limited port. Watching duplicates of the sockets
 * for the peer's leaving would need a thread and twice the descriptors, and would keep
 * a socket open that gRPC has closed; the close() itself is exact.
 *
 * What always holds:
 *
 *  (1) At most `max` connections of a port are open; one too many is closed at once.
 *  (2) Other sockets, and files, go through untouched.
 *
 * Threads: any. close() stays async-signal-safe. */

#ifndef CX_RPC_CONNECTIONS_H
#define CX_RPC_CONNECTIONS_H

#include <stdint.h>

struct cx_connections;

/* Limits the connections that are accepted on the local TCP port `port`. Returns NULL
 * when more ports are limited than one process has any use for. */
struct cx_connections *cx_connections_limit(int port, uint64_t max);

/* How many are open, and how many were refused. */
uint64_t cx_connections_open(const struct cx_connections *connections);
uint64_t cx_connections_refused(const struct cx_connections *connections);

/* Ends the limit. Connections that are still open may close later. NULL is fine. */
void cx_connections_unlimit(struct cx_connections *connections);

#endif /* CX_RPC_CONNECTIONS_H */
