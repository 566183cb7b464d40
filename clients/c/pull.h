/* Inside the client library: a call with one request and a stream of answers, pulled:
 * the next answer is asked for when the caller wants it. Nothing is repeated, and the
 * call has no deadline.
 *
 * A zeroed pull is closed.
 * Threads: one at a time. The thread that waits does so by itself, on a queue of the
 * call's own. */

#ifndef CXC_PULL_H
#define CXC_PULL_H

#include "clients/c/client.h"

struct cxc_pull {
    struct cxc_exchange exchange;
    grpc_completion_queue *queue; /* NULL while closed. */
    bool receiving;               /* The next answer has been asked for. */
    bool ended;                   /* The status is there. */

    /* Their addresses are the tags of the batches. */
    char opened;
    char received;
    char closed;
};

/* What cxc_pull_next() found. */
enum cxc_pulled {
    CXC_PULLED_ANSWER,  /* To be taken by cxc_exchange_unpack(). */
    CXC_PULLED_END,     /* cxc_exchange_result() tells how. Nothing more may be asked. */
    CXC_PULLED_NOTHING, /* The time was up. */
};

/* Sends the request. `wait_for_server` as in cxc_exchange_send_metadata(). The pull must
 * not move while it is open. */
void cxc_pull_open(struct cxc_pull *pull, const struct cxc_method *method,
                   const ProtobufCMessage *request, bool wait_for_server);

/* Waits up to `timeout_ms` (negative: for ever; 0: not at all) for the next answer. */
enum cxc_pulled cxc_pull_next(struct cxc_pull *pull, int64_t timeout_ms);

/* Ends the call, also in the middle. The pull is closed then, and may be opened again.
 * Does nothing on one that is closed. */
void cxc_pull_close(struct cxc_pull *pull);

#endif /* CXC_PULL_H */
