/* Damage: saying what is hit, and going on without it.
 *
 * A loss that was accepted is a fact only when it is durable, and no crash on the way
 * may leave a log that looks whole. So there is one moment of decision:
 *
 *   1. The segment in which the log will go on is written under a temporary name: what
 *      is whole in front of the damage, byte for byte, under a header of the new epoch.
 *      It is synced.
 *   2. It is renamed to accept-<number>, and the directory synced: decided.
 *   3. Every segment of that number or a later one is renamed to
 *      lost-<epoch>-<number>. Synced.
 *   4. accept-<number> is renamed to log-<number>. Synced.
 *
 * A start that finds an accept-<number> goes on with step 3. */

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/log/wal_internal.h"
#include "core/log/wal_recovery.h"

enum {
    CONTEXTS_SIZE = 512,        /* Bytes of text about the contexts that are hit. */
    DESCRIBED_SIZE = 64 * 1024, /* Bytes of a damaged payload that are looked at. */
};

/* ---- What is hit. ----------------------------------------------------------- */

/* Texts of records, one after the other, each once. */
struct contexts {
    char text[CONTEXTS_SIZE];
    size_t size;
    bool full;
};

static void contexts_add(const struct cx_recovery *recovery, struct contexts *contexts,
                         struct cx_bytes payload)
{
    char one[CONTEXTS_SIZE / 2] = "";
    size_t room = sizeof contexts->text - contexts->size;
    int size;

    recovery->options->describe(recovery->options->arg, payload, one, sizeof one);
    if (one[0] == '\0' || contexts->full || strstr(contexts->text, one) != NULL) {
        return;
    }
    size = snprintf(contexts->text + contexts->size, room, "%s%s", contexts->size > 0 ? ", " : "",
                    one);
    if (size < 0 || (size_t)size >= room) {
        contexts->text[contexts->size] = '\0'; /* All of it, or nothing. */
        contexts->full = true;
        return;
    }
    contexts->size += (size_t)size;
}

/* Describes the record in which the damage begins, as far as it can be read. */
static enum cx_status describe_damaged(struct cx_recovery *recovery,
                                       const struct cx_segment *segment,
                                       const struct cx_wal_rest *rest, struct contexts *contexts)
{
    uint64_t start = recovery->damage.offset + CX_LOG_HEADER_SIZE;
    uint64_t end = rest->record > start ? rest->record : rest->end;
    const uint8_t *payload;
    enum cx_status status;

    if (end <= start) {
        return CX_OK;
    }
    end = end - start > DESCRIBED_SIZE ? start + DESCRIBED_SIZE : end;
    status = cx_window_at(&recovery->window, segment, start, (size_t)(end - start), &payload);
    if (status == CX_OK) {
        contexts_add(recovery, contexts, (struct cx_bytes){payload, (size_t)(end - start)});
    }
    return status;
}

/* Describes the valid records behind the damage, until there is no more room. */
static enum cx_status describe_following(struct cx_recovery *recovery,
                                         const struct cx_segment *segment, uint64_t offset,
                                         struct contexts *contexts)
{
    enum cx_status status = CX_OK;

    while (status == CX_OK && offset != 0 && !contexts->full) {
        struct cx_record record;
        const uint8_t *frame;

        status = cx_segment_frame(segment, &recovery->window, offset, &record, &frame);
        if (status != CX_OK || frame == NULL) {
            return status;
        }
        if (record.kind == CX_RECORD_DATA) {
            struct cx_bytes payload = {frame + CX_LOG_HEADER_SIZE, record.payload_size};

            contexts_add(recovery, contexts, payload);
        }
        offset += cx_log_frame_size(record.payload_size);
    }
    return status;
}

static enum cx_status reopen(struct cx_recovery *recovery, struct cx_segment *segment)
{
    struct cx_disk *disk = recovery->options->disk;
    char name[CX_SEGMENT_NAME_SIZE];

    if (segment->file != NULL) {
        return CX_OK;
    }
    cx_segment_name(CX_SEGMENT_NAME_LOG, segment->number, name);
    return disk->ops->open(disk, name, CX_DISK_OPEN_EXISTING, &segment->file);
}

/* Describes what `segment` holds behind `offset`. */
static enum cx_status describe_segment(struct cx_recovery *recovery, struct cx_segment *segment,
                                       uint64_t offset, struct contexts *contexts,
                                       uint64_t *revision_max)
{
    bool damaged = segment->number == recovery->damage.number;
    struct cx_wal_rest rest;
    enum cx_status status = reopen(recovery, segment);

    if (status != CX_OK) {
        return status;
    }
    cx_window_reset(&recovery->window);
    status = cx_recovery_look(recovery, segment, offset, &rest);
    *revision_max = rest.revision_max > *revision_max ? rest.revision_max : *revision_max;
    if (recovery->options->describe == NULL) {
        return status;
    }
    if (status == CX_OK && damaged) {
        status = describe_damaged(recovery, segment, &rest, contexts);
    }
    return status == CX_OK ? describe_following(recovery, segment, rest.record, contexts) : status;
}

/* Says what the damage hits, as well as it can be read. What cannot is left out: the
 * damage itself is what has to be told. */
static uint64_t describe(struct cx_recovery *recovery, struct contexts *contexts)
{
    const struct cx_wal_damage *damage = &recovery->damage;
    uint64_t revision_max = 0;

    for (size_t i = 0; i < recovery->segment_count; i++) {
        struct cx_segment *segment = &recovery->segments[i];
        bool first = segment->number == damage->number;

        if (segment->number >= damage->number && segment->size != 0 &&
            describe_segment(recovery, segment, first ? damage->offset : CX_SEGMENT_HEADER_SIZE,
                             contexts, &revision_max) != CX_OK) {
            break;
        }
    }
    if (contexts->full) {
        snprintf(contexts->text + contexts->size, sizeof contexts->text - contexts->size, "%s",
                 " and more");
    }
    return revision_max;
}

enum cx_status cx_recovery_refuse(struct cx_recovery *recovery)
{
    const struct cx_wal_damage *damage = &recovery->damage;
    struct contexts contexts = {0};
    char name[CX_SEGMENT_NAME_SIZE];
    enum cx_status status;

    describe(recovery, &contexts);
    cx_segment_name(CX_SEGMENT_NAME_LOG, damage->number, name);
    status = cx_error_set(
        recovery->error, CX_REASON_DAMAGED,
        "%s %s (offset %" PRIu64 "); the log is whole up to revision %" PRIu64 "%s%s; nothing was "
        "changed; restore the data directory from a copy, or start with --accept-data-loss to go "
        "on without all that follows",
        name, damage->what, damage->offset, recovery->tail.position.revision,
        contexts.size > 0 ? "; contexts that are hit: " : "", contexts.text);
    cx_error_detail(recovery->error, "file", cx_bytes_of(name));
    cx_error_detail_number(recovery->error, "offset", damage->offset);
    if (contexts.size > 0) {
        cx_error_detail(recovery->error, "contexts", cx_bytes_of(contexts.text));
    }
    return status;
}

/* ---- Going on without it. --------------------------------------------------- */

/* The damaged segment, if its header and so its records can be read. */
static struct cx_segment *readable(struct cx_recovery *recovery)
{
    for (size_t i = 0; i < recovery->segment_count; i++) {
        struct cx_segment *segment = &recovery->segments[i];

        if (segment->number == recovery->damage.number && segment->size != 0) {
            return segment;
        }
    }
    return NULL;
}

/* Copies the records in front of the damage. The copy has the salt of the original:
 * they stay valid where they are. */
static enum cx_status copy_whole(struct cx_recovery *recovery, struct cx_segment *from,
                                 const struct cx_segment *to)
{
    uint64_t end = recovery->damage.offset;
    enum cx_status status = reopen(recovery, from);

    cx_window_reset(&recovery->window);
    for (uint64_t at = CX_SEGMENT_HEADER_SIZE; at < end && status == CX_OK;) {
        size_t size = end - at < CX_SEGMENT_WINDOW ? (size_t)(end - at) : CX_SEGMENT_WINDOW;
        const uint8_t *data;

        status = cx_window_at(&recovery->window, from, at, size, &data);
        if (status == CX_OK) {
            status = to->file->ops->write(to->file, at, (struct cx_bytes){data, size});
        }
        at += size;
    }
    if (status == CX_OK && recovery->options->sync) {
        status = to->file->ops->sync(to->file);
    }
    return status;
}

/* Step 1: describes and writes the segment in which the log goes on. */
static enum cx_status write_successor(struct cx_recovery *recovery, const char *name)
{
    const struct cx_wal_options *options = recovery->options;
    struct cx_segment *damaged = readable(recovery);
    struct cx_log_identity identity = recovery->report.identity;
    struct cx_segment successor;
    enum cx_status status;

    if (identity.epoch == 0) { /* No header tells which log this was: it is a new one. */
        options->random->fill(options->random, identity.log_id, sizeof identity.log_id);
    }
    if (identity.epoch < recovery->lost_epoch) {
        identity.epoch = recovery->lost_epoch;
    }
    identity.epoch++;
    cx_segment_init(&successor, &identity, recovery->damage.number,
                    damaged != NULL ? damaged->size : options->segment_size, options->random);
    if (damaged != NULL) {
        successor.salt = damaged->salt;
    }
    status = cx_segment_create(&successor, options->disk, name, options->sync);
    if (status == CX_OK && damaged != NULL) {
        status = copy_whole(recovery, damaged, &successor);
    }
    cx_segment_close(&successor);
    return status;
}

static enum cx_status sync_names(struct cx_recovery *recovery)
{
    struct cx_disk *disk = recovery->options->disk;

    return recovery->options->sync ? disk->ops->sync_directory(disk) : CX_OK;
}

/* A file that an earlier attempt has left would be in the way. */
static enum cx_status remove_earlier(struct cx_disk *disk, const char *name)
{
    enum cx_status status = disk->ops->remove(disk, name);

    return status == CX_NOT_FOUND ? CX_OK : status;
}

/* Steps 1 and 2. */
static enum cx_status decide(struct cx_recovery *recovery)
{
    struct cx_disk *disk = recovery->options->disk;
    uint64_t number = recovery->damage.number;
    char new_name[CX_SEGMENT_NAME_SIZE];
    char name[CX_SEGMENT_NAME_SIZE];
    enum cx_status status;

    cx_segment_name(CX_SEGMENT_NAME_NEW, number, new_name);
    cx_segment_name(CX_SEGMENT_NAME_ACCEPT, number, name);
    status = remove_earlier(disk, new_name);
    if (status == CX_OK) {
        status = write_successor(recovery, new_name);
    }
    if (status == CX_OK) {
        status = disk->ops->rename(disk, new_name, name);
    }
    if (status == CX_OK) {
        status = sync_names(recovery);
    }
    return status == CX_OK ? CX_OK : cx_wal_disk_error(recovery->error, status, "write", name);
}

enum cx_status cx_recovery_accept(struct cx_recovery *recovery)
{
    const struct cx_wal_damage *damage = &recovery->damage;
    struct cx_wal_report *report = &recovery->report;
    struct contexts contexts = {0};
    uint64_t revision_max = describe(recovery, &contexts);
    char name[CX_SEGMENT_NAME_SIZE];
    enum cx_status status = decide(recovery);

    if (status != CX_OK) {
        return status;
    }
    cx_segment_name(CX_SEGMENT_NAME_LOG, damage->number, name);
    snprintf(report->data_loss, sizeof report->data_loss,
             "%s %s (offset %" PRIu64 "); the log goes on behind revision %" PRIu64
             "; what followed, revisions up to %" PRIu64
             " or more, is set aside in files named lost-*%s%s",
             name, damage->what, damage->offset, recovery->tail.position.revision, revision_max,
             contexts.size > 0 ? "; contexts that are hit: " : "", contexts.text);
    report->data_lost = true;
    return CX_OK;
}

/* Step 3: sets aside what the accepted segment replaces. */
static enum cx_status set_aside(struct cx_recovery *recovery, uint64_t epoch)
{
    struct cx_disk *disk = recovery->options->disk;
    enum cx_status status = CX_OK;

    for (size_t i = recovery->segment_count; i > 0 && status == CX_OK; i--) {
        uint64_t number = recovery->segments[i - 1].number;
        char name[CX_SEGMENT_NAME_SIZE];
        char lost[CX_SEGMENT_NAME_SIZE];

        if (number < recovery->accept_number) {
            break;
        }
        cx_segment_name(CX_SEGMENT_NAME_LOG, number, name);
        snprintf(lost, sizeof lost, "lost-%016" PRIx64 "-%016" PRIx64, epoch, number);
        status = disk->ops->rename(disk, name, lost);
    }
    return status == CX_OK ? sync_names(recovery) : status;
}

enum cx_status cx_recovery_accept_finish(struct cx_recovery *recovery)
{
    struct cx_disk *disk = recovery->options->disk;
    struct cx_segment accepted = {0};
    enum cx_segment_header header;
    char accept[CX_SEGMENT_NAME_SIZE];
    char name[CX_SEGMENT_NAME_SIZE];
    enum cx_status status;

    cx_segment_name(CX_SEGMENT_NAME_ACCEPT, recovery->accept_number, accept);
    cx_segment_name(CX_SEGMENT_NAME_LOG, recovery->accept_number, name);
    status = cx_segment_open(&accepted, disk, accept, &header);
    cx_segment_close(&accepted);
    if (status == CX_OK && header != CX_SEGMENT_HEADER_GOOD) {
        cx_error_set(recovery->error, CX_REASON_DAMAGED,
                     "%s, which was to replace damaged segments, is damaged itself; move it away "
                     "to start again from these",
                     accept);
        cx_error_detail(recovery->error, "file", cx_bytes_of(accept));
        cx_error_detail_number(recovery->error, "offset", 0);
        return CX_DATA_LOSS;
    }
    if (status == CX_OK) {
        status = set_aside(recovery, accepted.identity.epoch);
    }
    if (status == CX_OK) {
        status = disk->ops->rename(disk, accept, name);
    }
    if (status == CX_OK) {
        status = sync_names(recovery);
    }
    if (status != CX_OK) {
        return cx_wal_disk_error(recovery->error, status, "rename", accept);
    }
    if (!recovery->report.data_lost) {
        snprintf(recovery->report.data_loss, sizeof recovery->report.data_loss,
                 "an earlier start was told to accept a loss of data and did not come to its end; "
                 "now %s and what followed it are set aside in files named lost-*",
                 name);
        recovery->report.data_lost = true;
    }
    return CX_OK;
}
