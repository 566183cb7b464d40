/* The parts of requests, made of what the command line says. Everything is of a pool;
 * texts and bytes are borrowed from the caller. */

#ifndef CTL_REQUEST_H
#define CTL_REQUEST_H

#include "clients/ctxctl/ctl.h"
#include "clients/ctxctl/messages.h"

/* A growing list of pointers, in the form of the generated repeated fields. */
struct ctl_list {
    void **items;
    size_t count;
    size_t capacity;
};

void ctl_list_add(struct ctl_pool *pool, struct ctl_list *list, void *item);

/* Opaque bytes. */
struct ctl_bytes {
    const void *data;
    size_t size;
};

struct ctl_bytes ctl_bytes_of(const char *text);
ProtobufCBinaryData ctl_binary(struct ctl_bytes bytes);

/* A new message of a type, as its `..._INIT` has it. */
void *ctl_message_new(struct ctl_pool *pool, const ProtobufCMessageDescriptor *type);

/* ---- Mutations and preconditions. ------------------------------------------ */

/* Sets an entry. */
Mutation *ctl_mutation_put(struct ctl_pool *pool, const char *key, struct ctl_bytes value,
                           const char *content_type);

/* Adds to an entry. `expected_size` NULL: not checked. */
Mutation *ctl_mutation_append(struct ctl_pool *pool, const char *key, struct ctl_bytes value,
                              const char *content_type, const uint64_t *expected_size);

/* The other steps, as resources.proto has them. */
Mutation *ctl_mutation_delete(struct ctl_pool *pool, const char *key);
Mutation *ctl_mutation_delete_prefix(struct ctl_pool *pool, const char *prefix);
Mutation *ctl_mutation_label(struct ctl_pool *pool, const char *key, const char *value);
Mutation *ctl_mutation_unlabel(struct ctl_pool *pool, const char *key);
Mutation *ctl_mutation_expiry(struct ctl_pool *pool, SetExpiry *expiry);

/* NULL: the server's policy. */
Mutation *ctl_mutation_policy(struct ctl_pool *pool, RecoveryPolicy *policy);

/* Conditions on the context and on an entry; version 0: it must not exist. */
Precondition *ctl_if_version(struct ctl_pool *pool, uint64_t version);
Precondition *ctl_if_entry(struct ctl_pool *pool, const char *key, uint64_t version);

/* ---- Other parts. ---------------------------------------------------------- */

/* A span of time. */
Duration *ctl_duration(struct ctl_pool *pool, int64_t ms);

/* `ttl_ms` 0: for ever. */
SetExpiry *ctl_expiry(struct ctl_pool *pool, int64_t ttl_ms, bool sliding);

/* A state by version; 0 is the newest. */
StateRef *ctl_state(struct ctl_pool *pool, const struct ctl *ctl, const char *id, uint64_t version);

/* The properties of a new context, without labels. */
NewContext *ctl_new_context(struct ctl_pool *pool);

/* ---- Options that several commands have. ----------------------------------- */

/* `--ttl`: a time, or `never`, which is 0. Complains about anything else. */
enum ctl_exit ctl_option_ttl(const struct ctl *ctl, const char *value, int64_t *ret_ms);

/* An option that takes a duration, a number, or `key=value`. Complain about anything
 * else. */
enum ctl_exit ctl_option_duration(const struct ctl *ctl, const char *name, const char *value,
                                  int64_t *ret_ms);
enum ctl_exit ctl_option_number(const struct ctl *ctl, const char *name, const char *value,
                                uint64_t *ret_number);
enum ctl_exit ctl_option_pair(struct ctl *ctl, const char *name, const char *value, char **ret_key,
                              char **ret_value);

/* A moment: a time, or how long ago it was, by the clock of this machine. Returns false
 * for anything else. */
bool ctl_parse_moment(struct ctl_pool *pool, const char *text, Timestamp **ret_time);

/* An option that takes a moment. Complains about anything else. */
enum ctl_exit ctl_option_time(struct ctl *ctl, const char *name, const char *value,
                              Timestamp **ret_time);

/* `--if-version`, where it was given: else `value` is NULL, and there is no condition. */
enum ctl_exit ctl_option_if_version(struct ctl *ctl, const char *value,
                                    Precondition ***ret_preconditions, size_t *ret_count);

/* Complains about an empty text where it would mean something else than a text that is left
 * out: such as the variable of a script that was never set. `what` is what the help calls it. */
enum ctl_exit ctl_check_given(const struct ctl *ctl, const char *what, const char *text);

/* `--label KEY=VALUE`: adds it to a message that has labels. */
enum ctl_exit ctl_option_label(struct ctl *ctl, ProtobufCMessage *message, const char *value);

/* Who writes. Rows for the tables of options, and what is made of them: `session` and
 * `fence` are NULL when they were not given, *ret_write when neither was. Complains
 * about an empty session and fence 0, with which nothing would be checked: such as the
 * variable of a script that was never set. */
#define CTL_OPTION_SESSION                                                                         \
    {                                                                                              \
        "session", "ID", "the session that writes: refused once it has ended"                      \
    }
#define CTL_OPTION_FENCE                                                                           \
    {                                                                                              \
        "fence", "NUMBER", "only while the exclusive activation with this fence is in force"       \
    }
enum ctl_exit ctl_option_write(struct ctl *ctl, const char *session, const char *fence,
                               WriteOptions **ret_write);

/* The `--session` of a command that cannot do without, the option of this index.
 * Complains when it is missing or empty. */
enum ctl_exit ctl_option_session(const struct ctl *ctl, const struct ctl_args *args, size_t option,
                                 char **ret_session_id);

/* Bytes that are given as an operand, where `-` is stdin, or as a file, `-` likewise; the
 * other is NULL. Complains when both are given, or when it cannot read. */
enum ctl_exit ctl_read_value(struct ctl *ctl, const char *operand, const char *path,
                             struct ctl_bytes *ret_value);

/* Reads a whole file, or stdin for "-". Complains when it cannot. */
enum ctl_exit ctl_read_file(struct ctl *ctl, const char *path, struct ctl_bytes *ret_bytes);

#endif /* CTL_REQUEST_H */
