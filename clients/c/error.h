/* Inside the client library: errors from what came over the wire. */

#ifndef CXC_ERROR_H
#define CXC_ERROR_H

#include "clients/c/contextd.h"

/* Begins an error of the library's own, without reason or values. Returns `code`. */
enum cxc_code cxc_error_set(struct cxc_error *error, enum cxc_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* From the status of a call: its code and text, and the packed google.rpc.Status of
 * `grpc-status-details-bin` with what it says beyond them. Details that are missing,
 * malformed or of a type that is not known are left out. */
void cxc_error_from_status(enum cxc_code code, const char *text, size_t text_size,
                           const uint8_t *details, size_t details_size,
                           struct cxc_error *ret_error);

#endif /* CXC_ERROR_H */
