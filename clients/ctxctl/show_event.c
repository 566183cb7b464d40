#include "clients/ctxctl/show_event.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "clients/ctxctl/output.h"
#include "clients/ctxctl/show.h"
#include "clients/ctxctl/show_mutation.h"
#include "clients/ctxctl/show_session.h"
#include "clients/ctxctl/state.h"

#define TYPE(name) CONTEXTD__V1__EVENT_TYPE__EVENT_TYPE_##name

enum {
    TYPE_COLUMN = 22, /* The longest of them. */
    ID_COLUMN = 16,
    PLACE_COLUMN = 12,
    PHRASES_MAX = 8, /* Of one event; the others are counted. */
};

static const char PREFIX[] = "EVENT_TYPE_";

/* ---- Types. ---------------------------------------------------------------- */

/* The name that the API has for a type, in the words of ctxctl. */
static char *type_name(struct ctl_pool *pool, const ProtobufCEnumValue *value)
{
    const char *api_name = value->name + strlen(PREFIX);
    char *name = ctl_pool_text(pool, api_name, strlen(api_name));

    for (char *at = name; *at != '\0'; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    return name;
}

char *ctl_event_name(struct ctl_pool *pool, EventType type)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(&contextd__v1__event_type__descriptor, (int)type);

    return value != NULL ? type_name(pool, value) : ctl_pool_format(pool, "type_%d", (int)type);
}

bool ctl_event_find(const char *name, EventType *ret_type)
{
    const ProtobufCEnumDescriptor *types = &contextd__v1__event_type__descriptor;
    struct ctl_pool pool = {0};
    bool found = false;

    for (unsigned i = 1; i < types->n_values && !found; i++) { /* The first is no type. */
        found = strcmp(type_name(&pool, &types->values[i]), name) == 0;
        if (found) {
            *ret_type = (EventType)types->values[i].value;
        }
    }
    ctl_pool_done(&pool);
    return found;
}

char *ctl_event_names(struct ctl_pool *pool)
{
    const ProtobufCEnumDescriptor *types = &contextd__v1__event_type__descriptor;
    char *names = type_name(pool, &types->values[1]);

    for (unsigned i = 2; i < types->n_values; i++) {
        names = ctl_pool_format(pool, "%s, %s", names, type_name(pool, &types->values[i]));
    }
    return names;
}

bool ctl_event_is_of_session(EventType type)
{
    return type == TYPE(SESSION_STARTED) || type == TYPE(SESSION_SWITCHED) ||
           type == TYPE(SESSION_ENDED) || type == TYPE(SESSION_LOST);
}

/* ---- Text. ----------------------------------------------------------------- */

/* What happened, phrase by phrase. */
struct phrases {
    struct ctl_pool *pool;
    char *text;
    size_t count;
};

static void phrase_add(struct phrases *phrases, const char *phrase)
{
    if (phrase[0] != '\0' && phrases->count++ < PHRASES_MAX) {
        phrases->text = ctl_pool_format(phrases->pool, "%s%s%s", phrases->text,
                                        phrases->text[0] != '\0' ? ", " : "", phrase);
    }
}

/* A phrase that is a word and a text, unless there is no text. */
static void phrase_add_about(struct phrases *phrases, const char *word, const char *text)
{
    if (text[0] != '\0') {
        phrase_add(phrases,
                   ctl_pool_format(phrases->pool, "%s%s%s", word, word[0] != '\0' ? " " : "",
                                   ctl_text_line(phrases->pool, text)));
    }
}

/* Puts a word or two behind all phrases, without a comma. */
static void phrases_end(struct phrases *phrases, const char *words)
{
    phrases->text = ctl_pool_format(phrases->pool, "%s%s%s", phrases->text,
                                    phrases->text[0] != '\0' ? " " : "", words);
}

static void contents_add(struct phrases *phrases, const Context *context)
{
    phrase_add(phrases, ctl_pool_format(phrases->pool, "%" PRIu64 " %s", context->entry_count,
                                        context->entry_count == 1 ? "entry" : "entries"));
    phrase_add(phrases, ctl_text_size(phrases->pool, context->size_bytes));
}

static const char *source_text(struct ctl_pool *pool, const StateRef *state)
{
    return state != NULL ? ctl_pool_format(pool, "from %s", ctl_state_text(pool, state)) : "";
}

static void labels_add(struct phrases *phrases, const Context *context)
{
    for (size_t i = 0; i < context->n_metadata; i++) {
        phrase_add(phrases,
                   ctl_pool_format(phrases->pool, "label %s=%s",
                                   ctl_text_line(phrases->pool, context->metadata[i]->key),
                                   ctl_text_line(phrases->pool, context->metadata[i]->value)));
    }
}

static void activation_add(struct phrases *phrases, const Activation *activation)
{
    phrase_add(phrases, activation->exclusive ? "exclusive" : "shared");
    if (activation->fence > 0) {
        phrase_add(phrases, ctl_pool_format(phrases->pool, "fence %" PRIu64, activation->fence));
    }
}

static void range_add(struct phrases *phrases, const SequenceRange *range)
{
    phrase_add(phrases, range->first == range->last
                            ? ctl_pool_format(phrases->pool, "%" PRIu64, range->first)
                            : ctl_pool_format(phrases->pool, "%" PRIu64 "-%" PRIu64, range->first,
                                              range->last));
}

/* What an event of this type says besides its steps. */
static void type_add(struct phrases *phrases, const Event *event)
{
    static const Context no_context = CONTEXTD__V1__CONTEXT__INIT;
    static const Session no_session = CONTEXTD__V1__SESSION__INIT;
    static const Activation no_activation = CONTEXTD__V1__ACTIVATION__INIT;
    const Context *context = event->context != NULL ? event->context : &no_context;
    const Session *session = event->session != NULL ? event->session : &no_session;

    switch (event->type) {
    case TYPE(CREATED):
        phrase_add_about(phrases, "type", context->type);
        phrase_add_about(phrases, "below", context->parent_id);
        labels_add(phrases, context);
        break;
    case TYPE(FORKED):
        phrase_add(phrases, source_text(phrases->pool, context->forked_from));
        phrase_add_about(phrases, "below", context->parent_id);
        contents_add(phrases, context);
        labels_add(phrases, context);
        break;
    case TYPE(SNAPSHOT):
        contents_add(phrases, context);
        labels_add(phrases, context);
        break;
    case TYPE(DELETED):
    case TYPE(EXPIRED):
        contents_add(phrases, context);
        break;
    case TYPE(ACTIVATED):
        activation_add(phrases, event->activation != NULL ? event->activation : &no_activation);
        break;
    case TYPE(SESSION_SWITCHED):
        phrase_add_about(phrases, "to",
                         session->current_context_id[0] != '\0' ? session->current_context_id
                                                                : "none");
        break;
    case TYPE(SESSION_STARTED):
    case TYPE(SESSION_ENDED):
    case TYPE(SESSION_LOST):
        phrase_add_about(phrases, "owner", session->owner);
        break;
    default:
        break;
    }
}

/* Whether a step made what the context of the event has shown already: the labels that it
 * begins with. */
static bool is_told(const Event *event, const Mutation *mutation)
{
    return event->type == TYPE(CREATED) &&
           (mutation->kind_case == CONTEXTD__V1__MUTATION__KIND_SET_METADATA ||
            mutation->kind_case == CONTEXTD__V1__MUTATION__KIND_DELETE_METADATA);
}

char *ctl_event_text(struct ctl_pool *pool, const Event *event, bool with_values)
{
    struct phrases phrases = {.pool = pool, .text = ""};

    type_add(&phrases, event);
    for (size_t i = 0; i < event->n_mutations; i++) {
        if (!is_told(event, event->mutations[i])) {
            phrase_add(&phrases, ctl_mutation_text(pool, event->mutations[i], with_values));
        }
    }
    for (size_t i = 0; i < event->n_entries; i++) {
        phrase_add(&phrases, ctl_value_text(pool, event->entries[i]->key, &event->entries[i]->value,
                                            with_values));
    }
    for (size_t i = 0; i < event->n_trimmed; i++) {
        range_add(&phrases, event->trimmed[i]);
    }
    phrase_add_about(&phrases, "recovery point", event->recovery_point_id);
    if (event->reset) {
        phrase_add(&phrases, "reset: read it anew");
    }
    if (phrases.count > PHRASES_MAX) {
        phrases_end(&phrases, ctl_pool_format(pool, "and %zu more", phrases.count - PHRASES_MAX));
    }
    if (event->session_id[0] != '\0' && !ctl_event_is_of_session(event->type)) {
        phrases_end(&phrases,
                    ctl_pool_format(pool, "by %s", ctl_text_line(pool, event->session_id)));
    }
    if (event->more) {
        phrases_end(&phrases, "...");
    }
    return phrases.text;
}

/* The text and blanks up to the column. */
static char *padded(struct ctl_pool *pool, const char *text, size_t width)
{
    size_t taken = ctl_text_width(text);

    return ctl_pool_format(pool, "%s%*s", text, (int)(taken < width ? width - taken : 0), "");
}

/* The context or session that the event is of. */
static const char *subject(const Event *event)
{
    if (event->context != NULL) {
        return event->context->id;
    }
    if (event->session != NULL) {
        return event->session->id;
    }
    return event->activation != NULL ? event->activation->context_id : event->session_id;
}

/* Where the event stands: `v7 r1203`. */
static char *place(struct ctl_pool *pool, const Event *event)
{
    return event->context != NULL ? ctl_pool_format(pool, "v%" PRIu64 " r%" PRIu64,
                                                    event->context->version, event->revision)
                                  : ctl_pool_format(pool, "r%" PRIu64, event->revision);
}

void ctl_event_print(const struct ctl *ctl, const Event *event, bool with_values)
{
    struct ctl_pool pool = {0};
    const char *type = ctl_event_name(&pool, event->type);
    const char *text = ctl_event_text(&pool, event, with_values);
    const char *where = place(&pool, event);

    printf("%s%s%s  %s%s%s  %s  %s%s%s\n", ctl_color_on(ctl, stdout, CTL_DIM),
           ctl_text_time(&pool, event->time, false), ctl_color_off(ctl, stdout),
           ctl_color_on(ctl, stdout, CTL_BOLD), padded(&pool, type, TYPE_COLUMN),
           ctl_color_off(ctl, stdout),
           padded(&pool, ctl_text_line(&pool, subject(event)), ID_COLUMN),
           text[0] != '\0' ? padded(&pool, where, PLACE_COLUMN) : where,
           text[0] != '\0' ? "  " : "", text);
    ctl_pool_done(&pool);
}

/* ---- JSON. ----------------------------------------------------------------- */

/* Sets an array, unless it is empty; releases it otherwise. */
static void set_array(json_t *object, const char *name, json_t *array)
{
    if (json_array_size(array) > 0) {
        json_object_set_new(object, name, array);
    } else {
        json_decref(array);
    }
}

static json_t *mutations_json(const Event *event, bool with_values)
{
    json_t *array = json_array();

    for (size_t i = 0; i < event->n_mutations; i++) {
        json_array_append_new(array, ctl_mutation_json(event->mutations[i], with_values));
    }
    return array;
}

static json_t *entries_json(const Event *event, bool with_values)
{
    json_t *array = json_array();

    for (size_t i = 0; i < event->n_entries; i++) {
        json_array_append_new(array, ctl_entry_json(event->entries[i], with_values));
    }
    return array;
}

static json_t *trimmed_json(const Event *event)
{
    json_t *array = json_array();

    for (size_t i = 0; i < event->n_trimmed; i++) {
        json_t *range = json_object();

        ctl_json_set_number(range, "first", event->trimmed[i]->first);
        ctl_json_set_number(range, "last", event->trimmed[i]->last);
        json_array_append_new(array, range);
    }
    return array;
}

/* Of an activation that has ended, just the context is told. */
static json_t *activation_json(const Event *event)
{
    return event->type == TYPE(DEACTIVATED)
               ? json_pack("{s:s}", "context_id", event->activation->context_id)
               : ctl_activation_json(event->activation);
}

json_t *ctl_event_json(const Event *event, bool with_values)
{
    struct ctl_pool pool = {0};
    json_t *object = json_pack("{s:s}", "type", ctl_event_name(&pool, event->type));

    ctl_json_set_text(object, "cursor", event->cursor);
    ctl_json_set_number(object, "revision", event->revision);
    ctl_json_set_time(object, "time", event->time);
    if (event->context != NULL) {
        json_object_set_new(object, "context", ctl_context_json(event->context, false));
    }
    set_array(object, "mutations", mutations_json(event, with_values));
    set_array(object, "entries", entries_json(event, with_values));
    set_array(object, "trimmed", trimmed_json(event));
    if (event->session != NULL) {
        json_object_set_new(object, "session", ctl_session_json(event->session));
    }
    if (event->activation != NULL) {
        json_object_set_new(object, "activation", activation_json(event));
    }
    ctl_json_set_text(object, "session_id", event->session_id);
    ctl_json_set_text(object, "recovery_point_id", event->recovery_point_id);
    if (event->reset) {
        json_object_set_new(object, "reset", json_true());
    }
    if (event->more) {
        json_object_set_new(object, "more", json_true());
    }
    ctl_pool_done(&pool);
    return object;
}
