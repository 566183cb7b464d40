/* What the table looks like to people: --help, --print-config, and what a reload may
 * change. */

#include <string.h>

#include "server/config/setting.h"

enum { TEXT_COLUMN = 32, LINE_WIDTH = 96 };

/* Prints `text` in the right column, breaking it between words. The cursor is at
 * `column`. */
static void print_wrapped(FILE *out, int column, const char *text)
{
    if (column >= TEXT_COLUMN) {
        fputc('\n', out);
        column = 0;
    }
    fprintf(out, "%*s", TEXT_COLUMN - column, "");
    column = TEXT_COLUMN;
    while (*text != '\0') {
        int size = (int)strcspn(text, " ");

        if (column > TEXT_COLUMN && column + 1 + size > LINE_WIDTH) {
            fprintf(out, "\n%*s", TEXT_COLUMN, "");
            column = TEXT_COLUMN;
        }
        column += fprintf(out, "%s%.*s", column > TEXT_COLUMN ? " " : "", size, text);
        text += size;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

static const char *placeholder(enum cx_setting_type type)
{
    switch (type) {
    case CX_SETTING_SIZE:
        return "SIZE";
    case CX_SETTING_MEMORY:
        return "SIZE|PERCENT";
    case CX_SETTING_DURATION:
        return "TIME";
    case CX_SETTING_COUNT:
    case CX_SETTING_THREADS:
        return "NUMBER";
    case CX_SETTING_CHOICE:
        return "WORD";
    case CX_SETTING_PATH:
        return "PATH";
    default:
        return "HOST:PORT";
    }
}

static void print_setting(FILE *out, const struct cx_setting *setting)
{
    char flag[CX_SETTING_NAME_MAX];
    char text[1024];

    cx_setting_flag(setting, flag);
    int column = fprintf(out, "  %s %s", flag, placeholder(setting->type));
    size_t size = (size_t)snprintf(text, sizeof text, "%s", setting->help);
    if (setting->choices != NULL) {
        size += (size_t)snprintf(text + size, sizeof text - size, " One of");
        for (size_t i = 0; setting->choices[i] != NULL; i++) {
            size += (size_t)snprintf(text + size, sizeof text - size, "%s %s", i > 0 ? "," : "",
                                     setting->choices[i]);
        }
        size += (size_t)snprintf(text + size, sizeof text - size, ".");
    }
    if (setting->default_text[0] != '\0') {
        snprintf(text + size, sizeof text - size, " [%s]", setting->default_text);
    }
    print_wrapped(out, column, text);
}

void cx_config_print_help(FILE *out)
{
    const char *group = "";

    fputs("contextd " CX_VERSION ": keeps the working context of agents\n"
          "\n"
          "Usage: contextd [FLAG [VALUE]]...\n"
          "\n"
          "A setting can be given as a flag (--data-dir DIR), in the environment\n"
          "(CONTEXTD_DATA_DIR=DIR), or in a YAML file (data_dir: DIR); a flag wins over the\n"
          "environment, and that over the file. Defaults are in brackets.\n",
          out);
    for (size_t i = 0; i < cx_setting_count; i++) {
        if (strcmp(group, cx_setting_table[i].group) != 0) {
            group = cx_setting_table[i].group;
            fprintf(out, "\n%s\n", group);
        }
        print_setting(out, &cx_setting_table[i]);
    }
    fputs("\nFlags without a setting\n", out);
    for (size_t i = 0; i < cx_switch_count; i++) {
        print_wrapped(out, fprintf(out, "  %s", cx_switch_table[i].name), cx_switch_table[i].help);
    }
    fputs("\nSIGTERM and SIGINT stop the server in order, a second one at once. SIGHUP reads the\n"
          "configuration again and takes over log_level, log_format and shutdown_grace.\n",
          out);
}

/* ---- What is in force. ------------------------------------------------------------ */

/* Whether YAML takes the text as it is between quotes, and in a comment. Of much else it
 * makes spaces, or refuses the file. */
static bool is_plain(const char *text)
{
    while (*text >= ' ' && *text <= '~') {
        text++;
    }
    return *text == '\0';
}

/* A scalar in single quotes. */
static int print_quoted(FILE *out, const char *text)
{
    int width = 2;

    fputc('\'', out);
    for (; *text != '\0'; text++) {
        width += fputs(*text == '\'' ? "''" : (const char[]){*text, '\0'}, out) >= 0 ? 1 : 0;
    }
    fputc('\'', out);
    return width;
}

/* Takes a character off a text that is UTF-8. */
static unsigned next_character(const char **text)
{
    unsigned point = (unsigned char)*(*text)++;

    if (point >= 0xc0) {
        /* The first byte begins with as many ones as the character has bytes. */
        int size = point >= 0xf0 ? 4 : point >= 0xe0 ? 3 : 2;

        point &= 0x7fu >> size;
        for (int i = 1; i < size; i++) {
            point = point << 6 | ((unsigned char)*(*text)++ & 0x3f);
        }
    }
    return point;
}

/* A scalar in double quotes, in which every character can be a number. */
static int print_escaped(FILE *out, const char *text)
{
    int width = 2;

    fputc('"', out);
    while (*text != '\0') {
        unsigned point = next_character(&text);
        bool plain = point >= ' ' && point <= '~' && point != '"' && point != '\\';

        width += fprintf(out, plain ? "%c" : "\\U%08x", point);
    }
    fputc('"', out);
    return width;
}

/* What a default stands for whose value depends on the machine; empty for others. */
static const char *default_remark(const struct cx_setting *setting)
{
    switch (setting->type) {
    case CX_SETTING_THREADS:
        return ": one for every two cores";
    case CX_SETTING_MEMORY:
        return ": a share of the machine's memory";
    default:
        return "";
    }
}

static void print_origin(FILE *out, const struct cx_config *config,
                         const struct cx_setting *setting)
{
    struct cx_origin origin = config->origins[setting - cx_setting_table];
    char name[CX_SETTING_NAME_MAX];

    switch (origin.kind) {
    case CX_ORIGIN_DEFAULT:
        fprintf(out, "default%s", default_remark(setting));
        return;
    case CX_ORIGIN_FILE:
        fprintf(out, "%s:%u", is_plain(config->file) ? config->file : "the file", origin.line);
        return;
    case CX_ORIGIN_ENVIRONMENT:
        cx_setting_variable(setting, name);
        fputs(name, out);
        return;
    case CX_ORIGIN_FLAG:
        cx_setting_flag(setting, name);
        fputs(name, out);
    }
}

static bool is_text(const struct cx_setting *setting)
{
    return setting->type == CX_SETTING_PATH || setting->type == CX_SETTING_ADDRESS;
}

void cx_config_print(const struct cx_config *config, FILE *out)
{
    for (size_t i = 0; i < cx_setting_count; i++) {
        const struct cx_setting *setting = &cx_setting_table[i];
        char text[CX_SETTING_TEXT_MAX];

        cx_setting_format(setting, config, text);
        int column = fprintf(out, "%s: ", setting->name);
        if (!is_text(setting)) {
            column += fprintf(out, "%s", text);
        } else {
            column += is_plain(text) ? print_quoted(out, text) : print_escaped(out, text);
        }
        fprintf(out, "%*s # ", column < 44 ? 44 - column : 0, "");
        print_origin(out, config, setting);
        fputc('\n', out);
    }
}

size_t cx_config_values(const struct cx_config *config,
                        struct cx_config_value ret_values[CX_CONFIG_SETTINGS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < cx_setting_count; i++) {
        const struct cx_setting *setting = &cx_setting_table[i];
        char text[CX_SETTING_TEXT_MAX];

        if (setting->live || is_text(setting)) {
            continue;
        }
        cx_setting_format(setting, config, text);
        ret_values[count].name = setting->name;
        snprintf(ret_values[count].text, sizeof ret_values[count].text, "%.63s", text);
        count++;
    }
    return count;
}

/* ---- Reload. ------------------------------------------------------------------------ */

static bool is_equal(const struct cx_setting *setting, const struct cx_config *a,
                     const struct cx_config *b)
{
    char a_text[CX_SETTING_TEXT_MAX];
    char b_text[CX_SETTING_TEXT_MAX];

    cx_setting_format(setting, a, a_text);
    cx_setting_format(setting, b, b_text);
    return strcmp(a_text, b_text) == 0;
}

void cx_config_reload(struct cx_config *config, const struct cx_config *fresh, char *ret_refused,
                      size_t size)
{
    size_t used = 0;

    ret_refused[0] = '\0';
    for (size_t i = 0; i < cx_setting_count; i++) {
        const struct cx_setting *setting = &cx_setting_table[i];

        if (is_equal(setting, config, fresh)) {
            continue;
        }
        if (!setting->live) {
            int width = snprintf(ret_refused + used, size - used, "%s%s", used > 0 ? ", " : "",
                                 setting->name);
            used = used + (size_t)width < size ? used + (size_t)width : size - 1;
            continue;
        }
        /* Settings that can change are numbers: texts would need a place of their own. */
        uint64_t *value = (uint64_t *)((char *)config + setting->offset);
        *value = *(const uint64_t *)((const char *)fresh + setting->offset);
        config->origins[i] = fresh->origins[i];
    }
}
