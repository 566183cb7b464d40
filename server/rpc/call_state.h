/* What a call is made of, and how it ends. Inside of server/rpc only. */

#ifndef CX_RPC_CALL_STATE_H
#define CX_RPC_CALL_STATE_H

#include <stdatomic.h>
#include <stdbool.h>

#include <grpc/grpc.h>

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/work.h"
#include "server/rpc/call.h"
#include "server/rpc/ending.h"
#include "server/rpc/quota.h"
#include "server/rpc/stall.h"
#include "server/rpc/tag.h"

struct cx_endpoint;
struct cx_queue;

/* What a handler asks for. */
enum cx_wish {
    CX_WISH_LOOK = 1 << 0, /* At the events: one may be told now. */
    CX_WISH_SEND = 1 << 1, /* `outgoing`. */
    CX_WISH_RECEIVE = 1 << 2,
    CX_WISH_REFUSE = 1 << 3,  /* To send: `refusal`. */
    CX_WISH_OFFLOAD = 1 << 4, /* `run`. */
    CX_WISH_END = 1 << 5,     /* `ending`, and `outgoing` of a unary call. */
    CX_WISH_RETURN = 1 << 6,  /* From the worker. */
};

/* Fields without a note belong to the poller; while the call is offloaded, to the
 * worker those that say so. */
struct cx_call {
    const struct cx_endpoint *endpoint;
    struct cx_queue *queue;
    struct cx_call *next_free;

    /* gRPC's side. */
    grpc_call *grpc;
    gpr_timespec deadline;
    struct cx_tag closed;       /* The client left, or has the whole answer. */
    struct cx_tag sent;         /* A message of a stream went out. */
    struct cx_tag received;     /* A message of a bidi stream came in. */
    struct cx_tag ended;        /* The status went out. */
    grpc_byte_buffer *incoming; /* Written by gRPC until `received`. */
    int cancelled;              /* Written by gRPC until `closed`, or `ended`. */

    /* Where it stands. */
    unsigned holds;  /* The handler's until it ends the call; one per operation. */
    unsigned events; /* enum call_event: to be told to the handler. */
    bool opened;     /* Initial metadata was sent. */
    bool watched;    /* `closed` is under way, or was. */
    bool sending;
    bool receiving;
    bool offloaded;
    bool left_told;
    bool ended_started;
    bool broken_set;
    struct cx_ending broken; /* How the call ends, whatever the handler says. */
    struct cx_work deferred; /* Goes on after a send. */
    struct cx_stall stall;   /* Of the send that is under way. */
    atomic_bool gone;        /* Nobody waits for the answer. Read by any thread. */

    /* What the handler asked for: written by its thread, read by the poller once `asked`
     * says so. */
    atomic_uint asked; /* enum cx_wish. */
    struct cx_work posted;
    grpc_byte_buffer *outgoing;
    struct cx_ending ending;
    struct cx_ending refusal; /* Why a message cannot be sent. */
    void (*run)(struct cx_call *call);
    struct cx_work job; /* `run`, on a worker. */

    /* The handler's. */
    void *state;
    struct cx_arena arena;
    struct cx_arena message_arena; /* Of a stream's request: see `received`. */
    struct cx_charge charge;
    struct cx_waiter waiter;
    atomic_bool waiting; /* `left` has to wait too. */
    bool parked;         /* The waiter is out: a hold. Also the worker's. */
    void (*resume)(struct cx_call *call, enum cx_status status);
    int64_t stall_us;          /* 0: no limit. */
    const char *progress_name; /* Of what STREAM_STALLED tells; NULL: of nothing. */
    struct cx_buffer progress; /* What it tells. */
};

/* Takes a call object for `queue`. NULL when out of memory. */
struct cx_call *cx_call_new(struct cx_queue *queue);

/* Releases a call object that is not in use. */
void cx_call_free(struct cx_call *call);

/* A call has come in: its endpoint, gRPC's call and the deadline are set. Takes over
 * `payload`, which may be NULL. */
void cx_call_begin(struct cx_call *call, grpc_byte_buffer *payload);

/* Ends a call in place of its handler, which has not been called. */
void cx_call_refuse(struct cx_call *call, struct cx_ending ending);

/* Asks for something that is ready, from whichever thread this is. */
void cx_call_ask(struct cx_call *call, unsigned wish);

/* Whether the deadline has passed. */
bool cx_call_is_late(const struct cx_call *call);

/* A send is late: see cx_call_set_stall_limit(). */
void cx_call_stalled(struct cx_call *call, int64_t now_us);

#endif /* CX_RPC_CALL_STATE_H */
