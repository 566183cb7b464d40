/* Events of the core into messages of the API, packed once for all who get them.
 *
 * What always holds:
 *
 *  (1) What is packed is one `Event` without a field around it; its cursor is that of the
 *      position behind it.
 *  (2) An event that would not fit into a message is told as a `reset`.
 *
 * Threads: any. */

#ifndef CX_SERVICES_EVENT_MESSAGE_H
#define CX_SERVICES_EVENT_MESSAGE_H

#include "core/feed/event.h"
#include "server/services/token.h"

/* What the events of a log have in common. Set up before there are subscriptions. */
struct cx_event_coding {
    struct cx_token_scope cursors;
    uint64_t message_size_max;
};

/* Packs events with `coding`, a struct cx_event_coding, which is set up later and outlives the
 * encoder. */
struct cx_event_encoder cx_event_encoder_of(struct cx_event_coding *coding);

/* Sets it up for an engine. */
void cx_event_coding_init(struct cx_event_coding *coding, const struct cx_engine *engine,
                          uint64_t message_size_max);

#endif /* CX_SERVICES_EVENT_MESSAGE_H */
