/* The connection that the options ask for: files read, rules checked, before anything is
 * sent. */

#ifndef CTL_CONNECT_H
#define CTL_CONNECT_H

#include "clients/ctxctl/ctl.h"

/* Makes a client, which calls nobody yet. With `no_repeats` it fails at once where the server
 * cannot be reached. Complains when a file cannot be used, or options do not go together.
 * The caller frees *ret_client before `ctl` is gone. */
enum ctl_exit ctl_connect(struct ctl *ctl, bool no_repeats, struct cxc_client **ret_client);

/* Whether the options ask for TLS. */
bool ctl_is_tls(const struct ctl *ctl);

#endif /* CTL_CONNECT_H */
