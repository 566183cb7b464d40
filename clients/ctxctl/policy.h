/* Recovery policies: which recovery points a context gets by itself, and which are kept.
 * On the command line and in what is shown, rules with commas between them, of which each
 * may be left out:
 *
 *     keep-last=10,keep-every=100,keep-within=7d,point-every-changes=5,point-every=10m */

#ifndef CTL_POLICY_H
#define CTL_POLICY_H

#include <jansson.h>

#include "clients/ctxctl/ctl.h"
#include "clients/ctxctl/messages.h"

/* The value of an option. Complains about what is no rule, and where there is none. The
 * policy is of the pool. */
enum ctl_exit ctl_option_policy(struct ctl *ctl, const char *name, const char *value,
                                RecoveryPolicy **ret_policy);

/* A policy as it is written, times to the millisecond, of the pool. "" when absent. */
char *ctl_policy_text(struct ctl_pool *pool, const RecoveryPolicy *policy);

/* {"retention": {"keep_last", "keep_every", "keep_within_us"}, "point_every_changes",
 * "point_every_us"}: what is not set is left out. */
json_t *ctl_policy_json(const RecoveryPolicy *policy);

#endif /* CTL_POLICY_H */
