/* Whether an address can be served on, found out before anything else is done.
 *
 * Threads: any. */

#ifndef CX_SERVER_PROBE_H
#define CX_SERVER_PROBE_H

#include <stdbool.h>

enum { CX_PROBE_TEXT_MAX = 512 };

/* Takes `listen`, such as "127.0.0.1:7420" or "[::1]:0", and lets go of it at once. A
 * name may stand for several addresses: one is enough. False, with a text for people
 * that names the address and the reason, when none can be had. Blocks while a name is
 * looked up. */
bool cx_probe_address(const char *listen, char ret_problem[CX_PROBE_TEXT_MAX]);

#endif /* CX_SERVER_PROBE_H */
