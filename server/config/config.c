#include "server/config/config.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "core/base/limits.h"
#include "server/config/setting.h"

#define VARIABLE_PREFIX "CONTEXTD_"
#define VARIABLE_FILE "CONTEXTD_CONFIG"

/* ---- Problems. ---------------------------------------------------------------- */

void cx_config_problem(struct cx_config_problems *problems, const char *format, ...)
{
    char line[2048];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);

    size_t size = strlen(line);
    problems->count++;
    if (problems->text_size + size + 2 > sizeof problems->text) {
        return;
    }
    memcpy(problems->text + problems->text_size, line, size);
    problems->text_size += size;
    problems->text[problems->text_size++] = '\n';
    problems->text[problems->text_size] = '\0';
}

/* Whether a name is one that only the command line takes, such as "insecure" of --insecure.
 * Writes the flag. */
static bool is_switch(const char *name, char ret_flag[CX_SETTING_NAME_MAX])
{
    size_t size = (size_t)snprintf(ret_flag, CX_SETTING_NAME_MAX, "--%s", name);

    for (char *c = ret_flag; *c != '\0'; c++) {
        *c = *c == '_' ? '-' : *c;
    }
    for (size_t i = 0; i < cx_switch_count; i++) {
        const char *known = cx_switch_table[i].name;

        if (strcspn(known, " ") == size && strncmp(known, ret_flag, size) == 0) {
            return true;
        }
    }
    return false;
}

void cx_config_unknown(const char *where, const char *name, struct cx_config_problems *problems)
{
    char plain[CX_SETTING_NAME_MAX];
    size_t i;

    for (i = 0; i + 1 < sizeof plain && name[i] != '\0'; i++) {
        plain[i] = name[i] == '-' ? '_' : (char)tolower((unsigned char)name[i]);
    }
    plain[i] = '\0';

    char flag[CX_SETTING_NAME_MAX];
    if (is_switch(plain, flag)) {
        cx_config_problem(problems, "%s: is no setting; give the flag %s", where, flag);
        return;
    }
    const struct cx_setting *nearest = cx_setting_nearest(plain);
    if (nearest != NULL) {
        cx_config_problem(problems, "%s: there is no such setting; was %s meant?", where,
                          nearest->name);
        return;
    }
    cx_config_problem(problems, "%s: there is no such setting; --help lists them", where);
}

void cx_config_set(struct cx_config *config, const struct cx_setting *setting, const char *text,
                   struct cx_origin origin, const char *where, struct cx_config_problems *problems)
{
    struct cx_origin *current = &config->origins[setting - cx_setting_table];
    char rule[CX_SETTING_RULE_MAX];

    if (origin.kind == current->kind && origin.kind != CX_ORIGIN_DEFAULT) {
        cx_config_problem(problems, "%s: given twice", where);
        return;
    }
    if (!cx_setting_parse(setting, text, config, rule)) {
        cx_config_problem(problems, "%s: %s", where, rule);
        return;
    }
    *current = origin;
}

/* ---- Environment. --------------------------------------------------------------- */

/* Variables that begin like ours and are not: the clients' own, and those in which
 * Kubernetes tells each container where a service called `contextd` is. */
static bool is_foreign(const char *name)
{
    static const char *const clients[] = {
        "ADDRESS", "TLS", "CA", "CERT", "CERT_KEY", "SERVER_NAME", "TOKEN_FILE",
    };

    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
        if (strcmp(name, clients[i]) == 0) {
            return true;
        }
    }
    return strcmp(name, "PORT") == 0 || strncmp(name, "SERVICE_", 8) == 0 ||
           (strncmp(name, "PORT_", 5) == 0 && isdigit((unsigned char)name[5]));
}

/* Splits "NAME=value". False when it is not one of ours. */
static bool variable_split(const char *variable, char ret_name[CX_SETTING_NAME_MAX],
                           const char **ret_value)
{
    const char *equals = strchr(variable, '=');

    if (equals == NULL || strncmp(variable, VARIABLE_PREFIX, strlen(VARIABLE_PREFIX)) != 0) {
        return false;
    }
    snprintf(ret_name, CX_SETTING_NAME_MAX, "%.*s", (int)(equals - variable), variable);
    *ret_value = equals + 1;
    return true;
}

static const struct cx_setting *setting_of_variable(const char *name)
{
    for (size_t i = 0; i < cx_setting_count; i++) {
        char variable[CX_SETTING_NAME_MAX];

        cx_setting_variable(&cx_setting_table[i], variable);
        if (strcmp(variable, name) == 0) {
            return &cx_setting_table[i];
        }
    }
    return NULL;
}

static void read_environment(struct cx_config *config, const char *const *environment,
                             struct cx_config_problems *problems)
{
    for (; *environment != NULL; environment++) {
        char name[CX_SETTING_NAME_MAX];
        const char *value;

        if (!variable_split(*environment, name, &value) || *value == '\0' ||
            strcmp(name, VARIABLE_FILE) == 0) {
            continue; /* An empty variable is one that is not set. */
        }
        const struct cx_setting *setting = setting_of_variable(name);
        if (setting != NULL) {
            cx_config_set(config, setting, value, (struct cx_origin){CX_ORIGIN_ENVIRONMENT, 0},
                          name, problems);
        } else if (!is_foreign(name + strlen(VARIABLE_PREFIX))) {
            cx_config_unknown(name, name + strlen(VARIABLE_PREFIX), problems);
        }
    }
}

/* ---- Flags. --------------------------------------------------------------------- */

static const struct cx_setting *setting_of_flag(const char *flag, size_t size)
{
    for (size_t i = 0; i < cx_setting_count; i++) {
        char name[CX_SETTING_NAME_MAX];

        cx_setting_flag(&cx_setting_table[i], name);
        if (strlen(name) == size && strncmp(name, flag, size) == 0) {
            return &cx_setting_table[i];
        }
    }
    return NULL;
}

/* Obeys a flag that takes no value. False when this is none. */
static bool take_switch(struct cx_config *config, const char *flag)
{
    if (strcmp(flag, "--insecure") == 0) {
        config->insecure = true;
    } else if (strcmp(flag, "--accept-data-loss") == 0) {
        config->accept_data_loss = true;
    } else if (strcmp(flag, "--check-config") == 0) {
        config->action = CX_CONFIG_CHECK;
    } else if (strcmp(flag, "--print-config") == 0) {
        config->action = CX_CONFIG_PRINT;
    } else if (strcmp(flag, "--help") == 0 || strcmp(flag, "-h") == 0) {
        config->action = CX_CONFIG_HELP;
    } else if (strcmp(flag, "--version") == 0) {
        config->action = CX_CONFIG_VERSION;
    } else {
        return false;
    }
    return true;
}

/* Refuses a flag that is in no table. */
static void refuse_flag(struct cx_config *config, const char *name,
                        struct cx_config_problems *problems)
{
    if (take_switch(config, name)) {
        cx_config_problem(problems, "%s: takes no value", name);
    } else if (strncmp(name, "--", 2) == 0) {
        cx_config_unknown(name, name + 2, problems);
    } else {
        cx_config_problem(problems, "%s: this is no flag; flags begin with --", name);
    }
}

/* Whether the argument behind a flag is its value, and not the next flag. */
static bool is_value(const char *argument)
{
    return argument != NULL && strncmp(argument, "--", 2) != 0;
}

/* One flag and its value, at `argv`. Returns how many arguments that were. The file
 * of --config is left in config->file. */
static size_t take_flag(struct cx_config *config, const char *const *argv, bool only_file,
                        struct cx_config_problems *problems)
{
    const char *equals = strchr(argv[0], '=');
    size_t size = equals != NULL ? (size_t)(equals - argv[0]) : strlen(argv[0]);
    bool is_file = size == strlen("--config") && strncmp(argv[0], "--config", size) == 0;
    const struct cx_setting *setting = setting_of_flag(argv[0], size);
    char name[256];
    const char *value = equals != NULL ? equals + 1 : argv[1];
    size_t taken = equals == NULL && argv[0][0] == '-' && is_value(argv[1]) ? 2 : 1;

    snprintf(name, sizeof name, "%.*s", (int)(size < 200 ? size : 200), argv[0]);
    if (!is_file && setting == NULL) {
        if (!only_file) {
            refuse_flag(config, name, problems);
        }
        return taken; /* A word behind an unknown flag was meant as its value. */
    }
    if (equals == NULL && taken == 1) {
        if (!only_file) {
            cx_config_problem(problems, "%s: needs a value", name);
        }
        return 1;
    }
    if (is_file && only_file) {
        snprintf(config->file, sizeof config->file, "%s", value);
    } else if (!is_file && !only_file) {
        cx_config_set(config, setting, value, (struct cx_origin){CX_ORIGIN_FLAG, 0}, name,
                      problems);
    }
    return taken;
}

/* With `only_file` just finds out which file to read, and leaves every complaint to the
 * other round. */
static void read_flags(struct cx_config *config, const char *const *argv, bool only_file,
                       struct cx_config_problems *problems)
{
    while (*argv != NULL) {
        argv += take_switch(config, *argv) ? 1 : take_flag(config, argv, only_file, problems);
    }
}

/* ---- The whole. ------------------------------------------------------------------ */

/* Where a setting was set, for people. */
static void describe(const struct cx_config *config, const char *name,
                     char ret_text[CX_SETTING_TEXT_MAX])
{
    const struct cx_setting *setting = cx_setting_find(name);
    struct cx_origin origin = config->origins[setting - cx_setting_table];
    char value[CX_SETTING_TEXT_MAX];
    char from[640] = "default";

    cx_setting_format(setting, config, value);
    if (origin.kind == CX_ORIGIN_FLAG) {
        cx_setting_flag(setting, from);
    } else if (origin.kind == CX_ORIGIN_ENVIRONMENT) {
        cx_setting_variable(setting, from);
    } else if (origin.kind == CX_ORIGIN_FILE) {
        snprintf(from, sizeof from, "%.512s:%u", config->file, origin.line);
    }
    snprintf(ret_text, CX_SETTING_TEXT_MAX, "%s %.64s (%s)", name, value, from);
}

/* Two settings that do not go together. */
static void contradiction(const struct cx_config *config, const char *a, const char *rule,
                          const char *b, struct cx_config_problems *problems)
{
    char a_text[CX_SETTING_TEXT_MAX];
    char b_text[CX_SETTING_TEXT_MAX];

    describe(config, a, a_text);
    describe(config, b, b_text);
    cx_config_problem(problems, "%.800s must be %s %.800s", a_text, rule, b_text);
}

/* A setting without which another one makes no sense. */
static void missing(const struct cx_config *config, const char *a, const char *b, const char *what,
                    struct cx_config_problems *problems)
{
    char text[CX_SETTING_TEXT_MAX];

    describe(config, a, text);
    cx_config_problem(problems, "%.800s needs %s, %s", text, b, what);
}

static void check_tls(const struct cx_config *config, struct cx_config_problems *problems)
{
    bool has_cert = config->tls_cert[0] != '\0';
    bool has_key = config->tls_key[0] != '\0';

    if (has_cert && !has_key) {
        missing(config, "tls_cert", "tls_key", "the file with its private key", problems);
    } else if (has_key && !has_cert) {
        missing(config, "tls_key", "tls_cert", "the file with its certificate", problems);
    } else if (config->tls_client_ca[0] != '\0' && !has_cert) {
        missing(config, "tls_client_ca", "tls_cert and tls_key", "the server's own", problems);
    } else if (!has_cert && !config->insecure && !cx_address_is_loopback(config->listen)) {
        char text[CX_SETTING_TEXT_MAX];

        describe(config, "listen", text);
        cx_config_problem(problems,
                          "%.800s can be reached from other machines, and there is no TLS: give "
                          "tls_cert and tls_key, serve on 127.0.0.1, or add --insecure",
                          text);
    }
}

static void check_whole(const struct cx_config *config, struct cx_config_problems *problems)
{
    if (config->message_size_max < 3 * config->value_size_max + 64 * CX_KIB) {
        contradiction(config, "message_size_max", "at least 64KiB and three times",
                      "value_size_max", problems);
    }
    if (config->in_flight_bytes_max < config->message_size_max) {
        contradiction(config, "in_flight_bytes_max", "at least", "message_size_max", problems);
    }
    if (config->tombstone_window_us < config->undelete_window_us) {
        contradiction(config, "tombstone_window", "at least", "undelete_window", problems);
    }
    if (config->tombstone_window_us < config->request_id_window_us) {
        contradiction(config, "tombstone_window", "at least", "request_id_window", problems);
    }
    check_tls(config, problems);
}

static bool has_flag(const char *const *argv, const char *flag)
{
    for (; *argv != NULL; argv++) {
        if (strcmp(*argv, flag) == 0) {
            return true;
        }
    }
    return false;
}

static void find_file_variable(struct cx_config *config, const char *const *environment)
{
    for (; *environment != NULL; environment++) {
        char name[CX_SETTING_NAME_MAX];
        const char *value;

        if (variable_split(*environment, name, &value) && strcmp(name, VARIABLE_FILE) == 0) {
            snprintf(config->file, sizeof config->file, "%s", value);
        }
    }
}

enum cx_status cx_config_load(const char *const *argv, const char *const *environment,
                              struct cx_config *ret_config, struct cx_config_problems *ret_problems)
{
    const char *const *flags = argv[0] != NULL ? argv + 1 : argv;

    memset(ret_config, 0, sizeof *ret_config);
    ret_problems->count = 0;
    ret_problems->text_size = 0;
    ret_problems->text[0] = '\0';
    for (size_t i = 0; i < cx_setting_count; i++) {
        cx_config_set(ret_config, &cx_setting_table[i], cx_setting_table[i].default_text,
                      (struct cx_origin){CX_ORIGIN_DEFAULT, 0}, "default", ret_problems);
    }
    assert(ret_problems->count == 0);

    bool help = has_flag(flags, "--help") || has_flag(flags, "-h");
    if (help || has_flag(flags, "--version")) {
        ret_config->action = help ? CX_CONFIG_HELP : CX_CONFIG_VERSION;
        return CX_OK;
    }
    find_file_variable(ret_config, environment);
    read_flags(ret_config, flags, true, ret_problems);
    if (ret_config->file[0] != '\0') {
        cx_config_read_file(ret_config, ret_problems);
    }
    read_environment(ret_config, environment, ret_problems);
    read_flags(ret_config, flags, false, ret_problems);
    check_whole(ret_config, ret_problems);
    return ret_problems->count == 0 ? CX_OK : CX_INVALID_ARGUMENT;
}
