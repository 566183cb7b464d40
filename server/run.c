#include "server/run.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/disk.h"
#include "core/base/limits.h"
#include "core/base/random.h"
#include "core/engine/engine.h"
#include "core/engine/subscription.h"
#include "server/api.h"
#include "server/certificate_keeper.h"
#include "server/config/config.h"
#include "server/logging.h"
#include "server/notices.h"
#include "server/port_file.h"
#include "server/probe.h"
#include "server/rpc/server.h"
#include "server/services/event_message.h"
#include "server/services/health.h"
#include "server/system.h"

/* Files that are not connections: segments, queues, libraries. */
enum { FILES_RESERVED = 200 };

/* Calls that a failed disk has ended still get their answers out. */
#define FAILED_GRACE_US (1 * CX_SECOND_US)

struct server {
    struct cx_config *config;
    int signals;     /* A file descriptor: see cx_signals_open(). */
    int disk_failed; /* One that becomes readable when the disk failed. */

    /* In the order of the start: NULL or false until then. */
    struct cx_certificate_keeper certificates;
    struct cx_disk *disk;
    struct cx_engine *engine;
    struct cx_event_coding events;
    struct cx_api api;
    struct cx_rpc_server *rpc;
    bool engine_started;
    bool rpc_started;
    bool port_file_written;
};

/* ---- What the engine tells. -------------------------------------------------------- */

static void on_complete(void *arg, struct cx_work *list)
{
    struct server *server = arg;

    cx_rpc_server_complete(server->rpc, list);
}

static void on_failed(void *arg, const char *message)
{
    struct server *server = arg;
    uint64_t one = 1;

    cx_notice_disk_failed(server->config, message);

    /* Only a counter at its limit could refuse this, and it is at zero. */
    ssize_t written = write(server->disk_failed, &one, sizeof one);
    assert(written == (ssize_t)sizeof one);
    (void)written;
}

static void on_disk_full(void *arg, bool full)
{
    (void)arg;
    cx_notice_disk_full(full);
}

/* ---- Start. ------------------------------------------------------------------------ */

static enum cx_exit refuse_port_file(const struct cx_config *config, int error)
{
    char what[PATH_MAX + 64];

    snprintf(what, sizeof what, "port_file %s cannot be written", config->port_file);
    cx_notice_cannot_start(config, what, strerror(error));
    return CX_EXIT_CANNOT_START;
}

static int64_t now_s(void)
{
    return cx_clock_system.wall_us(&cx_clock_system) / CX_SECOND_US;
}

static enum cx_exit open_certificates(struct server *server)
{
    char problem[CX_CERTIFICATES_PROBLEM_MAX];

    if (!cx_certificate_keeper_open(&server->certificates, server->config, problem)) {
        cx_notice_cannot_start(server->config, problem, "");
        return CX_EXIT_CANNOT_START;
    }
    return CX_EXIT_DONE;
}

/* What would stop the start after the engine wrote something is found out before. The
 * port may still be taken by another process until it is ours. */
static enum cx_exit open_directory(struct server *server)
{
    const struct cx_config *config = server->config;
    char problem[CX_PROBE_TEXT_MAX];
    enum cx_status status;

    if (!cx_probe_address(config->listen, problem)) {
        cx_notice_cannot_start(config, problem, "");
        return CX_EXIT_CANNOT_START;
    }
    status = cx_disk_posix_open(config->data_dir, &server->disk);
    if (status != CX_OK) {
        cx_notice_cannot_start(config, "the data directory cannot be used",
                               cx_disk_error_text(status));
        return CX_EXIT_CANNOT_START;
    }
    /* Only now, as it may lie in the data directory. */
    if (config->port_file[0] != '\0' && cx_port_file_check(config->port_file) != CX_OK) {
        return refuse_port_file(config, errno);
    }
    return CX_EXIT_DONE;
}

static enum cx_exit open_events(struct server *server)
{
    server->signals = cx_signals_open();
    server->disk_failed = eventfd(0, EFD_CLOEXEC);
    if (server->signals < 0 || server->disk_failed < 0) {
        cx_notice_cannot_start(server->config, "the system gives no file descriptors",
                               strerror(errno));
        return CX_EXIT_CANNOT_START;
    }
    return CX_EXIT_DONE;
}

static enum cx_exit open_engine(struct server *server)
{
    const struct cx_config *config = server->config;
    struct cx_engine_options options = {
        .disk = server->disk,
        .clock = &cx_clock_system,
        .random = &cx_random_system,
        .settings =
            {
                .version_retention = config->version_retention,
                .undelete_window_us = (int64_t)config->undelete_window_us,
                .tombstone_window_us = (int64_t)config->tombstone_window_us,
                .request_id_window_us = (int64_t)config->request_id_window_us,
                .request_ids_max = config->request_ids_max,
            },
        .value_size_max = config->value_size_max,
        .message_size_max = config->message_size_max,
        .memory_limit = config->memory_limit,
        .history_count_max = config->history_count_max,
        .history_bytes_max = config->history_bytes_max,
        .recovery_points_max = config->recovery_points_max,
        .subscriptions_max = config->subscriptions_max,
        .feed_retention_bytes = config->feed_retention_bytes,
        .feed_retention_age_us = (int64_t)config->feed_retention_age_us,
        .encode_event = cx_event_encoder_of(&server->events),
        .sync = config->durability == CX_DURABILITY_SYNCED,
        .accept_data_loss = config->accept_data_loss,
    };
    struct cx_engine_report report = {0};
    struct cx_error error = {0};
    enum cx_status status;

    status = cx_engine_open(&options, &server->engine, &report, &error);
    if (status != CX_OK) {
        cx_notice_cannot_start(config, error.message, "");
        return status == CX_DATA_LOSS ? CX_EXIT_DAMAGED : CX_EXIT_CANNOT_START;
    }
    cx_event_coding_init(&server->events, server->engine, config->message_size_max);
    cx_notice_opened(config, &report);
    return CX_EXIT_DONE;
}

static enum cx_status prepare_rpc(struct server *server)
{
    const struct cx_config *config = server->config;
    struct cx_rpc_options options = {
        .listen = config->listen,
        .pollers = (unsigned)config->pollers,
        .message_size_max = config->message_size_max,
        .in_flight_bytes_max = config->in_flight_bytes_max,
        .connections_max = config->connections_max,
        .certificates = cx_certificate_keeper_get(&server->certificates),
        .app = &server->api.app,
    };
    enum cx_status status = cx_api_init(&server->api, config, server->engine);

    if (status == CX_OK) {
        status = cx_rpc_server_new(&options, &server->rpc);
    }
    if (status == CX_OK) {
        status = cx_api_add(&server->api, server->rpc);
    }
    return status;
}

static enum cx_exit start_serving(struct server *server)
{
    struct cx_config *config = server->config;
    struct cx_engine_events events = {
        .complete = on_complete,
        .failed = on_failed,
        .disk_full = on_disk_full,
        .arg = server,
    };
    struct cx_error error = {0};
    int port;

    if (prepare_rpc(server) != CX_OK || cx_engine_start(server->engine, &events) != CX_OK) {
        cx_notice_cannot_start(config, "not enough memory or threads", "");
        return CX_EXIT_CANNOT_START;
    }
    server->engine_started = true;
    if (cx_rpc_server_start(server->rpc, &port, &error) != CX_OK) {
        cx_notice_cannot_start(config, error.message, "");
        return CX_EXIT_CANNOT_START;
    }
    server->rpc_started = true;
    if (config->port_file[0] != '\0' && cx_port_file_write(config->port_file, port) != CX_OK) {
        return refuse_port_file(config, errno);
    }
    server->port_file_written = config->port_file[0] != '\0';
    cx_health_set(server->api.health, true);
    cx_certificate_keeper_tell(&server->certificates, now_s());
    cx_notice_risks(config);
    cx_notice_serving(config, port);
    return CX_EXIT_DONE;
}

/* ---- While serving. ---------------------------------------------------------------- */

static void reload(struct server *server, const char *const *argv, const char *const *environment)
{
    static struct cx_config fresh; /* Too large for a stack; only one thread comes here. */
    static struct cx_config_problems problems;
    char refused[1024];

    if (cx_config_load(argv, environment, &fresh, &problems) != CX_OK) {
        cx_notice_reload_failed(problems.text);
        return;
    }
    cx_config_reload(server->config, &fresh, refused, sizeof refused);
    cx_logging_configure((enum cx_logging_format)server->config->log_format,
                         (enum cx_logging_level)server->config->log_level, STDERR_FILENO);
    cx_notice_reloaded(refused);
}

/* Serves with what is in the files of TLS now; tries again at the next look where it cannot.
 * Tells of those who were refused. */
static void look_at_certificates(struct server *server)
{
    struct cx_certificate_keeper *keeper = &server->certificates;
    struct cx_rpc_statistics statistics;

    cx_rpc_server_statistics(server->rpc, &statistics);
    cx_certificate_keeper_refused(keeper, statistics.handshakes_failed, statistics.handshake_reason,
                                  now_s());
    if (!cx_certificate_keeper_look(keeper, now_s())) {
        return;
    }
    if (cx_rpc_server_set_certificates(server->rpc, cx_certificate_keeper_get(keeper)) != CX_OK) {
        cx_notice_certificates_broken("out of memory");
        return;
    }
    cx_certificate_keeper_tell(keeper, now_s());
}

/* The next signal, or 0 when the disk failed first. */
static int wait_for_signal(struct server *server)
{
    struct pollfd fds[] = {
        {.fd = server->disk_failed, .events = POLLIN},
        {.fd = server->signals, .events = POLLIN},
    };

    for (;;) {
        int ready = poll(fds, 2, cx_certificate_keeper_look_ms(&server->certificates));

        if (ready == 0) {
            look_at_certificates(server);
        }
        if (ready <= 0) {
            continue; /* Or interrupted. */
        }
        if (fds[0].revents != 0) {
            return 0;
        }
        return cx_signals_next(server->signals);
    }
}

/* Returns how the process is to end. */
static enum cx_exit serve(struct server *server, const char *const *argv,
                          const char *const *environment)
{
    for (;;) {
        int signal_number = wait_for_signal(server);

        if (signal_number == 0) {
            return CX_EXIT_DISK_FAILED;
        }
        if (signal_number != SIGHUP) {
            cx_notice_stopping(server->config, signal_number);
            return CX_EXIT_DONE;
        }
        reload(server, argv, environment);
    }
}

/* ---- Stop. -------------------------------------------------------------------------- */

/* Undoes whatever of the start was done, last first. The engine completes the calls that
 * wait for it until the last of them has ended. */
static void stop(struct server *server, int64_t grace_us)
{
    if (server->port_file_written) {
        cx_port_file_remove(server->config->port_file);
    }
    if (server->rpc_started) {
        cx_health_stop(server->api.health);
        cx_engine_end_subscriptions(server->engine);
        cx_rpc_server_stop(server->rpc, grace_us);
    }
    if (server->engine_started) {
        cx_engine_stop(server->engine);
    }
    cx_rpc_server_free(server->rpc);
    cx_api_done(&server->api);
    cx_engine_close(server->engine);
    cx_disk_posix_close(server->disk);
    cx_certificate_keeper_close(&server->certificates);
    if (server->signals >= 0) {
        close(server->signals);
    }
    if (server->disk_failed >= 0) {
        close(server->disk_failed);
    }
}

enum cx_exit cx_run(struct cx_config *config, const char *const *argv,
                    const char *const *environment)
{
    static struct server server; /* Too large for a stack. */
    enum cx_exit code;

    server = (struct server){.config = config, .signals = -1, .disk_failed = -1};
    cx_logging_configure((enum cx_logging_format)config->log_format,
                         (enum cx_logging_level)config->log_level, STDERR_FILENO);
    cx_files_raise_limit(config->connections_max + FILES_RESERVED);
    code = open_certificates(&server);
    if (code == CX_EXIT_DONE) {
        code = open_directory(&server);
    }
    if (code == CX_EXIT_DONE) {
        code = open_engine(&server); /* A signal still ends the process at once. */
    }
    if (code == CX_EXIT_DONE) {
        code = open_events(&server);
    }
    if (code == CX_EXIT_DONE) {
        code = start_serving(&server);
    }
    if (code == CX_EXIT_DONE) {
        code = serve(&server, argv, environment);
    }
    cx_signals_let_kill();
    stop(&server, code == CX_EXIT_DONE ? (int64_t)config->shutdown_grace_us : FAILED_GRACE_US);
    if (code == CX_EXIT_DONE) {
        cx_logging_say(CX_LOGGING_INFO, "stopped");
    }
    return code;
}
