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
#include "server/services/draft.h"
#include "server/services/token.h"

struct cx_call;

/* Takes the field `page_token` of a request of the list `scope`. *ret_token is zeroed
 * where there is none: the first page. */
CX_MUST_CHECK enum cx_status cx_page_resume(struct cx_conversion *conversion,
                                            const struct cx_token_scope *scope, const char *text,
                                            struct cx_token *ret_token);

/* Says that the field `page_token` is none of the list. */
enum cx_status cx_page_refuse_token(struct cx_conversion *conversion);

/* How full a page is. */
struct cx_page {
    uint64_t room;
    size_t count; /* Rows that it has. */
};

void cx_page_init(struct cx_page *page, const struct cx_call *call);

/* Whether a row whose message packs into `packed_size` bytes goes into the page, in a field
 * below 16: then it has it. */
CX_MUST_CHECK bool cx_page_take(struct cx_page *page, uint64_t packed_size);

/* The rows that a page may show. */
struct cx_page_source {
    const void *page; /* What the functions know. */
    size_t count;
    bool more; /* There are others behind them. */

    /* The message of a row, or NULL with draft->failed. */
    ProtobufCMessage *(*row)(struct cx_draft *draft, const void *page, size_t index);

    /* Sets in a row that is shown what is too large to be made for one that is not. NULL: nothing.
     */
    void (*fill)(struct cx_draft *draft, const void *page, size_t index, ProtobufCMessage *row);

    /* Sets where the next page begins when this one shows the first `shown` rows. */
    void (*place)(const void *page, size_t shown, struct cx_token *place);
};

/* Makes the messages of the rows until there are no more, or the message of the call is full, and
 * the token of the next page ("" when there is none). Returns an array of *ret_shown pointers.
 * NULL, with draft->failed, when out of memory. */
void *cx_page_make(struct cx_call *call, struct cx_draft *draft,
                   const struct cx_page_source *source, const struct cx_token_scope *scope,
                   size_t *ret_shown, char **ret_token);

/* Makes the answer of `count` rows, which weigh `size` bytes, with `send`: on a worker
 * where that is much. */
void cx_page_send(struct cx_call *call, size_t count, uint64_t size,
                  void (*send)(struct cx_call *call));

#endif /* CX_SERVICES_PAGE_H */
