#include "core/log/log.h"

#include <assert.h>
#include <string.h>

#include "core/log/record.h"

void cx_log_frame_begin(uint8_t *frame, uint64_t revision, int64_t time_us, size_t payload_size)
{
    struct cx_record record = {
        .payload_size = (uint32_t)payload_size,
        .kind = CX_RECORD_DATA,
        .revision = revision,
        .time_us = time_us,
    };
    size_t end = CX_LOG_HEADER_SIZE + payload_size;

    assert(payload_size <= UINT32_MAX);
    assert(revision > 0);
    cx_record_encode(&record, frame);
    memset(frame + end, 0, cx_log_frame_size(payload_size) - end);
}

struct cx_log_record cx_log_frame_read(const uint8_t *frame)
{
    struct cx_record record;

    cx_record_decode(frame, &record);
    assert(record.kind == CX_RECORD_DATA);
    return (struct cx_log_record){
        .revision = record.revision,
        .time_us = record.time_us,
        .payload = {frame + CX_LOG_HEADER_SIZE, record.payload_size},
    };
}
