/* The command line: what was asked for, or what is wrong with it. Prints nothing. */

#ifndef CTL_ARGS_H
#define CTL_ARGS_H

#include <stdio.h>

#include "clients/ctxctl/ctl.h"

enum { CTL_PROBLEM_SIZE = 512 };

enum ctl_parsed {
    CTL_PARSED,
    CTL_PARSED_HELP,
    CTL_PARSED_VERSION,
    CTL_PARSED_WRONG,
};

/* Reads the options before the command. *ret_used is how many words they took. Those
 * that every command takes are stored in `ctl`. A problem is one line for people. */
enum ctl_parsed ctl_args_parse_global(struct ctl *ctl, int argc, char **argv, int *ret_used,
                                      char problem[CTL_PROBLEM_SIZE]);

/* The command that argv begins with, and *ret_words of how many words its name is. Where
 * one word is a command and two are another, it is the other. NULL when there is none. */
const struct ctl_command *ctl_args_find(const struct ctl_command *const *commands, size_t count,
                                        int argc, char **argv, int *ret_words);

/* Whether there are commands of two words that begin with this one. */
bool ctl_args_is_group(const struct ctl_command *const *commands, size_t count, const char *word);

/* Reads the options and operands of a command; argv[0] is the last word of its name. Options and
 * operands may be mixed; `--` ends the options. What *ret_args names lives in the
 * pool of `ctl` and in argv, whose order may change. */
enum ctl_parsed ctl_args_parse(struct ctl *ctl, const struct ctl_command *command, int argc,
                               char **argv, struct ctl_args *ret_args,
                               char problem[CTL_PROBLEM_SIZE]);

/* The value given last for an option, or NULL when it was not given; "" for one that
 * takes none. */
const char *ctl_args_value(const struct ctl_args *args, size_t option);

/* Prints the help of a command, of the commands that begin with a word, and of the whole. */
void ctl_args_help(const struct ctl_command *command, FILE *file);
void ctl_args_group_help(const struct ctl_command *const *commands, size_t count, const char *word,
                         FILE *file);
void ctl_args_overview(const struct ctl_command *const *commands, size_t count, FILE *file);

/* ---- Values. --------------------------------------------------------------- */

/* A time such as `90s`, `10m`, `1h30m`, `250ms` or `7d`: numbers with units, added
 * up. Returns false for anything else, also what is not above zero. */
bool ctl_parse_duration(const char *text, int64_t *ret_ms);

/* A number without sign. */
bool ctl_parse_number(const char *text, uint64_t *ret_number);

/* An amount with up to six digits behind the point, such as `0.0125`, in millionths. */
bool ctl_parse_micros(const char *text, uint64_t *ret_micros);

/* A time in UTC such as `2026-11-21T10:53:18.059603Z`, or with a blank instead of the
 * `T`: what ctxctl shows. A fraction is cut at nanoseconds. */
bool ctl_parse_time(const char *text, int64_t *ret_s, int32_t *ret_ns);

/* `key=value`, split at the first `=`, both of the pool. False without a `=` or with
 * an empty key. */
bool ctl_parse_pair(struct ctl_pool *pool, const char *text, char **ret_key, char **ret_value);

#endif /* CTL_ARGS_H */
