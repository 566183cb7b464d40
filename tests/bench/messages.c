#include "tests/bench/messages.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contextd/v1/tracker.pb-c.h"

/* Where one update lies in its message; what it has not is NOWHERE. */
struct spot {
    size_t name;
    size_t key;
    size_t value;
};

static const size_t NOWHERE = SIZE_MAX;

struct message {
    uint8_t *bytes;
    size_t size;
    size_t value_size;
    size_t spot_count;
    struct spot spots[];
};

/* What stands where a name, a key or a value will be. The byte of a value is none that
 * could end its own length. */
static const char NAME[] = "context-############";
static const char KEY[] = "key-###";
enum { VALUE_BYTE = 0xff };

static_assert(sizeof NAME - 1 == MESSAGE_NAME_SIZE, "names have this size");
static_assert(sizeof KEY - 1 == MESSAGE_KEY_SIZE, "keys have this size");

static void *must_alloc(size_t size)
{
    void *memory = calloc(1, size);

    if (memory == NULL) {
        abort();
    }
    return memory;
}

static uint8_t *value_new(size_t size)
{
    uint8_t *value = must_alloc(size);

    assert(size >= MESSAGE_VALUE_SIZE_MIN);
    memset(value, VALUE_BYTE, size);
    return value;
}

/* ---- Spots. ----------------------------------------------------------------- */

static size_t find(const struct message *message, size_t from, const void *what, size_t size)
{
    const uint8_t *found = memmem(message->bytes + from, message->size - from, what, size);

    return found != NULL ? (size_t)(found - message->bytes) : NOWHERE;
}

/* The next spot behind `from`. A name belongs to the key behind it. */
static struct spot spot_find(const struct message *message, size_t from, const uint8_t *value)
{
    struct spot spot = {
        .name = find(message, from, NAME, MESSAGE_NAME_SIZE),
        .key = find(message, from, KEY, MESSAGE_KEY_SIZE),
    };

    if (spot.key != NOWHERE) {
        spot.value = find(message, spot.key, value, message->value_size);
        spot.name = spot.name < spot.key ? spot.name : NOWHERE;
    } else {
        spot.value = NOWHERE;
    }
    return spot;
}

/* Takes over `bytes`. */
static struct message *message_new(uint8_t *bytes, size_t size, size_t value_size)
{
    struct message *message =
        must_alloc(sizeof *message + MESSAGE_UPDATES_MAX * sizeof message->spots[0]);
    uint8_t *value = value_new(value_size);
    size_t from = 0;

    message->bytes = bytes;
    message->size = size;
    message->value_size = value_size;
    for (;;) {
        struct spot spot = spot_find(message, from, value);

        if (spot.name == NOWHERE && spot.key == NOWHERE) {
            break;
        }
        assert(message->spot_count < MESSAGE_UPDATES_MAX);
        message->spots[message->spot_count++] = spot;
        from = spot.value != NOWHERE ? spot.value + value_size : spot.name + MESSAGE_NAME_SIZE;
    }
    free(value);
    assert(message->spot_count > 0);
    return message;
}

void message_free(struct message *message)
{
    if (message != NULL) {
        free(message->bytes);
        free(message);
    }
}

static void digits_write(uint8_t *at, unsigned count, uint64_t number)
{
    while (count-- > 0) {
        at[count] = (uint8_t)('0' + number % 10);
        number /= 10;
    }
}

static void name_write(uint8_t *at, uint64_t context)
{
    digits_write(at + MESSAGE_NAME_SIZE - 12, 12, context);
}

static void key_write(uint8_t *at, uint64_t key)
{
    digits_write(at + MESSAGE_KEY_SIZE - 3, 3, key);
}

static void spot_set(struct message *message, const struct spot *spot, uint64_t context,
                     uint64_t key, uint8_t fill)
{
    if (spot->name != NOWHERE) {
        name_write(message->bytes + spot->name, context);
    }
    if (spot->key != NOWHERE) {
        key_write(message->bytes + spot->key, key);
    }
    if (spot->value != NOWHERE) {
        uint8_t *value = message->bytes + spot->value;

        memcpy(value, NAME, MESSAGE_NAME_SIZE);
        memcpy(value + MESSAGE_NAME_SIZE, KEY, MESSAGE_KEY_SIZE);
        name_write(value, context);
        key_write(value + MESSAGE_NAME_SIZE, key);
        memset(value + MESSAGE_VALUE_SIZE_MIN, fill, message->value_size - MESSAGE_VALUE_SIZE_MIN);
    }
}

struct cxc_bytes message_random(struct message *message, const struct workload_options *options,
                                uint64_t *seed)
{
    for (size_t i = 0; i < message->spot_count; i++) {
        uint64_t random = workload_random(seed);

        spot_set(message, &message->spots[i], options->offset + (random >> 16) % options->contexts,
                 (random & 0xffff) % options->keys, (uint8_t)('a' + (random >> 56) % 26));
    }
    return (struct cxc_bytes){message->bytes, message->size};
}

struct cxc_bytes message_numbered(struct message *message, const struct workload_options *options,
                                  uint64_t number)
{
    bool has_keys = message->spots[0].key != NOWHERE;

    for (size_t i = 0; i < message->spot_count; i++) {
        uint64_t update = number * message->spot_count + i;
        uint64_t context = has_keys ? update / options->keys : update;

        spot_set(message, &message->spots[i], context, has_keys ? update % options->keys : 0, '.');
    }
    return (struct cxc_bytes){message->bytes, message->size};
}

/* ---- The kinds: contextd's. --------------------------------------------------- */

static struct message *message_pack(const ProtobufCMessage *request, size_t value_size)
{
    size_t size = protobuf_c_message_get_packed_size(request);
    uint8_t *bytes = must_alloc(size);

    protobuf_c_message_pack(request, bytes);
    return message_new(bytes, size, value_size);
}

/* An update of one entry. All share what they are made of: they are packed at once. */
static Contextd__V1__UpdateContextRequest *update_new(size_t value_size)
{
    static Contextd__V1__UpdateContextRequest request;
    static Contextd__V1__Mutation mutation;
    static Contextd__V1__Mutation *mutations[] = {&mutation};
    static Contextd__V1__PutEntry put;

    contextd__v1__put_entry__init(&put);
    put.key = (char *)KEY;
    put.value = (ProtobufCBinaryData){value_size, value_new(value_size)};
    contextd__v1__mutation__init(&mutation);
    mutation.kind_case = CONTEXTD__V1__MUTATION__KIND_PUT_ENTRY;
    mutation.put_entry = &put;
    contextd__v1__update_context_request__init(&request);
    request.context_id = (char *)NAME;
    request.mutations = mutations;
    request.n_mutations = 1;
    return &request;
}

static void update_free(Contextd__V1__UpdateContextRequest *update)
{
    free(update->mutations[0]->put_entry->value.data);
}

struct message *message_new_update(const struct workload_options *options)
{
    Contextd__V1__UpdateContextRequest *update = update_new(options->value_size);
    struct message *message = message_pack(&update->base, options->value_size);

    update_free(update);
    return message;
}

struct message *message_new_batch(const struct workload_options *options)
{
    Contextd__V1__BatchUpdateContextsRequest request =
        CONTEXTD__V1__BATCH_UPDATE_CONTEXTS_REQUEST__INIT;
    Contextd__V1__UpdateContextRequest *updates[MESSAGE_UPDATES_MAX];
    struct message *message;

    assert(options->per_request <= MESSAGE_UPDATES_MAX);
    updates[0] = update_new(options->value_size);
    for (unsigned i = 1; i < options->per_request; i++) {
        updates[i] = updates[0];
    }
    request.requests = updates;
    request.n_requests = options->per_request;
    message = message_pack(&request.base, options->value_size);
    update_free(updates[0]);
    return message;
}

static_assert(CONTEXTD__V1__UPDATE_RESULT__OUTCOME_RESPONSE == 1 &&
                  CONTEXTD__V1__UPDATE_RESULT__OUTCOME_FAILURE == 2,
              "as message_results() takes them apart");

/* A StreamUpdatesRequest has its updates in field 1, as a batch has. */
struct message *message_new_stream(const struct workload_options *options)
{
    return message_new_batch(options);
}

struct message *message_new_get(const struct workload_options *options)
{
    Contextd__V1__GetContextRequest request = CONTEXTD__V1__GET_CONTEXT_REQUEST__INIT;
    Contextd__V1__StateRef state = CONTEXTD__V1__STATE_REF__INIT;

    state.context_id = (char *)NAME;
    request.state = &state;
    return message_pack(&request.base, options->value_size);
}

struct message *message_new_create(const struct workload_options *options)
{
    Contextd__V1__CreateContextRequest request = CONTEXTD__V1__CREATE_CONTEXT_REQUEST__INIT;
    Contextd__V1__UpdateContextRequest *update = update_new(options->value_size);
    Contextd__V1__Mutation *mutations[MESSAGE_UPDATES_MAX];
    struct message *message;

    assert(options->keys <= MESSAGE_UPDATES_MAX);
    for (unsigned i = 0; i < options->keys; i++) {
        mutations[i] = update->mutations[0];
    }
    request.context_id = (char *)NAME;
    request.mutations = mutations;
    request.n_mutations = options->keys;
    message = message_pack(&request.base, options->value_size);
    update_free(update);
    return message;
}

/* ---- The kinds: histories. ---------------------------------------------------- */

static Contextd__V1__Activity *activity_new(size_t value_size)
{
    static Contextd__V1__Activity activity;

    contextd__v1__activity__init(&activity);
    activity.type = (char *)"message";
    activity.data = (ProtobufCBinaryData){value_size, value_new(value_size)};
    return &activity;
}

/* Several activities of one context in a request. */
struct message *message_new_record(const struct workload_options *options)
{
    Contextd__V1__RecordActivitiesRequest request = CONTEXTD__V1__RECORD_ACTIVITIES_REQUEST__INIT;
    Contextd__V1__Activity *activities[MESSAGE_UPDATES_MAX];
    struct message *message;

    assert(options->per_request <= MESSAGE_UPDATES_MAX);
    activities[0] = activity_new(options->value_size);
    for (unsigned i = 1; i < options->per_request; i++) {
        activities[i] = activities[0];
    }
    request.context_id = (char *)NAME;
    request.activities = activities;
    request.n_activities = options->per_request;
    message = message_pack(&request.base, options->value_size);
    free(activities[0]->data.data);
    return message;
}

/* A batch of updates that record an activity each. */
struct message *message_new_record_batch(const struct workload_options *options)
{
    Contextd__V1__BatchUpdateContextsRequest request =
        CONTEXTD__V1__BATCH_UPDATE_CONTEXTS_REQUEST__INIT;
    Contextd__V1__UpdateContextRequest *updates[MESSAGE_UPDATES_MAX];
    Contextd__V1__UpdateContextRequest update = CONTEXTD__V1__UPDATE_CONTEXT_REQUEST__INIT;
    Contextd__V1__Mutation mutation = CONTEXTD__V1__MUTATION__INIT;
    Contextd__V1__Mutation *mutations[] = {&mutation};
    struct message *message;

    assert(options->per_request <= MESSAGE_UPDATES_MAX);
    mutation.kind_case = CONTEXTD__V1__MUTATION__KIND_RECORD_ACTIVITY;
    mutation.record_activity = activity_new(options->value_size);
    update.context_id = (char *)NAME;
    update.mutations = mutations;
    update.n_mutations = 1;
    for (unsigned i = 0; i < options->per_request; i++) {
        updates[i] = &update;
    }
    request.requests = updates;
    request.n_requests = options->per_request;
    message = message_pack(&request.base, options->value_size);
    free(mutation.record_activity->data.data);
    return message;
}

static struct message *page_new(const struct workload_options *options, bool newest)
{
    Contextd__V1__ListActivitiesRequest request = CONTEXTD__V1__LIST_ACTIVITIES_REQUEST__INIT;

    request.context_id = (char *)NAME;
    request.page_size = (int32_t)options->per_request;
    request.newest_first = newest;
    request.from_sequence = newest ? 0 : options->first;
    return message_pack(&request.base, options->value_size);
}

/* The newest activities of a context, or those from `first` on. */
struct message *message_new_newest(const struct workload_options *options)
{
    return page_new(options, true);
}

struct message *message_new_middle(const struct workload_options *options)
{
    return page_new(options, false);
}

/* ---- The kinds: the others'. --------------------------------------------------- */

static size_t varint_write(uint8_t *at, uint64_t number)
{
    size_t size = 0;

    for (; number >= 0x80; number >>= 7) {
        at[size++] = (uint8_t)(number | 0x80);
    }
    at[size++] = (uint8_t)number;
    return size;
}

/* Field 1 is the key, field 2 the value. */
struct message *message_new_etcd_put(const struct workload_options *options)
{
    uint8_t *bytes = must_alloc(options->value_size + 64);
    size_t size = 0;

    bytes[size++] = 1 << 3 | 2;
    size += varint_write(bytes + size, MESSAGE_NAME_SIZE + 1 + MESSAGE_KEY_SIZE);
    size += (size_t)sprintf((char *)bytes + size, "%s/%s", NAME, KEY);
    bytes[size++] = 2 << 3 | 2;
    size += varint_write(bytes + size, options->value_size);
    memset(bytes + size, VALUE_BYTE, options->value_size);
    return message_new(bytes, size + options->value_size, options->value_size);
}

/* HSET of one field, as often as the pipeline is long. */
struct message *message_new_redis(const struct workload_options *options)
{
    uint8_t *bytes = must_alloc(options->per_request * (options->value_size + 128));
    size_t size = 0;

    assert(options->per_request <= MESSAGE_UPDATES_MAX);
    for (unsigned i = 0; i < options->per_request; i++) {
        size += (size_t)sprintf(
            (char *)bytes + size, "*4\r\n$4\r\nHSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n$%zu\r\n",
            MESSAGE_NAME_SIZE, NAME, MESSAGE_KEY_SIZE, KEY, options->value_size);
        memset(bytes + size, VALUE_BYTE, options->value_size);
        size += options->value_size;
        size += (size_t)sprintf((char *)bytes + size, "\r\n");
    }
    return message_new(bytes, size, options->value_size);
}

/* ---- Answers. ------------------------------------------------------------------ */

/* Reads the head of a field that has a length. Returns the field's number, 0 when it is
 * none; *at is then at its bytes. */
static unsigned field_read(const uint8_t **at, const uint8_t *end, size_t *ret_size)
{
    unsigned tag = *at < end ? *(*at)++ : 0;
    size_t size = 0;

    for (unsigned shift = 0; *at < end && shift < 63; shift += 7) {
        uint8_t byte = *(*at)++;

        size |= (size_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_size = size;
            return (tag & 7) == 2 && size <= (size_t)(end - *at) ? tag >> 3 : 0;
        }
    }
    return 0;
}

uint64_t message_results(struct cxc_bytes response, uint64_t *ret_failed)
{
    const uint8_t *at = response.data;
    const uint8_t *end = at + response.size;
    uint64_t count = 0;
    size_t size;

    *ret_failed = 0;
    while (at < end && field_read(&at, end, &size) == 1) {
        const uint8_t *inner = at;
        size_t inner_size;

        count++;
        *ret_failed += field_read(&inner, at + size, &inner_size) != 1;
        at += size;
    }
    *ret_failed += at < end; /* Not such a message at all. */
    return count;
}

static bool is_value(ProtobufCBinaryData value, const uint8_t *name, const char *key, size_t size)
{
    bool belongs = value.len == size && memcmp(value.data, name, MESSAGE_NAME_SIZE) == 0 &&
                   memcmp(value.data + MESSAGE_NAME_SIZE, key, MESSAGE_KEY_SIZE) == 0;

    for (size_t i = MESSAGE_VALUE_SIZE_MIN + 1; belongs && i < size; i++) {
        belongs = value.data[i] == value.data[MESSAGE_VALUE_SIZE_MIN];
    }
    return belongs;
}

bool message_is_context(const Contextd__V1__Context *context,
                        const struct workload_options *options, uint64_t number)
{
    uint8_t name[] = "context-############";

    name_write(name, number);
    if (context == NULL || strcmp(context->id, (const char *)name) != 0 ||
        context->n_entries != options->keys || context->entry_count != options->keys) {
        return false;
    }
    for (size_t i = 0; i < context->n_entries; i++) {
        uint8_t key[] = "key-###";

        key_write(key, i);
        if (strcmp(context->entries[i]->key, (const char *)key) != 0 ||
            !is_value(context->entries[i]->value, name, (const char *)key, options->value_size)) {
            return false;
        }
    }
    return true;
}
