#include "clients/ctxctl/show_session.h"

#include <inttypes.h>
#include <string.h>

#include "clients/ctxctl/labels.h"
#include "clients/ctxctl/output.h"
#include "clients/ctxctl/show.h"

int64_t ctl_duration_us(const Duration *duration)
{
    const int64_t seconds_max = INT64_MAX / 1000000 - 1;

    if (duration == NULL) {
        return 0;
    }
    return duration->seconds < seconds_max ? duration->seconds * 1000000 + duration->nanos / 1000
                                           : INT64_MAX;
}

/* ---- JSON. ----------------------------------------------------------------- */

json_t *ctl_activation_json(const Activation *activation)
{
    json_t *object = json_object();

    ctl_json_set_text(object, "context_id", activation->context_id);
    json_object_set_new(object, "exclusive", json_boolean(activation->exclusive));
    if (activation->fence > 0) {
        ctl_json_set_number(object, "fence", activation->fence);
    }
    ctl_json_set_time(object, "time", activation->time);
    return object;
}

json_t *ctl_session_json(const Session *session)
{
    json_t *object = json_object();
    json_t *activations = json_array();

    ctl_json_set_text(object, "namespace", session->namespace_);
    ctl_json_set_text(object, "id", session->id);
    ctl_json_set_text(object, "owner", session->owner);
    json_object_set_new(object, "metadata", ctl_labels_json(&session->base));
    ctl_json_set_time(object, "create_time", session->create_time);
    ctl_json_set_time(object, "expire_time", session->expire_time);
    for (size_t i = 0; i < session->n_activations; i++) {
        json_array_append_new(activations, ctl_activation_json(session->activations[i]));
    }
    json_object_set_new(object, "activations", activations);
    ctl_json_set_text(object, "current_context_id", session->current_context_id);
    return object;
}

json_t *ctl_resource_json(const Resource *resource)
{
    json_t *object = json_object();

    ctl_json_set_text(object, "name", resource->name);
    ctl_json_set_text(object, "type", resource->type);
    ctl_json_set_text(object, "session_id", resource->session_id);
    json_object_set_new(object, "metadata", ctl_labels_json(&resource->base));
    ctl_json_set_time(object, "time", resource->time);
    return object;
}

static json_t *file_json(const FileOperation *file)
{
    json_t *object = json_object();

    ctl_json_set_text(object, "path", file->path);
    ctl_json_set_text(object, "operation", file->operation);
    ctl_json_set_text(object, "source", file->source);
    return object;
}

static json_t *model_json(const ModelUsage *usage)
{
    json_t *object = json_object();

    ctl_json_set_text(object, "provider", usage->provider);
    ctl_json_set_text(object, "model", usage->model);
    ctl_json_set_text(object, "mode", usage->mode);
    ctl_json_set_number(object, "input_tokens", usage->input_tokens);
    ctl_json_set_number(object, "output_tokens", usage->output_tokens);
    ctl_json_set_number(object, "cached_tokens", usage->cached_tokens);
    ctl_json_set_number(object, "cost_micros", usage->cost_micros);
    ctl_json_set_text(object, "currency", usage->currency);
    ctl_json_set_number(object, "latency_us", (uint64_t)ctl_duration_us(usage->latency));
    return object;
}

static const char *step_name(const ResourceEvent *event)
{
    switch (event->kind) {
    case CONTEXTD__V1__RESOURCE_EVENT__KIND__KIND_ACQUIRED:
        return "acquired";
    case CONTEXTD__V1__RESOURCE_EVENT__KIND__KIND_RELEASED:
        return "released";
    case CONTEXTD__V1__RESOURCE_EVENT__KIND__KIND_RECLAIMED:
        return "reclaimed";
    default:
        return "";
    }
}

static json_t *event_json(const ResourceEvent *event)
{
    json_t *object = json_object();

    ctl_json_set_text(object, "name", event->name);
    ctl_json_set_text(object, "type", event->type);
    ctl_json_set_text(object, "kind", step_name(event));
    return object;
}

json_t *ctl_activity_json(const Activity *activity)
{
    json_t *object = json_object();

    ctl_json_set_number(object, "sequence", activity->sequence);
    ctl_json_set_time(object, "time", activity->time);
    ctl_json_set_text(object, "type", activity->type);
    if (activity->data.len > 0) {
        json_object_set_new(object, "data",
                            ctl_json_bytes(activity->data.data, activity->data.len));
    }
    ctl_json_set_text(object, "content_type", activity->content_type);
    json_object_set_new(object, "metadata", ctl_labels_json(&activity->base));
    ctl_json_set_text(object, "session_id", activity->session_id);
    switch (activity->detail_case) {
    case CONTEXTD__V1__ACTIVITY__DETAIL_FILE:
        json_object_set_new(object, "file", file_json(activity->file));
        break;
    case CONTEXTD__V1__ACTIVITY__DETAIL_MODEL:
        json_object_set_new(object, "model", model_json(activity->model));
        break;
    case CONTEXTD__V1__ACTIVITY__DETAIL_RESOURCE:
        json_object_set_new(object, "resource", event_json(activity->resource));
        break;
    default:
        break;
    }
    return object;
}

/* ---- Text. ----------------------------------------------------------------- */

/* The parts that are not empty, with blanks between them. */
static char *joined(struct ctl_pool *pool, const char *const *parts, size_t count)
{
    char *text = ctl_pool_text(pool, "", 0);

    for (size_t i = 0; i < count; i++) {
        if (parts[i][0] != '\0') {
            text = ctl_pool_format(pool, "%s%s%s", text, text[0] != '\0' ? " " : "", parts[i]);
        }
    }
    return text;
}

static char *file_text(struct ctl_pool *pool, const FileOperation *file)
{
    const char *source = file->source[0] != '\0'
                             ? ctl_pool_format(pool, "(%s)", ctl_text_line(pool, file->source))
                             : "";
    const char *parts[] = {ctl_text_line(pool, file->operation), ctl_text_line(pool, file->path),
                           source};

    return joined(pool, parts, sizeof parts / sizeof parts[0]);
}

static char *model_text(struct ctl_pool *pool, const ModelUsage *usage)
{
    const char *parts[] = {
        ctl_text_line(pool, usage->provider),
        ctl_text_line(pool, usage->model),
        ctl_text_line(pool, usage->mode),
        ctl_pool_format(pool, "%" PRIu64 " in", usage->input_tokens),
        ctl_pool_format(pool, "%" PRIu64 " out", usage->output_tokens),
        usage->cached_tokens > 0 ? ctl_pool_format(pool, "%" PRIu64 " cached", usage->cached_tokens)
                                 : "",
        usage->cost_micros > 0
            ? ctl_pool_format(pool, "%s %s", ctl_text_micros(pool, usage->cost_micros),
                              ctl_text_line(pool, usage->currency))
            : "",
        ctl_duration_us(usage->latency) > 0 ? ctl_text_duration(pool, usage->latency) : "",
    };

    return joined(pool, parts, sizeof parts / sizeof parts[0]);
}

static char *event_text(struct ctl_pool *pool, const ResourceEvent *event)
{
    const char *parts[] = {step_name(event), ctl_text_line(pool, event->type),
                           ctl_text_line(pool, event->name)};

    return joined(pool, parts, sizeof parts / sizeof parts[0]);
}

static char *detail_text(struct ctl_pool *pool, const Activity *activity)
{
    switch (activity->detail_case) {
    case CONTEXTD__V1__ACTIVITY__DETAIL_FILE:
        return file_text(pool, activity->file);
    case CONTEXTD__V1__ACTIVITY__DETAIL_MODEL:
        return model_text(pool, activity->model);
    case CONTEXTD__V1__ACTIVITY__DETAIL_RESOURCE:
        return event_text(pool, activity->resource);
    default:
        return "";
    }
}

char *ctl_activity_text(struct ctl_pool *pool, const Activity *activity)
{
    struct ctl_pool scratch = {0}; /* A long history has many, and previews take more than
                                    * they show. */
    const char *parts[] = {
        detail_text(&scratch, activity),
        ctl_text_escape(&scratch, activity->data.data, activity->data.len, CTL_PREVIEW_WIDTH),
    };
    const char *text = joined(&scratch, parts, sizeof parts / sizeof parts[0]);
    char *kept = ctl_pool_text(pool, text, strlen(text));

    ctl_pool_done(&scratch);
    return kept;
}

static void activations_print(struct ctl *ctl, const Session *session)
{
    struct ctl_pool *pool = &ctl->pool;
    struct ctl_table table;

    ctl_table_init(&table, pool, "CONTEXT,HOW,FENCE>,SINCE");
    for (size_t i = 0; i < session->n_activations; i++) {
        const Activation *activation = session->activations[i];

        ctl_table_add(&table,
                      (const char *[]){ctl_text_line(pool, activation->context_id),
                                       activation->exclusive ? "exclusive" : "shared",
                                       activation->exclusive
                                           ? ctl_pool_format(pool, "%" PRIu64, activation->fence)
                                           : "",
                                       ctl_text_time(pool, activation->time, false)});
    }
    putchar('\n');
    ctl_table_print(ctl, &table, stdout);
}

void ctl_session_print(struct ctl *ctl, const Session *session)
{
    struct ctl_pool *pool = &ctl->pool;

    ctl_property_print(ctl, "id", ctl_text_line(pool, session->id));
    ctl_property_print(ctl, "namespace", ctl_text_line(pool, session->namespace_));
    ctl_property_print(ctl, "owner", ctl_text_line(pool, session->owner));
    ctl_property_print(ctl, "started", ctl_text_time(pool, session->create_time, false));
    ctl_property_print(ctl, "expires", ctl_text_time(pool, session->expire_time, false));
    ctl_property_print(ctl, "labels", ctl_labels_text(pool, &session->base));
    ctl_property_print(ctl, "current", ctl_text_line(pool, session->current_context_id));
    if (session->n_activations > 0) {
        activations_print(ctl, session);
    }
}
