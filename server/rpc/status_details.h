/* An error as the bytes that cross the wire in `grpc-status-details-bin`: a
 * google.rpc.Status with an ErrorInfo (domain `contextd`, the reason, the details)
 * and, where a delay is set, a RetryInfo. */

#ifndef CX_RPC_STATUS_DETAILS_H
#define CX_RPC_STATUS_DETAILS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/error.h"

/* Bounds every packed error: a client takes 8 KiB of metadata unless it says
 * otherwise, and these bytes are a third longer on the wire. */
enum { CX_STATUS_DETAILS_SIZE_MAX = 4096 };

/* Packs `error`, which must be set, into `memory`. What is not UTF-8 in its texts
 * becomes `?`, since a client could not read any of it otherwise; a detail ends at a
 * NUL. Returns the size. Any thread. */
size_t cx_status_details_pack(const struct cx_error *error,
                              uint8_t memory[CX_STATUS_DETAILS_SIZE_MAX]);

#endif /* CX_RPC_STATUS_DETAILS_H */
