/* Events, for people and for scripts. An event that comes in parts is shown part by part:
 * all but the last say that there is more. */

#ifndef CTL_SHOW_EVENT_H
#define CTL_SHOW_EVENT_H

#include <jansson.h>

#include "clients/ctxctl/ctl.h"
#include "clients/ctxctl/messages.h"

/* The name of a type, such as `session_lost`, of the pool. */
char *ctl_event_name(struct ctl_pool *pool, EventType type);

/* The type of a name. Returns false when there is none. */
bool ctl_event_find(const char *name, EventType *ret_type);

/* All names, with commas between them, of the pool. */
char *ctl_event_names(struct ctl_pool *pool);

/* Whether the event is of a session and of no context. */
bool ctl_event_is_of_session(EventType type);

/* What happened, in few words, of the pool; "" when the type says it all. */
char *ctl_event_text(struct ctl_pool *pool, const Event *event, bool with_values);

/* Prints an event on a line: its time, its type, the id of the context or the session, the
 * version and the revision, and what happened. */
void ctl_event_print(const struct ctl *ctl, const Event *event, bool with_values);

/* {"type", "cursor", "revision", "time", "context", "mutations", "entries", "trimmed",
 * "session", "activation", "session_id", "recovery_point_id", "reset", "more"}: what is
 * not set is left out. `context` and `session` are as other commands show them, without
 * what the API leaves out. */
json_t *ctl_event_json(const Event *event, bool with_values);

#endif /* CTL_SHOW_EVENT_H */
