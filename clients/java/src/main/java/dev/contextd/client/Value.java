package dev.contextd.client;

import com.google.protobuf.ByteString;
import dev.contextd.client.error.Failure;
import dev.contextd.client.error.InvalidValueException;
import io.grpc.Status;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Bytes, and the content type that is kept with them. Immutable.
 *
 * <p>The server does not look into either. {@link #of(String)} writes text as UTF-8, {@link
 * #json} writes JSON; reading gives what was written, and converts nothing until {@link #text} or
 * {@link #asJson} is asked to.
 */
public final class Value {
    /** The content type of text. */
    public static final String TEXT = "text/plain; charset=utf-8";

    /** The content type of JSON. */
    public static final String JSON = "application/json";

    private final ByteString bytes;
    private final String contentType;

    private Value(ByteString bytes, String contentType) {
        this.bytes = bytes;
        this.contentType = contentType;
    }

    /**
     * Bytes without a content type.
     *
     * @param bytes the bytes; they are copied
     * @return the value
     */
    public static Value of(byte[] bytes) {
        return of(bytes, "");
    }

    /**
     * Bytes with a content type.
     *
     * @param bytes the bytes; they are copied
     * @param contentType a media type, or a tag of your own, of at most 128 bytes
     * @return the value
     */
    public static Value of(byte[] bytes, String contentType) {
        return new Value(ByteString.copyFrom(bytes), contentType);
    }

    /**
     * Text, as UTF-8, of the content type {@link #TEXT}.
     *
     * @param text the text
     * @return the value
     * @throws InvalidValueException if it cannot be encoded: it has lone surrogates
     */
    public static Value of(String text) {
        return new Value(encode(text), TEXT);
    }

    /**
     * A JSON text, as UTF-8, of the content type {@link #JSON}.
     *
     * @param json the text that a JSON library made
     * @return the value
     * @throws InvalidValueException if it is no JSON
     */
    public static Value json(String json) {
        JsonText.check(json);
        return new Value(encode(json), JSON);
    }

    static Value of(ByteString bytes, String contentType) {
        return new Value(bytes, contentType);
    }

    /**
     * The same bytes with another content type.
     *
     * @param type the content type, of at most 128 bytes
     * @return the value
     */
    public Value withContentType(String type) {
        return new Value(bytes, type);
    }

    /**
     * What kind of bytes they are, as whoever wrote them said.
     *
     * @return the content type, or empty
     */
    public String contentType() {
        return contentType;
    }

    /**
     * Gives a copy of the bytes.
     *
     * @return the bytes
     */
    public byte[] bytes() {
        return bytes.toByteArray();
    }

    /**
     * Gives the bytes without copying them.
     *
     * @return a buffer that cannot be written
     */
    public ByteBuffer asByteBuffer() {
        return bytes.asReadOnlyByteBuffer();
    }

    /**
     * Counts the bytes.
     *
     * @return how many there are
     */
    public int size() {
        return bytes.size();
    }

    /**
     * Decodes the bytes as UTF-8.
     *
     * @return the text
     * @throws InvalidValueException if they are no UTF-8
     */
    public String text() {
        if (!bytes.isValidUtf8()) {
            throw invalid("the value is no text: it has bytes that are no UTF-8");
        }
        return bytes.toStringUtf8();
    }

    /**
     * Gives the text of the JSON that the bytes are, for a JSON library to read.
     *
     * @return the text
     * @throws InvalidValueException if they are no JSON
     */
    public String asJson() {
        String json = text();
        JsonText.check(json);
        return json;
    }

    ByteString raw() {
        return bytes;
    }

    private static ByteString encode(String text) {
        try {
            ByteBuffer encoded = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            return ByteString.copyFrom(encoded);
        } catch (CharacterCodingException error) {
            throw invalid("the text has surrogates without their pair, which UTF-8 cannot hold");
        }
    }

    static InvalidValueException invalid(String message) {
        return new InvalidValueException(Failure.of(Status.Code.INVALID_ARGUMENT, message));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Value value
                && bytes.equals(value.bytes)
                && contentType.equals(value.contentType);
    }

    @Override
    public int hashCode() {
        return bytes.hashCode() * 31 + contentType.hashCode();
    }

    /** Says size and content type, not the bytes. */
    @Override
    public String toString() {
        return "Value[size=" + size() + ", contentType=" + contentType + "]";
    }
}
