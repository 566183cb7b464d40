#include "server/services/page.h"

#include "core/base/limits.h"
#include "server/rpc/call.h"
#include "server/services/convert_response.h"

enum cx_status cx_page_refuse_token(struct cx_conversion *conversion)
{
    return cx_field_invalid(NULL, "page_token", conversion->error,
                            "must be the next_page_token of the same list");
}

enum cx_status cx_page_resume(struct cx_conversion *conversion, const struct cx_token_scope *scope,
                              const char *text, struct cx_token *ret_token)
{
    *ret_token = (struct cx_token){0};
    if (text[0] == '\0') {
        return CX_OK;
    }
    if (!cx_token_decode(&conversion->memory, scope, cx_bytes_of(text), ret_token)) {
        return cx_page_refuse_token(conversion);
    }
    return CX_OK;
}

void cx_page_init(struct cx_page *page, const struct cx_call *call)
{
    const uint64_t reserved = cx_message_field_size(CX_TOKEN_TEXT_SIZE_MAX);
    uint64_t size_max = cx_call_message_size_max(call);

    *page = (struct cx_page){.room = size_max > reserved ? size_max - reserved : 0};
}

bool cx_page_take(struct cx_page *page, uint64_t packed_size)
{
    uint64_t size = cx_message_field_size(packed_size);

    if (size > page->room && page->count > 0) {
        return false;
    }
    page->room -= size < page->room ? size : page->room;
    page->count++;
    return true;
}

/* Names the place behind the last row that is shown. */
static char *make_token(struct cx_draft *draft, const struct cx_page_source *source,
                        const struct cx_token_scope *scope, size_t shown)
{
    struct cx_token place = {.epoch = scope->epoch};
    char *token;

    if (shown == source->count && !source->more) {
        return cx_draft_text(draft, (struct cx_bytes){0});
    }
    source->place(source->page, shown, &place);
    token = cx_token_encode(&draft->memory, scope, &place);
    draft->failed = draft->failed || token == NULL;
    return token;
}

void *cx_page_make(struct cx_call *call, struct cx_draft *draft,
                   const struct cx_page_source *source, const struct cx_token_scope *scope,
                   size_t *ret_shown, char **ret_token)
{
    ProtobufCMessage **rows = cx_draft_alloc(draft, source->count * sizeof(ProtobufCMessage *));
    struct cx_page filled;

    cx_page_init(&filled, call);
    for (size_t i = 0; i < source->count && !draft->failed; i++) {
        ProtobufCMessage *row = source->row(draft, source->page, i);

        if (draft->failed || !cx_page_take(&filled, protobuf_c_message_get_packed_size(row))) {
            break;
        }
        if (source->fill != NULL) {
            source->fill(draft, source->page, i, row);
        }
        rows[i] = row;
    }
    *ret_shown = filled.count;
    *ret_token = draft->failed ? NULL : make_token(draft, source, scope, filled.count);
    return draft->failed ? NULL : rows;
}

void cx_page_send(struct cx_call *call, size_t count, uint64_t size,
                  void (*send)(struct cx_call *call))
{
    if (count > CX_OFFLOAD_ITEMS / 2 || size > CX_OFFLOAD_BYTES) {
        cx_call_offload(call, send);
    } else {
        send(call);
    }
}
