/* Hashes: XXH3 for tables and identities, CRC-32C for what lies on disk. Both are
 * stable over machines and releases: hashes of requests are part of the log.
 *
 * Sources: the xxHash specification (XXH3), and RFC 3720, appendix B.4 (CRC-32C). */

#ifndef CX_BASE_HASH_H
#define CX_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/bytes.h"

struct cx_hash128 {
    uint64_t low;
    uint64_t high;
};

/* Fast hashes, not for secrets: XXH3 with this seed. O(size). */
uint64_t cx_hash64(struct cx_bytes bytes, uint64_t seed);
struct cx_hash128 cx_hash128(struct cx_bytes bytes, uint64_t seed);

/* Continues a digest over more: of several things, each with its size, in a row. */
uint64_t cx_hash_mix(uint64_t digest, struct cx_bytes bytes);
uint64_t cx_hash_mix_number(uint64_t digest, uint64_t number);

/* Continues a CRC-32C over `size` more bytes; begin with 0. The CRC of nothing is
 * 0, and cx_crc32c(cx_crc32c(0, a), b) is that of a and b in a row. */
uint32_t cx_crc32c(uint32_t crc, const void *data, size_t size);

#endif /* CX_BASE_HASH_H */
