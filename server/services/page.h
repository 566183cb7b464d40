/* Pages of a list: where one begins, and where it ends because the message is full.
 *
 * What always holds:
 *
 *  (1) A page has room for the token of the next one beside its rows.
 *  (2) A page that has rows to show shows one at least: one that is too large for a
 *      message fails the call (RESPONSE_TOO_LARGE), instead of pages without an end.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_PAGE_H
#define CX_SERVICES_PAGE_H

#include "server/services/convert_request.h"
#include "server/services/token.h"

struct cx_call;

/* Takes the field `page_token` of a request of the list `scope`. *ret_token is zeroed
 * where there is none: the first page. */
CX_MUST_CHECK enum cx_status cx_page_resume(struct cx_conversion *conversion,
                                            const struct cx_token_scope *scope, const char *text,
                                            struct cx_token *ret_token);

/* How full a page is. */
struct cx_page {
    uint64_t room;
    size_t count; /* Rows that it has. */
};

void cx_page_init(struct cx_page *page, const struct cx_call *call);

/* Whether a row whose message packs into `packed_size` bytes goes into the page, in a field
 * below 16: then it has it. */
CX_MUST_CHECK bool cx_page_take(struct cx_page *page, uint64_t packed_size);

/* Makes the answer of `count` rows, which weigh `size` bytes, with `send`: on a worker
 * where that is much. */
void cx_page_send(struct cx_call *call, size_t count, uint64_t size,
                  void (*send)(struct cx_call *call));

#endif /* CX_SERVICES_PAGE_H */
