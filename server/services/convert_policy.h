/* Recovery policies: in requests checked, and in answers. What holds for the converters of
 * requests (convert_request.h) holds here.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_CONVERT_POLICY_H
#define CX_SERVICES_CONVERT_POLICY_H

#include "server/services/convert_request.h"

/* `at` is the field that holds the message, as in the next. At least one rule is set. */
CX_MUST_CHECK enum cx_status cx_convert_retention(struct cx_conversion *conversion,
                                                  const struct cx_field *at,
                                                  const RetentionPolicy *message,
                                                  struct cx_retention *ret_retention);

/* NULL: the server's policy. */
CX_MUST_CHECK enum cx_status cx_convert_policy(struct cx_conversion *conversion,
                                               const struct cx_field *at,
                                               const RecoveryPolicy *message,
                                               struct cx_recovery_policy *ret_policy);

/* The message of a policy, in one piece of memory that is the caller's. */
struct cx_policy_parts {
    RecoveryPolicy policy;
    RetentionPolicy retention;
    Duration keep_within;
    Duration point_every;
};

/* Sets *parts and returns their policy; NULL for the server's. */
RecoveryPolicy *cx_policy_message(struct cx_policy_parts *parts,
                                  const struct cx_recovery_policy *policy);

#endif /* CX_SERVICES_CONVERT_POLICY_H */
