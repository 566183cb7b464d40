/* The files that TLS is served with: read, and checked before anybody depends on them.
 *
 * What always holds:
 *
 *  (1) Certificates that passed the check can be served: the key belongs to the first
 *      certificate, every certificate of each file can be read, and OpenSSL has made a
 *      handshake with them.
 *  (2) A problem is a sentence that names the setting and the file and says what to
 *      change. It tells nothing of what is in the file of the key.
 *
 * Threads: plain data. */

#ifndef CX_TLS_CERTIFICATES_H
#define CX_TLS_CERTIFICATES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/status.h"

enum {
    CX_CERTIFICATES_PROBLEM_MAX = 1536, /* Of the text of a problem, with its NUL. */
    CX_CERTIFICATE_FILE_MAX = 1 << 20,  /* A file beyond that is none of ours. */
};

/* Names, borrowed. */
struct cx_certificate_files {
    const char *certificate; /* PEM: the server's own first, then those that signed it. */
    const char *key;         /* PEM, without a passphrase. */
    const char *client_ca;   /* PEM: who signs the clients' certificates. "": they need none. */
};

/* What is in them. Zeroed: nothing. */
struct cx_certificates {
    char *certificate; /* C strings, owned. */
    char *key;
    char *client_ca;  /* NULL: clients need no certificate. */
    bool key_exposed; /* Every user of the machine may read the file of the key. */
    int64_t begin_s;  /* When the server's certificate holds, in seconds since 1970: set by */
    int64_t expire_s; /* the check. */
};

/* Reads the files as they are. False, with a problem, when one cannot be read. */
CX_MUST_CHECK bool cx_certificates_read(const struct cx_certificate_files *files,
                                        struct cx_certificates *ret_certificates,
                                        char ret_problem[CX_CERTIFICATES_PROBLEM_MAX]);

/* Whether they can be served. False with a problem if not. That they have expired is
 * none: see below. */
CX_MUST_CHECK bool cx_certificates_check(struct cx_certificates *certificates,
                                         const struct cx_certificate_files *files,
                                         char ret_problem[CX_CERTIFICATES_PROBLEM_MAX]);

/* Both of the above. */
CX_MUST_CHECK bool cx_certificates_load(const struct cx_certificate_files *files,
                                        struct cx_certificates *ret_certificates,
                                        char ret_problem[CX_CERTIFICATES_PROBLEM_MAX]);

/* Whether both were read from the same bytes. */
bool cx_certificates_equal(const struct cx_certificates *a, const struct cx_certificates *b);

/* Releases what they hold and zeroes them, the key with care. */
void cx_certificates_done(struct cx_certificates *certificates);

/* Where a certificate is in its life, each worse than the one before. */
enum cx_certificate_age {
    CX_CERTIFICATE_IN_FORCE,
    CX_CERTIFICATE_EXPIRES_SOON, /* Within CX_CERTIFICATE_SOON_S. */
    CX_CERTIFICATE_NOT_YET,      /* Its time has not begun: clients refuse it. */
    CX_CERTIFICATE_EXPIRED,      /* Likewise. */
};

#define CX_CERTIFICATE_SOON_S (7LL * 24 * 3600)

/* The age of certificates that were checked. */
enum cx_certificate_age cx_certificates_age(const struct cx_certificates *certificates,
                                            int64_t now_s);

#endif /* CX_TLS_CERTIFICATES_H */
