/* The parts that requests have in common. For the converters alone; what holds for
 * them (convert_request.h) holds here. */

#ifndef CX_SERVICES_CONVERT_PART_H
#define CX_SERVICES_CONVERT_PART_H

#include "server/services/convert_request.h"

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

/* `at` is the field that holds the message. 0: for ever. */
CX_MUST_CHECK enum cx_status cx_convert_expiry(struct cx_conversion *conversion,
                                               const struct cx_field *at, const SetExpiry *message,
                                               int64_t *ret_ttl_us, bool *ret_sliding);

/* Checks `count` labels of the field `metadata` of `at`, and sorts them by key. */
CX_MUST_CHECK enum cx_status cx_convert_sort_labels(struct cx_conversion *conversion,
                                                    const struct cx_field *at,
                                                    struct cx_label *labels, size_t count);

/* Checks the value of a label, which is the field `name` of `at`. */
CX_MUST_CHECK enum cx_status cx_convert_check_label_value(struct cx_conversion *conversion,
                                                          const struct cx_field *at,
                                                          const char *name, struct cx_bytes value);

#endif /* CX_SERVICES_CONVERT_PART_H */
