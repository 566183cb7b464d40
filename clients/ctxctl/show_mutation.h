/* What was done to a context, step by step, for people and for scripts. Where values were
 * left out of what is shown, nothing is said of them. */

#ifndef CTL_SHOW_MUTATION_H
#define CTL_SHOW_MUTATION_H

#include <jansson.h>

#include "clients/ctxctl/ctl.h"
#include "clients/ctxctl/messages.h"

/* A step in few words, such as `put goal=a quiet hotel (13 B)`, of the pool. */
char *ctl_mutation_text(struct ctl_pool *pool, const Mutation *mutation, bool with_values);

/* The same for scripts: the name of its kind and what it says, both as resources.proto
 * calls them, such as {"put_entry": {"key", "value", "content_type"}}. A time to live is
 * `ttl_us`, an activity as ctl_activity_json() has it. What is not set is left out. */
json_t *ctl_mutation_json(const Mutation *mutation, bool with_values);

/* An entry as `goal=a quiet hotel (13 B)`, the value as a preview, of the pool. */
char *ctl_value_text(struct ctl_pool *pool, const char *key, const ProtobufCBinaryData *value,
                     bool with_values);

#endif /* CTL_SHOW_MUTATION_H */
