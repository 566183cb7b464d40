/* Whole contexts, however large: those that do not fit into a message are read as a
 * stream, all of one version. */

#ifndef CTL_FETCH_H
#define CTL_FETCH_H

#include "clients/ctxctl/ctl.h"
#include "clients/ctxctl/messages.h"

/* What to read. */
struct ctl_query {
    const char *id;
    uint64_t version;   /* 0: the newest. */
    const char *prefix; /* Of the keys; "" for all. */
    bool keys_only;
};

/* Reads a context with the entries asked for. *ret_context is of the pool. */
CXC_MUST_CHECK enum cxc_code ctl_fetch(const struct ctl *ctl, struct ctl_pool *pool,
                                       const struct ctl_query *query, Context **ret_context,
                                       struct cxc_error *ret_error);

#endif /* CTL_FETCH_H */
