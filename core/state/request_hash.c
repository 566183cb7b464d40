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
    REQUEST_CREATE_POINT = 10,
    REQUEST_UPDATE_POINT = 11,
    REQUEST_DELETE_POINT = 12,
    REQUEST_PRUNE = 13,
    REQUEST_RESTORE = 14,
    REQUEST_FORK = 15,
    REQUEST_MERGE = 16,
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

static uint64_t mix_retention(uint64_t digest, const struct cx_retention *retention)
{
    digest = cx_hash_mix_number(digest, retention->keep_last);
    digest = cx_hash_mix_number(digest, retention->keep_every);
    return cx_hash_mix_number(digest, (uint64_t)retention->keep_within_us);
}

static uint64_t mix_policy(uint64_t digest, const struct cx_recovery_policy *policy)
{
    digest = mix_retention(cx_hash_mix_number(digest, policy->is_set), &policy->retention);
    digest = cx_hash_mix_number(digest, policy->point_every_changes);
    return cx_hash_mix_number(digest, (uint64_t)policy->point_every_us);
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
        digest = mutation->policy != NULL ? mix_policy(digest, mutation->policy) : digest;
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
    digest = cx_hash_mix_number(digest, properties->sliding);
    return properties->policy.is_set ? mix_policy(digest, &properties->policy) : digest;
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
    digest = cx_hash_mix_number(digest, request->max_active_contexts);
    return request->point_on_loss ? cx_hash_mix_number(digest, 1) : digest;
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

/* ---- Recovery. -------------------------------------------------------------- */

static uint64_t mix_attachments(uint64_t digest, const struct cx_attachment *attachments,
                                size_t count)
{
    digest = cx_hash_mix_number(digest, count);
    for (size_t i = 0; i < count; i++) {
        digest = mix_bytes(mix_bytes(digest, attachments[i].key), attachments[i].content_type);
        digest = mix_bytes(digest, attachments[i].value);
    }
    return digest;
}

static uint64_t mix_keys(uint64_t digest, const struct cx_bytes *keys, size_t count)
{
    digest = cx_hash_mix_number(digest, count);
    for (size_t i = 0; i < count; i++) {
        digest = mix_bytes(digest, keys[i]);
    }
    return digest;
}

static uint64_t mix_at(uint64_t digest, const struct cx_state_at *at)
{
    digest = cx_hash_mix_number(digest, at->version);
    digest = cx_hash_mix_number(digest, (uint64_t)at->time_us);
    return mix_bytes(digest, at->point_id);
}

uint64_t cx_create_point_request_hash(const struct cx_create_point_request *request)
{
    uint64_t digest = mix_name(cx_hash_mix_number(0, REQUEST_CREATE_POINT), &request->name);

    digest = mix_bytes(mix_bytes(digest, request->point_id), request->from_point_id);
    digest = mix_mutations(digest, request->mutations, request->mutation_count);
    digest = cx_hash_mix_number(digest, request->move_head);
    digest = cx_hash_mix_number(digest, request->pinned);
    digest = cx_hash_mix_number(digest, request->replace);
    digest = mix_labels(digest, request->labels, request->label_count);
    digest = mix_attachments(digest, request->attachments, request->attachment_count);
    digest = cx_hash_mix_number(digest, (uint64_t)request->ttl_us);
    digest = mix_new_context(digest, request->create_if_missing);
    return mix_preconditions(digest, request->preconditions, request->precondition_count);
}

uint64_t cx_update_point_request_hash(const struct cx_update_point_request *request)
{
    uint64_t digest = mix_name(cx_hash_mix_number(0, REQUEST_UPDATE_POINT), &request->name);

    digest = mix_bytes(digest, request->point_id);
    digest = mix_labels(digest, request->set_labels, request->set_label_count);
    digest = mix_keys(digest, request->delete_labels, request->delete_label_count);
    digest = mix_attachments(digest, request->put_attachments, request->put_attachment_count);
    digest = mix_attachments(digest, request->add_attachments, request->add_attachment_count);
    digest = mix_keys(digest, request->delete_attachments, request->delete_attachment_count);
    digest = cx_hash_mix_number(digest, (uint64_t)request->ttl_us);
    digest = cx_hash_mix_number(digest, request->clear_expiry);
    digest = cx_hash_mix_number(digest, request->pin);
    return cx_hash_mix_number(digest, request->allow_missing);
}

uint64_t cx_delete_point_request_hash(const struct cx_delete_point_request *request)
{
    return mix_bytes(mix_name(cx_hash_mix_number(0, REQUEST_DELETE_POINT), &request->name),
                     request->point_id);
}

uint64_t cx_prune_request_hash(const struct cx_prune_request *request)
{
    uint64_t digest = mix_bytes(cx_hash_mix_number(0, REQUEST_PRUNE), request->namespace_id);

    digest = mix_bytes(mix_bytes(digest, request->context_id), request->id_prefix);
    digest = mix_labels(digest, request->labels, request->label_count);
    return mix_retention(digest, &request->policy);
}

uint64_t cx_restore_request_hash(const struct cx_restore_request *request)
{
    uint64_t digest = mix_name(cx_hash_mix_number(0, REQUEST_RESTORE), &request->name);

    digest = mix_at(digest, &request->at);
    digest = cx_hash_mix_number(digest, request->safety_point);
    digest = cx_hash_mix_number(digest, request->undelete);
    return mix_preconditions(digest, request->preconditions, request->precondition_count);
}

uint64_t cx_fork_request_hash(const struct cx_fork_request *request)
{
    uint64_t digest = mix_name(cx_hash_mix_number(0, REQUEST_FORK), &request->source);

    digest = mix_bytes(mix_at(digest, &request->at), request->id);
    digest = cx_hash_mix_number(digest, request->with_history);
    digest = cx_hash_mix_number(digest, request->with_points);
    return mix_new_context(digest, request->properties);
}

uint64_t cx_merge_request_hash(const struct cx_merge_request *request)
{
    uint64_t digest = mix_name(cx_hash_mix_number(0, REQUEST_MERGE), &request->source);

    digest = mix_name(mix_at(digest, &request->source_at), &request->target);
    digest = mix_at(mix_bytes(digest, request->ancestor.id), &request->ancestor_at);
    digest = cx_hash_mix_number(digest, request->on_conflict);
    digest = cx_hash_mix_number(digest, request->rule_count);
    for (size_t i = 0; i < request->rule_count; i++) {
        digest = mix_bytes(digest, request->rules[i].key);
        digest = cx_hash_mix_number(digest, request->rules[i].rule);
    }
    digest = cx_hash_mix_number(digest, request->safety_point);
    return mix_preconditions(digest, request->preconditions, request->precondition_count);
}
