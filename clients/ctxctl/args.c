#define _XOPEN_SOURCE 700 /* strptime() */
#include "clients/ctxctl/args.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Values. --------------------------------------------------------------- */

static const struct {
    const char *name;
    int64_t ms;
} units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}, {"d", 24 * 3600 * 1000},
};

enum {
    NUMBER_DIGITS_MAX = 12, /* So that no product overflows: 10^12 days fit. */
    MICROS_DIGITS = 6,
    NANOS_DIGITS = 9,
};

/* Reads the unit at `text`. Returns its size, 0 when there is none. */
static size_t unit_read(const char *text, int64_t *ret_ms)
{
    size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz");

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strlen(units[i].name) == size && memcmp(units[i].name, text, size) == 0) {
            *ret_ms = units[i].ms;
            return size;
        }
    }
    return 0;
}

bool ctl_parse_duration(const char *text, int64_t *ret_ms)
{
    int64_t total = 0;

    while (*text != '\0') {
        size_t digits = strspn(text, "0123456789");
        int64_t unit_ms;
        size_t unit_size;

        if (digits == 0 || digits > NUMBER_DIGITS_MAX - 3) {
            return false;
        }
        unit_size = unit_read(text + digits, &unit_ms);
        if (unit_size == 0) {
            return false;
        }
        total += strtoll(text, NULL, 10) * unit_ms;
        if (total > INT64_MAX / 1000) {
            return false;
        }
        text += digits + unit_size;
    }
    *ret_ms = total;
    return total > 0;
}

bool ctl_parse_number(const char *text, uint64_t *ret_number)
{
    char *end;
    unsigned long long number;

    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    errno = 0;
    number = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0') {
        return false;
    }
    *ret_number = number;
    return true;
}

/* Reads the digits behind a point as whole parts of 10^digits_max. Returns their count. */
static size_t fraction_read(const char *text, size_t digits_max, uint32_t *ret_parts)
{
    size_t count = strspn(text, "0123456789");
    uint32_t parts = 0;

    for (size_t i = 0; i < digits_max; i++) {
        parts = parts * 10 + (i < count ? (uint32_t)(text[i] - '0') : 0);
    }
    *ret_parts = parts;
    return count;
}

bool ctl_parse_micros(const char *text, uint64_t *ret_micros)
{
    size_t digits = strspn(text, "0123456789");
    const char *rest = text + digits;
    uint32_t parts = 0;
    uint64_t whole;

    if (digits == 0 || digits > NUMBER_DIGITS_MAX) {
        return false;
    }
    whole = strtoull(text, NULL, 10);
    if (*rest == '.') {
        size_t count = fraction_read(rest + 1, MICROS_DIGITS, &parts);

        if (count == 0 || count > MICROS_DIGITS) {
            return false;
        }
        rest += 1 + count;
    }
    *ret_micros = whole * 1000000 + parts;
    return *rest == '\0';
}

bool ctl_parse_time(const char *text, int64_t *ret_s, int32_t *ret_ns)
{
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%d", &tm);
    uint32_t parts = 0;
    int day;

    if (rest == NULL || (*rest != 'T' && *rest != ' ')) {
        return false;
    }
    rest = strptime(rest + 1, "%H:%M:%S", &tm);
    if (rest != NULL && *rest == '.') {
        rest += 1 + fraction_read(rest + 1, NANOS_DIGITS, &parts);
    }
    if (rest == NULL || strcmp(rest, "Z") != 0) {
        return false;
    }
    day = tm.tm_mday; /* timegm() takes 31 February for 3 March. */
    *ret_s = timegm(&tm);
    *ret_ns = (int32_t)parts;
    return tm.tm_mday == day;
}

bool ctl_parse_pair(struct ctl_pool *pool, const char *text, char **ret_key, char **ret_value)
{
    const char *equals = strchr(text, '=');

    if (equals == NULL || equals == text) {
        return false;
    }
    *ret_key = ctl_pool_text(pool, text, (size_t)(equals - text));
    *ret_value = ctl_pool_text(pool, equals + 1, strlen(equals + 1));
    return true;
}

/* ---- Options. -------------------------------------------------------------- */

enum {
    OWN_OPTIONS = 1000, /* Where the numbers of a command's own options begin. */
    OPTION_COLOR = 256,
    OPTION_NO_COLOR,
    OPTION_TIMEOUT,
    OPTION_VERSION,
    OPTION_TLS,
    OPTION_CA,
    OPTION_CERT,
    OPTION_CERT_KEY,
    OPTION_SERVER_NAME,
    OPTION_TOKEN_FILE,
};

static const struct option global_options[] = {
    {"address", required_argument, NULL, 'a'},
    {"namespace", required_argument, NULL, 'n'},
    {"output", required_argument, NULL, 'o'},
    {"timeout", required_argument, NULL, OPTION_TIMEOUT},
    {"tls", no_argument, NULL, OPTION_TLS},
    {"ca", required_argument, NULL, OPTION_CA},
    {"cert", required_argument, NULL, OPTION_CERT},
    {"cert-key", required_argument, NULL, OPTION_CERT_KEY},
    {"server-name", required_argument, NULL, OPTION_SERVER_NAME},
    {"token-file", required_argument, NULL, OPTION_TOKEN_FILE},
    {"color", required_argument, NULL, OPTION_COLOR},
    {"no-color", no_argument, NULL, OPTION_NO_COLOR},
    {"help", no_argument, NULL, 'h'},
};

enum { GLOBAL_COUNT = sizeof global_options / sizeof global_options[0] };

static const char global_help[] =
    "Options of every command:\n"
    "  -a, --address HOST:PORT   the server (default: $CONTEXTD_ADDRESS, else 127.0.0.1:7420)\n"
    "  -n, --namespace NAME      the namespace (default: `default`)\n"
    "  -o, --output text|json    for people, or for scripts (default: text)\n"
    "      --timeout TIME        give up after this, such as 500ms, 10s or 2m (default: 10s)\n"
    "      --tls                 talk TLS, and trust whom this machine trusts ($CONTEXTD_TLS=1)\n"
    "      --ca FILE             talk TLS, and trust these authorities ($CONTEXTD_CA)\n"
    "      --cert FILE           the certificate to show ($CONTEXTD_CERT), and\n"
    "      --cert-key FILE       its private key ($CONTEXTD_CERT_KEY)\n"
    "      --server-name NAME    what the server's certificate is for ($CONTEXTD_SERVER_NAME)\n"
    "      --token-file FILE     a bearer token to send ($CONTEXTD_TOKEN_FILE)\n"
    "      --color WHEN          always, never, or auto: on a terminal without $NO_COLOR\n"
    "      --no-color            the same as --color never\n"
    "  -h, --help                show this\n";

static enum ctl_parsed wrong(char problem[CTL_PROBLEM_SIZE], const char *format, const char *value)
{
    snprintf(problem, CTL_PROBLEM_SIZE, format, value);
    return CTL_PARSED_WRONG;
}

static enum ctl_parsed color_set(struct ctl *ctl, const char *value, char problem[CTL_PROBLEM_SIZE])
{
    if (strcmp(value, "always") == 0) {
        ctl->coloring = CTL_COLOR_ALWAYS;
    } else if (strcmp(value, "never") == 0) {
        ctl->coloring = CTL_COLOR_NEVER;
    } else if (strcmp(value, "auto") == 0) {
        ctl->coloring = CTL_COLOR_AUTO;
    } else {
        return wrong(problem, "--color is always, never or auto, not '%s'", value);
    }
    return CTL_PARSED;
}

/* Obeys what says how the server is reached. False: this is another option. */
static bool security_set(struct ctl_security *security, int option, const char *value)
{
    switch (option) {
    case OPTION_TLS:
        security->tls = true;
        return true;
    case OPTION_CA:
        security->ca = value;
        return true;
    case OPTION_CERT:
        security->cert = value;
        return true;
    case OPTION_CERT_KEY:
        security->cert_key = value;
        return true;
    case OPTION_SERVER_NAME:
        security->server_name = value;
        return true;
    case OPTION_TOKEN_FILE:
        security->token_file = value;
        return true;
    default:
        return false;
    }
}

static enum ctl_parsed global_set(struct ctl *ctl, int option, const char *value,
                                  char problem[CTL_PROBLEM_SIZE])
{
    if (security_set(&ctl->security, option, value)) {
        return CTL_PARSED;
    }
    switch (option) {
    case 'a':
        ctl->address = value;
        return CTL_PARSED;
    case 'n':
        ctl->namespace_ = value;
        return CTL_PARSED;
    case 'o':
        ctl->json = strcmp(value, "json") == 0;
        if (!ctl->json && strcmp(value, "text") != 0) {
            return wrong(problem, "--output is text or json, not '%s'", value);
        }
        return CTL_PARSED;
    case OPTION_TIMEOUT:
        if (!ctl_parse_duration(value, &ctl->timeout_ms)) {
            return wrong(problem, "--timeout takes a time such as 500ms, 10s or 2m, not '%s'",
                         value);
        }
        return CTL_PARSED;
    case OPTION_COLOR:
        return color_set(ctl, value, problem);
    case OPTION_NO_COLOR:
        ctl->coloring = CTL_COLOR_NEVER;
        return CTL_PARSED;
    case OPTION_VERSION:
        return CTL_PARSED_VERSION;
    default:
        return CTL_PARSED_HELP;
    }
}

/* What getopt_long() did not like about the word it stopped at. */
static enum ctl_parsed option_problem(int answer, char **argv, char problem[CTL_PROBLEM_SIZE])
{
    const char *word = argv[optind - 1];
    char letter[3] = {'-', (char)optopt, '\0'};

    /* A short option among others has not moved on to the next word. */
    if (optopt > 0 && optopt < OPTION_COLOR && strncmp(word, "--", 2) != 0) {
        word = letter;
    }
    return wrong(problem, answer == ':' ? "%s needs a value" : "there is no option %s", word);
}

enum ctl_parsed ctl_args_parse_global(struct ctl *ctl, int argc, char **argv, int *ret_used,
                                      char problem[CTL_PROBLEM_SIZE])
{
    struct option table[GLOBAL_COUNT + 2] = {0};
    int option;

    memcpy(table, global_options, sizeof global_options);
    table[GLOBAL_COUNT] = (struct option){"version", no_argument, NULL, OPTION_VERSION};
    optind = 0; /* Begin anew. */
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:a:n:o:h", table, NULL)) != -1) {
        enum ctl_parsed parsed = option == '?' || option == ':'
                                     ? option_problem(option, argv, problem)
                                     : global_set(ctl, option, optarg, problem);

        if (parsed != CTL_PARSED) {
            return parsed;
        }
    }
    *ret_used = optind;
    return CTL_PARSED;
}

/* ---- Commands. ------------------------------------------------------------- */

/* What follows `word` and a blank in the name of a command, or NULL. */
static const char *second_word(const struct ctl_command *command, const char *word)
{
    size_t size = strlen(word);

    return strncmp(command->name, word, size) == 0 && command->name[size] == ' '
               ? command->name + size + 1
               : NULL;
}

const struct ctl_command *ctl_args_find(const struct ctl_command *const *commands, size_t count,
                                        int argc, char **argv, int *ret_words)
{
    const struct ctl_command *found = NULL;

    for (size_t i = 0; i < count; i++) {
        const char *second = second_word(commands[i], argv[0]);

        if (second != NULL && argc > 1 && strcmp(second, argv[1]) == 0) {
            *ret_words = 2;
            return commands[i];
        }
        if (strcmp(commands[i]->name, argv[0]) == 0) {
            found = commands[i];
            *ret_words = 1;
        }
    }
    return found;
}

bool ctl_args_is_group(const struct ctl_command *const *commands, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++) {
        if (second_word(commands[i], word) != NULL) {
            return true;
        }
    }
    return false;
}

static struct option *command_table(struct ctl *ctl, const struct ctl_command *command)
{
    struct option *table =
        ctl_pool_alloc(&ctl->pool, (GLOBAL_COUNT + command->option_count + 1) * sizeof *table);

    memcpy(table, global_options, sizeof global_options);
    for (size_t i = 0; i < command->option_count; i++) {
        table[GLOBAL_COUNT + i] = (struct option){
            .name = command->options[i].name,
            .has_arg = command->options[i].value != NULL ? required_argument : no_argument,
            .val = OWN_OPTIONS + (int)i,
        };
    }
    return table;
}

static enum ctl_parsed check_operands(const struct ctl_command *command,
                                      const struct ctl_args *args, char problem[CTL_PROBLEM_SIZE])
{
    if (args->operand_count < command->operand_min) {
        return wrong(problem, "something is missing: it takes %s", command->operands);
    }
    if (args->operand_count > command->operand_max) {
        return wrong(problem, "one too many: '%s'", args->operands[command->operand_max]);
    }
    return CTL_PARSED;
}

enum ctl_parsed ctl_args_parse(struct ctl *ctl, const struct ctl_command *command, int argc,
                               char **argv, struct ctl_args *ret_args,
                               char problem[CTL_PROBLEM_SIZE])
{
    const struct option *table = command_table(ctl, command);
    struct ctl_args args = {0};
    int option;

    args.settings = ctl_pool_alloc(&ctl->pool, (size_t)argc * sizeof *args.settings);
    optind = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":a:n:o:h", table, NULL)) != -1) {
        enum ctl_parsed parsed = CTL_PARSED;

        if (option == '?' || option == ':') {
            parsed = option_problem(option, argv, problem);
        } else if (option >= OWN_OPTIONS) {
            args.settings[args.setting_count++] = (struct ctl_setting){
                .option = (size_t)(option - OWN_OPTIONS),
                .value = optarg != NULL ? optarg : "",
            };
        } else {
            parsed = global_set(ctl, option, optarg, problem);
        }
        if (parsed != CTL_PARSED) {
            return parsed;
        }
    }
    args.operands = argv + optind;
    args.operand_count = (size_t)(argc - optind);
    *ret_args = args;
    return check_operands(command, &args, problem);
}

const char *ctl_args_value(const struct ctl_args *args, size_t option)
{
    for (size_t i = args->setting_count; i > 0; i--) {
        if (args->settings[i - 1].option == option) {
            return args->settings[i - 1].value;
        }
    }
    return NULL;
}

/* ---- Help. ----------------------------------------------------------------- */

enum { HELP_COLUMN = 28, NAME_COLUMN = 18 };

void ctl_args_help(const struct ctl_command *command, FILE *file)
{
    fprintf(file, "ctxctl %s: %s\n\nUsage: ctxctl %s%s%s%s\n\n%s", command->name, command->summary,
            command->name, command->operands[0] != '\0' ? " " : "", command->operands,
            command->option_count > 0 ? " [OPTION...]" : "", command->description);
    if (command->option_count > 0) {
        fputs("\nOptions:\n", file);
    }
    for (size_t i = 0; i < command->option_count; i++) {
        const struct ctl_option *option = &command->options[i];
        int width = fprintf(file, "      --%s%s%s", option->name, option->value != NULL ? " " : "",
                            option->value != NULL ? option->value : "");

        fprintf(file, "%*s%s\n", width + 2 <= HELP_COLUMN ? HELP_COLUMN - width : 2, "",
                option->help);
    }
    fprintf(file, "\n%s\nExamples:\n%s", global_help, command->examples);
}

static void summary_print(const struct ctl_command *command, FILE *file)
{
    fprintf(file, "  %-*s %s\n", NAME_COLUMN, command->name, command->summary);
}

void ctl_args_group_help(const struct ctl_command *const *commands, size_t count, const char *word,
                         FILE *file)
{
    fprintf(file, "Usage: ctxctl %s COMMAND [ARGUMENT...]\n\nCommands:\n", word);
    for (size_t i = 0; i < count; i++) {
        if (second_word(commands[i], word) != NULL) {
            summary_print(commands[i], file);
        }
    }
    fprintf(file, "\n`ctxctl %s COMMAND --help` tells all about a command, with examples.\n", word);
}

void ctl_args_overview(const struct ctl_command *const *commands, size_t count, FILE *file)
{
    fputs("ctxctl: the command line of contextd, the server for the working context of agents.\n\n"
          "Usage: ctxctl [OPTION...] COMMAND [ARGUMENT...]\n\nCommands:\n",
          file);
    for (size_t i = 0; i < count; i++) {
        summary_print(commands[i], file);
    }
    fprintf(file, "\n%s      --version             show the version\n", global_help);
    fputs("\nExit codes:\n"
          "  0  done\n"
          "  1  refused: a precondition or a conflict; nothing was changed\n"
          "  2  wrong usage, or a value that the server does not take\n"
          "  3  no such context, entry, state, session or position\n"
          "  4  no server, no answer in time, or too busy\n"
          "  5  a limit of the server was reached\n"
          "  6  a file cannot be read or written, or its content is wrong\n"
          "  7  anything else\n"
          "\n`ctxctl COMMAND --help` tells all about a command, with examples.\n",
          file);
}
