/* One line of an export: a context, in the form that import_line.h reads.
 *
 * What always holds:
 *
 *  (1) Importing the line makes a context of the same type, parent, labels and entries
 *      (keys, bytes and content types), which expires in the same second.
 *  (2) A context whose entries are exactly the messages of a conversation, in order, each
 *      one JSON value without line breaks, is written as one. */

#ifndef CTL_EXPORT_LINE_H
#define CTL_EXPORT_LINE_H

#include <stdio.h>

#include "clients/ctxctl/messages.h"

/* Writes the context, with its entries, and a newline. Errors stay in the file. */
void ctl_export_line(const Context *context, FILE *file);

#endif /* CTL_EXPORT_LINE_H */
