/* Room first: segments that are ready before they are needed. */

#include "core/base/memory.h"
#include "core/log/wal_internal.h"

/* A segment gets its name when all of it is durable, and counts when the name is. */
static enum cx_status segment_publish(const struct cx_wal_options *options, const char *new_name,
                                      const char *name)
{
    struct cx_disk *disk = options->disk;
    enum cx_status status = disk->ops->rename(disk, new_name, name);

    if (status != CX_OK) {
        return disk->ops->remove(disk, new_name) == CX_OK ? status : CX_UNAVAILABLE;
    }
    if (options->sync && disk->ops->sync_directory(disk) != CX_OK) {
        return CX_UNAVAILABLE; /* Whether the name is durable is not known any more. */
    }
    return CX_OK;
}

enum cx_status cx_wal_create_segment(const struct cx_wal_options *options,
                                     const struct cx_log_identity *identity, uint64_t number,
                                     struct cx_segment *ret_segment)
{
    char new_name[CX_SEGMENT_NAME_SIZE];
    char name[CX_SEGMENT_NAME_SIZE];
    struct cx_segment segment;
    enum cx_status status;

    cx_segment_name(CX_SEGMENT_NAME_NEW, number, new_name);
    cx_segment_name(CX_SEGMENT_NAME_LOG, number, name);
    cx_segment_init(&segment, identity, number, options->segment_size, options->random);
    status = cx_segment_create(&segment, options->disk, new_name, options->sync);
    if (status != CX_OK) {
        return status;
    }
    status = segment_publish(options, new_name, name);
    if (status != CX_OK) {
        cx_segment_close(&segment);
        return status;
    }
    *ret_segment = segment;
    return CX_OK;
}

/* Makes room for one more segment in the table. */
static enum cx_status table_grow_locked(struct cx_wal *wal)
{
    size_t capacity = 2 * wal->segment_capacity;
    struct cx_segment *grown;

    if (wal->segment_count < wal->segment_capacity) {
        return CX_OK;
    }
    grown = cx_realloc(wal->segments, capacity * sizeof *grown);
    if (grown == NULL) {
        wal->no_room = true;
        return CX_RESOURCE_EXHAUSTED;
    }
    wal->segments = grown;
    wal->segment_capacity = capacity;
    return CX_OK;
}

/* Sets *ret_number to that of the segment to prepare, 0 when there are enough. */
static enum cx_status prepare_begin(struct cx_wal *wal, uint64_t *ret_number)
{
    enum cx_status status = CX_OK;
    uint64_t number = 0;

    pthread_mutex_lock(&wal->mutex);
    if (wal->failed) {
        status = CX_UNAVAILABLE;
    } else if (cx_wal_wants_segment_locked(wal)) {
        status = table_grow_locked(wal);
        number = wal->segment_count + 1;
    }
    pthread_mutex_unlock(&wal->mutex);
    *ret_number = number;
    return status;
}

/* Takes over what came of the preparation. */
static enum cx_status prepare_end(struct cx_wal *wal, enum cx_status status,
                                  const struct cx_segment *segment)
{
    if (status != CX_OK && status != CX_RESOURCE_EXHAUSTED) {
        return cx_wal_fail(wal);
    }
    pthread_mutex_lock(&wal->mutex);
    wal->no_room = status != CX_OK;
    if (status == CX_OK) {
        wal->segments[wal->segment_count++] = *segment;
    }
    pthread_mutex_unlock(&wal->mutex);
    return status;
}

enum cx_status cx_wal_prepare(struct cx_log *log)
{
    struct cx_wal *wal = cx_wal_of(log);
    struct cx_segment segment;
    enum cx_status status;
    uint64_t number;

    for (;;) {
        status = prepare_begin(wal, &number);
        if (status != CX_OK || number == 0) {
            return status;
        }
        status = cx_wal_create_segment(&wal->options, &wal->identity, number, &segment);
        status = prepare_end(wal, status, &segment);
        if (status != CX_OK) {
            return status;
        }
    }
}
