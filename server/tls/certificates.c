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
#include <openssl/x509v3.h>

#include "core/base/memory.h"
#include "server/tls/trial.h"

/* The longest before its end that a certificate "expires soon". One that lives for a day does so
 * much later: else each would be told as such from its beginning. */
#define SOON_MAX_S (7LL * 24 * 3600)

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

static int64_t seconds_of(const ASN1_TIME *time)
{
    struct tm tm;

    return time != NULL && ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

/* Takes what was written, as far as there is room. NULL is nothing. */
static void bio_take(BIO *bio, char *ret_text, int size)
{
    int taken = bio != NULL ? BIO_read(bio, ret_text, size - 1) : 0;

    ret_text[taken > 0 ? taken : 0] = '\0';
    BIO_free(bio);
}

/* Escapes what is no ASCII, and control characters. */
static void write_subject(X509 *certificate, char ret_subject[CX_CERTIFICATE_SUBJECT_MAX])
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio != NULL) {
        X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    }
    bio_take(bio, ret_subject, CX_CERTIFICATE_SUBJECT_MAX);
}

static void write_names(X509 *certificate, char ret_names[CX_CERTIFICATE_NAMES_MAX])
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    BIO *bio = BIO_new(BIO_s_mem());

    for (int i = 0; bio != NULL && i < sk_GENERAL_NAME_num(names); i++) {
        BIO_puts(bio, i > 0 ? ", " : "");
        GENERAL_NAME_print(bio, sk_GENERAL_NAME_value(names, i));
    }
    bio_take(bio, ret_names, CX_CERTIFICATE_NAMES_MAX);
    GENERAL_NAMES_free(names);
}

/* False when out of memory. */
static bool life_add(struct cx_certificates *certificates, X509 *certificate,
                     enum cx_certificate_role role)
{
    size_t count = certificates->life_count;
    struct cx_certificate_life *lives =
        cx_realloc(certificates->lives, (count + 1) * sizeof *certificates->lives);

    if (lives == NULL) {
        return false;
    }
    lives[count] = (struct cx_certificate_life){
        .role = role,
        .begin_s = seconds_of(X509_get0_notBefore(certificate)),
        .expire_s = seconds_of(X509_get0_notAfter(certificate)),
    };
    write_subject(certificate, lives[count].subject);
    certificates->lives = lives;
    certificates->life_count = count + 1;
    return true;
}

/* Whether a text has ended where the next certificate was looked for. */
static bool text_has_ended(void)
{
    unsigned long error = ERR_peek_last_error();

    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

/* Reads every certificate of tls_cert, or of tls_client_ca. False with a problem when there is
 * none, or when one of them is broken. */
static bool check_file(struct cx_certificates *certificates,
                       const struct cx_certificate_files *files, bool of_clients,
                       char ret_problem[CX_CERTIFICATES_PROBLEM_MAX])
{
    const char *setting = of_clients ? "tls_client_ca" : "tls_cert";
    enum cx_certificate_role role = of_clients ? CX_CERTIFICATE_AUTHORITY : CX_CERTIFICATE_OWN;
    size_t before = certificates->life_count;
    BIO *bio =
        BIO_new_mem_buf(of_clients ? certificates->client_ca : certificates->certificate, -1);
    X509 *certificate = NULL;
    bool ok = bio != NULL;

    while (ok && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        ok = life_add(certificates, certificate, role);
        if (role == CX_CERTIFICATE_OWN) {
            write_names(certificate, certificates->names);
        }
        role = of_clients ? CX_CERTIFICATE_AUTHORITY : CX_CERTIFICATE_SIGNER;
        X509_free(certificate);
    }
    BIO_free(bio);
    if (!ok) {
        return problem_set(ret_problem, "%s: out of memory", setting);
    }
    if (before == certificates->life_count || !text_has_ended()) {
        return problem_set(ret_problem,
                           "%s " PATH_SHOWN " holds no certificate, or a broken one: it must be "
                           "PEM, which begins with -----BEGIN CERTIFICATE-----",
                           setting, of_clients ? files->client_ca : files->certificate);
    }
    ERR_clear_error();
    return true;
}

/* The first certificate of a text that passed that, owned. NULL when out of memory. */
static X509 *first_certificate(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *first = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
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

/* The key is there and is that of the first certificate. */
static bool check_key(const struct cx_certificates *certificates,
                      const struct cx_certificate_files *files,
                      char ret_problem[CX_CERTIFICATES_PROBLEM_MAX])
{
    EVP_PKEY *key = private_key(certificates->key);
    X509 *certificate;
    bool fits;

    if (key == NULL) {
        return no_key(certificates->key, files->key, ret_problem);
    }
    certificate = first_certificate(certificates->certificate);
    fits = certificate != NULL && X509_check_private_key(certificate, key) == 1;
    X509_free(certificate);
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

/* Clients look at what a certificate is for: one for clients, or one that only signs others,
 * is the wrong file. */
static bool check_purpose(const struct cx_certificates *certificates,
                          const struct cx_certificate_files *files,
                          char ret_problem[CX_CERTIFICATES_PROBLEM_MAX])
{
    X509 *certificate = first_certificate(certificates->certificate);
    bool fits =
        certificate != NULL && X509_check_purpose(certificate, X509_PURPOSE_SSL_SERVER, 0) == 1;

    X509_free(certificate);
    if (!fits) {
        return problem_set(ret_problem,
                           "tls_cert " PATH_SHOWN " is no certificate of a server, so that clients "
                           "refuse it: name one whose extendedKeyUsage, if there is any, holds "
                           "serverAuth, and whose keyUsage holds digitalSignature",
                           files->certificate);
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
    cx_free(certificates->lives);
    certificates->lives = NULL;
    certificates->life_count = 0;
    return check_file(certificates, files, false, ret_problem) &&
           check_key(certificates, files, ret_problem) &&
           check_purpose(certificates, files, ret_problem) &&
           check_served(certificates, files, ret_problem) &&
           (certificates->client_ca == NULL || check_file(certificates, files, true, ret_problem));
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
    cx_free(certificates->lives);
    memset(certificates, 0, sizeof *certificates);
}

enum cx_certificate_age cx_certificate_age(const struct cx_certificate_life *life, int64_t now_s)
{
    int64_t soon_s = (life->expire_s - life->begin_s) / 4;

    if (now_s >= life->expire_s) {
        return CX_CERTIFICATE_EXPIRED;
    }
    if (now_s < life->begin_s) {
        return CX_CERTIFICATE_NOT_YET;
    }
    soon_s = soon_s < SOON_MAX_S ? soon_s : SOON_MAX_S;
    return now_s >= life->expire_s - soon_s ? CX_CERTIFICATE_EXPIRES_SOON : CX_CERTIFICATE_IN_FORCE;
}
