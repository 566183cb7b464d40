/* What the process asks of the system: its signals as a file, room for connections.
 *
 * Threads: the main thread, before any other is started. */

#ifndef CX_SERVER_SYSTEM_H
#define CX_SERVER_SYSTEM_H

#include <stdint.h>

/* Holds back SIGTERM, SIGINT and SIGHUP, in this thread and in those that it starts
 * from here on, and gives them through a file that becomes readable. Ignores SIGPIPE.
 * The caller closes the file. -1 with errno set when the system gives none. */
int cx_signals_open(void);

/* The number of the next signal. Blocks until there is one. */
int cx_signals_next(int fd);

/* Lets SIGTERM and SIGINT end the process at once again. */
void cx_signals_let_kill(void);

/* Raises the limit of open files to `wanted`, or as far as the system allows, and warns
 * when that is less. */
void cx_files_raise_limit(uint64_t wanted);

#endif /* CX_SERVER_SYSTEM_H */
