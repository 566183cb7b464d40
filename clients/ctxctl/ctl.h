/* ctxctl: what its commands share.
 *
 * A command is a row of a table: its operands and options are data, from which the
 * parser and the help texts are made. It runs once and returns the exit code; what it
 * allocates from the pool lives until the process ends.
 * Threads: one. */

#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients/c/contextd.h"
#include "clients/ctxctl/pool.h"

#define CTL_VERSION "0.1.0"

/* What scripts may rely on; written down in README.md and `ctxctl --help`. */
enum ctl_exit {
    CTL_OK = 0,
    CTL_REFUSED = 1,     /* A precondition or a conflict: nothing was changed. Or a difference. */
    CTL_USAGE = 2,       /* The command line, or a value that the server does not take. */
    CTL_NOT_FOUND = 3,   /* No such context, entry, state, session or position. */
    CTL_UNAVAILABLE = 4, /* No server, no answer in time, or too busy. */
    CTL_LIMIT = 5,       /* A limit of the server was reached. */
    CTL_INPUT = 6,       /* A file cannot be read or written, or its content is wrong. */
    CTL_FAILED = 7,      /* Anything else. */
};

/* When there are colours. */
enum ctl_coloring {
    CTL_COLOR_AUTO, /* On a terminal, unless $NO_COLOR is set. */
    CTL_COLOR_ALWAYS,
    CTL_COLOR_NEVER,
};

/* How the server is reached. Files are NULL where there is none. */
struct ctl_security {
    bool tls;
    const char *ca;
    const char *cert;
    const char *cert_key;
    const char *server_name;
    const char *token_file;
};

struct ctl {
    const char *address;
    struct ctl_security security;
    const char *namespace_; /* "" is the server's default. */
    bool json;
    enum ctl_coloring coloring;
    int64_t timeout_ms;
    struct cxc_client *client;
    struct ctl_pool pool;
};

struct ctl_option {
    const char *name;  /* Without the dashes. */
    const char *value; /* What the help calls its value; NULL when it takes none. */
    const char *help;
};

/* An option as it was given, in the order of the command line. */
struct ctl_setting {
    size_t option; /* Its index in the command's table. */
    const char *value;
};

struct ctl_args {
    char **operands;
    size_t operand_count;
    struct ctl_setting *settings;
    size_t setting_count;
};

struct ctl_command {
    const char *name;     /* One word, or two with a blank between them. */
    const char *operands; /* As the help shows them. */
    size_t operand_min;
    size_t operand_max;
    const char *summary;     /* One line. */
    const char *description; /* Whole sentences, lines ready to print. */
    const char *examples;    /* Likewise. */
    const struct ctl_option *options;
    size_t option_count;
    enum ctl_exit (*run)(struct ctl *ctl, const struct ctl_args *args);
};

extern const struct ctl_command ctl_create;
extern const struct ctl_command ctl_get;
extern const struct ctl_command ctl_put;
extern const struct ctl_command ctl_append;
extern const struct ctl_command ctl_delete_entry;
extern const struct ctl_command ctl_update;
extern const struct ctl_command ctl_list;
extern const struct ctl_command ctl_delete;
extern const struct ctl_command ctl_import;
extern const struct ctl_command ctl_export;
extern const struct ctl_command ctl_session_start;
extern const struct ctl_command ctl_session_get;
extern const struct ctl_command ctl_session_renew;
extern const struct ctl_command ctl_session_end;
extern const struct ctl_command ctl_session_list;
extern const struct ctl_command ctl_activate;
extern const struct ctl_command ctl_switch;
extern const struct ctl_command ctl_deactivate;
extern const struct ctl_command ctl_status;
extern const struct ctl_command ctl_record;
extern const struct ctl_command ctl_history;
extern const struct ctl_command ctl_history_truncate;
extern const struct ctl_command ctl_history_optimize;
extern const struct ctl_command ctl_files;
extern const struct ctl_command ctl_usage;
extern const struct ctl_command ctl_resources;
extern const struct ctl_command ctl_resources_acquire;
extern const struct ctl_command ctl_resources_release;
extern const struct ctl_command ctl_points;
extern const struct ctl_command ctl_point_create;
extern const struct ctl_command ctl_point_show;
extern const struct ctl_command ctl_point_update;
extern const struct ctl_command ctl_point_delete;
extern const struct ctl_command ctl_point_prune;
extern const struct ctl_command ctl_restore;
extern const struct ctl_command ctl_fork;
extern const struct ctl_command ctl_diff;
extern const struct ctl_command ctl_merge;
extern const struct ctl_command ctl_sync;
extern const struct ctl_command ctl_log;
extern const struct ctl_command ctl_watch;
extern const struct ctl_command ctl_ping;
extern const struct ctl_command ctl_bench;

#endif /* CTL_CTL_H */
