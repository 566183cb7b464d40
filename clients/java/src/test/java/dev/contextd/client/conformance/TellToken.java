package dev.contextd.client.conformance;

import io.grpc.HandlerRegistry;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Objects;

/** Refuses each call, and tells what it brought to show who calls. */
final class TellToken extends HandlerRegistry {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    private static final MethodDescriptor.Marshaller<byte[]> BYTES =
            new MethodDescriptor.Marshaller<>() {
                @Override
                public InputStream stream(byte[] message) {
                    return new ByteArrayInputStream(message);
                }

                @Override
                public byte[] parse(InputStream message) {
                    try {
                        return message.readAllBytes();
                    } catch (IOException error) {
                        throw new UncheckedIOException(error);
                    }
                }
            };

    @Override
    public ServerMethodDefinition<?, ?> lookupMethod(String name, String authority) {
        MethodDescriptor<byte[], byte[]> method =
                MethodDescriptor.newBuilder(BYTES, BYTES)
                        .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
                        .setFullMethodName(name)
                        .build();
        return ServerMethodDefinition.create(method, TellToken::refuse);
    }

    private static ServerCall.Listener<byte[]> refuse(
            ServerCall<byte[], byte[]> call, Metadata headers) {
        String shown = Objects.requireNonNullElse(headers.get(AUTHORIZATION), "");
        call.close(Status.UNAUTHENTICATED.withDescription(shown), new Metadata());
        return new ServerCall.Listener<>() {};
    }
}
