/* What a request asks for, as a number: part of the log, so that it never changes.
 *
 * Of every request its kind, then its fields in the order of request.h, each run of
 * bytes with its size in front; all but the request id. */

#include "core/base/hash.h"
#include "core/state/plan.h"

enum request_kind {
    REQUEST_CREATE = 1,
    REQUEST_UPDATE = 2,
    REQUEST_DELETE = 3,
    REQUEST_SESSION_START = 4,
    REQUEST_SESSION_END = 5,
    REQUEST_TRUNCATE = 6,
    REQUEST_OPTIMIZE = 7,
    REQUEST_ACTIVATION = 8,
    REQUEST_RESOURCE = 9,
};

static uint64_t mix_bytes(uint64_t digest, struct cx_bytes bytes)
{
    return cx_hash_mix(cx_hash_mix_number(digest, bytes.size), bytes);
}

static uint64_t mix_labels(uint64_t digest, const struct cx_label *labels, size_t count)
{
    digest = cx_hash_mix_number(digest, count);
    for (size_t i = 0; i < count; i++) {
        digest = mix_bytes(mix_bytes(digest, labels[i].key), labels[i].value);
    }
    return digest;
}

static uint64_t mix_detail(uint64_t digest, const struct cx_detail *detail)
{
    digest = cx_hash_mix_number(digest, detail->kind);
    switch (detail->kind) {
    case CX_DETAIL_NONE:
        return digest;
    case CX_DETAIL_FILE:
        digest = mix_bytes(digest, detail->file.path);
        return mix_bytes(mix_bytes(digest, detail->file.operation), detail->file.source);
    case CX_DETAIL_MODEL:
        digest = mix_bytes(mix_bytes(digest, detail->model.provider), detail->model.model);
        digest = mix_bytes(mix_bytes(digest, detail->model.mode), detail->model.currency);
        digest = cx_hash_mix_number(digest, detail->model.input_tokens);
        digest = cx_hash_mix_number(digest, detail->model.output_tokens);
        digest = cx_hash_mix_number(digest, detail->model.cached_tokens);
        digest = cx_hash_mix_number(digest, detail->model.cost_micros);
        return cx_hash_mix_number(digest, (uint64_t)detail->model.latency_us);
    case CX_DETAIL_RESOURCE:
        digest = mix_bytes(mix_bytes(digest, detail->resource.name), detail->resource.type);
        return cx_hash_mix_number(digest, detail->resource.step);
    }
    return digest;
}

static uint64_t mix_activity(uint64_t digest, const struct cx_activity_content *activity)
{
    digest = mix_bytes(mix_bytes(digest, activity->type), activity->content_type);
    digest = mix_bytes(digest, activity->data);
    digest = mix_labels(digest, activity->labels, activity->label_count);
    return mix_detail(digest, &activity->detail);
}

static uint64_t mix_mutations(uint64_t digest, const struct cx_mutation *mutations, size_t count)
{
    digest = cx_hash_mix_number(digest, count);
    for (size_t i = 0; i < count; i++) {
        const struct cx_mutation *mutation = &mutations[i];

        digest = cx_hash_mix_number(digest, mutation->kind);
        digest = mix_bytes(digest, mutation->key);
        digest = mix_bytes(digest, mutation->value);
        digest = mix_bytes(digest, mutation->content_type);
        digest = cx_hash_mix_number(digest, mutation->has_expected_size);
        digest = cx_hash_mix_number(digest, mutation->expected_size);
        digest = cx_hash_mix_number(digest, (uint64_t)mutation->ttl_us);
        digest = cx_hash_mix_number(digest, mutation->sliding);
        digest = mutation->activity != NULL ? mix_activity(digest, mutation->activity) : digest;
    }
    return digest;
}

static uint64_t mix_preconditions(uint64_t digest, const struct cx_precondition *preconditions,
                                  size_t count)
{
    digest = cx_hash_mix_number(digest, count);
    for (size_t i = 0; i < count; i++) {
        digest = cx_hash_mix_number(digest, preconditions[i].kind);
        digest = mix_bytes(digest, preconditions[i].key);
        digest = cx_hash_mix_number(digest, preconditions[i].version);
    }
    return digest;
}

static uint64_t mix_new_context(uint64_t digest, const struct cx_new_context *properties)
{
    if (properties == NULL) {
        return cx_hash_mix_number(digest, 0);
    }
    digest = mix_bytes(cx_hash_mix_number(digest, 1), properties->type);
    digest = mix_bytes(digest, properties->parent_id);
    digest = cx_hash_mix_number(digest, properties->create_parent);
    digest = mix_labels(digest, properties->labels, properties->label_count);
    digest = cx_hash_mix_number(digest, (uint64_t)properties->ttl_us);
    return cx_hash_mix_number(digest, properties->sliding);
}

static uint64_t mix_name(uint64_t digest, const struct cx_context_name *name)
{
    return mix_bytes(mix_bytes(digest, name->namespace_id), name->id);
}

struct cx_hash128 cx_request_id_hash(const struct cx_name_key *key, struct cx_bytes request_id)
{
    struct cx_hash128 hash =
        cx_hash128(request_id, cx_hash64((struct cx_bytes){key->bytes, key->size}, 1));

    if (hash.low == 0 && hash.high == 0) {
        hash.low = 1; /* Zero stands for none. */
    }
    return hash;
}

uint64_t cx_create_request_hash(const struct cx_create_request *request)
{
    uint64_t digest = mix_name(cx_hash_mix_number(0, REQUEST_CREATE), &request->name);

    digest = mix_new_context(digest, &request->properties);
    return mix_mutations(digest, request->mutations, request->mutation_count);
}

uint64_t cx_update_request_hash(const struct cx_update_request *requests, size_t count)
{
    uint64_t digest = cx_hash_mix_number(cx_hash_mix_number(0, REQUEST_UPDATE), count);

    for (size_t i = 0; i < count; i++) {
        const struct cx_update_request *request = &requests[i];

        digest = mix_name(digest, &request->name);
        digest = mix_mutations(digest, request->mutations, request->mutation_count);
        digest = mix_preconditions(digest, request->preconditions, request->precondition_count);
        digest = mix_new_context(digest, request->create_if_missing);
        digest = request->wants_sequence ? cx_hash_mix_number(digest, 1) : digest;
    }
    return digest;
}

uint64_t cx_delete_request_hash(const struct cx_delete_request *request)
{
    uint64_t digest = mix_name(cx_hash_mix_number(0, REQUEST_DELETE), &request->name);

    digest = mix_preconditions(digest, request->preconditions, request->precondition_count);
    digest = cx_hash_mix_number(digest, request->allow_missing);
    digest = cx_hash_mix_number(digest, request->recursive);
    return cx_hash_mix_number(digest, request->purge);
}

static uint64_t mix_session(uint64_t digest, const struct cx_session_name *name)
{
    return mix_bytes(mix_bytes(digest, name->namespace_id), name->id);
}

uint64_t cx_session_start_request_hash(const struct cx_session_start_request *request)
{
    uint64_t digest = cx_hash_mix_number(0, REQUEST_SESSION_START);

    digest = mix_bytes(mix_session(digest, &request->name), request->owner);
    digest = mix_labels(digest, request->labels, request->label_count);
    digest = cx_hash_mix_number(digest, (uint64_t)request->ttl_us);
    digest = mix_bytes(digest, request->default_context_id);
    digest = mix_new_context(digest, request->create_if_missing);
    return cx_hash_mix_number(digest, request->max_active_contexts);
}

uint64_t cx_session_end_request_hash(const struct cx_session_end_request *request)
{
    return mix_session(cx_hash_mix_number(0, REQUEST_SESSION_END), &request->name);
}

uint64_t cx_truncate_request_hash(const struct cx_truncate_request *request)
{
    uint64_t digest = mix_name(cx_hash_mix_number(0, REQUEST_TRUNCATE), &request->name);

    digest = cx_hash_mix_number(digest, request->from_sequence);
    return cx_hash_mix_number(digest, (uint64_t)request->from_time_us);
}

uint64_t cx_optimize_request_hash(const struct cx_optimize_request *request)
{
    uint64_t digest = mix_name(cx_hash_mix_number(0, REQUEST_OPTIMIZE), &request->name);

    digest = cx_hash_mix_number(digest, request->max_bytes);
    digest = cx_hash_mix_number(digest, request->max_count);
    digest = cx_hash_mix_number(digest, request->deduplicate);
    return cx_hash_mix_number(digest, request->dry_run);
}

uint64_t cx_activation_request_hash(const struct cx_activation_request *request,
                                    enum cx_activation_way way)
{
    uint64_t digest = mix_name(cx_hash_mix_number(0, REQUEST_ACTIVATION), &request->name);

    digest = mix_bytes(cx_hash_mix_number(digest, way), request->session_id);
    digest = cx_hash_mix_number(digest, request->exclusive);
    digest = cx_hash_mix_number(digest, request->takeover);
    return cx_hash_mix_number(digest, request->guard);
}

uint64_t cx_resource_request_hash(const struct cx_resource_request *request,
                                  enum cx_resource_way way)
{
    uint64_t digest = mix_name(cx_hash_mix_number(0, REQUEST_RESOURCE), &request->name);

    digest = mix_bytes(cx_hash_mix_number(digest, way), request->session_id);
    digest = mix_bytes(mix_bytes(digest, request->resource), request->type);
    return mix_labels(digest, request->labels, request->label_count);
}
