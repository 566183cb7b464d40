/* States of contexts, as the command line writes them and as they are shown:
 *
 *     trip-42                            the newest
 *     trip-42@7                          version 7
 *     trip-42@10m, trip-42@2026-11-21T10:53:18Z    what was the newest then
 *     trip-42#before-booking             what a recovery point keeps
 *
 * The first `@` or `#` ends the id of the context, unless there is a backslash before it:
 * `\@`, `\#` and `\\` are the characters themselves, every other backslash is one. What
 * follows is taken as it is. */

#ifndef CTL_STATE_H
#define CTL_STATE_H

#include <jansson.h>

#include "clients/ctxctl/ctl.h"
#include "clients/ctxctl/messages.h"

/* The state that `text` is. Where it begins with its `@` or `#`, it is of the context
 * `same_id`, unless that is NULL. Complains about anything else. The state is of the pool. */
enum ctl_exit ctl_parse_state(struct ctl *ctl, const char *text, const char *same_id,
                              StateRef **ret_state);

/* A state as it is written, escaped, of the pool; "" when absent. The namespace is not told. */
char *ctl_state_text(struct ctl_pool *pool, const StateRef *state);

/* {"context_id", "version" or "recovery_point_id" or "time"}. */
json_t *ctl_state_json(const StateRef *state);

/* ---- Options. ---------------------------------------------------------------- */

/* Three options in a row of a command's table, such as --at-point, --at-version and
 * --at-time, that say the state of an operand, which is then an id as it is. */
struct ctl_state_options {
    const struct ctl_option *table; /* The command's. */
    size_t first;
};

/* The state of the context `id` that the options say, the newest where they say none. Complains
 * about two of them at once. */
enum ctl_exit ctl_option_state(struct ctl *ctl, const struct ctl_args *args,
                               const struct ctl_state_options *options, const char *id,
                               StateRef **ret_state, bool *ret_given);

/* The state of an operand: as the options say, or else as it is written. Where `operand` is
 * NULL, it is one of `same_id`. Complains about two options at once. */
enum ctl_exit ctl_operand_state(struct ctl *ctl, const struct ctl_args *args,
                                const struct ctl_state_options *options, const char *operand,
                                const char *same_id, StateRef **ret_state);

/* Rows for the tables of options: the state of the operand `operand`. */
#define CTL_OPTIONS_STATE(prefix, operand)                                                         \
    {prefix "-point", "POINT", "what this recovery point keeps; " operand " is an id as it is"},   \
        {prefix "-version", "NUMBER", "this version of it; 0 is the newest"},                      \
    {                                                                                              \
        prefix "-time", "TIME", "what was the newest then: 10m ago, or 2026-11-21T10:53:18Z"       \
    }

#endif /* CTL_STATE_H */
