/* The parts that requests have in common. For the converters alone; what holds for
 * them (convert_request.h) holds here. */

#ifndef CX_SERVICES_CONVERT_PART_H
#define CX_SERVICES_CONVERT_PART_H

#include "server/services/convert_request.h"

static inline struct cx_bytes cx_bytes_of_data(ProtobufCBinaryData data)
{
    return (struct cx_bytes){data.data, data.len};
}

/* Checks the field `namespace` of `at`. */
CX_MUST_CHECK enum cx_status cx_convert_check_namespace(struct cx_conversion *conversion,
                                                        const struct cx_field *at,
                                                        struct cx_bytes namespace_id);

/* Checks namespace and id. `id_size_min` 0: the id may be empty. */
CX_MUST_CHECK enum cx_status cx_convert_name(struct cx_conversion *conversion,
                                             const struct cx_field *at, const char *namespace_id,
                                             const char *id, size_t id_size_min,
                                             struct cx_context_name *ret_name);

/* `at` is the message that has the field `mutations`. */
CX_MUST_CHECK enum cx_status cx_convert_mutations(struct cx_conversion *conversion,
                                                  const struct cx_field *at,
                                                  Mutation *const *messages, size_t count,
                                                  const struct cx_mutation **ret_mutations);

/* `at` is the message that has the field `preconditions`. */
CX_MUST_CHECK enum cx_status
cx_convert_preconditions(struct cx_conversion *conversion, const struct cx_field *at,
                         Precondition *const *messages, size_t count,
                         const struct cx_precondition **ret_preconditions);

/* `at` is the field that holds the message. */
CX_MUST_CHECK enum cx_status cx_convert_new_context(struct cx_conversion *conversion,
                                                    const struct cx_field *at,
                                                    const NewContext *message,
                                                    struct cx_new_context *ret_context);

/* The same for the properties of the context `id`. */
CX_MUST_CHECK enum cx_status cx_convert_properties(struct cx_conversion *conversion,
                                                   const struct cx_field *at,
                                                   const NewContext *message, struct cx_bytes id,
                                                   const struct cx_new_context **ret_context);

/* Takes the field `create_if_missing` of `at`, the properties of the context `id`. */
CX_MUST_CHECK enum cx_status
cx_convert_create_if_missing(struct cx_conversion *conversion, const struct cx_field *at,
                             const NewContext *message, struct cx_bytes id,
                             const struct cx_new_context **ret_context);

/* Checks the field `session_id` of `at`. `size_min` 0: it may be empty. */
CX_MUST_CHECK enum cx_status cx_convert_session_id(struct cx_conversion *conversion,
                                                   const struct cx_field *at, struct cx_bytes id,
                                                   size_t size_min);

/* `at` is the field that holds the message. 0: for ever. */
CX_MUST_CHECK enum cx_status cx_convert_expiry(struct cx_conversion *conversion,
                                               const struct cx_field *at, const SetExpiry *message,
                                               int64_t *ret_ttl_us, bool *ret_sliding);

/* Checks a map of labels, the field `map`, and sorts it by key. `entries` is its generated
 * array of `count` pointers: see Label in messages.h. */
CX_MUST_CHECK enum cx_status cx_convert_label_map(struct cx_conversion *conversion,
                                                  const struct cx_field *map, const void *entries,
                                                  size_t count, const struct cx_label **ret_labels);

/* The same of the map `metadata` of `at`. */
CX_MUST_CHECK enum cx_status cx_convert_labels(struct cx_conversion *conversion,
                                               const struct cx_field *at, const void *entries,
                                               size_t count, const struct cx_label **ret_labels);

/* Takes the field `keys` of `at`, keys of entries: sorted, no key twice. Writes nothing where
 * there are none. */
CX_MUST_CHECK enum cx_status cx_convert_keys(struct cx_conversion *conversion,
                                             const struct cx_field *at, char *const *texts,
                                             size_t count, const struct cx_bytes **ret_keys,
                                             size_t *ret_count);

/* `at` is the field that holds the message, which must be set. */
CX_MUST_CHECK enum cx_status cx_convert_state(struct cx_conversion *conversion,
                                              const struct cx_field *at, const StateRef *message,
                                              struct cx_context_name *ret_name,
                                              struct cx_state_at *ret_at);

/* Checks the field `name` of `at`, the id of a recovery point. `size_min` 0: it may be
 * empty. */
CX_MUST_CHECK enum cx_status cx_convert_point_id(struct cx_conversion *conversion,
                                                 const struct cx_field *at, const char *name,
                                                 struct cx_bytes id, size_t size_min);

#endif /* CX_SERVICES_CONVERT_PART_H */
