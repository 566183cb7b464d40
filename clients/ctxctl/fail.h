/* Failures: one line that says what failed, why, and what to change; and the exit code
 * that goes with it. */

#ifndef CTL_FAIL_H
#define CTL_FAIL_H

#include "clients/ctxctl/ctl.h"

/* The exit code for what the server or the connection answered. */
enum ctl_exit ctl_error_exit(const struct cxc_error *error);

/* What to do about an error, as a sentence; "" when there is no good advice. `text` is
 * filled and returned. */
enum { CTL_ADVICE_SIZE = 2048 };
const char *ctl_error_advice(const struct ctl *ctl, const struct cxc_error *error,
                             char text[CTL_ADVICE_SIZE]);

/* Tells on stderr that what `format` says could not be done, because of the error.
 * As JSON where scripts listen. Returns the exit code.
 *
 *     return ctl_fail(ctl, &error, "cannot create %s", id); */
enum ctl_exit ctl_fail(const struct ctl *ctl, const struct cxc_error *error, const char *format,
                       ...) __attribute__((format(printf, 3, 4)));

/* Tells something that was found out here. Returns `code`. */
enum ctl_exit ctl_complain(const struct ctl *ctl, enum ctl_exit code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif /* CTL_FAIL_H */
