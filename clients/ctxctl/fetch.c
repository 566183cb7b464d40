#include "clients/ctxctl/fetch.h"

#include <string.h>

#include "clients/ctxctl/request.h"

enum { RESUMES_MAX = 5 }; /* Of a stream that broke without giving anything. */

/* ---- Messages that live in a pool. ----------------------------------------- */

static void *pool_alloc(void *pool, size_t size)
{
    return ctl_pool_alloc(pool, size);
}

static void pool_free(void *pool, void *memory)
{
    (void)pool; /* Freed with the pool. */
    (void)memory;
}

/* Copies a message into the pool, deeply, by way of its packed form. */
static void *message_copy(struct ctl_pool *pool, const ProtobufCMessage *message)
{
    ProtobufCAllocator allocator = {pool_alloc, pool_free, pool};
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = ctl_pool_alloc(pool, size);

    protobuf_c_message_pack(message, packed);
    return protobuf_c_message_unpack(message->descriptor, &allocator, size, packed);
}

/* ---- In one message. ------------------------------------------------------- */

static enum cxc_code get(const struct ctl *ctl, struct ctl_pool *pool,
                         const struct ctl_query *query, Contextd__V1__ContextView view,
                         Context **ret_context, struct cxc_error *ret_error)
{
    GetContextRequest request = CONTEXTD__V1__GET_CONTEXT_REQUEST__INIT;
    GetContextResponse *response;
    enum cxc_code code;

    request.state = query->state != NULL ? query->state : ctl_state(pool, ctl, query->id, 0);
    request.view = view;
    request.key_prefix = (char *)query->prefix;
    code = cxc_get_context(ctl->client, &request, &response, ret_error);
    if (code == CXC_OK) {
        static const Context nothing = CONTEXTD__V1__CONTEXT__INIT;
        const Context *context = response->context != NULL ? response->context : &nothing;

        *ret_context = message_copy(pool, &context->base);
        cxc_response_free(response);
    }
    return code;
}

/* ---- As a stream. ---------------------------------------------------------- */

/* Adds the entries of one stream to the list. */
static enum cxc_code read_stream(const struct ctl *ctl, struct ctl_pool *pool,
                                 const ReadEntriesRequest *request, struct ctl_list *entries,
                                 struct cxc_error *ret_error)
{
    struct cxc_reader *reader = ctl_require(cxc_reader_new(ctl->client, request));
    ReadEntriesResponse *part = NULL;
    enum cxc_code code;

    while ((code = cxc_reader_next(reader, &part, ret_error)) == CXC_OK && part != NULL) {
        for (size_t i = 0; i < part->n_entries; i++) {
            ctl_list_add(pool, entries, message_copy(pool, &part->entries[i]->base));
        }
        cxc_response_free(part);
    }
    cxc_reader_free(reader);
    return code;
}

static bool may_resume(const struct cxc_error *error)
{
    return cxc_error_is_transient(error) || strcmp(error->reason, "STREAM_STALLED") == 0;
}

/* The state that was read, so that the rest comes from the same one. What a point keeps has
 * no other name. */
static StateRef *state_pin(const struct ctl *ctl, struct ctl_pool *pool,
                           const struct ctl_query *query, const Context *context)
{
    bool is_point = query->state != NULL &&
                    query->state->at_case == CONTEXTD__V1__STATE_REF__AT_RECOVERY_POINT_ID;

    return is_point ? query->state : ctl_state(pool, ctl, query->id, context->version);
}

/* Reads all, beginning again behind the last key where a stream breaks. */
static enum cxc_code read_entries(const struct ctl *ctl, struct ctl_pool *pool,
                                  const struct ctl_query *query, Context *context,
                                  struct cxc_error *ret_error)
{
    ReadEntriesRequest request = CONTEXTD__V1__READ_ENTRIES_REQUEST__INIT;
    struct ctl_query same = *query;
    struct ctl_list entries = {0};
    int resumes = 0;

    same.state = state_pin(ctl, pool, query, context);
    request.state = same.state;
    request.key_prefix = (char *)query->prefix;
    request.keys_only = query->keys_only;
    for (;;) {
        size_t before = entries.count;
        enum cxc_code code = read_stream(ctl, pool, &request, &entries, ret_error);
        Context *there;

        if (code == CXC_OK) {
            context->entries = (Entry **)entries.items;
            context->n_entries = entries.count;
            return CXC_OK;
        }
        if (entries.count > before) {
            request.after_key = ((Entry *)entries.items[entries.count - 1])->key;
            resumes = 0;
        }
        if (!may_resume(ret_error) || resumes++ == RESUMES_MAX) {
            return code;
        }
        code = get(ctl, pool, &same, VIEW_BASIC, &there, ret_error); /* Waits for the server. */
        if (code != CXC_OK) {
            return code;
        }
    }
}

enum cxc_code ctl_fetch(const struct ctl *ctl, struct ctl_pool *pool, const struct ctl_query *query,
                        Context **ret_context, struct cxc_error *ret_error)
{
    enum cxc_code code =
        get(ctl, pool, query, query->keys_only ? VIEW_KEYS : VIEW_FULL, ret_context, ret_error);

    if (code != CXC_RESOURCE_EXHAUSTED || strcmp(ret_error->reason, "RESPONSE_TOO_LARGE") != 0) {
        return code;
    }
    code = get(ctl, pool, query, VIEW_BASIC, ret_context, ret_error);
    if (code == CXC_OK) {
        code = read_entries(ctl, pool, query, *ret_context, ret_error);
    }
    return code;
}

enum cxc_code ctl_fetch_basic(const struct ctl *ctl, struct ctl_pool *pool, const char *id,
                              Context **ret_context, struct cxc_error *ret_error)
{
    const struct ctl_query query = {.id = id, .prefix = ""};

    return get(ctl, pool, &query, VIEW_BASIC, ret_context, ret_error);
}

/* ---- Other streams. ------------------------------------------------------------ */

static enum cxc_code answers_read(struct ctl *ctl, const char *path,
                                  const ProtobufCMessage *request,
                                  const ProtobufCMessageDescriptor *answer_type,
                                  struct ctl_list *answers, struct cxc_error *ret_error)
{
    struct cxc_answers *stream =
        ctl_require(cxc_answers_new(ctl->client, path, request, answer_type));
    ProtobufCMessage *answer = NULL;
    enum cxc_code code;

    while ((code = cxc_answers_next(stream, &answer, ret_error)) == CXC_OK && answer != NULL) {
        ctl_list_add(&ctl->pool, answers, message_copy(&ctl->pool, answer));
        cxc_response_free(answer);
    }
    cxc_answers_free(stream);
    return code;
}

/* Waits until the server answers again, or the time of a call is up. */
static enum cxc_code server_wait(const struct ctl *ctl, struct cxc_error *ret_error)
{
    GetServerInfoRequest request = CONTEXTD__V1__GET_SERVER_INFO_REQUEST__INIT;
    GetServerInfoResponse *response;
    enum cxc_code code = cxc_get_server_info(ctl->client, &request, &response, ret_error);

    if (code == CXC_OK) {
        cxc_response_free(response);
    }
    return code;
}

enum cxc_code ctl_fetch_answers(struct ctl *ctl, const char *path, const ProtobufCMessage *request,
                                const ProtobufCMessageDescriptor *answer_type,
                                struct ctl_list *ret_answers, struct cxc_error *ret_error)
{
    for (int resumes = 0;; resumes++) {
        struct ctl_list answers = {0};
        enum cxc_code code = answers_read(ctl, path, request, answer_type, &answers, ret_error);

        if (code == CXC_OK) {
            *ret_answers = answers;
        }
        if (code == CXC_OK || !may_resume(ret_error) || resumes == RESUMES_MAX) {
            return code;
        }
        code = server_wait(ctl, ret_error);
        if (code != CXC_OK) {
            return code;
        }
    }
}
