/* Finds the command, prepares what it shares with the others, runs it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"

static const struct ctl_command *const commands[] = {
    &ctl_create, &ctl_get,    &ctl_put,    &ctl_append, &ctl_delete_entry, &ctl_update,
    &ctl_list,   &ctl_delete, &ctl_import, &ctl_export, &ctl_ping,         &ctl_bench,
};

enum {
    COMMAND_COUNT = sizeof commands / sizeof commands[0],
    TIMEOUT_DEFAULT_MS = 10000,
};

static const struct ctl_command *command_find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

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
    const struct cxc_options options = {.address = ctl->address, .timeout_ms = ctl->timeout_ms};
    enum ctl_exit exit;

    ctl->client = ctl_require(cxc_client_new(&options));
    exit = command->run(ctl, args);
    cxc_client_free(ctl->client);
    return exit;
}

static enum ctl_exit run(struct ctl *ctl, int argc, char **argv)
{
    char problem[CTL_PROBLEM_SIZE] = "";
    const struct ctl_command *command;
    struct ctl_args args;
    enum ctl_parsed parsed;
    int used = 0;

    parsed = ctl_args_parse_global(ctl, argc, argv, &used, problem);
    if (parsed != CTL_PARSED) {
        return stop(ctl, parsed, NULL, problem);
    }
    if (used == argc) {
        ctl_args_overview(commands, COMMAND_COUNT, stderr);
        return CTL_USAGE;
    }
    command = command_find(argv[used]);
    if (command == NULL) {
        snprintf(problem, sizeof problem, "there is no command '%s'", argv[used]);
        return stop(ctl, CTL_PARSED_WRONG, NULL, problem);
    }
    parsed = ctl_args_parse(ctl, command, argc - used, argv + used, &args, problem);
    if (parsed != CTL_PARSED) {
        return stop(ctl, parsed, command, problem);
    }
    return command_run(ctl, command, &args);
}

int main(int argc, char **argv)
{
    const char *address = getenv("CONTEXTD_ADDRESS");
    struct ctl ctl = {
        .address = address != NULL && address[0] != '\0' ? address : "127.0.0.1:7420",
        .namespace_ = "",
        .timeout_ms = TIMEOUT_DEFAULT_MS,
    };
    enum ctl_exit exit = run(&ctl, argc, argv);

    if (fflush(stdout) != 0 && exit == CTL_OK) {
        exit = ctl_complain(&ctl, CTL_INPUT, "cannot write the output");
    }
    ctl_pool_done(&ctl.pool);
    return exit;
}
