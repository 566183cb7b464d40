#include "core/log/record.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "core/base/hash.h"

/* A header as it lies on disk, little-endian. */
struct header {
    uint32_t crc; /* Of all that follows. */
    uint32_t prev_crc;
    uint32_t payload_size;
    uint32_t kind_and_check; /* The kind in the low 8 bits, the check in the others. */
    uint64_t revision;
    int64_t time_us;
    uint64_t durable_upto;
};
static_assert(sizeof(struct header) == CX_LOG_HEADER_SIZE, "no padding that could reach the disk");

enum { KIND_BITS = 0xff };

static uint32_t seed_at(uint32_t seed, uint64_t offset)
{
    uint64_t place = htole64(offset);

    return cx_crc32c(seed, &place, sizeof place);
}

/* The header with its check, which covers all of it but the crc. */
static uint32_t kind_with_check(struct header header, uint32_t seed)
{
    header.kind_and_check &= htole32(KIND_BITS);
    uint32_t crc = cx_crc32c(seed, &header.prev_crc, sizeof header - sizeof header.crc);

    return header.kind_and_check | htole32(crc & ~(uint32_t)KIND_BITS);
}

static uint32_t frame_crc(const uint8_t *frame, size_t payload_size, uint32_t seed)
{
    return cx_crc32c(seed, frame + sizeof(uint32_t),
                     cx_log_frame_size(payload_size) - sizeof(uint32_t));
}

static bool kind_is_known(uint32_t kind)
{
    return kind >= CX_RECORD_DATA && kind <= CX_RECORD_CLEAN;
}

void cx_record_encode(const struct cx_record *record, uint8_t *header)
{
    struct header encoded = {
        .payload_size = htole32(record->payload_size),
        .kind_and_check = htole32(record->kind),
        .revision = htole64(record->revision),
        .time_us = (int64_t)htole64((uint64_t)record->time_us),
    };

    memcpy(header, &encoded, sizeof encoded);
}

void cx_record_decode(const uint8_t *header, struct cx_record *ret_record)
{
    struct header encoded;

    memcpy(&encoded, header, sizeof encoded);
    *ret_record = (struct cx_record){
        .crc = le32toh(encoded.crc),
        .prev_crc = le32toh(encoded.prev_crc),
        .payload_size = le32toh(encoded.payload_size),
        .kind = (enum cx_record_kind)(le32toh(encoded.kind_and_check) & KIND_BITS),
        .revision = le64toh(encoded.revision),
        .time_us = (int64_t)le64toh((uint64_t)encoded.time_us),
        .durable_upto = le64toh(encoded.durable_upto),
    };
}

uint32_t cx_record_seal(uint8_t *frame, uint32_t seed, uint64_t offset, uint32_t prev_crc,
                        uint64_t durable_upto)
{
    struct header header;
    uint32_t crc;

    seed = seed_at(seed, offset);
    memcpy(&header, frame, sizeof header);
    header.prev_crc = htole32(prev_crc);
    header.durable_upto = htole64(durable_upto);
    header.kind_and_check = kind_with_check(header, seed);
    memcpy(frame, &header, sizeof header);
    crc = frame_crc(frame, le32toh(header.payload_size), seed);
    header.crc = htole32(crc);
    memcpy(frame, &header.crc, sizeof header.crc);
    return crc;
}

bool cx_record_find(const uint8_t *bytes, uint32_t seed, uint64_t offset,
                    struct cx_record *ret_record)
{
    struct header header;

    memcpy(&header, bytes, sizeof header);
    if (!kind_is_known(le32toh(header.kind_and_check) & KIND_BITS) ||
        header.kind_and_check != kind_with_check(header, seed_at(seed, offset))) {
        return false;
    }
    cx_record_decode(bytes, ret_record);
    return true;
}

bool cx_record_verify(const uint8_t *frame, uint32_t seed, uint64_t offset)
{
    struct header header;

    memcpy(&header, frame, sizeof header);
    return le32toh(header.crc) ==
           frame_crc(frame, le32toh(header.payload_size), seed_at(seed, offset));
}
