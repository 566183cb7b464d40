/* The lines of the server's log that tell of its start and its stop.
 *
 * Threads: any. */

#ifndef CX_SERVER_NOTICES_H
#define CX_SERVER_NOTICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/tls/certificates.h"

struct cx_config;
struct cx_engine_report;

/* Why there is no server on this directory, and what to do: one line. `error` may be
 * empty. */
void cx_notice_cannot_start(const struct cx_config *config, const char *because, const char *error);

/* What the start found in the data directory, losses included. */
void cx_notice_opened(const struct cx_config *config, const struct cx_engine_report *report);

/* What was chosen that can lose or give away data. Nothing when there is nothing. */
void cx_notice_risks(const struct cx_config *config);

/* That the server is ready, and where. */
void cx_notice_serving(const struct cx_config *config, int port);

/* What a reload did: which changed settings need a restart, or "". */
void cx_notice_reloaded(const char *refused);

/* That a reload changed nothing, with every problem, one a line. */
void cx_notice_reload_failed(const char *problems);

/* That a signal asked to stop. */
void cx_notice_stopping(const struct cx_config *config, int signal_number);

/* That the port takes TLS, with which files, for which names, and until when the
 * certificate holds; or that they were replaced. */
void cx_notice_certificates(const struct cx_config *config,
                            const struct cx_certificates *certificates, bool replaced);

/* That every user of the machine may read the file of the key. */
void cx_notice_exposed_key(const struct cx_config *config);

/* That the server's certificate names nobody. */
void cx_notice_nameless(const struct cx_config *config);

/* What becomes of connections at this age of a certificate; nothing while it is in force. */
void cx_notice_certificate_age(const struct cx_config *config,
                               const struct cx_certificate_life *life, enum cx_certificate_age age);

/* That what is in the files of TLS cannot be served, and what was before goes on. */
void cx_notice_certificates_broken(const char *problem);

/* That clients got no connection: how many handshakes failed since it was told last, and why
 * the last one did. */
void cx_notice_handshakes_failed(uint64_t count, const char *reason);

/* That the disk is full, or that it has room again. */
void cx_notice_disk_full(bool full);

/* That the disk failed while serving. */
void cx_notice_disk_failed(const struct cx_config *config, const char *message);

#endif /* CX_SERVER_NOTICES_H */
