/* The certificates that the process serves with: loads them, follows their files, and
 * tells in the log what becomes of them.
 *
 * What always holds:
 *
 *  (1) Without `tls_cert` in the configuration it does nothing.
 *  (2) What it gives passed the check of server/tls/certificates.h.
 *  (3) Who is refused fills no log.
 *  (4) Each change, each kind of breakage and each age of a certificate is told once; a
 *      change when it is served, not before.
 *
 * Threads: one. */

#ifndef CX_SERVER_CERTIFICATE_KEEPER_H
#define CX_SERVER_CERTIFICATE_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/status.h"
#include "server/rpc/server.h"
#include "server/tls/certificate_watch.h"

struct cx_config;

enum { CX_REFUSED_TOLD_S = 60 };

struct cx_certificate_keeper {
    const struct cx_config *config;
    struct cx_certificate_watch watch;       /* Zeroed without TLS. */
    struct cx_rpc_certificates certificates; /* Borrowed from `watch`. */
    bool serving;                            /* It was told once what is served. */
    bool pending;                            /* Not told yet: what is there is not served. */
    uint64_t refused;                        /* Handshakes that failed, and were told. */
    int64_t refused_told_s;                  /* When: 0 never. */
};

/* Loads what the configuration names; that is borrowed. False with a problem, which
 * names the file and what to change. */
CX_MUST_CHECK bool cx_certificate_keeper_open(struct cx_certificate_keeper *keeper,
                                              const struct cx_config *config,
                                              char ret_problem[CX_CERTIFICATES_PROBLEM_MAX]);

/* Releases them. Zeroed is fine. */
void cx_certificate_keeper_close(struct cx_certificate_keeper *keeper);

/* What to serve with, until the next look; NULL without TLS. */
const struct cx_rpc_certificates *
cx_certificate_keeper_get(const struct cx_certificate_keeper *keeper);

/* After how many milliseconds to look again; -1: never. */
int cx_certificate_keeper_look_ms(const struct cx_certificate_keeper *keeper);

/* Tells that what it gives is served now, and warns. */
void cx_certificate_keeper_tell(struct cx_certificate_keeper *keeper, int64_t now_s);

/* Warns of a key that everybody may read, of a certificate without names, and of those at the
 * end of their time. */
void cx_certificate_keeper_warn(struct cx_certificate_keeper *keeper, int64_t now_s);

/* Looks at the files. True when there is something else to serve with, and again until
 * cx_certificate_keeper_tell() was called. */
bool cx_certificate_keeper_look(struct cx_certificate_keeper *keeper, int64_t now_s);

/* Tells that handshakes have failed, `count` of them since the start, where there are more than
 * it told of: at once, and then every CX_REFUSED_TOLD_S at most. */
void cx_certificate_keeper_refused(struct cx_certificate_keeper *keeper, uint64_t count,
                                   const char *reason, int64_t now_s);

#endif /* CX_SERVER_CERTIFICATE_KEEPER_H */
