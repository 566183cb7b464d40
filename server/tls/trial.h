/* A handshake that OpenSSL does with itself: whether a certificate would be served at all.
 *
 * A key can belong to its certificate, and the library still refuse the two: the key is
 * too small, the signature too old, the curve none of TLS, here or behind the first
 * certificate. Some of that shows only when a client comes. So one comes.
 *
 * What always holds:
 *
 *  (1) The server's side of it is set up as gRPC does: TLS 1.2 and 1.3, P-256 for the
 *      exchange of keys, and the system's own rules of what is too weak.
 *  (2) The client believes every certificate: neither names nor times play a part.
 *
 * Threads: any. */

#ifndef CX_TLS_TRIAL_H
#define CX_TLS_TRIAL_H

#include <stdbool.h>

#include "core/base/status.h"

enum { CX_TRIAL_REASON_MAX = 160 }; /* Of the text of a reason, with its NUL. */

/* Tries a certificate, with those behind it, and its key, both PEM. False with the reason, in
 * OpenSSL's words. Takes about a millisecond. */
CX_MUST_CHECK bool cx_trial_handshake(const char *certificates, const char *key,
                                      char ret_reason[CX_TRIAL_REASON_MAX]);

#endif /* CX_TLS_TRIAL_H */
