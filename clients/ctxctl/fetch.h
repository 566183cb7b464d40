/* What is read as a whole, however large: contexts, of which those that do not fit into a
 * message come as a stream, all of one version; and other streams of answers. */

#ifndef CTL_FETCH_H
#define CTL_FETCH_H

#include "clients/ctxctl/ctl.h"
#include "clients/ctxctl/messages.h"
#include "clients/ctxctl/request.h"

/* What to read. */
struct ctl_query {
    const char *id;
    StateRef *state;    /* Of that context. NULL: the newest. */
    const char *prefix; /* Of the keys; "" for all. */
    bool keys_only;
};

/* Reads a context with the entries asked for. *ret_context is of the pool. */
CXC_MUST_CHECK enum cxc_code ctl_fetch(const struct ctl *ctl, struct ctl_pool *pool,
                                       const struct ctl_query *query, Context **ret_context,
                                       struct cxc_error *ret_error);

/* Reads the newest state of a context without its entries, likewise. */
CXC_MUST_CHECK enum cxc_code ctl_fetch_basic(const struct ctl *ctl, struct ctl_pool *pool,
                                             const char *id, Context **ret_context,
                                             struct cxc_error *ret_error);

/* Makes a call with a stream of answers and adds them all to a list, of the pool. Begins
 * anew where the stream breaks. */
CXC_MUST_CHECK enum cxc_code ctl_fetch_answers(struct ctl *ctl, const char *path,
                                               const ProtobufCMessage *request,
                                               const ProtobufCMessageDescriptor *answer_type,
                                               struct ctl_list *ret_answers,
                                               struct cxc_error *ret_error);

#endif /* CTL_FETCH_H */
