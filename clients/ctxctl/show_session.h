/* Sessions and what they do, for people and for scripts. In JSON, what is not set is
 * left out. */

#ifndef CTL_SHOW_SESSION_H
#define CTL_SHOW_SESSION_H

#include <jansson.h>

#include "clients/ctxctl/ctl.h"
#include "clients/ctxctl/messages.h"

/* {"namespace", "id", "owner", "metadata", "create_time", "expire_time", "activations",
 * "current_context_id"}. */
json_t *ctl_session_json(const Session *session);

/* {"context_id", "exclusive", "fence", "time"}. */
json_t *ctl_activation_json(const Activation *activation);

/* {"name", "type", "session_id", "metadata", "time"}. */
json_t *ctl_resource_json(const Resource *resource);

/* {"sequence", "time", "type", "data", "content_type", "metadata", "session_id"}, and what
 * it is about: "file": {"path", "operation", "source"}, "model": {"provider", "model",
 * "mode", "input_tokens", "output_tokens", "cached_tokens", "cost_micros", "currency",
 * "latency_us"}, or "resource": {"name", "type", "kind"}. */
json_t *ctl_activity_json(const Activity *activity);

/* What an activity is about and how its data begin, in one line, of the pool. */
char *ctl_activity_text(struct ctl_pool *pool, const Activity *activity);

/* Prints the properties of a session, one a line, and then a table of what it has
 * active. */
void ctl_session_print(struct ctl *ctl, const Session *session);

/* A span of time in whole microseconds; 0 when absent. */
int64_t ctl_duration_us(const Duration *duration);

#endif /* CTL_SHOW_SESSION_H */
