package dev.contextd.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.contextd.client.error.ContextdException;
import dev.contextd.client.error.InvalidValueException;
import dev.contextd.client.error.StorageFullException;
import dev.contextd.client.error.WrongServerException;
import dev.contextd.v1.GetContextResponse;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The options of a client and the classes of failures, with a server that is a fake. */
@Timeout(Patience.TEST_SECONDS)
class OptionsTest {
    private static final GetContextResponse FOUND =
            GetContextResponse.newBuilder()
                    .setContext(dev.contextd.v1.Context.newBuilder().setId("c"))
                    .build();
    private FakeServices fake;

    @BeforeEach
    void start() throws Exception {
        fake = new FakeServices();
    }

    @AfterEach
    void stop() {
        fake.close();
    }

    private ContextdException refusal(io.grpc.StatusRuntimeException error) {
        fake.get.then(error, List.of());
        try (Client client = fake.client().build()) {
            return assertThrows(ContextdException.class, () -> client.context("c").info());
        }
    }

    @Test
    void theTokenIsAskedBeforeEachAttempt() {
        AtomicInteger asked = new AtomicInteger();
        fake.get.then(FakeServices.BROKEN, List.of()).then(FakeServices.END, List.of(FOUND));
        try (Client client = fake.client().token(() -> "t" + asked.incrementAndGet()).build()) {
            client.context("c").info();
        }
        var key = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
        assertEquals(
                List.of("Bearer t1", "Bearer t2"),
                fake.headers.stream().map(sent -> sent.get(key)).toList());
    }

    private static ClientInterceptor noting(String name, List<String> seen) {
        return new ClientInterceptor() {
            @Override
            public <Q, R> ClientCall<Q, R> interceptCall(
                    MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
                seen.add(name + " " + method.getBareMethodName());
                return next.newCall(method, options);
            }
        };
    }

    @Test
    void interceptorsSeeEachAttemptTheFirstOneFirst() {
        List<String> seen = new CopyOnWriteArrayList<>();
        fake.get.then(FakeServices.BROKEN, List.of()).then(FakeServices.END, List.of(FOUND));
        try (Client client =
                fake.client()
                        .interceptor(noting("a", seen))
                        .interceptor(noting("b", seen))
                        .build()) {
            client.context("c").info();
        }
        String method = " GetContext";
        assertEquals(List.of("a" + method, "b" + method, "a" + method, "b" + method), seen);
    }

    @Test
    void eachCallIsReportedOnceWithWhatBecameOfIt() {
        List<CallReport> reports = new CopyOnWriteArrayList<>();
        fake.get
                .then(FakeServices.BROKEN, List.of())
                .then(FakeServices.END, List.of(FOUND))
                .then(FakeServices.refusal(Status.Code.NOT_FOUND, "CONTEXT_NOT_FOUND"), List.of());
        try (Client client = fake.client().onCall(reports::add).build()) {
            client.context("c").info();
            assertThrows(ContextdException.class, () -> client.context("c").info());
        }
        assertEquals(List.of(2, 1), reports.stream().map(CallReport::attempts).toList());
        assertTrue(reports.get(0).error().isEmpty());
        assertEquals("CONTEXT_NOT_FOUND", reports.get(1).error().orElseThrow().reason());
        assertEquals("contextd.v1.ContextManager/GetContext", reports.get(0).method());
    }

    @Test
    void whatTheFunctionForReportsThrowsTouchesNoCall() {
        fake.get
                .then(FakeServices.END, List.of(FOUND))
                .then(Status.INTERNAL.asRuntimeException(), List.of());
        try (Client client =
                fake.client()
                        .onCall(
                                report -> {
                                    throw new IllegalStateException("a mistake");
                                })
                        .build()) {
            assertEquals("c", client.context("c").info().id());
            assertThrows(ContextdException.class, () -> client.context("c").info());
        }
    }

    /** The first attempt fails, and so the second one is made, and fails, on the timer's thread. */
    @Test
    void aBlockingCallOnTheClientsOwnThreadIsRefused() throws Exception {
        var refused = FakeServices.refusal(Status.Code.NOT_FOUND, "CONTEXT_NOT_FOUND");
        CompletableFuture<Void> attached = new CompletableFuture<>();
        fake.get
                .then(FakeServices.BROKEN, List.of())
                .then(
                        (request, to) -> {
                            // Else what follows could be run by this test's own thread.
                            attached.join();
                            to.onError(refused);
                        })
                .then((request, to) -> {});
        try (Client client = fake.client().build()) {
            var again = client.async().context("c").info().handle((info, error) -> blocked(client));
            attached.complete(null);
            assertInstanceOf(
                    IllegalStateException.class, again.get(Patience.SECONDS, TimeUnit.SECONDS));
        }
    }

    private static RuntimeException blocked(Client client) {
        return assertThrows(RuntimeException.class, () -> client.context("c").info());
    }

    @Test
    void aFullDiskIsToldAsThatAndNotRepeated() {
        var error =
                refusal(FakeServices.refusal(Status.Code.RESOURCE_EXHAUSTED, "STORAGE_FULL"));
        assertInstanceOf(StorageFullException.class, error);
        assertEquals(1, fake.get.requests.size());
    }

    @Test
    void aReasonThatIsNotKnownIsKeptWithItsDetails() {
        var error =
                refusal(
                        FakeServices.refusal(
                                Status.Code.FAILED_PRECONDITION, "TOMORROWS_REASON", "k", "v"));
        assertEquals(ContextdException.class, error.getClass());
        assertEquals("TOMORROWS_REASON", error.reason());
        assertEquals("v", error.details().get("k"));
        assertEquals(Status.Code.FAILED_PRECONDITION, error.code());
    }

    @Test
    void aServiceThatIsNotContextdIsTheWrongServer() {
        var error = refusal(Status.UNIMPLEMENTED.withDescription("no").asRuntimeException());
        assertInstanceOf(WrongServerException.class, error);
    }

    @Test
    void aCancelledFutureCancelsItsCall() throws Exception {
        CountDownLatch cancelled = new CountDownLatch(1);
        CountDownLatch begun = new CountDownLatch(1);
        fake.get.then(
                (request, to) -> {
                    ((io.grpc.stub.ServerCallStreamObserver<?>) to)
                            .setOnCancelHandler(cancelled::countDown);
                    begun.countDown();
                });
        try (AsyncClient client = fake.client().buildAsync()) {
            CompletableFuture<ContextInfo> info = client.context("c").info();
            assertTrue(begun.await(Patience.SECONDS, TimeUnit.SECONDS));
            assertTrue(info.cancel(true));
            assertTrue(cancelled.await(Patience.SECONDS, TimeUnit.SECONDS));
        }
    }

    @Test
    void aFutureFailsWithTheSameClass() {
        fake.get.then(FakeServices.refusal(Status.Code.NOT_FOUND, "CONTEXT_NOT_FOUND"), List.of());
        try (AsyncClient client = fake.client().buildAsync()) {
            var error =
                    assertThrows(
                            ExecutionException.class,
                            () ->
                                    client.context("c")
                                            .info()
                                            .get(Patience.SECONDS, TimeUnit.SECONDS));
            assertInstanceOf(
                    dev.contextd.client.error.ContextNotFoundException.class, error.getCause());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "db-3:7420", "10.0.0.1:7420", "[::2]:1", "127.example:1", "dns:///db-3:7420", "db-3"
            })
    void aTokenDoesNotGoToAnotherMachineInPlainText(String address) {
        ClientBuilder builder = Client.builder().address(address).token(() -> "secret");
        assertThrows(InvalidValueException.class, builder::build);
        assertThrows(InvalidValueException.class, builder::buildAsync);
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.1.2.3:1", "localhost:1", "[::1]:1", "dns:///localhost:1"})
    void aTokenGoesToThisMachineInPlainText(String address) {
        Client.builder().address(address).token(() -> "secret").build().close();
    }
}
