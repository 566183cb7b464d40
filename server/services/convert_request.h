/* Requests of the API into those of the core, their form checked on the way.
 *
 * What always holds:
 *
 *  (1) What is converted without an error is what core/state/request.h asks for.
 *  (2) The result borrows from the message and from the memory of the conversion.
 *  (3) A failure is INVALID_FIELD {field, rule} of the first field that is wrong,
 *      LIMIT_REACHED {limit: "message_size_max"} of an activity that no answer would have
 *      room for, or LIMIT_REACHED {limit: "memory"}.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_CONVERT_REQUEST_H
#define CX_SERVICES_CONVERT_REQUEST_H

#include "core/state/request.h"
#include "server/services/allocator.h"
#include "server/services/field.h"
#include "server/services/messages.h"

struct cx_call;

struct cx_conversion {
    struct cx_allocator memory;
    struct cx_error *error;    /* Where a failure is told. Borrowed. */
    uint64_t message_size_max; /* What activities have to fit into. 0: it is not known here. */
};

/* The conversion of a call's request. */
struct cx_conversion cx_conversion_of_call(struct cx_call *call, struct cx_error *error);

/* The namespace that a request means: `default` when it names none. */
struct cx_bytes cx_convert_namespace(const char *name);

/* Whether two names mean the same namespace; a request concerns one. */
bool cx_convert_same_namespace(const char *a, const char *b);
#define CX_RULE_ONE_NAMESPACE "must be the one of the first part: a request concerns one"

/* `at` is where the message stands; NULL: it is what the client sent. */
CX_MUST_CHECK enum cx_status cx_convert_create(struct cx_conversion *conversion,
                                               const CreateContextRequest *message,
                                               struct cx_create_request *ret_request);
CX_MUST_CHECK enum cx_status cx_convert_update(struct cx_conversion *conversion,
                                               const struct cx_field *at,
                                               const UpdateContextRequest *message,
                                               struct cx_update_request *ret_request);
CX_MUST_CHECK enum cx_status cx_convert_delete(struct cx_conversion *conversion,
                                               const DeleteContextRequest *message,
                                               struct cx_delete_request *ret_request);

/* What a write says about itself. */
struct cx_write {
    struct cx_author author;
    struct cx_bytes request_id;
};

/* Takes the field `write` of `at`. All of it is empty when `message` is NULL. */
CX_MUST_CHECK enum cx_status cx_convert_write(struct cx_conversion *conversion,
                                              const struct cx_field *at,
                                              const WriteOptions *message,
                                              struct cx_write *ret_write);

/* The same for a call that changes no existing context: it takes no fence. */
CX_MUST_CHECK enum cx_status cx_convert_write_unfenced(struct cx_conversion *conversion,
                                                       const struct cx_field *at,
                                                       const WriteOptions *message,
                                                       struct cx_write *ret_write);

/* How much of each context a response shows. */
enum cx_view { CX_VIEW_BASIC = 1, CX_VIEW_KEYS, CX_VIEW_FULL };

struct cx_get_query {
    struct cx_context_name name;
    struct cx_state_at at;
    enum cx_view view;
    const struct cx_bytes *keys; /* In order, no key twice. */
    size_t key_count;
    struct cx_bytes key_prefix; /* Both empty: all entries. */
    uint64_t if_newer_than;
};

CX_MUST_CHECK enum cx_status cx_convert_get(struct cx_conversion *conversion,
                                            const struct cx_field *at,
                                            const GetContextRequest *message,
                                            struct cx_get_query *ret_query);

struct cx_read_query {
    struct cx_context_name name;
    struct cx_state_at at;
    struct cx_bytes key_prefix;
    struct cx_bytes after_key;
    struct cx_bytes before_key;
    bool reverse;
    bool keys_only;
    uint64_t limit; /* UINT64_MAX: all. */
};

CX_MUST_CHECK enum cx_status cx_convert_read(struct cx_conversion *conversion,
                                             const ReadEntriesRequest *message,
                                             struct cx_read_query *ret_query);

/* All but `after_id`, which is in the page token. */
CX_MUST_CHECK enum cx_status cx_convert_list(struct cx_conversion *conversion,
                                             const ListContextsRequest *message,
                                             struct cx_list_query *ret_query,
                                             enum cx_view *ret_view);

/* 1 to CX_PAGE_SIZE_MAX; 0 stands for the default. */
CX_MUST_CHECK enum cx_status cx_convert_page_size(struct cx_conversion *conversion,
                                                  int32_t page_size, size_t *ret_count_max);

#endif /* CX_SERVICES_CONVERT_REQUEST_H */
