/* The gRPC server: a port, completion queues with a poller thread each, and a few
 * workers.
 *
 * What always holds:
 *
 *  (1) No two servers share a port.
 *  (2) A method that nobody registered is answered with UNIMPLEMENTED at once.
 *  (3) A call stays on the queue, and so on the thread, that it came in on.
 *  (4) With certificates the port takes TLS and nothing else.
 *  (5) Connections above `connections_max` are closed when they are accepted, before
 *      they cost anything; those that say nothing, soon after.
 *
 * Threads: cx_rpc_server_complete() and cx_rpc_server_set_certificates() may be called by
 * any thread. The others belong
 * to the thread that made the server. */

#ifndef CX_RPC_SERVER_H
#define CX_RPC_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"
#include "core/base/status.h"
#include "core/base/work.h"

struct cx_rpc_server;
struct cx_service;

/* What TLS is served with: PEM, as C strings. */
struct cx_rpc_certificates {
    const char *certificate; /* The server's own first, then those that signed it. */
    const char *key;         /* Of the first. */
    const char *client_ca;   /* Who signs the clients' certificates. NULL: they need none. */
};

struct cx_rpc_options {
    const char *listen;           /* Such as "127.0.0.1:7420"; port 0: any free one. */
    unsigned pollers;             /* 0: one for every two cores, at least one. */
    unsigned workers;             /* 0: two. */
    uint64_t message_size_max;    /* Of one message, in bytes. */
    uint64_t in_flight_bytes_max; /* Of requests that are being worked on. Above: OVERLOADED. */
    uint64_t connections_max;
    unsigned handshake_ms; /* Who speaks no TLS or HTTP/2 by then is cut off. 0: 20 s. */
    const struct cx_rpc_certificates *certificates; /* NULL: without TLS. Copied. */
    void *app;                                      /* For cx_call_app(). Borrowed. */
};

enum { CX_RPC_REASON_MAX = 96 }; /* Of the text of a reason, with its NUL. */

struct cx_rpc_statistics {
    uint64_t connections;
    uint64_t connections_refused;
    uint64_t calls_in_flight;
    uint64_t bytes_in_flight;
    uint64_t handshakes_failed;               /* Of TLS, in the whole process. */
    char handshake_reason[CX_RPC_REASON_MAX]; /* Why the last one did, in OpenSSL's words. */
};

/* Creates a server that does not listen yet. Copies `options` and the address. The
 * caller owns *ret_server: cx_rpc_server_free(). */
CX_MUST_CHECK enum cx_status cx_rpc_server_new(const struct cx_rpc_options *options,
                                               struct cx_rpc_server **ret_server);

/* Adds a service, before the start. A service that does not implement exactly the
 * methods of its descriptor is a bug: it aborts. */
CX_MUST_CHECK enum cx_status cx_rpc_server_add(struct cx_rpc_server *server,
                                               const struct cx_service *service);

/* Listens, and starts the threads. Fails with a message that names the address:
 * NOT_READY when it cannot be bound, or when gRPC does not take the certificates. */
CX_MUST_CHECK enum cx_status cx_rpc_server_start(struct cx_rpc_server *server, int *ret_port,
                                                 struct cx_error *ret_error);

/* Replaces the certificates of a server that has some, for connections from now on; whether
 * clients need certificates stays as it was. Fails with CX_RESOURCE_EXHAUSTED when out of
 * memory, with nothing changed. Certificates that gRPC does not take change nothing either:
 * check them before. */
CX_MUST_CHECK enum cx_status
cx_rpc_server_set_certificates(struct cx_rpc_server *server,
                               const struct cx_rpc_certificates *certificates);

/* Hands finished waiters (of cx_call_wait() and cx_call_park()) back to the threads of
 * their calls, in order; `server` is a struct cx_rpc_server. One wake-up per queue and
 * list, not per call. This is the one place that decides how finished calls are
 * completed. */
void cx_rpc_server_complete(void *server, struct cx_work *list);

/* Takes no new calls, lets the others finish for `grace_us`, then cancels them, and
 * returns when all have ended and the threads are gone. Calls that come meanwhile are
 * refused as STOPPING (gRPC itself cancels one that comes after a pause). Whoever
 * completes waiters must go on doing so until then. Parked calls would last for all of
 * `grace_us`: who has their waiters completes these at once, and the handlers fail with
 * STOPPING. */
void cx_rpc_server_stop(struct cx_rpc_server *server, int64_t grace_us);

/* What the server carries now. With GRPC_VERBOSITY in the environment gRPC writes to standard
 * error why handshakes fail, and they are not counted. */
void cx_rpc_server_statistics(const struct cx_rpc_server *server,
                              struct cx_rpc_statistics *ret_statistics);

/* Frees a server that never started, or that was stopped. NULL is fine. */
void cx_rpc_server_free(struct cx_rpc_server *server);

#endif /* CX_RPC_SERVER_H */
