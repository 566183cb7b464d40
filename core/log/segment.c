#include "core/log/segment.h"

#include <assert.h>
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/hash.h"
#include "core/base/memory.h"

/* A header as it lies on disk, little-endian. Whatever a later format changes, magic,
 * format and crc stay what they are, so that a damaged one is not taken for a newer. */
struct header {
    uint8_t magic[8];
    uint32_t format;
    uint32_t crc; /* Of the other 60 bytes. */
    uint8_t log_id[16];
    uint64_t epoch;
    uint64_t number;
    uint64_t size;
    uint64_t salt;
};
static_assert(sizeof(struct header) == CX_SEGMENT_HEADER_SIZE, "no padding on the disk");

/* Not a text: 0x1a and the line ends show what a transfer as text did to the file. */
static const uint8_t magic[8] = {'C', 'X', 'L', 'O', 'G', '\r', '\n', 0x1a};

/* ---- Names. ----------------------------------------------------------------- */

enum { NUMBER_DIGITS = 16 };

static const char *const prefixes[] = {
    [CX_SEGMENT_NAME_LOG] = "log-",
    [CX_SEGMENT_NAME_NEW] = "new-",
    [CX_SEGMENT_NAME_ACCEPT] = "accept-",
};

void cx_segment_name(enum cx_segment_name kind, uint64_t number, char name[CX_SEGMENT_NAME_SIZE])
{
    snprintf(name, CX_SEGMENT_NAME_SIZE, "%s%016" PRIx64, prefixes[kind], number);
}

bool cx_segment_number_parse(const char *text, uint64_t *ret_number)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t number = 0;

    if (strlen(text) != NUMBER_DIGITS) {
        return false;
    }
    for (size_t i = 0; i < NUMBER_DIGITS; i++) {
        const char *digit = strchr(digits, text[i]);

        if (digit == NULL) {
            return false;
        }
        number = number << 4 | (uint64_t)(digit - digits);
    }
    *ret_number = number;
    return true;
}

bool cx_segment_name_parse(const char *name, enum cx_segment_name *ret_kind, uint64_t *ret_number)
{
    for (int kind = CX_SEGMENT_NAME_LOG; kind <= CX_SEGMENT_NAME_ACCEPT; kind++) {
        size_t size = strlen(prefixes[kind]);

        if (strncmp(name, prefixes[kind], size) == 0 &&
            cx_segment_number_parse(name + size, ret_number)) {
            *ret_kind = (enum cx_segment_name)kind;
            return true;
        }
    }
    return false;
}

/* ---- Headers. --------------------------------------------------------------- */

static uint32_t header_crc(struct header header)
{
    header.crc = 0;
    return cx_crc32c(0, &header, sizeof header);
}

/* What a record must not survive being moved out of: this log, segment and use. */
static uint32_t segment_seed(const struct cx_segment *segment)
{
    uint64_t numbers[] = {htole64(segment->number), htole64(segment->salt)};
    uint32_t crc = cx_crc32c(0, segment->identity.log_id, sizeof segment->identity.log_id);

    return cx_crc32c(crc, numbers, sizeof numbers);
}

static struct header header_encode(const struct cx_segment *segment)
{
    struct header header = {
        .format = htole32(CX_SEGMENT_FORMAT),
        .epoch = htole64(segment->identity.epoch),
        .number = htole64(segment->number),
        .size = htole64(segment->size),
        .salt = htole64(segment->salt),
    };

    memcpy(header.magic, magic, sizeof magic);
    memcpy(header.log_id, segment->identity.log_id, sizeof header.log_id);
    header.crc = htole32(header_crc(header));
    return header;
}

static enum cx_segment_header header_check(const struct header *header, uint64_t file_size)
{
    if (memcmp(header->magic, magic, sizeof magic) != 0 ||
        le32toh(header->crc) != header_crc(*header)) {
        return CX_SEGMENT_HEADER_BAD;
    }
    if (le32toh(header->format) > CX_SEGMENT_FORMAT) {
        return CX_SEGMENT_HEADER_NEWER;
    }
    return le64toh(header->size) == file_size ? CX_SEGMENT_HEADER_GOOD : CX_SEGMENT_HEADER_BAD;
}

static void header_decode(const struct header *header, struct cx_segment *segment)
{
    segment->identity.epoch = le64toh(header->epoch);
    segment->number = le64toh(header->number);
    segment->size = le64toh(header->size);
    segment->salt = le64toh(header->salt);
    memcpy(segment->identity.log_id, header->log_id, sizeof header->log_id);
    segment->seed = segment_seed(segment);
}

void cx_segment_init(struct cx_segment *segment, const struct cx_log_identity *identity,
                     uint64_t number, uint64_t size, const struct cx_random *random)
{
    *segment = (struct cx_segment){.identity = *identity, .number = number, .size = size};
    random->fill(random, &segment->salt, sizeof segment->salt);
    segment->seed = segment_seed(segment);
}

/* ---- Files. ----------------------------------------------------------------- */

/* Syncs now and then, so that a sync of the log, meanwhile, never waits for more than
 * this to reach the disk. Less would cost more syncs than it saves. */
#define ZEROS_UNSYNCED_MAX (4 * CX_MIB)

/* What one write of zeros moves. The kernel caches a file in pieces as large as the
 * writes that made them, and each later sync looks through all of a piece. */
#define ZEROS_SIZE (64 * CX_KIB)

enum cx_status cx_segment_zero(struct cx_file *file, uint64_t start, uint64_t end, bool sync)
{
    static uint8_t zeros[ZEROS_SIZE]; /* Never written. */
    enum cx_status status = CX_OK;
    uint64_t unsynced = 0;

    while (start < end && status == CX_OK) {
        size_t size = end - start < sizeof zeros ? (size_t)(end - start) : sizeof zeros;

        status = file->ops->write(file, start, (struct cx_bytes){zeros, size});
        start += size;
        unsynced += size;
        if (status == CX_OK && sync && (unsynced == ZEROS_UNSYNCED_MAX || start == end)) {
            status = file->ops->sync(file);
            unsynced = 0;
        }
    }
    return status;
}

static enum cx_status segment_fill(const struct cx_segment *segment, bool sync)
{
    struct cx_file *file = segment->file;
    struct header header = header_encode(segment);
    enum cx_status status = file->ops->allocate(file, segment->size);

    if (status == CX_OK) {
        status =
            file->ops->write(file, 0, (struct cx_bytes){(const uint8_t *)&header, sizeof header});
    }
    return status == CX_OK ? cx_segment_zero(file, sizeof header, segment->size, sync) : status;
}

enum cx_status cx_segment_create(struct cx_segment *segment, struct cx_disk *disk, const char *name,
                                 bool sync)
{
    enum cx_status status = disk->ops->open(disk, name, CX_DISK_OPEN_NEW, &segment->file);

    if (status != CX_OK) {
        return status;
    }
    status = segment_fill(segment, sync);
    if (status != CX_OK) {
        enum cx_status removed = disk->ops->remove(disk, name);

        cx_segment_close(segment);
        /* Room that cannot be given back is a disk that failed. */
        return removed == CX_OK ? status : CX_UNAVAILABLE;
    }
    return CX_OK;
}

enum cx_status cx_segment_open(struct cx_segment *segment, struct cx_disk *disk, const char *name,
                               enum cx_segment_header *ret_header)
{
    struct header header;
    uint64_t file_size;
    size_t size;
    enum cx_status status = disk->ops->open(disk, name, CX_DISK_OPEN_EXISTING, &segment->file);

    if (status != CX_OK) {
        return status;
    }
    status = segment->file->ops->size(segment->file, &file_size);
    if (status == CX_OK) {
        status = segment->file->ops->read(segment->file, 0, &header, sizeof header, &size);
    }
    if (status != CX_OK) {
        cx_segment_close(segment);
        return status;
    }
    *ret_header = size < sizeof header ? CX_SEGMENT_HEADER_BAD : header_check(&header, file_size);
    if (*ret_header == CX_SEGMENT_HEADER_GOOD) {
        header_decode(&header, segment);
    }
    return CX_OK;
}

void cx_segment_close(struct cx_segment *segment)
{
    if (segment->file != NULL) {
        segment->file->ops->close(segment->file);
        segment->file = NULL;
    }
}

/* ---- Reading. --------------------------------------------------------------- */

/* Makes the window large enough for a frame, and for a large read: no larger than the
 * segment, which may be tiny. */
static enum cx_status window_grow(struct cx_window *window, const struct cx_segment *segment,
                                  size_t size)
{
    size_t read_size = window->read_size > 0 ? window->read_size : CX_SEGMENT_WINDOW;
    size_t wanted = segment->size < read_size ? (size_t)segment->size : read_size;
    size_t capacity = size > wanted ? size : wanted;
    uint8_t *data;

    if (window->capacity >= capacity) {
        return CX_OK;
    }
    data = cx_realloc(window->data, capacity);
    if (data == NULL) {
        return CX_RESOURCE_EXHAUSTED;
    }
    window->data = data;
    window->capacity = capacity;
    return CX_OK;
}

enum cx_status cx_window_at(struct cx_window *window, const struct cx_segment *segment,
                            uint64_t offset, size_t size, const uint8_t **ret_data)
{
    bool held = offset >= window->offset && offset + size <= window->offset + window->size;
    enum cx_status status;

    if (!held) {
        status = window_grow(window, segment, size);
        if (status == CX_OK) {
            window->offset = offset;
            window->size = 0;
            status = segment->file->ops->read(segment->file, offset, window->data, window->capacity,
                                              &window->size);
        }
        if (status != CX_OK) {
            return status;
        }
        if (window->size < size) {
            return CX_OUT_OF_RANGE;
        }
    }
    *ret_data = window->data + (offset - window->offset);
    return CX_OK;
}

void cx_window_reset(struct cx_window *window)
{
    window->size = 0;
}

void cx_window_done(struct cx_window *window)
{
    cx_free(window->data);
    *window = (struct cx_window){0};
}

enum cx_status cx_segment_frame(const struct cx_segment *segment, struct cx_window *window,
                                uint64_t offset, struct cx_record *ret_record,
                                const uint8_t **ret_frame)
{
    const uint8_t *frame;
    enum cx_status status;
    size_t size;

    *ret_frame = NULL;
    if (segment->size - offset < CX_LOG_HEADER_SIZE) {
        return CX_OK;
    }
    status = cx_window_at(window, segment, offset, CX_LOG_HEADER_SIZE, &frame);
    if (status != CX_OK || !cx_record_find(frame, segment->seed, offset, ret_record)) {
        return status;
    }
    size = cx_log_frame_size(ret_record->payload_size);
    if (size > segment->size - offset) {
        return CX_OK;
    }
    status = cx_window_at(window, segment, offset, size, &frame);
    if (status == CX_OK && cx_record_verify(frame, segment->seed, offset)) {
        *ret_frame = frame;
    }
    return status;
}
