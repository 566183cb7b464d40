#include "server/tls/certificates.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "core/base/memory.h"
#include "server/tls/trial.h"

/* What a problem shows of a path: enough to know the file by. */
#define PATH_SHOWN "%.400s"

static bool problem_set(char ret_problem[CX_CERTIFICATES_PROBLEM_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Returns false, so that `return problem_set(...)` reads well. */
static bool problem_set(char ret_problem[CX_CERTIFICATES_PROBLEM_MAX], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(ret_problem, CX_CERTIFICATES_PROBLEM_MAX, format, args);
    va_end(args);
    ERR_clear_error();
    return false;
}

/* ---- Reading. --------------------------------------------------------------- */

/* Reads until the end or until `capacity` bytes are there. -1 with errno set. */
static ssize_t read_whole(int fd, char *text, size_t capacity)
{
    size_t size = 0;

    while (size < capacity) {
        ssize_t count = read(fd, text + size, capacity - size);

        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            return -1;
        }
        if (count == 0) {
            break;
        }
        size += (size_t)count;
    }
    return (ssize_t)size;
}

/* The text of an open file; NULL with a problem. The file may be replaced, but not grow
 * while it is read: what was written meanwhile is seen by the next look. */
static char *file_text(int fd, const char *setting, const char *path, size_t size,
                       char ret_problem[CX_CERTIFICATES_PROBLEM_MAX])
{
    char *text = cx_alloc(size + 1);
    ssize_t count;

    if (text == NULL) {
        problem_set(ret_problem, "%s: out of memory", setting);
        return NULL;
    }
    count = read_whole(fd, text, size);
    if (count < 0) {
        problem_set(ret_problem, "%s " PATH_SHOWN " cannot be read: %s", setting, path,
                    strerror(errno));
        cx_free(text);
        return NULL;
    }
    text[count] = '\0';
    return text;
}

/* Reads a file, and tells whether every user may. NULL with a problem. */
static char *file_read(const char *setting, const char *path, bool *ret_exposed,
                       char ret_problem[CX_CERTIFICATES_PROBLEM_MAX])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat found;
    char *text = NULL;

    if (fd < 0 || fstat(fd, &found) != 0) {
        problem_set(ret_problem,
                    "%s " PATH_SHOWN " cannot be read: %s; name a PEM file that the user of the "
                    "server may read",
                    setting, path, strerror(errno));
    } else if (!S_ISREG(found.st_mode)) {
        problem_set(ret_problem, "%s " PATH_SHOWN " is no file; name a PEM file", setting, path);
    } else if (found.st_size > CX_CERTIFICATE_FILE_MAX) {
        problem_set(ret_problem, "%s " PATH_SHOWN " has more than %d bytes; name a PEM file",
                    setting, path, CX_CERTIFICATE_FILE_MAX);
    } else {
        *ret_exposed = (found.st_mode & S_IROTH) != 0;
        text = file_text(fd, setting, path, (size_t)found.st_size, ret_problem);
    }
    if (fd >= 0) {
        close(fd);
    }
    return text;
}

bool cx_certificates_read(const struct cx_certificate_files *files,
                          struct cx_certificates *ret_certificates,
                          char ret_problem[CX_CERTIFICATES_PROBLEM_MAX])
{
    struct cx_certificates certificates = {0};
    bool ignored;
    bool ok;

    certificates.certificate = file_read("tls_cert", files->certificate, &ignored, ret_problem);
    ok = certificates.certificate != NULL;
    if (ok) {
        certificates.key = file_read("tls_key", files->key, &certificates.key_exposed, ret_problem);
        ok = certificates.key != NULL;
    }
    if (ok && files->client_ca[0] != '\0') {
        certificates.client_ca =
            file_read("tls_client_ca", files->client_ca, &ignored, ret_problem);
        ok = certificates.client_ca != NULL;
    }
    if (!ok) {
        cx_certificates_done(&certificates);
        return false;
    }
    *ret_certificates = certificates;
    return true;
}

/* ---- Checking. -------------------------------------------------------------- */

/* The first certificate of a PEM text, owned; NULL when there is none, or when one behind
 * it is broken. */
static X509 *first_certificate(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *first = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    X509 *next = first;

    while (next != NULL) {
        ERR_clear_error();
        next = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (next == NULL && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
            X509_free(first);
            first = NULL;
        }
        X509_free(next);
    }
    BIO_free(bio);
    ERR_clear_error();
    return first;
}

/* Nobody is there to be asked. */
static int no_passphrase(char *text, int size, int writing, void *arg)
{
    (void)text;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static EVP_PKEY *private_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

    BIO_free(bio);
    ERR_clear_error();
    return key;
}

static int64_t seconds_of(const ASN1_TIME *time)
{
    struct tm tm;

    return time != NULL && ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static bool no_certificate(const char *setting, const char *path,
                           char ret_problem[CX_CERTIFICATES_PROBLEM_MAX])
{
    return problem_set(ret_problem,
                       "%s " PATH_SHOWN " holds no certificate, or a broken one: it must be PEM, "
                       "which begins with -----BEGIN CERTIFICATE-----",
                       setting, path);
}

static bool no_key(const char *pem, const char *path, char ret_problem[CX_CERTIFICATES_PROBLEM_MAX])
{
    if (strstr(pem, "ENCRYPTED") != NULL) {
        return problem_set(ret_problem,
                           "tls_key " PATH_SHOWN " has a passphrase, which nobody could be asked "
                           "for: write it without one (openssl pkey)",
                           path);
    }
    return problem_set(ret_problem,
                       "tls_key " PATH_SHOWN " holds no private key: it must be PEM, which begins "
                       "with -----BEGIN PRIVATE KEY----- or the like",
                       path);
}

/* The key is there and is that of the certificate. */
static bool check_key(const char *pem, const X509 *certificate,
                      const struct cx_certificate_files *files,
                      char ret_problem[CX_CERTIFICATES_PROBLEM_MAX])
{
    EVP_PKEY *key = private_key(pem);
    bool fits;

    if (key == NULL) {
        return no_key(pem, files->key, ret_problem);
    }
    fits = X509_check_private_key(certificate, key) == 1;
    EVP_PKEY_free(key);
    if (!fits) {
        return problem_set(ret_problem,
                           "tls_key " PATH_SHOWN
                           " is not the key of the certificate in tls_cert " PATH_SHOWN
                           ": give the two that belong together; in the file the "
                           "server's own certificate comes first",
                           files->key, files->certificate);
    }
    return true;
}

/* OpenSSL serves them. */
static bool check_served(const struct cx_certificates *certificates,
                         const struct cx_certificate_files *files,
                         char ret_problem[CX_CERTIFICATES_PROBLEM_MAX])
{
    char reason[CX_TRIAL_REASON_MAX];

    if (!cx_trial_handshake(certificates->certificate, certificates->key, reason)) {
        return problem_set(ret_problem,
                           "tls_cert " PATH_SHOWN " would be served to nobody (OpenSSL: %s): take "
                           "keys of EC P-256 or P-384, or of RSA with 2048 bits or more, signed "
                           "with SHA-256 or better, for the server's own and for those behind it",
                           files->certificate, reason);
    }
    return true;
}

bool cx_certificates_check(struct cx_certificates *certificates,
                           const struct cx_certificate_files *files,
                           char ret_problem[CX_CERTIFICATES_PROBLEM_MAX])
{
    X509 *certificate = first_certificate(certificates->certificate);
    bool ok;

    if (certificate == NULL) {
        return no_certificate("tls_cert", files->certificate, ret_problem);
    }
    certificates->begin_s = seconds_of(X509_get0_notBefore(certificate));
    certificates->expire_s = seconds_of(X509_get0_notAfter(certificate));
    ok = check_key(certificates->key, certificate, files, ret_problem);
    X509_free(certificate);
    ok = ok && check_served(certificates, files, ret_problem);
    if (ok && certificates->client_ca != NULL) {
        X509 *authority = first_certificate(certificates->client_ca);

        if (authority == NULL) {
            return no_certificate("tls_client_ca", files->client_ca, ret_problem);
        }
        X509_free(authority);
    }
    return ok;
}

bool cx_certificates_load(const struct cx_certificate_files *files,
                          struct cx_certificates *ret_certificates,
                          char ret_problem[CX_CERTIFICATES_PROBLEM_MAX])
{
    struct cx_certificates certificates;

    if (!cx_certificates_read(files, &certificates, ret_problem)) {
        return false;
    }
    if (!cx_certificates_check(&certificates, files, ret_problem)) {
        cx_certificates_done(&certificates);
        return false;
    }
    *ret_certificates = certificates;
    return true;
}

/* ---- The rest. -------------------------------------------------------------- */

static bool text_equal(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool cx_certificates_equal(const struct cx_certificates *a, const struct cx_certificates *b)
{
    return text_equal(a->certificate, b->certificate) && text_equal(a->key, b->key) &&
           text_equal(a->client_ca, b->client_ca);
}

void cx_certificates_done(struct cx_certificates *certificates)
{
    if (certificates == NULL) {
        return;
    }
    if (certificates->key != NULL) {
        explicit_bzero(certificates->key, strlen(certificates->key));
    }
    cx_free(certificates->certificate);
    cx_free(certificates->key);
    cx_free(certificates->client_ca);
    memset(certificates, 0, sizeof *certificates);
}

enum cx_certificate_age cx_certificates_age(const struct cx_certificates *certificates,
                                            int64_t now_s)
{
    if (now_s >= certificates->expire_s) {
        return CX_CERTIFICATE_EXPIRED;
    }
    if (now_s < certificates->begin_s) {
        return CX_CERTIFICATE_NOT_YET;
    }
    return now_s >= certificates->expire_s - CX_CERTIFICATE_SOON_S ? CX_CERTIFICATE_EXPIRES_SOON
                                                                   : CX_CERTIFICATE_IN_FORCE;
}
