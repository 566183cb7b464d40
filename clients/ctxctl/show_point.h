/* Recovery points, for people and for scripts. */

#ifndef CTL_SHOW_POINT_H
#define CTL_SHOW_POINT_H

#include <jansson.h>

#include "clients/ctxctl/ctl.h"
#include "clients/ctxctl/messages.h"

/* What of a point is shown beside its properties. */
struct ctl_point_parts {
    bool entries;
    bool attachments;
};

/* {"namespace", "context_id", "id", "parent_id", "sequence", "version", "create_time",
 * "expire_time", "pinned", "origin", "metadata", "entry_count", "size_bytes", "revision"}, and
 * what was asked for of "entries" and "attachments": what is not set is left out. */
json_t *ctl_point_json(const RecoveryPoint *point);
json_t *ctl_point_whole_json(const GetRecoveryPointResponse *response,
                             const struct ctl_point_parts *parts);

/* Prints the properties of a point, one a line, and then tables of what was asked for. */
void ctl_point_print(struct ctl *ctl, const GetRecoveryPointResponse *response,
                     const struct ctl_point_parts *parts);

/* Why a point was made, such as `session_loss`. Valid for ever. */
const char *ctl_point_origin(const RecoveryPoint *point);

#endif /* CTL_SHOW_POINT_H */
