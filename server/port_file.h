/* A file that tells which port the server got, for scripts and tests.
 *
 * What always holds: whoever sees the file sees a whole number in it. It is there only
 * while the server is ready. */

#ifndef CX_SERVER_PORT_FILE_H
#define CX_SERVER_PORT_FILE_H

#include "core/base/status.h"

/* Whether the file could be written now, without writing anything. CX_UNAVAILABLE with
 * errno set when not. */
CX_MUST_CHECK enum cx_status cx_port_file_check(const char *path);

/* Writes "<port>\n", by way of a second file that takes the name. CX_UNAVAILABLE with
 * errno set when that fails; nothing is left behind then. */
CX_MUST_CHECK enum cx_status cx_port_file_write(const char *path, int port);

/* Removes it. An empty path is fine. */
void cx_port_file_remove(const char *path);

#endif /* CX_SERVER_PORT_FILE_H */
