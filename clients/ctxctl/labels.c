#include "clients/ctxctl/labels.h"

#include <assert.h>
#include <string.h>

#include "clients/ctxctl/output.h"
#include "clients/ctxctl/request.h"

/* What protobuf numbers the fields of a map's entries. */
enum { LABEL_KEY = 1, LABEL_VALUE = 2 };

struct labels {
    ProtobufCMessage **items;
    size_t count;
};

static const ProtobufCFieldDescriptor *labels_field(const ProtobufCMessage *message)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, "metadata");

    assert(field != NULL && field->label == PROTOBUF_C_LABEL_REPEATED);
    return field;
}

/* The pointer is copied as bytes: its type differs from message to message. */
static struct labels labels_get(const ProtobufCMessage *message)
{
    const ProtobufCFieldDescriptor *field = labels_field(message);
    struct labels labels;

    memcpy(&labels.items, (const char *)message + field->offset, sizeof labels.items);
    memcpy(&labels.count, (const char *)message + field->quantifier_offset, sizeof labels.count);
    return labels;
}

static char **label_part(ProtobufCMessage *label, unsigned number)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(label->descriptor, number);

    return (char **)((char *)label + field->offset);
}

void ctl_label_add(struct ctl_pool *pool, ProtobufCMessage *message, const char *key,
                   const char *value)
{
    const ProtobufCFieldDescriptor *field = labels_field(message);
    struct labels labels = labels_get(message);
    struct ctl_list list = {(void **)labels.items, labels.count, labels.count};
    ProtobufCMessage *label = ctl_message_new(pool, field->descriptor);

    *label_part(label, LABEL_KEY) = (char *)key;
    *label_part(label, LABEL_VALUE) = (char *)value;
    ctl_list_add(pool, &list, label);
    memcpy((char *)message + field->offset, &list.items, sizeof list.items);
    memcpy((char *)message + field->quantifier_offset, &list.count, sizeof list.count);
}

json_t *ctl_labels_json(const ProtobufCMessage *message)
{
    struct labels labels = labels_get(message);
    json_t *object = json_object();

    for (size_t i = 0; i < labels.count; i++) {
        json_object_set_new(object, *label_part(labels.items[i], LABEL_KEY),
                            json_string(*label_part(labels.items[i], LABEL_VALUE)));
    }
    return object;
}

char *ctl_labels_text(struct ctl_pool *pool, const ProtobufCMessage *message)
{
    struct labels labels = labels_get(message);
    char *text = ctl_pool_text(pool, "", 0);

    for (size_t i = 0; i < labels.count; i++) {
        text = ctl_pool_format(pool, "%s%s%s=%s", text, i > 0 ? " " : "",
                               ctl_text_line(pool, *label_part(labels.items[i], LABEL_KEY)),
                               ctl_text_line(pool, *label_part(labels.items[i], LABEL_VALUE)));
    }
    return text;
}
