/* Finds the command, prepares what it shares with the others, runs it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/connect.h"
#include "clients/ctxctl/fail.h"

static const struct ctl_command *const commands[] = {
    &ctl_create,
    &ctl_get,
    &ctl_put,
    &ctl_append,
    &ctl_delete_entry,
    &ctl_update,
    &ctl_list,
    &ctl_delete,
    &ctl_import,
    &ctl_export,
    &ctl_session_start,
    &ctl_session_get,
    &ctl_session_renew,
    &ctl_session_end,
    &ctl_session_list,
    &ctl_activate,
    &ctl_switch,
    &ctl_deactivate,
    &ctl_status,
    &ctl_record,
    &ctl_history,
    &ctl_history_truncate,
    &ctl_history_optimize,
    &ctl_files,
    &ctl_usage,
    &ctl_resources,
    &ctl_resources_acquire,
    &ctl_resources_release,
    &ctl_points,
    &ctl_point_create,
    &ctl_point_show,
    &ctl_point_update,
    &ctl_point_delete,
    &ctl_point_prune,
    &ctl_restore,
    &ctl_fork,
    &ctl_diff,
    &ctl_merge,
    &ctl_sync,
    &ctl_log,
    &ctl_watch,
    &ctl_ping,
    &ctl_bench,
};

enum {
    COMMAND_COUNT = sizeof commands / sizeof commands[0],
    TIMEOUT_DEFAULT_MS = 10000,
};

/* What to do where a command is not to be run. */
static enum ctl_exit stop(const struct ctl *ctl, enum ctl_parsed parsed,
                          const struct ctl_command *command, const char *problem)
{
    switch (parsed) {
    case CTL_PARSED_HELP:
        if (command != NULL) {
            ctl_args_help(command, stdout);
        } else {
            ctl_args_overview(commands, COMMAND_COUNT, stdout);
        }
        return CTL_OK;
    case CTL_PARSED_VERSION:
        puts("ctxctl " CTL_VERSION);
        return CTL_OK;
    default:
        return ctl_complain(ctl, CTL_USAGE, "%s%s%s. See ctxctl %s%s--help",
                            command != NULL ? command->name : "", command != NULL ? ": " : "",
                            problem, command != NULL ? command->name : "",
                            command != NULL ? " " : "");
    }
}

static enum ctl_exit command_run(struct ctl *ctl, const struct ctl_command *command,
                                 const struct ctl_args *args)
{
    enum ctl_exit exit = ctl_connect(ctl, false, &ctl->client);

    if (exit != CTL_OK) {
        return exit;
    }
    exit = command->run(ctl, args);
    cxc_client_free(ctl->client);
    return exit;
}

/* A word that is only the first of commands, with what follows it: NULL for nothing. */
static enum ctl_exit group_run(const struct ctl *ctl, const char *word, const char *next)
{
    if (next == NULL) {
        ctl_args_group_help(commands, COMMAND_COUNT, word, stderr);
        return CTL_USAGE;
    }
    if (strcmp(next, "--help") == 0 || strcmp(next, "-h") == 0) {
        ctl_args_group_help(commands, COMMAND_COUNT, word, stdout);
        return CTL_OK;
    }
    return ctl_complain(ctl, CTL_USAGE, "there is no command '%s %s'. See ctxctl %s --help", word,
                        next, word);
}

static enum ctl_exit run(struct ctl *ctl, int argc, char **argv)
{
    char problem[CTL_PROBLEM_SIZE] = "";
    const struct ctl_command *command;
    struct ctl_args args;
    enum ctl_parsed parsed;
    int used = 0;
    int words = 0;

    parsed = ctl_args_parse_global(ctl, argc, argv, &used, problem);
    if (parsed != CTL_PARSED) {
        return stop(ctl, parsed, NULL, problem);
    }
    if (used == argc) {
        ctl_args_overview(commands, COMMAND_COUNT, stderr);
        return CTL_USAGE;
    }
    command = ctl_args_find(commands, COMMAND_COUNT, argc - used, argv + used, &words);
    if (command == NULL && ctl_args_is_group(commands, COMMAND_COUNT, argv[used])) {
        return group_run(ctl, argv[used], used + 1 < argc ? argv[used + 1] : NULL);
    }
    if (command == NULL) {
        snprintf(problem, sizeof problem, "there is no command '%s'", argv[used]);
        return stop(ctl, CTL_PARSED_WRONG, NULL, problem);
    }
    used += words - 1;
    parsed = ctl_args_parse(ctl, command, argc - used, argv + used, &args, problem);
    if (parsed != CTL_PARSED) {
        return stop(ctl, parsed, command, problem);
    }
    return command_run(ctl, command, &args);
}

/* A variable of the environment; NULL for one that is empty. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

static bool tls_variable(bool *ret_tls)
{
    const char *value = variable("CONTEXTD_TLS");

    *ret_tls = value != NULL && strcmp(value, "1") == 0;
    return value == NULL || *ret_tls || strcmp(value, "0") == 0;
}

int main(int argc, char **argv)
{
    const char *address = variable("CONTEXTD_ADDRESS");
    struct ctl ctl = {
        .address = address != NULL ? address : "127.0.0.1:7420",
        .security =
            {
                .ca = variable("CONTEXTD_CA"),
                .cert = variable("CONTEXTD_CERT"),
                .cert_key = variable("CONTEXTD_CERT_KEY"),
                .server_name = variable("CONTEXTD_SERVER_NAME"),
                .token_file = variable("CONTEXTD_TOKEN_FILE"),
            },
        .namespace_ = "",
        .timeout_ms = TIMEOUT_DEFAULT_MS,
    };
    enum ctl_exit exit;

    setenv("GRPC_VERBOSITY", "NONE", 0); /* What it has to say, the errors say. */
    if (!tls_variable(&ctl.security.tls)) {
        return ctl_complain(&ctl, CTL_USAGE, "$CONTEXTD_TLS is 1 or 0, not '%s'",
                            variable("CONTEXTD_TLS"));
    }
    exit = run(&ctl, argc, argv);
    if (fflush(stdout) != 0 && exit == CTL_OK) {
        exit = ctl_complain(&ctl, CTL_INPUT, "cannot write the output");
    }
    ctl_pool_done(&ctl.pool);
    return exit;
}
