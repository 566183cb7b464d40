/* The one table that every way of configuring comes from. Private to this folder and
 * its tests. */

#ifndef CX_CONFIG_SETTING_H
#define CX_CONFIG_SETTING_H

#include "server/config/config.h"

enum cx_setting_type {
    CX_SETTING_SIZE,     /* `4MiB`: B, KiB, MiB, GiB. uint64_t bytes. */
    CX_SETTING_MEMORY,   /* A size, or `75%` of the machine's memory. uint64_t bytes. */
    CX_SETTING_DURATION, /* `10m`: ms, s, m, h, d. uint64_t microseconds. */
    CX_SETTING_COUNT,    /* `20000`. uint64_t. */
    CX_SETTING_THREADS,  /* A count; 0 is read as one for every two cores, at least one. */
    CX_SETTING_CHOICE,   /* One of `choices`. uint64_t index. */
    CX_SETTING_PATH,     /* char[PATH_MAX]. */
    CX_SETTING_ADDRESS,  /* `127.0.0.1:7420`, `[::1]:0`. char[CX_CONFIG_ADDRESS_MAX]. */
};

struct cx_setting {
    const char *group; /* Settings of a group follow each other. */
    const char *name;  /* In the file; flag and environment derive from it. */
    enum cx_setting_type type;
    const char *default_text;
    uint64_t min; /* Of the value; of the length for a path. */
    uint64_t max;
    const char *const *choices; /* Ends with NULL. */
    size_t offset;              /* In struct cx_config. */
    bool live;                  /* Can change without a restart. */
    const char *help;
};

extern const struct cx_setting cx_setting_table[];
extern const size_t cx_setting_count;

/* A flag that stands for itself: no value, no environment, no key. */
struct cx_switch {
    const char *name; /* With its dashes. */
    const char *help;
};

extern const struct cx_switch cx_switch_table[];
extern const size_t cx_switch_count;

enum { CX_SETTING_NAME_MAX = 64 }; /* Of a flag or variable, with its NUL. */

/* The names of the flag ("--data-dir") and the variable ("CONTEXTD_DATA_DIR"). */
void cx_setting_flag(const struct cx_setting *setting, char ret_flag[CX_SETTING_NAME_MAX]);
void cx_setting_variable(const struct cx_setting *setting, char ret_variable[CX_SETTING_NAME_MAX]);

/* Finds a row by its name in the file. NULL: there is none. */
const struct cx_setting *cx_setting_find(const char *name);

/* The name that was probably meant by `name`, or NULL. */
const struct cx_setting *cx_setting_nearest(const char *name);

enum { CX_SETTING_RULE_MAX = 256 }; /* Of the text of a rule, with its NUL. */

/* Reads a value. False, with the rule that it breaks as a text for people, when it is
 * none of this setting. */
bool cx_setting_parse(const struct cx_setting *setting, const char *text, struct cx_config *config,
                      char ret_rule[CX_SETTING_RULE_MAX]);

enum { CX_SETTING_TEXT_MAX = PATH_MAX };

/* Writes the value as one that cx_setting_parse() reads back: a default as the
 * table has it, others in the largest unit that is exact. */
void cx_setting_format(const struct cx_setting *setting, const struct cx_config *config,
                       char ret_text[CX_SETTING_TEXT_MAX]);

/* Writes a number of the setting's type, such as one of its bounds. */
void cx_setting_format_number(const struct cx_setting *setting, uint64_t value,
                              char ret_text[CX_SETTING_TEXT_MAX]);

/* Whether an address that was parsed can only be reached from this machine. */
bool cx_address_is_loopback(const char *address);

/* ---- Problems. -------------------------------------------------------------- */

/* Adds one. */
void cx_config_problem(struct cx_config_problems *problems, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Sets a value from text; anything wrong becomes a problem that begins with `where`. */
void cx_config_set(struct cx_config *config, const struct cx_setting *setting, const char *text,
                   struct cx_origin origin, const char *where, struct cx_config_problems *problems);

/* Adds the problem of a name that no row has, with the one that was probably meant. */
void cx_config_unknown(const char *where, const char *name, struct cx_config_problems *problems);

/* Reads config->file into `config`. */
void cx_config_read_file(struct cx_config *config, struct cx_config_problems *problems);

#endif /* CX_CONFIG_SETTING_H */
