#include "server/services/convert_policy.h"

#include "core/base/limits.h"
#include "server/services/convert_time.h"

/* ---- Requests. -------------------------------------------------------------- */

enum cx_status cx_convert_retention(struct cx_conversion *conversion, const struct cx_field *at,
                                    const RetentionPolicy *message,
                                    struct cx_retention *ret_retention)
{
    struct cx_retention retention = {
        .keep_last = message->keep_last,
        .keep_every = message->keep_every,
    };

    if (message->keep_within != NULL) {
        enum cx_status status =
            cx_convert_duration(conversion, at, "keep_within", message->keep_within, 1,
                                CX_TTL_US_MAX, &retention.keep_within_us);

        if (status != CX_OK) {
            return status;
        }
    }
    if (!cx_retention_is_set(&retention)) {
        return cx_field_invalid(at, NULL, conversion->error, "must have at least one rule");
    }
    *ret_retention = retention;
    return CX_OK;
}

enum cx_status cx_convert_policy(struct cx_conversion *conversion, const struct cx_field *at,
                                 const RecoveryPolicy *message,
                                 struct cx_recovery_policy *ret_policy)
{
    const struct cx_field retention = cx_field_of(at, "retention");
    struct cx_recovery_policy policy = {0};
    enum cx_status status = CX_OK;

    if (message == NULL) {
        *ret_policy = policy;
        return CX_OK;
    }
    policy.is_set = true;
    policy.point_every_changes = message->point_every_changes;
    if (message->retention != NULL) {
        status =
            cx_convert_retention(conversion, &retention, message->retention, &policy.retention);
    }
    if (status == CX_OK && message->point_every != NULL) {
        status = cx_convert_duration(conversion, at, "point_every", message->point_every, 1,
                                     CX_TTL_US_MAX, &policy.point_every_us);
    }
    if (status != CX_OK) {
        return status;
    }
    *ret_policy = policy;
    return CX_OK;
}

/* ---- Answers. --------------------------------------------------------------- */

RecoveryPolicy *cx_policy_message(struct cx_policy_parts *parts,
                                  const struct cx_recovery_policy *policy)
{
    const struct cx_retention *retention = &policy->retention;

    if (!policy->is_set) {
        return NULL;
    }
    parts->policy = (RecoveryPolicy)CONTEXTD__V1__RECOVERY_POLICY__INIT;
    parts->policy.point_every_changes = policy->point_every_changes;
    parts->policy.point_every =
        cx_duration_message(&parts->point_every, (uint64_t)policy->point_every_us);
    if (cx_retention_is_set(retention)) {
        parts->retention = (RetentionPolicy)CONTEXTD__V1__RETENTION_POLICY__INIT;
        parts->retention.keep_last = retention->keep_last;
        parts->retention.keep_every = retention->keep_every;
        parts->retention.keep_within =
            cx_duration_message(&parts->keep_within, (uint64_t)retention->keep_within_us);
        parts->policy.retention = &parts->retention;
    }
    return &parts->policy;
}
