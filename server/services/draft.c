#include "server/services/draft.h"

#include <string.h>

#include "server/services/convert_time.h"

void *cx_draft_alloc(struct cx_draft *draft, size_t size)
{
    void *memory = cx_allocator_alloc(&draft->memory, size > 0 ? size : 1);

    draft->failed = draft->failed || memory == NULL;
    return memory;
}

char *cx_draft_text(struct cx_draft *draft, struct cx_bytes bytes)
{
    char *text;

    if (bytes.size == 0) {
        return (char *)protobuf_c_empty_string;
    }
    text = cx_draft_alloc(draft, bytes.size + 1);
    if (text == NULL) {
        return (char *)protobuf_c_empty_string;
    }
    memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    return text;
}

Timestamp *cx_draft_time(struct cx_draft *draft, int64_t time_us)
{
    Timestamp *time = cx_draft_alloc(draft, sizeof *time);

    return time != NULL ? cx_time_message(time, time_us) : NULL;
}

void *cx_draft_labels(struct cx_draft *draft, const ProtobufCMessageDescriptor *type,
                      const struct cx_label *labels, size_t count, size_t *ret_count)
{
    Label *entries;
    Label **pointers;

    *ret_count = 0;
    if (count == 0) {
        return NULL;
    }
    entries = cx_draft_alloc(draft, count * sizeof *entries);
    pointers = cx_draft_alloc(draft, count * sizeof(Label *));
    if (entries == NULL || pointers == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        protobuf_c_message_init(type, &entries[i]);
        entries[i].key = cx_draft_text(draft, labels[i].key);
        entries[i].value = cx_draft_text(draft, labels[i].value);
        pointers[i] = &entries[i];
    }
    *ret_count = count;
    return pointers;
}
