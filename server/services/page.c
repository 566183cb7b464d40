#include "server/services/page.h"

#include "core/base/limits.h"
#include "server/rpc/call.h"
#include "server/services/convert_response.h"

enum cx_status cx_page_resume(struct cx_conversion *conversion, const struct cx_token_scope *scope,
                              const char *text, struct cx_token *ret_token)
{
    *ret_token = (struct cx_token){0};
    if (text[0] == '\0') {
        return CX_OK;
    }
    if (!cx_token_decode(&conversion->memory, scope, cx_bytes_of(text), ret_token)) {
        return cx_field_invalid(NULL, "page_token", conversion->error,
                                "must be the next_page_token of the same list");
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

void cx_page_send(struct cx_call *call, size_t count, uint64_t size,
                  void (*send)(struct cx_call *call))
{
    if (count > CX_OFFLOAD_ITEMS / 2 || size > CX_OFFLOAD_BYTES) {
        cx_call_offload(call, send);
    } else {
        send(call);
    }
}
