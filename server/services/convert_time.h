/* Times and durations of the API: in requests checked, in whole microseconds within.
 *
 * What always holds:
 *
 *  (1) What is taken is within the bounds that are asked for; a duration that is not
 *      a whole number of microseconds counts as the next one.
 *
 * Threads: plain data. */

#ifndef CX_SERVICES_CONVERT_TIME_H
#define CX_SERVICES_CONVERT_TIME_H

#include "server/services/convert_request.h"

/* Takes the field `name` of `at`, a duration of `min_us` to `max_us`: whole seconds
 * both, but for a `min_us` of milliseconds, or of 0 or 1, which stand for "not negative" and
 * "positive". */
CX_MUST_CHECK enum cx_status cx_convert_duration(struct cx_conversion *conversion,
                                                 const struct cx_field *at, const char *name,
                                                 const Duration *message, int64_t min_us,
                                                 int64_t max_us, int64_t *ret_us);

/* What becomes of a part of a microsecond. */
enum cx_time_rounding { CX_TIME_DOWN, CX_TIME_UP };

/* Takes the field `name` of `at`, a time. One before the first that can be asked for,
 * which is 1, is as good as that. */
CX_MUST_CHECK enum cx_status cx_convert_time(struct cx_conversion *conversion,
                                             const struct cx_field *at, const char *name,
                                             const Timestamp *message,
                                             enum cx_time_rounding rounding, int64_t *ret_time_us);

/* Sets *time and returns it; NULL for a time that was not set. */
Timestamp *cx_time_message(Timestamp *time, int64_t time_us);

/* Sets *duration and returns it; NULL for none. */
Duration *cx_duration_message(Duration *duration, uint64_t us);

#endif /* CX_SERVICES_CONVERT_TIME_H */
