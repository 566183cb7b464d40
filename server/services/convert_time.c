#include "server/services/convert_time.h"

#include "core/base/limits.h"

enum { NANOS_MAX = 999999999, NANOS_PER_US = 1000 };

/* The longest that a google.protobuf.Duration may be: 10,000 years. */
#define DURATION_US_MAX (315576000000ULL * CX_SECOND_US)

static bool duration_is_valid(const Duration *message)
{
    return message->nanos >= -NANOS_MAX && message->nanos <= NANOS_MAX &&
           (message->seconds <= 0 || message->nanos >= 0) &&
           (message->seconds >= 0 || message->nanos <= 0);
}

static enum cx_status refuse_short(struct cx_conversion *conversion, const struct cx_field *at,
                                   const char *name, int64_t min_us)
{
    if (min_us == 0) {
        return cx_field_invalid(at, name, conversion->error, "must not be negative");
    }
    if (min_us == 1) {
        return cx_field_invalid(at, name, conversion->error, "must be positive");
    }
    if (min_us < CX_SECOND_US) {
        return cx_field_invalid(at, name, conversion->error, "must be at least %lld milliseconds",
                                (long long)(min_us / 1000));
    }
    return cx_field_invalid(at, name, conversion->error, "must be at least %lld seconds",
                            (long long)(min_us / CX_SECOND_US));
}

enum cx_status cx_convert_duration(struct cx_conversion *conversion, const struct cx_field *at,
                                   const char *name, const Duration *message, int64_t min_us,
                                   int64_t max_us, int64_t *ret_us)
{
    const int64_t seconds_max = max_us / CX_SECOND_US;
    int64_t us;

    if (!duration_is_valid(message)) {
        return cx_field_invalid(at, name, conversion->error, "must be a valid duration");
    }
    if (message->seconds < 0 || message->nanos < 0) {
        return refuse_short(conversion, at, name, min_us);
    }
    if (message->seconds > seconds_max || (message->seconds == seconds_max && message->nanos > 0)) {
        return cx_field_invalid(at, name, conversion->error, "must be at most %lld seconds",
                                (long long)seconds_max);
    }
    us = message->seconds * CX_SECOND_US + (message->nanos + NANOS_PER_US - 1) / NANOS_PER_US;
    if (us < min_us) {
        return refuse_short(conversion, at, name, min_us);
    }
    *ret_us = us;
    return CX_OK;
}

enum cx_status cx_convert_time(struct cx_conversion *conversion, const struct cx_field *at,
                               const char *name, const Timestamp *message,
                               enum cx_time_rounding rounding, int64_t *ret_time_us)
{
    const int64_t year_1 = -62135596800;
    const int64_t year_10000 = 253402300800;
    const int32_t part = rounding == CX_TIME_UP ? NANOS_PER_US - 1 : 0;
    int64_t time_us;

    if (message->seconds < year_1 || message->seconds >= year_10000 || message->nanos < 0 ||
        message->nanos > NANOS_MAX) {
        return cx_field_invalid(at, name, conversion->error, "must be a valid timestamp");
    }
    time_us = message->seconds < 0
                  ? 0
                  : message->seconds * CX_SECOND_US + (message->nanos + part) / NANOS_PER_US;
    *ret_time_us = time_us > 0 ? time_us : 1;
    return CX_OK;
}

Timestamp *cx_time_message(Timestamp *time, int64_t time_us)
{
    if (time_us == 0) {
        return NULL;
    }
    *time = (Timestamp)GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    time->seconds = time_us / CX_SECOND_US;
    time->nanos = (int32_t)(time_us % CX_SECOND_US) * NANOS_PER_US;
    return time;
}

Duration *cx_duration_message(Duration *duration, uint64_t us)
{
    if (us == 0) {
        return NULL;
    }
    *duration = (Duration)GOOGLE__PROTOBUF__DURATION__INIT;
    if (us > DURATION_US_MAX) {
        us = DURATION_US_MAX;
    }
    duration->seconds = (int64_t)(us / (uint64_t)CX_SECOND_US);
    duration->nanos = (int32_t)(us % (uint64_t)CX_SECOND_US) * NANOS_PER_US;
    return duration;
}
