/* How a call ends: what goes into gRPC's last operation.
 *
 * Threads: one at a time. */

#ifndef CX_RPC_ENDING_H
#define CX_RPC_ENDING_H

#include <grpc/grpc.h>

#include "core/base/error.h"

struct cx_ending {
    grpc_status_code code;
    grpc_slice text;      /* Owned, like the next. */
    grpc_metadata detail; /* `grpc-status-details-bin`. */
    size_t detail_count;  /* 0 or 1. */
};

/* A good end. */
struct cx_ending cx_ending_ok(void);

/* A status without details. `text` is a literal. */
struct cx_ending cx_ending_plain(enum cx_status status, const char *text);

/* An error with everything it says. */
struct cx_ending cx_ending_error(const struct cx_error *error);

/* Releases what it holds. */
void cx_ending_done(struct cx_ending *ending);

#endif /* CX_RPC_ENDING_H */
