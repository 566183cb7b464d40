/* Labels: the map `metadata` that contexts, sessions, activities and resources have, and
 * the requests that make or select them. Each message has a type of its own for its
 * pairs; here they are found by the message's descriptor. A message without `metadata`
 * must not be given.
 * Threads: as the message. */

#ifndef CTL_LABELS_H
#define CTL_LABELS_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

#include "clients/ctxctl/pool.h"

/* Adds a label; key and value are borrowed. */
void ctl_label_add(struct ctl_pool *pool, ProtobufCMessage *message, const char *key,
                   const char *value);

/* The labels as an object. */
json_t *ctl_labels_json(const ProtobufCMessage *message);

/* The labels as `a=1 b=2`, escaped, of the pool. */
char *ctl_labels_text(struct ctl_pool *pool, const ProtobufCMessage *message);

#endif /* CTL_LABELS_H */
