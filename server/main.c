/* contextd: reads the configuration, does what it asks for. */

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "server/certificate_keeper.h"
#include "server/config/config.h"
#include "server/run.h"

extern char **environ;

/* What --check-config says: the files of TLS are looked into, too. A certificate that has
 * expired is a warning, as at the start. */
static int check(const struct cx_config *config)
{
    static struct cx_certificate_keeper keeper;
    char problem[CX_CERTIFICATES_PROBLEM_MAX];

    if (!cx_certificate_keeper_open(&keeper, config, problem)) {
        fprintf(stderr, "%s\n", problem);
        return CX_EXIT_CONFIGURATION;
    }
    cx_certificate_keeper_warn(&keeper, (int64_t)time(NULL));
    cx_certificate_keeper_close(&keeper);
    puts("the configuration is right");
    return CX_EXIT_DONE;
}

int main(int argc, char **argv)
{
    static struct cx_config config;
    static struct cx_config_problems problems;
    const char *const *arguments = (const char *const *)argv;
    const char *const *environment = (const char *const *)environ;

    (void)argc;
    if (cx_config_load(arguments, environment, &config, &problems) != CX_OK) {
        fputs(problems.text, stderr);
        fprintf(stderr, "contextd: %zu problem%s with the configuration; --help explains it\n",
                problems.count, problems.count == 1 ? "" : "s");
        return CX_EXIT_CONFIGURATION;
    }
    switch (config.action) {
    case CX_CONFIG_HELP:
        cx_config_print_help(stdout);
        return CX_EXIT_DONE;
    case CX_CONFIG_VERSION:
        puts("contextd " CX_VERSION);
        return CX_EXIT_DONE;
    case CX_CONFIG_CHECK:
        return check(&config);
    case CX_CONFIG_PRINT:
        cx_config_print(&config, stdout);
        return CX_EXIT_DONE;
    case CX_CONFIG_SERVE:
        break;
    }
    return (int)cx_run(&config, arguments, environment);
}
