#include "core/base/hash.h"

#include <endian.h>
#include <isa-l/crc.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t cx_hash64(struct cx_bytes bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.data, bytes.size, seed);
}

struct cx_hash128 cx_hash128(struct cx_bytes bytes, uint64_t seed)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data, bytes.size, seed);

    return (struct cx_hash128){hash.low64, hash.high64};
}

uint64_t cx_hash_mix(uint64_t digest, struct cx_bytes bytes)
{
    return cx_hash64(bytes, digest);
}

uint64_t cx_hash_mix_number(uint64_t digest, uint64_t number)
{
    uint64_t stored = htole64(number);

    return cx_hash64((struct cx_bytes){(const uint8_t *)&stored, sizeof stored}, digest);
}

uint32_t cx_crc32c(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    /* ISA-L counts in int, and leaves both inversions to the caller. */
    while (size > 0) {
        int count = size > (1 << 30) ? 1 << 30 : (int)size;

        crc = ~crc32_iscsi((unsigned char *)(uintptr_t)bytes, count, ~crc);
        bytes += count;
        size -= (size_t)count;
    }
    return crc;
}
