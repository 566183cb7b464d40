/* Messages of events that are packed already: what goes around them.
 *
 *   SubscribeResponse { events { event... } }
 *
 * An event in the middle of a snapshot gets another cursor behind what is packed: of a field that
 * comes twice, the last one counts (protobuf's encoding, "Last One Wins").
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_EVENT_FRAME_H
#define CX_SERVICES_EVENT_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"
#include "core/feed/feed.h"

enum {
    CX_FRAME_HEAD_SIZE = 16, /* Of a message, and of an event. */
    CX_FRAME_PIECES_MAX = 1 + 4 * CX_FEED_BATCH_MAX,
};

/* A message that is being put together: borrowed pieces, and its own bytes around them. */
struct cx_event_frame {
    struct cx_bytes pieces[CX_FRAME_PIECES_MAX]; /* The first is the head of the message. */
    size_t count;
    uint64_t size; /* Of the pieces behind the head. */
    uint8_t head[CX_FRAME_HEAD_SIZE];
    size_t head_count;
    uint8_t heads[2 * CX_FEED_BATCH_MAX][CX_FRAME_HEAD_SIZE];
};

void cx_event_frame_begin(struct cx_event_frame *frame);

/* Adds an event. `cursor` takes the place of its own, and outlives the frame; NULL: none. */
void cx_event_frame_add(struct cx_event_frame *frame, struct cx_bytes encoded, const char *cursor);

/* The message is `count` pieces, borrowed from the frame and from what it borrows. */
void cx_event_frame_end(struct cx_event_frame *frame);

#endif /* CX_SERVICES_EVENT_FRAME_H */
