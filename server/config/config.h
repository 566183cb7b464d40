/* The configuration: file, environment and flags in, one validated struct out.
 *
 * What always holds:
 *
 *  (1) Everything comes from one table, `cx_setting_table` in setting.h: flags
 *      (`--request-id-window 10m`), environment (`CONTEXTD_REQUEST_ID_WINDOW=10m`) and
 *      YAML file (`request_id_window: 10m`). A flag wins over the environment, and that
 *      over the file.
 *  (2) A configuration that was loaded is right as a whole: every value within its
 *      bounds, and no two in contradiction.
 *  (3) One that is not is refused with every problem at once, each with where it comes
 *      from. An unknown key is a problem, never ignored.
 *
 * Threads: plain data. */

#ifndef CX_CONFIG_CONFIG_H
#define CX_CONFIG_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/status.h"
#include "server/logging.h"

#define CX_VERSION "0.1.0"

enum {
    CX_CONFIG_ADDRESS_MAX = 300, /* A host name, a port, and brackets. With its NUL. */
    CX_CONFIG_SETTINGS_MAX = 64,
    CX_CONFIG_PROBLEMS_TEXT_MAX = 16384,
};

/* What the command line asks for. */
enum cx_config_action {
    CX_CONFIG_SERVE,
    CX_CONFIG_CHECK,   /* --check-config */
    CX_CONFIG_PRINT,   /* --print-config */
    CX_CONFIG_HELP,    /* --help */
    CX_CONFIG_VERSION, /* --version */
};

enum cx_durability {
    CX_DURABILITY_SYNCED,   /* Answers wait until what they tell is on stable storage. */
    CX_DURABILITY_UNSYNCED, /* Nothing is ever synced. */
};

enum cx_origin_kind {
    CX_ORIGIN_DEFAULT,
    CX_ORIGIN_FILE,
    CX_ORIGIN_ENVIRONMENT,
    CX_ORIGIN_FLAG,
};

/* Where a value comes from. */
struct cx_origin {
    enum cx_origin_kind kind;
    unsigned line; /* In the file, from 1. */
};

/* Sizes are bytes, times microseconds. What each means is in the table. */
struct cx_config {
    enum cx_config_action action;
    bool insecure;
    bool accept_data_loss;
    char file[PATH_MAX]; /* The file that was read. Empty: none. */

    char listen[CX_CONFIG_ADDRESS_MAX];
    uint64_t connections_max;
    uint64_t message_size_max;
    uint64_t in_flight_bytes_max;
    uint64_t stream_stall_max_us;
    uint64_t subscriptions_max;
    uint64_t subscription_stall_max_us; /* 0: for ever. */
    uint64_t shutdown_grace_us;
    uint64_t pollers;
    char port_file[PATH_MAX];

    char tls_cert[PATH_MAX]; /* Empty: without TLS. */
    char tls_key[PATH_MAX];
    char tls_client_ca[PATH_MAX]; /* Empty: clients need no certificate. */

    char data_dir[PATH_MAX];
    uint64_t durability; /* An enum cx_durability. */

    uint64_t value_size_max;
    uint64_t version_retention;
    uint64_t undelete_window_us;
    uint64_t tombstone_window_us;
    uint64_t request_id_window_us;
    uint64_t request_ids_max;
    uint64_t history_count_max;
    uint64_t history_bytes_max;
    uint64_t recovery_points_max;
    uint64_t feed_retention_bytes;
    uint64_t feed_retention_age_us;
    uint64_t memory_limit; /* In bytes, also when it was given in percent. */

    uint64_t log_format; /* An enum cx_logging_format. */
    uint64_t log_level;  /* An enum cx_logging_level. */

    struct cx_origin origins[CX_CONFIG_SETTINGS_MAX]; /* By the rows of the table. */
};

/* Everything that is wrong, one line each. What finds no room is counted. */
struct cx_config_problems {
    size_t count;
    size_t text_size;
    char text[CX_CONFIG_PROBLEMS_TEXT_MAX]; /* A C string; each line ends with '\n'. */
};

/* Reads the command line, the environment and the file they name. `argv` and
 * `environment` end with NULL; argv[0] is skipped. On failure, with
 * CX_INVALID_ARGUMENT, *ret_problems says what is wrong. --help and --version are
 * obeyed before anything is looked at. */
CX_MUST_CHECK enum cx_status cx_config_load(const char *const *argv, const char *const *environment,
                                            struct cx_config *ret_config,
                                            struct cx_config_problems *ret_problems);

/* Prints what is in force, as a YAML file that says the same, with where each value
 * comes from. */
void cx_config_print(const struct cx_config *config, FILE *out);

/* Prints what --help shows. */
void cx_config_print_help(FILE *out);

/* A setting as clients may see it. */
struct cx_config_value {
    const char *name;
    char text[64];
};

/* Lists what clients may know: the settings that stay as they are while the server runs,
 * without paths and addresses. Returns how many. */
size_t cx_config_values(const struct cx_config *config,
                        struct cx_config_value ret_values[CX_CONFIG_SETTINGS_MAX]);

/* Takes over from `fresh` the settings that can change without a restart. Writes the
 * names of the others that differ, as "a, b", into `ret_refused`, a C string of at
 * most `size` bytes. */
void cx_config_reload(struct cx_config *config, const struct cx_config *fresh, char *ret_refused,
                      size_t size);

#endif /* CX_CONFIG_CONFIG_H */
