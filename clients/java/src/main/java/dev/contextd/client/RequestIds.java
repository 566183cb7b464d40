package dev.contextd.client;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.UUID;

/** Makes random UUIDs, many of them at a time: the source of randomness is asked rarely. */
final class RequestIds {
    private static final int AT_ONCE = 256;
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final ThreadLocal<ByteBuffer> BYTES =
            ThreadLocal.withInitial(
                    () -> ByteBuffer.allocate(AT_ONCE * 2 * Long.BYTES).position(AT_ONCE * 16));

    private RequestIds() {}

    static String next() {
        ByteBuffer bytes = BYTES.get();
        if (!bytes.hasRemaining()) {
            RANDOM.nextBytes(bytes.array());
            bytes.rewind();
        }
        long high = bytes.getLong() & ~0xf000L | 0x4000L; // Version 4,
        long low = bytes.getLong() & (-1L >>> 2) | Long.MIN_VALUE; // variant 2.
        return new UUID(high, low).toString();
    }
}
