/* The files that TLS is served with: read, and checked before anybody depends on them.
 *
 * What always holds:
 *
 *  (1) Certificates that passed the check can be served: the key belongs to the first
 *      certificate, which is one of servers, every certificate of each file can be read,
 *      and OpenSSL has made a handshake with them.
 *  (2) A problem is a sentence that names the setting and the file and says what to
 *      change. It tells nothing of what is in the file of the key.
 *
 * Threads: plain data. */

#ifndef CX_TLS_CERTIFICATES_H
#define CX_TLS_CERTIFICATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

enum {
    CX_CERTIFICATES_PROBLEM_MAX = 1536, /* Of the text of a problem, with its NUL. */
    CX_CERTIFICATE_FILE_MAX = 1 << 20,  /* A file beyond that is none of ours. */
    CX_CERTIFICATE_SUBJECT_MAX = 128,   /* Of a text, with its NUL; what is longer is cut. */
    CX_CERTIFICATE_NAMES_MAX = 512,     /* Likewise. */
};

/* Names, borrowed. */
struct cx_certificate_files {
    const char *certificate; /* PEM: the server's own first, then those that signed it. */
    const char *key;         /* PEM, without a passphrase. */
    const char *client_ca;   /* PEM: who signs the clients' certificates. "": they need none. */
};

/* What a certificate is there for. */
enum cx_certificate_role {
    CX_CERTIFICATE_OWN,       /* The first of tls_cert. */
    CX_CERTIFICATE_SIGNER,    /* Behind it in tls_cert. */
    CX_CERTIFICATE_AUTHORITY, /* In tls_client_ca. */
};

/* Where a certificate is in its life, each worse than the one before. */
enum cx_certificate_age {
    CX_CERTIFICATE_IN_FORCE,
    CX_CERTIFICATE_EXPIRES_SOON, /* In a quarter of its time or less, 7 days at most. */
    CX_CERTIFICATE_NOT_YET,      /* Its time has not begun: it is refused. */
    CX_CERTIFICATE_EXPIRED,      /* Likewise. */
};

/* A certificate of the files, and how long it holds. */
struct cx_certificate_life {
    enum cx_certificate_role role;
    int64_t begin_s; /* In seconds since 1970. */
    int64_t expire_s;
    enum cx_certificate_age told;             /* For whoever tells it. At first: in force. */
    char subject[CX_CERTIFICATE_SUBJECT_MAX]; /* Such as "CN=contextd"; ASCII. */
};

/* What is in them. Zeroed: nothing. */
struct cx_certificates {
    char *certificate; /* C strings, owned. */
    char *key;
    char *client_ca;  /* NULL: clients need no certificate. */
    bool key_exposed; /* Every user of the machine may read the file of the key. */

    /* Set by the check: of every certificate, the server's own first; owned. */
    struct cx_certificate_life *lives;
    size_t life_count;

    /* Likewise: whom the server's own stands for, such as "DNS:localhost, IP Address:127.0.0.1".
     * "": for nobody that it names. */
    char names[CX_CERTIFICATE_NAMES_MAX];
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

/* The age of a certificate. */
enum cx_certificate_age cx_certificate_age(const struct cx_certificate_life *life, int64_t now_s);

#endif /* CX_TLS_CERTIFICATES_H */
