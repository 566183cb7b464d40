#include "server/services/event_frame.h"

#include <assert.h>
#include <string.h>

/* The tags of three fields of type LEN: a number below 16, times 8, plus 2. */
enum {
    TAG_EVENTS = 1 << 3 | 2, /* SubscribeResponse.events, and EventBatch.events. */
    TAG_CURSOR = 3 << 3 | 2, /* Event.cursor. */
};

/* Writes a tag and a length. Returns how many bytes that takes. */
static size_t put_head(uint8_t *place, uint8_t tag, uint64_t size)
{
    size_t at = 0;

    place[at++] = tag;
    for (; size >= 0x80; size >>= 7) {
        place[at++] = (uint8_t)(size | 0x80);
    }
    place[at++] = (uint8_t)size;
    return at;
}

static void add_piece(struct cx_event_frame *frame, struct cx_bytes piece)
{
    assert(frame->count < CX_FRAME_PIECES_MAX);
    frame->pieces[frame->count++] = piece;
    frame->size += piece.size;
}

void cx_event_frame_begin(struct cx_event_frame *frame)
{
    frame->count = 1;
    frame->size = 0;
    frame->head_count = 0;
}

void cx_event_frame_add(struct cx_event_frame *frame, struct cx_bytes encoded, const char *cursor)
{
    uint8_t *around = frame->heads[frame->head_count++];
    struct cx_bytes own = cx_bytes_of(cursor);
    uint8_t cursor_head[CX_FRAME_HEAD_SIZE];
    size_t cursor_head_size = cursor != NULL ? put_head(cursor_head, TAG_CURSOR, own.size) : 0;

    add_piece(frame,
              (struct cx_bytes){around, put_head(around, TAG_EVENTS,
                                                 encoded.size + cursor_head_size + own.size)});
    add_piece(frame, encoded);
    if (cursor != NULL) {
        around = frame->heads[frame->head_count++];
        memcpy(around, cursor_head, cursor_head_size);
        add_piece(frame, (struct cx_bytes){around, cursor_head_size});
        add_piece(frame, own);
    }
}

void cx_event_frame_end(struct cx_event_frame *frame)
{
    frame->pieces[0] =
        (struct cx_bytes){frame->head, put_head(frame->head, TAG_EVENTS, frame->size)};
}
