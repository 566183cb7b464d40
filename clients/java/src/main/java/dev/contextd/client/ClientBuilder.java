package dev.contextd.client;

import dev.contextd.client.error.InvalidValueException;
import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Says how a client is made. Making one calls nobody; the first call connects.
 *
 * <p>Threads: one.
 */
public final class ClientBuilder {
    static final String VERSION = "0.5.0";

    private static final int MESSAGE_MAX = 64 << 20;
    private static final int KEEPALIVE_SECONDS = 30;
    private static final int KEEPALIVE_TIMEOUT_SECONDS = 10;

    String address = "127.0.0.1:7420";
    String namespace = "default";
    Duration timeout = Duration.ofSeconds(10);
    RetryPolicy retry = RetryPolicy.DEFAULT;
    boolean coalescing = true;
    int callsInFlight = 2;
    Supplier<String> token;
    Consumer<CallReport> onCall;

    private final List<ClientInterceptor> interceptors = new ArrayList<>();
    private Executor executor = ForkJoinPool.commonPool();
    private ChannelCredentials credentials;
    private Path authorities;
    private Path certificate;
    private Path key;
    private boolean tls;
    private String serverName;
    private ManagedChannelBuilder<?> channelBuilder;

    ClientBuilder() {}

    /**
     * Where the server is. Default: {@code 127.0.0.1:7420}.
     *
     * @param target {@code host:port}, or what gRPC's resolvers know ({@code dns:///...}, {@code
     *     unix:...})
     * @return this
     */
    public ClientBuilder address(String target) {
        address = Objects.requireNonNull(target, "address");
        return this;
    }

    /**
     * The namespace of every call that names no other. Default: {@code default}.
     *
     * @param name the namespace
     * @return this
     */
    public ClientBuilder namespace(String name) {
        Names.namespace("namespace", name);
        namespace = name;
        return this;
    }

    /**
     * The time for each call, its repetitions included. Default: 10 s.
     *
     * @param time above 0
     * @return this
     */
    public ClientBuilder timeout(Duration time) {
        if (time.isNegative() || time.isZero()) {
            throw new IllegalArgumentException("the timeout must be above 0");
        }
        timeout = time;
        return this;
    }

    /**
     * How calls are repeated. Default: {@link RetryPolicy#DEFAULT}.
     *
     * @param policy the policy
     * @return this
     */
    public ClientBuilder retry(RetryPolicy policy) {
        retry = Objects.requireNonNull(policy, "policy");
        return this;
    }

    /**
     * Whether concurrent operations go out together. Default: yes. An operation that finds room
     * goes out at once; the others wait for a call that is under way, and go together.
     *
     * @param on whether they do
     * @return this
     */
    public ClientBuilder coalescing(boolean on) {
        coalescing = on;
        return this;
    }

    /**
     * How many calls of one kind are under way at most, where operations go together. Default: 2.
     *
     * @param count at least 1
     * @return this
     */
    public ClientBuilder callsInFlight(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("callsInFlight must be at least 1");
        }
        callsInFlight = count;
        return this;
    }

    /**
     * TLS, with the authorities that Java trusts.
     *
     * @return this
     */
    public ClientBuilder tls() {
        tls = true;
        return this;
    }

    /**
     * TLS, with the authorities in a file.
     *
     * @param file certificates in PEM
     * @return this
     */
    public ClientBuilder tlsAuthorities(Path file) {
        authorities = Objects.requireNonNull(file, "file");
        return tls();
    }

    /**
     * TLS, with a certificate of the client's own.
     *
     * @param certificateFile the certificate and what leads to its authority, in PEM
     * @param keyFile its private key, in PEM
     * @return this
     */
    public ClientBuilder tlsIdentity(Path certificateFile, Path keyFile) {
        certificate = Objects.requireNonNull(certificateFile, "certificateFile");
        key = Objects.requireNonNull(keyFile, "keyFile");
        return tls();
    }

    /**
     * The name that the server's certificate must have. Default: that of the address.
     *
     * @param name the name
     * @return this
     */
    public ClientBuilder serverName(String name) {
        serverName = Objects.requireNonNull(name, "name");
        return this;
    }

    /**
     * Credentials that gRPC makes, instead of the files of the {@code tls} methods.
     *
     * @param made such as those of {@link TlsChannelCredentials}
     * @return this
     */
    public ClientBuilder credentials(ChannelCredentials made) {
        credentials = Objects.requireNonNull(made, "credentials");
        return this;
    }

    /**
     * Gives the bearer token. It is asked before each attempt, by whichever thread makes that, so
     * it keeps the token and does not wait. Without TLS it is refused for other machines.
     *
     * @param supplier gives the token
     * @return this
     */
    public ClientBuilder token(Supplier<String> supplier) {
        token = Objects.requireNonNull(supplier, "token");
        return this;
    }

    /**
     * Adds one of gRPC's interceptors, such as OpenTelemetry's. The first one added sees a call
     * first. Requests that may go together come encoded, as {@code byte[]}.
     *
     * @param interceptor the interceptor
     * @return this
     */
    public ClientBuilder interceptor(ClientInterceptor interceptor) {
        interceptors.add(0, Objects.requireNonNull(interceptor, "interceptor"));
        return this;
    }

    /**
     * Is told of each call when it is over, by the network's thread: it must not block.
     *
     * @param listener is told
     * @return this
     */
    public ClientBuilder onCall(Consumer<CallReport> listener) {
        onCall = Objects.requireNonNull(listener, "onCall");
        return this;
    }

    /**
     * Runs the program's functions for the asynchronous form, subscribers and listeners. Default:
     * {@link ForkJoinPool#commonPool()}.
     *
     * @param runner the executor
     * @return this
     */
    public ClientBuilder executor(Executor runner) {
        executor = Objects.requireNonNull(runner, "executor");
        return this;
    }

    /** A channel of another kind, for tests. */
    ClientBuilder channel(ManagedChannelBuilder<?> builder) {
        channelBuilder = builder;
        return this;
    }

    /**
     * Makes the client that waits for its answers.
     *
     * @return the client
     * @throws IllegalArgumentException if a file of TLS cannot be read
     * @throws InvalidValueException if a token would go to another machine in plain text
     */
    public Client build() {
        return new Client(core(), namespace, timeout.toNanos());
    }

    /**
     * Makes the client that gives futures.
     *
     * @return the client
     * @throws IllegalArgumentException if a file of TLS cannot be read
     * @throws InvalidValueException if a token would go to another machine in plain text
     */
    public AsyncClient buildAsync() {
        return new AsyncClient(core(), namespace, timeout.toNanos());
    }

    private Core core() {
        if (token != null && credentials == null && !tls && !Addresses.isLocal(address)) {
            throw Value.invalid(
                    "the token would go to " + address + " in plain text: use TLS as well");
        }
        ManagedChannelBuilder<?> builder =
                channelBuilder != null
                        ? channelBuilder
                        : Grpc.newChannelBuilder(address, credentials());
        if (serverName != null) {
            builder.overrideAuthority(serverName);
        }
        ManagedChannel managed =
                builder.directExecutor()
                        .disableRetry()
                        .maxInboundMessageSize(MESSAGE_MAX)
                        .userAgent("contextd-java/" + VERSION)
                        .keepAliveTime(KEEPALIVE_SECONDS, TimeUnit.SECONDS)
                        .keepAliveTimeout(KEEPALIVE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
                        .build();
        return new Core(
                this, managed, ClientInterceptors.intercept(managed, interceptors), executor);
    }

    private ChannelCredentials credentials() {
        if (credentials != null) {
            return credentials;
        }
        if (!tls) {
            return InsecureChannelCredentials.create();
        }
        TlsChannelCredentials.Builder made = TlsChannelCredentials.newBuilder();
        try {
            if (authorities != null) {
                made.trustManager(authorities.toFile());
            }
            if (certificate != null) {
                made.keyManager(certificate.toFile(), key.toFile());
            }
        } catch (IOException error) {
            throw new IllegalArgumentException(
                    "a file of TLS cannot be read: " + error.getMessage(), error);
        }
        return made.build();
    }
}
