#include "server/rpc/status_details.h"

#include <assert.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"

#define DOMAIN "contextd"
#define TYPE_URL_PREFIX "type.googleapis.com/"

/* Copies `text` as a C string of valid UTF-8 and returns where the next may go. */
static char *copy_text(char *to, struct cx_bytes text)
{
    while (text.size > 0) {
        size_t size = 1;

        while (size < 4 && size < text.size && (text.data[size] & 0xC0) == 0x80) {
            size++;
        }
        if (cx_text_is_utf8((struct cx_bytes){text.data, size})) {
            memcpy(to, text.data, size);
            to += size;
        } else {
            *to++ = '?';
        }
        text.data += size;
        text.size -= size;
    }
    *to++ = '\0';
    return to;
}

/* Packs `message` to `memory` as the content of an Any. */
static Google__Protobuf__Any any_pack(const char *type_url, const ProtobufCMessage *message,
                                      uint8_t *memory, size_t size_max)
{
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    size_t size = protobuf_c_message_get_packed_size(message);

    assert(size <= size_max);
    (void)size_max;
    any.type_url = (char *)type_url;
    any.value.data = memory;
    any.value.len = protobuf_c_message_pack(message, memory);
    assert(any.value.len == size);
    return any;
}

static Google__Protobuf__Any any_error_info(const struct cx_error *error, uint8_t *memory,
                                            size_t size_max)
{
    Google__Rpc__ErrorInfo__MetadataEntry entries[CX_ERROR_DETAILS_MAX];
    Google__Rpc__ErrorInfo__MetadataEntry *list[CX_ERROR_DETAILS_MAX];
    Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
    char texts[CX_ERROR_TEXT_MAX + CX_ERROR_DETAILS_MAX];
    char *end = texts;

    for (size_t i = 0; i < error->detail_count; i++) {
        google__rpc__error_info__metadata_entry__init(&entries[i]);
        entries[i].key = (char *)error->details[i].key;
        entries[i].value = end;
        end = copy_text(end, cx_error_detail_get(error, error->details[i].key));
        list[i] = &entries[i];
    }
    info.reason = (char *)cx_reason_name(error->reason);
    info.domain = (char *)DOMAIN;
    info.n_metadata = error->detail_count;
    info.metadata = list;
    return any_pack(TYPE_URL_PREFIX "google.rpc.ErrorInfo", &info.base, memory, size_max);
}

static Google__Protobuf__Any any_retry_info(const struct cx_error *error, uint8_t *memory,
                                            size_t size_max)
{
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
    Google__Rpc__RetryInfo info = GOOGLE__RPC__RETRY_INFO__INIT;

    delay.seconds = error->retry_delay_us / CX_SECOND_US;
    delay.nanos = (int32_t)(error->retry_delay_us % CX_SECOND_US) * 1000;
    info.retry_delay = &delay;
    return any_pack(TYPE_URL_PREFIX "google.rpc.RetryInfo", &info.base, memory, size_max);
}

size_t cx_status_details_pack(const struct cx_error *error,
                              uint8_t memory[CX_STATUS_DETAILS_SIZE_MAX])
{
    uint8_t info_bytes[CX_STATUS_DETAILS_SIZE_MAX];
    uint8_t retry_bytes[64];
    char message[CX_ERROR_MESSAGE_MAX + 1];
    Google__Protobuf__Any anys[2];
    Google__Protobuf__Any *list[] = {&anys[0], &anys[1]};
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;

    assert(error->reason != CX_REASON_NONE);
    copy_text(message, cx_bytes_of(error->message));
    anys[status.n_details++] = any_error_info(error, info_bytes, sizeof info_bytes);
    if (error->retry_delay_us > 0) {
        anys[status.n_details++] = any_retry_info(error, retry_bytes, sizeof retry_bytes);
    }
    status.code = (int32_t)cx_reason_status(error->reason);
    status.message = message;
    status.details = list;
    assert(google__rpc__status__get_packed_size(&status) <= CX_STATUS_DETAILS_SIZE_MAX);
    return google__rpc__status__pack(&status, memory);
}
