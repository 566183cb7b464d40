#include "server/services/convert_point.h"

#include <stdlib.h>

#include "core/base/limits.h"
#include "server/services/convert_part.h"
#include "server/services/convert_policy.h"
#include "server/services/convert_time.h"

/* ---- Keys that must be different. ------------------------------------------- */

/* One of the keys of several repeated fields, in the order of the request. */
struct named_key {
    struct cx_bytes key;
    struct cx_field field;
    const char *member; /* The part of the field that has it. NULL: the field itself. */
};

static int compare_named(const void *a, const void *b)
{
    const struct named_key *left = *(const struct named_key *const *)a;
    const struct named_key *right = *(const struct named_key *const *)b;
    int order = cx_bytes_compare(left->key, right->key);

    return order != 0 ? order : (left > right) - (left < right);
}

/* Refuses the first key that was named before. */
static enum cx_status check_distinct(struct cx_conversion *conversion, const struct named_key *keys,
                                     size_t count)
{
    const struct named_key **sorted =
        cx_allocator_alloc(&conversion->memory, count * sizeof *sorted);
    const struct named_key *repeated = NULL;

    if (sorted == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &keys[i];
    }
    qsort(sorted, count, sizeof *sorted, compare_named);
    for (size_t i = 1; i < count; i++) {
        if (cx_bytes_equal(sorted[i - 1]->key, sorted[i]->key) &&
            (repeated == NULL || sorted[i] < repeated)) {
            repeated = sorted[i];
        }
    }
    if (repeated == NULL) {
        return CX_OK;
    }
    return cx_field_invalid(&repeated->field, repeated->member, conversion->error,
                            "must not be named twice");
}

/* ---- Attachments. ----------------------------------------------------------- */

static enum cx_status convert_attachment(struct cx_conversion *conversion,
                                         const struct cx_field *at, const Entry *message,
                                         struct cx_attachment *ret_attachment)
{
    enum cx_status status;

    *ret_attachment = (struct cx_attachment){
        .key = cx_bytes_of(message->key),
        .content_type = cx_bytes_of(message->content_type),
        .value = cx_bytes_of_data(message->value),
    };
    status = cx_field_check_name(at, "key", ret_attachment->key, 1, CX_ENTRY_KEY_SIZE_MAX,
                                 conversion->error);
    return status != CX_OK ? status
                           : cx_field_check_text(at, "content_type", ret_attachment->content_type,
                                                 CX_CONTENT_TYPE_SIZE_MAX, conversion->error);
}

/* Takes the field `name` of `at`. */
static enum cx_status convert_attachments(struct cx_conversion *conversion,
                                          const struct cx_field *at, const char *name,
                                          Entry *const *messages, size_t count,
                                          const struct cx_attachment **ret_attachments)
{
    struct cx_attachment *attachments;
    enum cx_status status =
        cx_field_check_count(at, name, count, 0, CX_ATTACHMENTS_MAX, conversion->error);

    if (status != CX_OK || count == 0) {
        return status;
    }
    attachments = cx_allocator_alloc(&conversion->memory, count * sizeof *attachments);
    if (attachments == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    for (size_t i = 0; i < count; i++) {
        const struct cx_field field = cx_field_at(at, name, i);

        status = convert_attachment(conversion, &field, messages[i], &attachments[i]);
        if (status != CX_OK) {
            return status;
        }
    }
    *ret_attachments = attachments;
    return CX_OK;
}

/* Takes the field `name` of `at`, of keys: of attachments or of labels. */
static enum cx_status convert_key_list(struct cx_conversion *conversion, const struct cx_field *at,
                                       const char *name, char *const *texts, size_t count,
                                       size_t count_max, size_t size_max,
                                       const struct cx_bytes **ret_keys)
{
    struct cx_bytes *keys;
    enum cx_status status = cx_field_check_count(at, name, count, 0, count_max, conversion->error);

    if (status != CX_OK || count == 0) {
        return status;
    }
    keys = cx_allocator_alloc(&conversion->memory, count * sizeof *keys);
    if (keys == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    for (size_t i = 0; i < count; i++) {
        const struct cx_field field = cx_field_at(at, name, i);

        keys[i] = cx_bytes_of(texts[i]);
        status = cx_field_check_name(&field, NULL, keys[i], 1, size_max, conversion->error);
        if (status != CX_OK) {
            return status;
        }
    }
    *ret_keys = keys;
    return CX_OK;
}

/* Adds the keys of a field to those that must be different. Returns the place behind. */
static struct named_key *name_attachments(struct named_key *place, const struct cx_field *at,
                                          const char *name, const struct cx_attachment *attachments,
                                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *place++ = (struct named_key){attachments[i].key, cx_field_at(at, name, i), "key"};
    }
    return place;
}

static struct named_key *name_keys(struct named_key *place, const struct cx_field *at,
                                   const char *name, const struct cx_bytes *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *place++ = (struct named_key){keys[i], cx_field_at(at, name, i), NULL};
    }
    return place;
}

/* ---- Create. ---------------------------------------------------------------- */

/* Whether a step can be a part of a point that is not the head. */
static bool is_of_the_state(const struct cx_mutation *mutation)
{
    switch (mutation->kind) {
    case CX_MUTATION_PUT:
    case CX_MUTATION_APPEND:
    case CX_MUTATION_DELETE:
    case CX_MUTATION_DELETE_PREFIX:
    case CX_MUTATION_SET_LABEL:
    case CX_MUTATION_DELETE_LABEL:
        return true;
    case CX_MUTATION_SET_EXPIRY:
    case CX_MUTATION_RECORD:
    case CX_MUTATION_SET_POLICY:
        break;
    }
    return false;
}

static enum cx_status convert_point_mutations(struct cx_conversion *conversion,
                                              const struct cx_field *at,
                                              const CreateRecoveryPointRequest *message,
                                              struct cx_create_point_request *request)
{
    enum cx_status status = cx_convert_mutations(conversion, at, message->mutations,
                                                 message->n_mutations, &request->mutations);

    for (size_t i = 0; i < message->n_mutations && status == CX_OK && !message->move_head; i++) {
        const struct cx_field field = cx_field_at(at, "mutations", i);

        if (!is_of_the_state(&request->mutations[i])) {
            status = cx_field_invalid(&field, NULL, conversion->error,
                                      "must be about entries or metadata, without `move_head`");
        }
    }
    return status;
}

static enum cx_status convert_point_attachments(struct cx_conversion *conversion,
                                                const struct cx_field *at,
                                                const CreateRecoveryPointRequest *message,
                                                struct cx_create_point_request *request)
{
    size_t count = message->n_attachments;
    struct named_key *keys;
    enum cx_status status = convert_attachments(conversion, at, "attachments", message->attachments,
                                                count, &request->attachments);

    if (status != CX_OK || count == 0) {
        return status;
    }
    keys = cx_allocator_alloc(&conversion->memory, count * sizeof *keys);
    if (keys == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    name_attachments(keys, at, "attachments", request->attachments, count);
    return check_distinct(conversion, keys, count);
}

/* What the point is like, apart from its state. */
static enum cx_status convert_point_properties(struct cx_conversion *conversion,
                                               const struct cx_field *at,
                                               const CreateRecoveryPointRequest *message,
                                               struct cx_create_point_request *request)
{
    enum cx_status status =
        cx_convert_labels(conversion, at, message->metadata, message->n_metadata, &request->labels);

    if (status == CX_OK) {
        status = convert_point_attachments(conversion, at, message, request);
    }
    if (status == CX_OK && message->ttl != NULL) {
        status = cx_convert_duration(conversion, at, "ttl", message->ttl, 1, CX_TTL_US_MAX,
                                     &request->ttl_us);
    }
    return status;
}

static enum cx_status convert_point_names(struct cx_conversion *conversion,
                                          const struct cx_field *at,
                                          const CreateRecoveryPointRequest *message,
                                          struct cx_create_point_request *request)
{
    enum cx_status status = cx_convert_name(conversion, at, message->namespace_,
                                            message->context_id, 1, &request->name);

    if (status == CX_OK) {
        status = cx_convert_point_id(conversion, at, "recovery_point_id", request->point_id, 0);
    }
    if (status == CX_OK) {
        status = cx_convert_point_id(conversion, at, "from_recovery_point_id",
                                     request->from_point_id, 0);
    }
    return status;
}

enum cx_status cx_convert_point_create(struct cx_conversion *conversion, const struct cx_field *at,
                                       const CreateRecoveryPointRequest *message,
                                       struct cx_create_point_request *ret_request)
{
    struct cx_create_point_request request = {
        .point_id = cx_bytes_of(message->recovery_point_id),
        .from_point_id = cx_bytes_of(message->from_recovery_point_id),
        .mutation_count = message->n_mutations,
        .move_head = message->move_head,
        .pinned = message->pinned,
        .replace = message->replace,
        .label_count = message->n_metadata,
        .attachment_count = message->n_attachments,
        .precondition_count = message->n_preconditions,
    };
    struct cx_write write;
    enum cx_status status = convert_point_names(conversion, at, message, &request);

    if (status == CX_OK) {
        status = convert_point_mutations(conversion, at, message, &request);
    }
    if (status == CX_OK) {
        status = convert_point_properties(conversion, at, message, &request);
    }
    if (status == CX_OK && message->create_if_missing != NULL) {
        status = cx_convert_create_if_missing(conversion, at, message->create_if_missing,
                                              request.name.id, &request.create_if_missing);
    }
    if (status == CX_OK && message->n_preconditions > 0) {
        status = cx_convert_preconditions(conversion, at, message->preconditions,
                                          message->n_preconditions, &request.preconditions);
    }
    if (status == CX_OK) {
        status = cx_convert_write(conversion, at, message->write, &write);
    }
    if (status != CX_OK) {
        return status;
    }
    request.author = write.author;
    request.request_id = write.request_id;
    *ret_request = request;
    return CX_OK;
}

size_t cx_point_create_cost(const CreateRecoveryPointRequest *message)
{
    return message->n_mutations + message->n_attachments + message->n_metadata;
}

/* ---- Get. ------------------------------------------------------------------- */

enum cx_status cx_convert_point_get(struct cx_conversion *conversion, const struct cx_field *at,
                                    const GetRecoveryPointRequest *message,
                                    struct cx_point_get_query *ret_query)
{
    struct cx_point_get_query query = {
        .point_id = cx_bytes_of(message->recovery_point_id),
        .view = {.entries = message->with_entries, .attachments = message->with_attachments},
    };
    enum cx_status status =
        cx_convert_name(conversion, at, message->namespace_, message->context_id, 1, &query.name);

    if (status == CX_OK) {
        status = cx_convert_point_id(conversion, at, "recovery_point_id", query.point_id, 0);
    }
    if (status == CX_OK) {
        status = cx_convert_keys(conversion, at, message->keys, message->n_keys, &query.view.keys,
                                 &query.view.key_count);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_query = query;
    return CX_OK;
}

/* ---- Update. ---------------------------------------------------------------- */

static enum cx_status convert_metadata_changes(struct cx_conversion *conversion,
                                               const struct cx_field *at,
                                               const UpdateRecoveryPointRequest *message,
                                               struct cx_update_point_request *request)
{
    const struct cx_field map = cx_field_of(at, "set_metadata");
    size_t count = message->n_set_metadata + message->n_delete_metadata;
    struct named_key *keys;
    struct named_key *place;
    enum cx_status status = cx_convert_label_map(conversion, &map, message->set_metadata,
                                                 message->n_set_metadata, &request->set_labels);

    if (status == CX_OK) {
        status = convert_key_list(conversion, at, "delete_metadata", message->delete_metadata,
                                  message->n_delete_metadata, CX_LABELS_MAX, CX_LABEL_KEY_SIZE_MAX,
                                  &request->delete_labels);
    }
    if (status != CX_OK || message->n_delete_metadata == 0) {
        return status;
    }
    keys = cx_allocator_alloc(&conversion->memory, count * sizeof *keys);
    if (keys == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    place = keys;
    for (size_t i = 0; i < message->n_set_metadata; i++) {
        *place++ = (struct named_key){request->set_labels[i].key, map, NULL};
    }
    name_keys(place, at, "delete_metadata", request->delete_labels, message->n_delete_metadata);
    return check_distinct(conversion, keys, count);
}

static enum cx_status check_attachment_keys(struct cx_conversion *conversion,
                                            const struct cx_field *at,
                                            const struct cx_update_point_request *request)
{
    size_t count = request->put_attachment_count + request->add_attachment_count +
                   request->delete_attachment_count;
    struct named_key *keys;
    struct named_key *place;

    if (count == 0) {
        return CX_OK;
    }
    keys = cx_allocator_alloc(&conversion->memory, count * sizeof *keys);
    if (keys == NULL) {
        return cx_error_out_of_memory(conversion->error);
    }
    place = name_attachments(keys, at, "put_attachments", request->put_attachments,
                             request->put_attachment_count);
    place = name_attachments(place, at, "add_attachments", request->add_attachments,
                             request->add_attachment_count);
    name_keys(place, at, "delete_attachments", request->delete_attachments,
              request->delete_attachment_count);
    return check_distinct(conversion, keys, count);
}

static enum cx_status convert_attachment_changes(struct cx_conversion *conversion,
                                                 const struct cx_field *at,
                                                 const UpdateRecoveryPointRequest *message,
                                                 struct cx_update_point_request *request)
{
    enum cx_status status =
        convert_attachments(conversion, at, "put_attachments", message->put_attachments,
                            message->n_put_attachments, &request->put_attachments);

    if (status == CX_OK) {
        status = convert_attachments(conversion, at, "add_attachments", message->add_attachments,
                                     message->n_add_attachments, &request->add_attachments);
    }
    if (status == CX_OK) {
        status = convert_key_list(conversion, at, "delete_attachments", message->delete_attachments,
                                  message->n_delete_attachments, CX_ATTACHMENTS_MAX,
                                  CX_ENTRY_KEY_SIZE_MAX, &request->delete_attachments);
    }
    return status != CX_OK ? status : check_attachment_keys(conversion, at, request);
}

static enum cx_status convert_pin(struct cx_conversion *conversion, const struct cx_field *at,
                                  Pin pin, enum cx_pin *ret_pin)
{
    switch ((int)pin) {
    case CONTEXTD__V1__UPDATE_RECOVERY_POINT_REQUEST__PIN__PIN_UNSPECIFIED:
        *ret_pin = CX_PIN_AS_IT_IS;
        return CX_OK;
    case CONTEXTD__V1__UPDATE_RECOVERY_POINT_REQUEST__PIN__PIN_ON:
        *ret_pin = CX_PIN_ON;
        return CX_OK;
    case CONTEXTD__V1__UPDATE_RECOVERY_POINT_REQUEST__PIN__PIN_OFF:
        *ret_pin = CX_PIN_OFF;
        return CX_OK;
    default:
        return cx_field_invalid(at, "pin", conversion->error, "must be a known value");
    }
}

static enum cx_status convert_lifetime(struct cx_conversion *conversion, const struct cx_field *at,
                                       const UpdateRecoveryPointRequest *message,
                                       struct cx_update_point_request *request)
{
    enum cx_status status = CX_OK;

    if (message->ttl != NULL) {
        status = cx_convert_duration(conversion, at, "ttl", message->ttl, 1, CX_TTL_US_MAX,
                                     &request->ttl_us);
    }
    if (status == CX_OK && message->ttl != NULL && message->clear_expiry) {
        status = cx_field_invalid(at, "clear_expiry", conversion->error,
                                  "must not be set together with `ttl`");
    }
    return status != CX_OK ? status : convert_pin(conversion, at, message->pin, &request->pin);
}

enum cx_status cx_convert_point_update(struct cx_conversion *conversion, const struct cx_field *at,
                                       const UpdateRecoveryPointRequest *message,
                                       struct cx_update_point_request *ret_request)
{
    struct cx_update_point_request request = {
        .point_id = cx_bytes_of(message->recovery_point_id),
        .set_label_count = message->n_set_metadata,
        .delete_label_count = message->n_delete_metadata,
        .put_attachment_count = message->n_put_attachments,
        .add_attachment_count = message->n_add_attachments,
        .delete_attachment_count = message->n_delete_attachments,
        .clear_expiry = message->clear_expiry,
        .allow_missing = message->allow_missing,
    };
    struct cx_write write;
    enum cx_status status =
        cx_convert_name(conversion, at, message->namespace_, message->context_id, 1, &request.name);

    if (status == CX_OK) {
        status = cx_convert_point_id(conversion, at, "recovery_point_id", request.point_id, 1);
    }
    if (status == CX_OK) {
        status = convert_metadata_changes(conversion, at, message, &request);
    }
    if (status == CX_OK) {
        status = convert_attachment_changes(conversion, at, message, &request);
    }
    if (status == CX_OK) {
        status = convert_lifetime(conversion, at, message, &request);
    }
    if (status == CX_OK) {
        status = cx_convert_write(conversion, at, message->write, &write);
    }
    if (status != CX_OK) {
        return status;
    }
    request.author = write.author;
    request.request_id = write.request_id;
    *ret_request = request;
    return CX_OK;
}

size_t cx_point_update_cost(const UpdateRecoveryPointRequest *message)
{
    return message->n_put_attachments + message->n_add_attachments + message->n_delete_attachments +
           message->n_set_metadata + message->n_delete_metadata;
}

/* ---- Delete. ---------------------------------------------------------------- */

enum cx_status cx_convert_point_delete(struct cx_conversion *conversion, const struct cx_field *at,
                                       const DeleteRecoveryPointRequest *message,
                                       struct cx_delete_point_request *ret_request)
{
    struct cx_delete_point_request request = {
        .point_id = cx_bytes_of(message->recovery_point_id),
    };
    struct cx_write write;
    enum cx_status status =
        cx_convert_name(conversion, at, message->namespace_, message->context_id, 1, &request.name);

    if (status == CX_OK) {
        status = cx_convert_point_id(conversion, at, "recovery_point_id", request.point_id, 1);
    }
    if (status == CX_OK) {
        status = cx_convert_write(conversion, at, message->write, &write);
    }
    if (status != CX_OK) {
        return status;
    }
    request.author = write.author;
    request.request_id = write.request_id;
    *ret_request = request;
    return CX_OK;
}

/* ---- Points of many contexts. ----------------------------------------------- */

/* Checks which contexts are meant: one, those with a prefix, or all. */
static enum cx_status check_selection(struct cx_conversion *conversion,
                                      struct cx_bytes namespace_id, struct cx_bytes context_id,
                                      struct cx_bytes id_prefix)
{
    enum cx_status status = cx_convert_check_namespace(conversion, NULL, namespace_id);

    if (status == CX_OK) {
        status = cx_field_check_name(NULL, "context_id", context_id, 0, CX_CONTEXT_ID_SIZE_MAX,
                                     conversion->error);
    }
    if (status == CX_OK) {
        status = cx_field_check_name(NULL, "id_prefix", id_prefix, 0, CX_CONTEXT_ID_SIZE_MAX,
                                     conversion->error);
    }
    if (status == CX_OK && context_id.size > 0 && id_prefix.size > 0) {
        status = cx_field_invalid(NULL, "id_prefix", conversion->error,
                                  "must be empty where `context_id` names a context");
    }
    return status;
}

/* Takes the field `name`, a point that the list has to do with. */
static enum cx_status check_reference(struct cx_conversion *conversion,
                                      const struct cx_point_query *query, const char *name,
                                      struct cx_bytes point_id)
{
    enum cx_status status = cx_convert_point_id(conversion, NULL, name, point_id, 0);

    if (status == CX_OK && point_id.size > 0 && query->context_id.size == 0) {
        status = cx_field_invalid(NULL, name, conversion->error,
                                  "must be empty unless `context_id` names the context");
    }
    return status;
}

static enum cx_status check_references(struct cx_conversion *conversion,
                                       const struct cx_point_query *query)
{
    enum cx_status status =
        check_reference(conversion, query, "before_recovery_point_id", query->before_id);

    if (status == CX_OK) {
        status = check_reference(conversion, query, "ancestors_of", query->ancestors_of);
    }
    if (status == CX_OK && query->before_id.size > 0 && query->ancestors_of.size > 0) {
        status = cx_field_invalid(NULL, "ancestors_of", conversion->error,
                                  "must be empty where `before_recovery_point_id` is set");
    }
    return status;
}

enum cx_status cx_convert_point_list(struct cx_conversion *conversion,
                                     const ListRecoveryPointsRequest *message,
                                     struct cx_point_query *ret_query,
                                     struct cx_point_view_query *ret_view)
{
    struct cx_point_query query = {
        .namespace_id = cx_convert_namespace(message->namespace_),
        .context_id = cx_bytes_of(message->context_id),
        .id_prefix = cx_bytes_of(message->id_prefix),
        .label_count = message->n_metadata,
        .before_id = cx_bytes_of(message->before_recovery_point_id),
        .ancestors_of = cx_bytes_of(message->ancestors_of),
    };
    struct cx_point_view_query view = {
        .entries = message->with_entries,
        .attachments = message->with_attachments,
    };
    enum cx_status status =
        check_selection(conversion, query.namespace_id, query.context_id, query.id_prefix);

    if (status == CX_OK) {
        status = cx_convert_page_size(conversion, message->page_size, &query.count_max);
    }
    if (status == CX_OK) {
        status = cx_convert_labels(conversion, NULL, message->metadata, message->n_metadata,
                                   &query.labels);
    }
    if (status == CX_OK) {
        status = check_references(conversion, &query);
    }
    if (status == CX_OK) {
        status = cx_convert_keys(conversion, NULL, message->keys, message->n_keys, &view.keys,
                                 &view.key_count);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_query = query;
    *ret_view = view;
    return CX_OK;
}

/* What to drop. */
static enum cx_status convert_prune_rules(struct cx_conversion *conversion,
                                          const PruneRecoveryPointsRequest *message,
                                          struct cx_prune_request *request)
{
    const struct cx_field policy = cx_field_of(NULL, "policy");
    enum cx_status status = cx_convert_labels(conversion, NULL, message->metadata,
                                              message->n_metadata, &request->labels);

    if (status == CX_OK && message->policy != NULL) {
        status = cx_convert_retention(conversion, &policy, message->policy, &request->policy);
    }
    if (status == CX_OK && message->n_metadata == 0 && message->policy == NULL) {
        status = cx_field_invalid(NULL, "policy", conversion->error,
                                  "must be set unless `metadata` says what to drop");
    }
    return status;
}

enum cx_status cx_convert_point_prune(struct cx_conversion *conversion,
                                      const PruneRecoveryPointsRequest *message,
                                      struct cx_prune_request *ret_request)
{
    struct cx_prune_request request = {
        .namespace_id = cx_convert_namespace(message->namespace_),
        .context_id = cx_bytes_of(message->context_id),
        .id_prefix = cx_bytes_of(message->id_prefix),
        .label_count = message->n_metadata,
        .dry_run = message->dry_run,
    };
    struct cx_write write;
    enum cx_status status =
        check_selection(conversion, request.namespace_id, request.context_id, request.id_prefix);

    if (status == CX_OK) {
        status = convert_prune_rules(conversion, message, &request);
    }
    if (status == CX_OK) {
        status = cx_convert_write(conversion, NULL, message->write, &write);
    }
    if (status == CX_OK && request.context_id.size == 0 && write.author.fence != 0) {
        status = cx_field_invalid(NULL, "write.fence", conversion->error,
                                  "must be 0 unless `context_id` names the context");
    }
    if (status != CX_OK) {
        return status;
    }
    request.author = write.author;
    request.request_id = write.request_id;
    *ret_request = request;
    return CX_OK;
}
