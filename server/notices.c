#include "server/notices.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/engine/engine.h"
#include "server/config/config.h"
#include "server/logging.h"

void cx_notice_cannot_start(const struct cx_config *config, const char *because, const char *error)
{
    struct cx_logging_line line;
    char message[2048];

    snprintf(message, sizeof message, "cannot start: %s%s%s", because, error[0] != '\0' ? ": " : "",
             error);
    cx_logging_begin(&line, CX_LOGGING_ERROR, message);
    cx_logging_text(&line, "data_dir", config->data_dir);
    cx_logging_end(&line);
}

static void tell_found(const struct cx_config *config, const struct cx_engine_report *report)
{
    struct cx_logging_line line;

    cx_logging_begin(&line, CX_LOGGING_INFO,
                     report->created ? "created an empty data directory" : "recovered");
    cx_logging_text(&line, "data_dir", config->data_dir);
    if (!report->created) {
        cx_logging_number(&line, "revision", (int64_t)report->revision);
        cx_logging_number(&line, "contexts", (int64_t)report->context_count);
        cx_logging_number(&line, "replay_ms", report->replay_us / 1000);
        cx_logging_text(&line, "last_stop", report->clean ? "clean" : "crash");
    }
    cx_logging_end(&line);
}

static void tell_log(const struct cx_engine_report *report)
{
    struct cx_logging_line line;

    cx_logging_begin(&line, CX_LOGGING_INFO,
                     "the log grows with every change: this version makes no checkpoints");
    cx_logging_number(&line, "log_bytes", (int64_t)report->log_bytes);
    cx_logging_end(&line);
}

static void tell_loss(const struct cx_engine_report *report)
{
    struct cx_logging_line line;

    if (report->torn_bytes > 0) {
        cx_logging_begin(&line, CX_LOGGING_INFO, "cut off writes that were never answered");
        cx_logging_number(&line, "bytes", (int64_t)report->torn_bytes);
        cx_logging_end(&line);
    }
    if (report->data_lost) {
        cx_logging_begin(&line, CX_LOGGING_WARNING, "DATA WAS LOST, as --accept-data-loss allowed");
        cx_logging_text(&line, "what", report->data_loss);
        cx_logging_end(&line);
    }
}

void cx_notice_opened(const struct cx_config *config, const struct cx_engine_report *report)
{
    tell_found(config, report);
    tell_loss(report);
    tell_log(report);
}

void cx_notice_risks(const struct cx_config *config)
{
    if (config->durability == CX_DURABILITY_UNSYNCED) {
        cx_logging_say(CX_LOGGING_WARNING, "NOTHING IS SYNCED (durability: unsynced): a crash of "
                                           "the machine loses what was answered");
    }
    if (config->tls_cert[0] == '\0' && config->insecure) {
        cx_logging_say(CX_LOGGING_WARNING,
                       "no TLS (--insecure): whoever reaches the port reads and writes everything");
    }
    if (config->tls_cert[0] != '\0' && config->tls_client_ca[0] == '\0') {
        cx_logging_say(CX_LOGGING_WARNING,
                       "TLS without tls_client_ca: whoever reaches the port reads and writes "
                       "everything, only that nobody can read along");
    }
}

void cx_notice_serving(const struct cx_config *config, int port)
{
    const char *listen = config->listen;
    struct cx_logging_line line;
    char address[CX_CONFIG_ADDRESS_MAX + 16];

    snprintf(address, sizeof address, "%.*s:%d", (int)(strrchr(listen, ':') - listen), listen,
             port);
    cx_logging_begin(&line, CX_LOGGING_INFO, "serving");
    cx_logging_text(&line, "address", address);
    cx_logging_text(&line, "version", CX_VERSION);
    cx_logging_number(&line, "pid", getpid());
    cx_logging_end(&line);
}

/* ---- Certificates. ---------------------------------------------------------- */

static void line_add_expiry(struct cx_logging_line *line, const struct cx_certificate_life *life)
{
    time_t expire = (time_t)life->expire_s;
    char text[32] = "";
    struct tm tm;

    if (gmtime_r(&expire, &tm) != NULL) {
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    }
    cx_logging_text(line, "expires", text);
}

void cx_notice_exposed_key(const struct cx_config *config)
{
    struct cx_logging_line line;

    cx_logging_begin(&line, CX_LOGGING_WARNING,
                     "every user of this machine may read the server's key: take that away (chmod "
                     "o-r)");
    cx_logging_text(&line, "tls_key", config->tls_key);
    cx_logging_end(&line);
}

void cx_notice_nameless(const struct cx_config *config)
{
    struct cx_logging_line line;

    cx_logging_begin(&line, CX_LOGGING_WARNING,
                     "the server's certificate has no subjectAltName, so that clients may refuse "
                     "it: have one made with the names that they connect to");
    cx_logging_text(&line, "tls_cert", config->tls_cert);
    cx_logging_end(&line);
}

void cx_notice_certificates(const struct cx_config *config,
                            const struct cx_certificates *certificates, bool replaced)
{
    struct cx_logging_line line;

    cx_logging_begin(&line, CX_LOGGING_INFO,
                     replaced ? "new connections get other certificates" : "the port takes TLS");
    cx_logging_text(&line, "tls_cert", config->tls_cert);
    cx_logging_text(&line, "subject", certificates->lives[0].subject);
    cx_logging_text(&line, "names", certificates->names);
    line_add_expiry(&line, &certificates->lives[0]);
    if (certificates->client_ca != NULL) {
        cx_logging_text(&line, "tls_client_ca", config->tls_client_ca);
    }
    cx_logging_end(&line);
}

void cx_notice_certificate_age(const struct cx_config *config,
                               const struct cx_certificate_life *life, enum cx_certificate_age age)
{
    static const char *const messages[][CX_CERTIFICATE_EXPIRED + 1] = {
        [CX_CERTIFICATE_OWN] =
            {
                [CX_CERTIFICATE_EXPIRES_SOON] = "the server's certificate expires soon: replace "
                                                "its file and that of the key",
                [CX_CERTIFICATE_NOT_YET] = "the server's certificate is not valid yet, so that "
                                           "clients refuse it: look at the clock of this machine",
                [CX_CERTIFICATE_EXPIRED] = "the server's certificate has expired, so that clients "
                                           "refuse it: replace its file and that of the key",
            },
        [CX_CERTIFICATE_SIGNER] =
            {
                [CX_CERTIFICATE_EXPIRES_SOON] = "a certificate behind the server's own expires "
                                                "soon: have the server's signed anew",
                [CX_CERTIFICATE_NOT_YET] = "a certificate behind the server's own is not valid "
                                           "yet, so that clients may refuse both: look at the "
                                           "clock of this machine",
                [CX_CERTIFICATE_EXPIRED] = "a certificate behind the server's own has expired, so "
                                           "that clients may refuse both: have the server's "
                                           "signed anew",
            },
        [CX_CERTIFICATE_AUTHORITY] =
            {
                [CX_CERTIFICATE_EXPIRES_SOON] = "an authority of clients expires soon: add its "
                                                "successor to the file, and renew what it signed",
                [CX_CERTIFICATE_NOT_YET] = "an authority of clients is not valid yet, so that its "
                                           "clients are refused: look at the clock of this machine",
                [CX_CERTIFICATE_EXPIRED] = "an authority of clients has expired, so that its "
                                           "clients are refused: replace it in the file",
            },
    };
    bool of_clients = life->role == CX_CERTIFICATE_AUTHORITY;
    struct cx_logging_line line;

    if (age == CX_CERTIFICATE_IN_FORCE) {
        return;
    }
    cx_logging_begin(&line, CX_LOGGING_WARNING, messages[life->role][age]);
    cx_logging_text(&line, of_clients ? "tls_client_ca" : "tls_cert",
                    of_clients ? config->tls_client_ca : config->tls_cert);
    cx_logging_text(&line, "subject", life->subject);
    line_add_expiry(&line, life);
    cx_logging_end(&line);
}

void cx_notice_certificates_broken(const char *problem)
{
    struct cx_logging_line line;

    cx_logging_begin(&line, CX_LOGGING_ERROR,
                     "the certificates stay as they were: what is in the files now cannot be "
                     "served");
    cx_logging_text(&line, "problem", problem);
    cx_logging_end(&line);
}

void cx_notice_handshakes_failed(uint64_t count, const char *reason)
{
    struct cx_logging_line line;

    cx_logging_begin(&line, CX_LOGGING_WARNING,
                     "clients got no connection, as their TLS handshakes failed");
    cx_logging_number(&line, "handshakes", (int64_t)count);
    cx_logging_text(&line, "last_reason", reason);
    cx_logging_end(&line);
}

/* ---- The rest. --------------------------------------------------------------- */

void cx_notice_disk_full(bool full)
{
    if (full) {
        cx_logging_say(CX_LOGGING_WARNING, "the disk is full: writes are refused as soon as the "
                                           "present segment of the log is; reads go on");
    } else {
        cx_logging_say(CX_LOGGING_INFO, "the disk has room again");
    }
}

void cx_notice_disk_failed(const struct cx_config *config, const char *message)
{
    struct cx_logging_line line;

    cx_logging_begin(&line, CX_LOGGING_ERROR,
                     "the disk failed; stopping, as it cannot be believed any more");
    cx_logging_text(&line, "data_dir", config->data_dir);
    cx_logging_text(&line, "error", message);
    cx_logging_end(&line);
}

void cx_notice_reloaded(const char *refused)
{
    struct cx_logging_line line;

    cx_logging_begin(&line, CX_LOGGING_INFO, "read the configuration again");
    if (refused[0] != '\0') {
        cx_logging_text(&line, "only_after_a_restart", refused);
    }
    cx_logging_end(&line);
}

void cx_notice_reload_failed(const char *problems)
{
    while (*problems != '\0') {
        struct cx_logging_line line;
        char problem[1024];
        size_t size = strcspn(problems, "\n");

        snprintf(problem, sizeof problem, "%.*s", (int)size, problems);
        cx_logging_begin(&line, CX_LOGGING_ERROR, "the configuration stays as it was");
        cx_logging_text(&line, "problem", problem);
        cx_logging_end(&line);
        problems += size + (problems[size] == '\n');
    }
}

void cx_notice_stopping(const struct cx_config *config, int signal_number)
{
    struct cx_logging_line line;

    cx_logging_begin(&line, CX_LOGGING_INFO, "stopping; a second signal stops at once");
    cx_logging_text(&line, "signal", signal_number == SIGINT ? "SIGINT" : "SIGTERM");
    cx_logging_number(&line, "grace_ms", (int64_t)(config->shutdown_grace_us / 1000));
    cx_logging_end(&line);
}
