/* Finds out when the files of TLS have changed, by what is in them.
 *
 * What always holds:
 *
 *  (1) What is in force passed the check. Files that do not are told once, and change
 *      nothing until they are good again.
 *  (2) Files are judged when two looks in a row saw the same: a certificate and its key
 *      cannot be replaced in one step, and a look may come in between.
 *
 * Threads: one. */

#ifndef CX_TLS_CERTIFICATE_WATCH_H
#define CX_TLS_CERTIFICATE_WATCH_H

#include "server/tls/certificates.h"

/* How often to look: more often than anybody replaces certificates by hand. */
enum { CX_CERTIFICATE_LOOK_MS = 1000 };

struct cx_certificate_watch {
    struct cx_certificate_files files;
    struct cx_certificates in_force;
    struct cx_certificates seen;                    /* By the last look, if that is not in force. */
    char seen_problem[CX_CERTIFICATES_PROBLEM_MAX]; /* Why it could not read them, or "". */
    bool judged;                                    /* What was seen is dealt with. */
};

/* Loads the files, whose names are borrowed. False with a problem. */
CX_MUST_CHECK bool cx_certificate_watch_init(struct cx_certificate_watch *watch,
                                             const struct cx_certificate_files *files,
                                             char ret_problem[CX_CERTIFICATES_PROBLEM_MAX]);

/* Releases what it holds. Zeroed is fine. */
void cx_certificate_watch_done(struct cx_certificate_watch *watch);

enum cx_certificate_news {
    CX_CERTIFICATES_SAME,    /* Nothing to do. */
    CX_CERTIFICATES_CHANGED, /* Others are in force from now on. */
    CX_CERTIFICATES_BROKEN,  /* What is there cannot be served: *ret_problem says why. */
};

/* Looks once. */
enum cx_certificate_news cx_certificate_watch_look(struct cx_certificate_watch *watch,
                                                   char ret_problem[CX_CERTIFICATES_PROBLEM_MAX]);

#endif /* CX_TLS_CERTIFICATE_WATCH_H */
