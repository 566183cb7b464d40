#include "clients/ctxctl/import_job.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "clients/ctxctl/fetch.h"
#include "clients/ctxctl/labels.h"
#include "clients/ctxctl/output.h"

/* ---- Steps. ---------------------------------------------------------------- */

static size_t put_size(const struct ctl_put *put)
{
    return strlen(put->key) + put->value.size + strlen(put->content_type);
}

/* How many of the puts that are left make one step from `first` on: one message, or as
 * many entries as go well together. */
static size_t step_size(const struct ctl_job *job, size_t first)
{
    size_t bytes = put_size(job->left[first]);
    size_t count = 1;

    while (!job->line.conversation && first + count < job->left_count &&
           count < CTL_STEP_PUTS_MAX) {
        bytes += put_size(job->left[first + count]);
        if (bytes > CTL_STEP_BYTES_MAX) {
            break;
        }
        count++;
    }
    return count;
}

/* Cuts the puts that are left into steps, none of them sent. */
static void job_restart(struct ctl_job *job)
{
    job->step_ends = ctl_realloc(job->step_ends, job->left_count * sizeof *job->step_ends);
    job->step_count = 0;
    for (size_t first = 0; first < job->left_count;) {
        first += step_size(job, first);
        job->step_ends[job->step_count++] = first;
    }
    job->sent = 0;
    job->acked = 0;
    job->failed = false;
    job->replayed = false;
}

/* Begins with everything. */
static void job_take_all(struct ctl_job *job)
{
    for (size_t i = 0; i < job->line.put_count; i++) {
        job->left[i] = &job->line.puts[i];
    }
    job->left_count = job->line.put_count;
    job_restart(job);
}

struct ctl_job *ctl_job_new(struct ctl_line *line, int64_t now_ms)
{
    struct ctl_job *job = ctl_require(calloc(1, sizeof *job));

    job->line = *line;
    job->ttl_ms = line->expire_s != 0 ? line->expire_s * 1000 - now_ms : 0;
    job->left = ctl_realloc(NULL, line->put_count * sizeof job->left[0]);
    job_take_all(job);
    return job;
}

void ctl_job_free(struct ctl_job *job)
{
    if (job == NULL) {
        return;
    }
    ctl_line_done(&job->line);
    free(job->left);
    free(job->step_ends);
    free(job);
}

bool ctl_job_may_send(const struct ctl_job *job)
{
    return !job->failed && job->sent < job->step_count && (job->anchored || job->sent == 0);
}

bool ctl_job_needs_reading(const struct ctl_job *job)
{
    return !job->failed && job->replayed && (!job->anchored || ctl_job_is_done(job));
}

bool ctl_job_is_done(const struct ctl_job *job)
{
    return !job->failed && job->acked == job->step_count && (job->step_count > 0 || job->created);
}

/* ---- Requests. ------------------------------------------------------------- */

/* A request id made of the request, which has none yet. */
static char *request_id(struct ctl_pool *pool, const ProtobufCMessage *request, uint64_t salt)
{
    size_t size = protobuf_c_message_get_packed_size(request);
    uint8_t *packed = ctl_require(malloc(size + 1));
    XXH128_hash_t hash;

    protobuf_c_message_pack(request, packed);
    hash = XXH3_128bits_withSeed(packed, size, salt);
    free(packed);
    return ctl_pool_format(pool, "import-%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64,
                           (uint64_t)hash.low64);
}

static WriteOptions *write_options(struct ctl_pool *pool, char *id)
{
    WriteOptions *write = ctl_pool_alloc(pool, sizeof *write);

    contextd__v1__write_options__init(write);
    write->request_id = id;
    return write;
}

static NewContext *new_context(struct ctl_pool *pool, const struct ctl_job *job)
{
    const struct ctl_line *line = &job->line;
    NewContext *context = ctl_new_context(pool);

    context->type = (char *)line->type;
    context->parent_id = (char *)line->parent_id;
    if (job->ttl_ms > 0) {
        context->expiry = ctl_expiry(pool, job->ttl_ms, false);
    }
    for (size_t i = 0; i < line->label_count; i++) {
        ctl_label_add(pool, &context->base, line->labels[i].key, line->labels[i].value);
    }
    return context;
}

UpdateContextRequest *ctl_job_request(const struct ctl *ctl, const struct ctl_job *job, size_t step,
                                      struct ctl_pool *pool)
{
    UpdateContextRequest *request = ctl_pool_alloc(pool, sizeof *request);
    size_t first = step > 0 ? job->step_ends[step - 1] : 0;
    uint64_t version = job->version + step;
    struct ctl_list mutations = {0};
    struct ctl_list preconditions = {0};

    assert(step < job->step_count);
    contextd__v1__update_context_request__init(request);
    request->namespace_ = (char *)ctl->namespace_;
    request->context_id = (char *)job->line.id;
    for (size_t i = first; i < job->step_ends[step]; i++) {
        const struct ctl_put *put = job->left[i];

        ctl_list_add(pool, &mutations,
                     ctl_mutation_put(pool, put->key, put->value, put->content_type));
    }
    request->mutations = (Mutation **)mutations.items;
    request->n_mutations = mutations.count;
    ctl_list_add(pool, &preconditions, ctl_if_version(pool, version));
    if (step > 0) {
        ctl_list_add(pool, &preconditions, ctl_if_entry(pool, job->left[first - 1]->key, version));
    }
    request->preconditions = (Precondition **)preconditions.items;
    request->n_preconditions = preconditions.count;
    request->create_if_missing = version == 0 ? new_context(pool, job) : NULL;
    request->write = write_options(pool, request_id(pool, &request->base, job->salt));
    return request;
}

enum cxc_code ctl_job_create(const struct ctl *ctl, struct ctl_job *job,
                             struct cxc_error *ret_error)
{
    CreateContextRequest request = CONTEXTD__V1__CREATE_CONTEXT_REQUEST__INIT;
    CreateContextResponse *response;
    struct ctl_pool pool = {0};
    enum cxc_code code;

    request.namespace_ = (char *)ctl->namespace_;
    request.context_id = (char *)job->line.id;
    request.properties = new_context(&pool, job);
    request.write = write_options(&pool, request_id(&pool, &request.base, job->salt));
    code = cxc_create_context(ctl->client, &request, &response, ret_error);
    if (code == CXC_OK) {
        job->created = true;
        job->replayed = response->write != NULL && response->write->replayed;
        cxc_response_free(response);
    }
    ctl_pool_done(&pool);
    return code;
}

/* ---- Reading back. --------------------------------------------------------- */

static enum ctl_read_back different(const struct ctl_job *job, char problem[CTL_PROBLEM_SIZE],
                                    const char *what, const char *name)
{
    snprintf(problem, CTL_PROBLEM_SIZE,
             "the context %.80s exists with another %s%.200s: import into another --namespace, "
             "or delete that context first",
             job->line.id, what, name);
    return CTL_READ_BACK_DIFFERENT;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp((*(Entry *const *)a)->key, (*(Entry *const *)b)->key);
}

static const Entry *entry_find(const Context *context, const char *key)
{
    Entry wanted = {.key = (char *)key};
    const Entry *pointer = &wanted;
    Entry **found = context->n_entries > 0 ? bsearch(&pointer, context->entries, context->n_entries,
                                                     sizeof context->entries[0], compare_entries)
                                           : NULL; /* Entries come in the order of their keys. */

    return found != NULL ? *found : NULL;
}

static const char *label_find(const Context *context, const char *key)
{
    for (size_t i = 0; i < context->n_metadata; i++) {
        if (strcmp(context->metadata[i]->key, key) == 0) {
            return context->metadata[i]->value;
        }
    }
    return NULL;
}

/* Whether type, parent and labels are those of the line. */
static enum ctl_read_back compare_properties(const struct ctl_job *job, const Context *context,
                                             char problem[CTL_PROBLEM_SIZE])
{
    const struct ctl_line *line = &job->line;

    if (strcmp(context->type, line->type) != 0) {
        return different(job, problem, "type", "");
    }
    if (strcmp(context->parent_id, line->parent_id) != 0) {
        return different(job, problem, "parent", "");
    }
    for (size_t i = 0; i < line->label_count; i++) {
        const char *value = label_find(context, line->labels[i].key);

        if (value == NULL || strcmp(value, line->labels[i].value) != 0) {
            return different(job, problem, "label ", line->labels[i].key);
        }
    }
    if (context->n_metadata != line->label_count) {
        return different(job, problem, "set of labels", "");
    }
    return CTL_READ_BACK;
}

static bool put_is_there(const struct ctl_put *put, const Entry *entry)
{
    return entry->value.len == put->value.size &&
           (put->value.size == 0 ||
            memcmp(entry->value.data, put->value.data, put->value.size) == 0) &&
           strcmp(entry->content_type, put->content_type) == 0;
}

enum ctl_read_back ctl_job_compare(struct ctl_job *job, const Context *context,
                                   char problem[CTL_PROBLEM_SIZE])
{
    enum ctl_read_back answer = compare_properties(job, context, problem);

    if (answer != CTL_READ_BACK) {
        return answer;
    }
    job->left_count = 0;
    for (size_t i = 0; i < job->line.put_count; i++) {
        const struct ctl_put *put = &job->line.puts[i];
        const Entry *entry = entry_find(context, put->key);

        if (entry == NULL) {
            job->left[job->left_count++] = put;
        } else if (!put_is_there(put, entry)) {
            return different(job, problem, "value at ", put->key);
        }
    }
    job->version = context->version;
    job->created = true;
    job->anchored = true;
    job_restart(job);
    return CTL_READ_BACK;
}

/* The context does not exist: all of it is to be done. What was done before a delete
 * must not be taken for it. */
static void job_begin_again(struct ctl_job *job, const struct cxc_error *error)
{
    const char *deleted = cxc_error_value(error, "deleted_version");

    job->version = 0;
    job->salt = deleted != NULL ? strtoull(deleted, NULL, 10) : 0;
    job->created = false;
    job->anchored = false;
    job_take_all(job);
}

enum ctl_read_back ctl_job_read_back(const struct ctl *ctl, struct ctl_job *job,
                                     char problem[CTL_PROBLEM_SIZE], struct cxc_error *ret_error)
{
    const struct ctl_query query = {.id = job->line.id, .prefix = ""};
    enum ctl_read_back answer = CTL_READ_BACK;
    struct ctl_pool pool = {0};
    Context *context;

    assert(job->in_flight == 0);
    if (ctl_fetch(ctl, &pool, &query, &context, ret_error) == CXC_OK) {
        answer = ctl_job_compare(job, context, problem);
    } else if (strcmp(ret_error->reason, "CONTEXT_NOT_FOUND") == 0) {
        job_begin_again(job, ret_error);
    } else {
        answer = CTL_READ_BACK_FAILED;
    }
    ctl_pool_done(&pool);
    return answer;
}
