/* Records as bytes: the frames that follow one another in a segment. No I/O.
 *
 *    0         4         8         12        16             24        32             40
 *    +---------+---------+---------+---------+--------------+---------+--------------+---
 *    |   crc   |prev_crc | size of |kind (8) | revision     | time_us | durable_upto | payload,
 *    |         |         | payload |check(24)|              |         |              | zeros
 *    +---------+---------+---------+---------+--------------+---------+--------------+---
 *
 * What always holds:
 *
 *  (1) Every checksum begins with the segment's seed and the frame's offset, so that
 *      a frame passes only in the place it was written for.
 *  (2) `check` covers the header alone: whoever looks for records learns from 40
 *      bytes that there is none, and a damaged size is never trusted.
 *  (3) `crc` covers all other bytes of the frame, its padding included. It is the
 *      record's identity, and `prev_crc` is that of the data record before: so it
 *      stands for all records up to this one.
 *
 * Specification: docs/disk-format.md. */

#ifndef CX_LOG_RECORD_H
#define CX_LOG_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/log/log.h"

/* On disk; never renumbered. */
enum cx_record_kind {
    CX_RECORD_DATA = 1,
    CX_RECORD_END = 2,   /* The log goes on in the next segment. */
    CX_RECORD_CLEAN = 3, /* The log was closed here. */
};

/* A header. Marks have no payload, and the revision of the record before them. */
struct cx_record {
    uint32_t crc;
    uint32_t prev_crc;
    uint32_t payload_size;
    enum cx_record_kind kind;
    uint64_t revision;
    int64_t time_us;
    uint64_t durable_upto; /* What was durable when this was written. */
};

/* Writes a header with neither checksum, nor what they cover beside it. */
void cx_record_encode(const struct cx_record *record, uint8_t *header);

/* Reads a header without looking at its checksums. */
void cx_record_decode(const uint8_t *header, struct cx_record *ret_record);

/* Completes the frame that is going to lie at `offset` of the segment with this
 * seed: fills prev_crc, durable_upto and both checksums. Returns its crc.
 * O(payload). */
uint32_t cx_record_seal(uint8_t *frame, uint32_t seed, uint64_t offset, uint32_t prev_crc,
                        uint64_t durable_upto);

/* Reads the header at `offset`. Returns false when it is none, or damaged. */
bool cx_record_find(const uint8_t *header, uint32_t seed, uint64_t offset,
                    struct cx_record *ret_record);

/* Whether the whole frame, whose header was found, is as it was written.
 * O(payload). */
bool cx_record_verify(const uint8_t *frame, uint32_t seed, uint64_t offset);

#endif /* CX_LOG_RECORD_H */
