/* Handshakes of TLS that failed. gRPC has no call that tells of them; it writes a line to its
 * own log, which comes here instead of standard error.
 *
 * What always holds:
 *
 *  (1) Nothing but such lines is counted. What gRPC writes otherwise it also returns.
 *
 * Threads: any. Of the whole process. */

#ifndef CX_RPC_HANDSHAKES_H
#define CX_RPC_HANDSHAKES_H

#include <stdint.h>

#include "server/rpc/server.h"

/* Takes a line of gRPC's log. */
void cx_handshakes_note(const char *line);

/* How many have failed, and why the last one did, in OpenSSL's words; "" where none has. */
uint64_t cx_handshakes_failed(char ret_reason[CX_RPC_REASON_MAX]);

#endif /* CX_RPC_HANDSHAKES_H */
