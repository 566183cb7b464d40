#include "clients/ctxctl/request.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/ctxctl/args.h"
#include "clients/ctxctl/fail.h"
#include "clients/ctxctl/labels.h"

void ctl_list_add(struct ctl_pool *pool, struct ctl_list *list, void *item)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity > 0 ? 2 * list->capacity : 8;
        void **grown = ctl_pool_alloc(pool, capacity * sizeof *grown);

        if (list->count > 0) {
            memcpy(grown, list->items, list->count * sizeof *grown);
        }
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
}

struct ctl_bytes ctl_bytes_of(const char *text)
{
    return (struct ctl_bytes){text, strlen(text)};
}

ProtobufCBinaryData ctl_binary(struct ctl_bytes bytes)
{
    return (ProtobufCBinaryData){bytes.size, (uint8_t *)bytes.data};
}

void *ctl_message_new(struct ctl_pool *pool, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = ctl_pool_alloc(pool, type->sizeof_message);

    protobuf_c_message_init(type, message);
    return message;
}

/* ---- Mutations. ------------------------------------------------------------ */

static Mutation *mutation_new(struct ctl_pool *pool, Contextd__V1__Mutation__KindCase kind)
{
    Mutation *mutation = ctl_message_new(pool, &contextd__v1__mutation__descriptor);

    mutation->kind_case = kind;
    return mutation;
}

Mutation *ctl_mutation_put(struct ctl_pool *pool, const char *key, struct ctl_bytes value,
                           const char *content_type)
{
    Mutation *mutation = mutation_new(pool, CONTEXTD__V1__MUTATION__KIND_PUT_ENTRY);

    mutation->put_entry = ctl_message_new(pool, &contextd__v1__put_entry__descriptor);
    mutation->put_entry->key = (char *)key;
    mutation->put_entry->value = ctl_binary(value);
    mutation->put_entry->content_type = (char *)content_type;
    return mutation;
}

Mutation *ctl_mutation_append(struct ctl_pool *pool, const char *key, struct ctl_bytes value,
                              const char *content_type, const uint64_t *expected_size)
{
    Mutation *mutation = mutation_new(pool, CONTEXTD__V1__MUTATION__KIND_APPEND_ENTRY);

    mutation->append_entry = ctl_message_new(pool, &contextd__v1__append_entry__descriptor);
    mutation->append_entry->key = (char *)key;
    mutation->append_entry->value = ctl_binary(value);
    mutation->append_entry->content_type = (char *)content_type;
    if (expected_size != NULL) {
        mutation->append_entry->expected_size =
            ctl_message_new(pool, &contextd__v1__expected_size__descriptor);
        mutation->append_entry->expected_size->bytes = *expected_size;
    }
    return mutation;
}

Mutation *ctl_mutation_delete(struct ctl_pool *pool, const char *key)
{
    Mutation *mutation = mutation_new(pool, CONTEXTD__V1__MUTATION__KIND_DELETE_ENTRY);

    mutation->delete_entry = ctl_message_new(pool, &contextd__v1__delete_entry__descriptor);
    mutation->delete_entry->key = (char *)key;
    return mutation;
}

Mutation *ctl_mutation_delete_prefix(struct ctl_pool *pool, const char *prefix)
{
    Mutation *mutation = mutation_new(pool, CONTEXTD__V1__MUTATION__KIND_DELETE_ENTRIES);

    mutation->delete_entries = ctl_message_new(pool, &contextd__v1__delete_entries__descriptor);
    mutation->delete_entries->prefix = (char *)prefix;
    return mutation;
}

Mutation *ctl_mutation_label(struct ctl_pool *pool, const char *key, const char *value)
{
    Mutation *mutation = mutation_new(pool, CONTEXTD__V1__MUTATION__KIND_SET_METADATA);

    mutation->set_metadata = ctl_message_new(pool, &contextd__v1__set_metadata__descriptor);
    mutation->set_metadata->key = (char *)key;
    mutation->set_metadata->value = (char *)value;
    return mutation;
}

Mutation *ctl_mutation_unlabel(struct ctl_pool *pool, const char *key)
{
    Mutation *mutation = mutation_new(pool, CONTEXTD__V1__MUTATION__KIND_DELETE_METADATA);

    mutation->delete_metadata = ctl_message_new(pool, &contextd__v1__delete_metadata__descriptor);
    mutation->delete_metadata->key = (char *)key;
    return mutation;
}

Mutation *ctl_mutation_expiry(struct ctl_pool *pool, SetExpiry *expiry)
{
    Mutation *mutation = mutation_new(pool, CONTEXTD__V1__MUTATION__KIND_SET_EXPIRY);

    mutation->set_expiry = expiry;
    return mutation;
}

Mutation *ctl_mutation_policy(struct ctl_pool *pool, RecoveryPolicy *policy)
{
    Mutation *mutation = mutation_new(pool, CONTEXTD__V1__MUTATION__KIND_SET_RECOVERY_POLICY);

    mutation->set_recovery_policy =
        ctl_message_new(pool, &contextd__v1__set_recovery_policy__descriptor);
    mutation->set_recovery_policy->policy = policy;
    return mutation;
}

Precondition *ctl_if_version(struct ctl_pool *pool, uint64_t version)
{
    Precondition *precondition = ctl_message_new(pool, &contextd__v1__precondition__descriptor);

    precondition->kind_case = CONTEXTD__V1__PRECONDITION__KIND_CONTEXT_VERSION;
    precondition->context_version = version;
    return precondition;
}

Precondition *ctl_if_entry(struct ctl_pool *pool, const char *key, uint64_t version)
{
    Precondition *precondition = ctl_message_new(pool, &contextd__v1__precondition__descriptor);

    precondition->kind_case = CONTEXTD__V1__PRECONDITION__KIND_ENTRY;
    precondition->entry = ctl_message_new(pool, &contextd__v1__entry_condition__descriptor);
    precondition->entry->key = (char *)key;
    precondition->entry->version = version;
    return precondition;
}

/* ---- Other parts. ---------------------------------------------------------- */

Duration *ctl_duration(struct ctl_pool *pool, int64_t ms)
{
    Duration *duration = ctl_message_new(pool, &google__protobuf__duration__descriptor);

    duration->seconds = ms / 1000;
    duration->nanos = (int32_t)(ms % 1000 * 1000000);
    return duration;
}

SetExpiry *ctl_expiry(struct ctl_pool *pool, int64_t ttl_ms, bool sliding)
{
    SetExpiry *expiry = ctl_message_new(pool, &contextd__v1__set_expiry__descriptor);

    expiry->sliding = sliding;
    expiry->ttl = ttl_ms > 0 ? ctl_duration(pool, ttl_ms) : NULL;
    return expiry;
}

StateRef *ctl_state(struct ctl_pool *pool, const struct ctl *ctl, const char *id, uint64_t version)
{
    StateRef *state = ctl_message_new(pool, &contextd__v1__state_ref__descriptor);

    state->namespace_ = (char *)ctl->namespace_;
    state->context_id = (char *)id;
    if (version > 0) {
        state->at_case = CONTEXTD__V1__STATE_REF__AT_VERSION;
        state->version = version;
    }
    return state;
}

NewContext *ctl_new_context(struct ctl_pool *pool)
{
    return ctl_message_new(pool, &contextd__v1__new_context__descriptor);
}

/* ---- Options that several commands have. ----------------------------------- */

enum ctl_exit ctl_option_ttl(const struct ctl *ctl, const char *value, int64_t *ret_ms)
{
    if (strcmp(value, "never") == 0) {
        *ret_ms = 0;
        return CTL_OK;
    }
    if (!ctl_parse_duration(value, ret_ms)) {
        return ctl_complain(ctl, CTL_USAGE,
                            "--ttl takes a time such as 90s, 10m or 7d, or never, not '%s'", value);
    }
    return CTL_OK;
}

enum ctl_exit ctl_option_duration(const struct ctl *ctl, const char *name, const char *value,
                                  int64_t *ret_ms)
{
    if (!ctl_parse_duration(value, ret_ms)) {
        return ctl_complain(ctl, CTL_USAGE, "--%s takes a time such as 250ms, 90s or 10m, not '%s'",
                            name, value);
    }
    return CTL_OK;
}

enum ctl_exit ctl_option_number(const struct ctl *ctl, const char *name, const char *value,
                                uint64_t *ret_number)
{
    if (!ctl_parse_number(value, ret_number)) {
        return ctl_complain(ctl, CTL_USAGE, "--%s takes a number, not '%s'", name, value);
    }
    return CTL_OK;
}

enum ctl_exit ctl_option_pair(struct ctl *ctl, const char *name, const char *value, char **ret_key,
                              char **ret_value)
{
    if (!ctl_parse_pair(&ctl->pool, value, ret_key, ret_value)) {
        return ctl_complain(ctl, CTL_USAGE, "--%s takes KEY=VALUE, not '%s'", name, value);
    }
    return CTL_OK;
}

bool ctl_parse_moment(struct ctl_pool *pool, const char *text, Timestamp **ret_time)
{
    Timestamp *time = ctl_message_new(pool, &google__protobuf__timestamp__descriptor);
    int64_t ago_ms;

    if (ctl_parse_duration(text, &ago_ms)) {
        struct timespec now;
        int64_t then_ms;

        clock_gettime(CLOCK_REALTIME, &now);
        then_ms = now.tv_sec * 1000 + now.tv_nsec / 1000000 - ago_ms;
        time->seconds = then_ms > 0 ? then_ms / 1000 : 0;
        time->nanos = then_ms > 0 ? (int32_t)(then_ms % 1000 * 1000000) : 0;
    } else if (!ctl_parse_time(text, &time->seconds, &time->nanos)) {
        return false;
    }
    *ret_time = time;
    return true;
}

enum ctl_exit ctl_option_time(struct ctl *ctl, const char *name, const char *value,
                              Timestamp **ret_time)
{
    if (!ctl_parse_moment(&ctl->pool, value, ret_time)) {
        return ctl_complain(ctl, CTL_USAGE,
                            "--%s takes how long ago, such as 10m or 7d, or a time such as "
                            "2026-11-21T10:53:18Z, not '%s'",
                            name, value);
    }
    return CTL_OK;
}

enum ctl_exit ctl_option_if_version(struct ctl *ctl, const char *value,
                                    Precondition ***ret_preconditions, size_t *ret_count)
{
    struct ctl_list preconditions = {0};
    uint64_t version;
    enum ctl_exit exit = CTL_OK;

    if (value != NULL) {
        exit = ctl_option_number(ctl, "if-version", value, &version);
    }
    if (value != NULL && exit == CTL_OK) {
        ctl_list_add(&ctl->pool, &preconditions, ctl_if_version(&ctl->pool, version));
    }
    *ret_preconditions = (Precondition **)preconditions.items;
    *ret_count = preconditions.count;
    return exit;
}

enum ctl_exit ctl_check_given(const struct ctl *ctl, const char *what, const char *text)
{
    return text[0] != '\0' ? CTL_OK : ctl_complain(ctl, CTL_USAGE, "%s is empty", what);
}

enum ctl_exit ctl_option_label(struct ctl *ctl, ProtobufCMessage *message, const char *value)
{
    char *key;
    char *text;
    enum ctl_exit exit = ctl_option_pair(ctl, "label", value, &key, &text);

    if (exit == CTL_OK) {
        ctl_label_add(&ctl->pool, message, key, text);
    }
    return exit;
}

enum ctl_exit ctl_option_write(struct ctl *ctl, const char *session, const char *fence,
                               WriteOptions **ret_write)
{
    WriteOptions *write = ctl_message_new(&ctl->pool, &contextd__v1__write_options__descriptor);

    if (session != NULL) {
        if (session[0] == '\0') {
            return ctl_complain(ctl, CTL_USAGE, "--session is empty");
        }
        write->session_id = (char *)session;
    }
    if (fence != NULL) {
        enum ctl_exit exit = ctl_option_number(ctl, "fence", fence, &write->fence);

        if (exit != CTL_OK) {
            return exit;
        }
        if (write->fence == 0) {
            return ctl_complain(ctl, CTL_USAGE, "--fence is above 0: 0 would check nothing");
        }
    }
    *ret_write = session != NULL || fence != NULL ? write : NULL;
    return CTL_OK;
}

enum ctl_exit ctl_option_session(const struct ctl *ctl, const struct ctl_args *args, size_t option,
                                 char **ret_session_id)
{
    const char *session = ctl_args_value(args, option);

    if (session == NULL || session[0] == '\0') {
        return ctl_complain(ctl, CTL_USAGE, "--session is %s: `ctxctl session start` begins one",
                            session == NULL ? "missing" : "empty");
    }
    *ret_session_id = (char *)session;
    return CTL_OK;
}

/* ---- Files. ---------------------------------------------------------------- */

/* Reads to the end. Returns false on an error of the file. */
static bool read_all(FILE *file, char **ret_data, size_t *ret_size)
{
    size_t capacity = 64 * 1024;
    char *data = ctl_realloc(NULL, capacity);
    size_t size = 0;
    size_t got;

    while ((got = fread(data + size, 1, capacity - size, file)) > 0) {
        size += got;
        if (size == capacity) {
            capacity *= 2;
            data = ctl_realloc(data, capacity);
        }
    }
    *ret_data = data;
    *ret_size = size;
    return ferror(file) == 0;
}

enum ctl_exit ctl_read_value(struct ctl *ctl, const char *operand, const char *path,
                             struct ctl_bytes *ret_value)
{
    if (path != NULL && operand != NULL) {
        return ctl_complain(ctl, CTL_USAGE, "the value is given twice: as an argument and --file");
    }
    if (operand != NULL && strcmp(operand, "-") != 0) {
        *ret_value = ctl_bytes_of(operand);
        return CTL_OK;
    }
    return ctl_read_file(ctl, path != NULL ? path : "-", ret_value);
}

enum ctl_exit ctl_read_file(struct ctl *ctl, const char *path, struct ctl_bytes *ret_bytes)
{
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    char *data = NULL;
    size_t size = 0;
    bool read;

    if (file == NULL) {
        return ctl_complain(ctl, CTL_INPUT, "cannot open %s: %s", path, strerror(errno));
    }
    read = read_all(file, &data, &size);
    if (read) {
        *ret_bytes = (struct ctl_bytes){ctl_pool_text(&ctl->pool, data, size), size};
    }
    free(data);
    if (!is_stdin) {
        fclose(file);
    }
    return read ? CTL_OK
                : ctl_complain(ctl, CTL_INPUT, "cannot read %s: %s", path, strerror(errno));
}
