package dev.contextd.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.contextd.client.error.CertificateRejectedException;
import dev.contextd.client.error.ClientClosedException;
import dev.contextd.client.error.ContextdException;
import dev.contextd.client.error.DeadlineExceededException;
import dev.contextd.client.error.InvalidValueException;
import dev.contextd.client.error.OverloadedException;
import dev.contextd.client.error.UnavailableException;
import dev.contextd.client.error.WrongServerException;
import dev.contextd.v1.BatchUpdateContextsRequest;
import dev.contextd.v1.BatchUpdateContextsResponse;
import dev.contextd.v1.ContextManagerGrpc;
import dev.contextd.v1.GetContextRequest;
import dev.contextd.v1.GetContextResponse;
import dev.contextd.v1.UpdateContextRequest;
import dev.contextd.v1.UpdateContextResponse;
import dev.contextd.v1.UpdateResult;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Repetitions, coalescing and failures, with a server that is a fake in the same process. */
@Timeout(Patience.TEST_SECONDS)
class CallsTest {
    /** Holds what comes until the test answers it. */
    private static final class Fake extends ContextManagerGrpc.ContextManagerImplBase {
        final LinkedBlockingQueue<Object> requests = new LinkedBlockingQueue<>();
        final LinkedBlockingQueue<StreamObserver<?>> answers = new LinkedBlockingQueue<>();
        BiConsumer<GetContextRequest, StreamObserver<GetContextResponse>> onGet;

        @Override
        public void getContext(GetContextRequest request, StreamObserver<GetContextResponse> to) {
            requests.add(request);
            onGet.accept(request, to);
        }

        @Override
        public void updateContext(
                UpdateContextRequest request, StreamObserver<UpdateContextResponse> to) {
            requests.add(request);
            answers.add(to);
        }

        @Override
        public void batchUpdateContexts(
                BatchUpdateContextsRequest request,
                StreamObserver<BatchUpdateContextsResponse> to) {
            requests.add(request);
            answers.add(to);
        }

        @SuppressWarnings("unchecked")
        <R> void answer(R response) throws InterruptedException {
            StreamObserver<R> to = (StreamObserver<R>) answers.take();
            to.onNext(response);
            to.onCompleted();
        }

        void fail(Status status) throws InterruptedException {
            answers.take().onError(status.asRuntimeException());
        }
    }

    private final Fake fake = new Fake();
    private final List<CallReport> reports = new ArrayList<>();
    private Server server;
    private AsyncClient client;

    @BeforeEach
    void start() throws Exception {
        String name = InProcessServerBuilder.generateName();
        server =
                InProcessServerBuilder.forName(name)
                        .directExecutor()
                        .addService(fake)
                        .build()
                        .start();
        client =
                Client.builder()
                        .channel(InProcessChannelBuilder.forName(name))
                        .timeout(Patience.TIME)
                        .onCall(
                                report -> {
                                    synchronized (reports) {
                                        reports.add(report);
                                    }
                                })
                        .buildAsync();
    }

    @AfterEach
    void stop() {
        client.close();
        server.shutdownNow();
    }

    private static UpdateContextResponse version(long version) {
        return UpdateContextResponse.newBuilder().setVersion(version).build();
    }

    private static BatchUpdateContextsResponse versions(int count) {
        BatchUpdateContextsResponse.Builder made = BatchUpdateContextsResponse.newBuilder();
        for (int i = 1; i <= count; i++) {
            made.addResults(UpdateResult.newBuilder().setResponse(version(i)));
        }
        return made.build();
    }

    @Test
    void aCallIsRepeatedWithTheSameRequest() throws Exception {
        CompletableFuture<Written> written = client.context("c").put("k", "v");
        fake.fail(Status.UNAVAILABLE);
        fake.fail(Status.CANCELLED);
        fake.answer(version(7));
        assertEquals(7, written.join().version());
        Object first = fake.requests.take();
        assertEquals(first, fake.requests.take());
        assertEquals(first, fake.requests.take());
        assertEquals(
                written.join().requestId(),
                ((UpdateContextRequest) first).getWrite().getRequestId());
        synchronized (reports) {
            assertEquals(3, reports.get(0).attempts());
        }
    }

    @Test
    void otherFailuresAreNotRepeated() throws Exception {
        CompletableFuture<Written> written = client.context("c").put("k", "v");
        fake.fail(Status.INTERNAL.withDescription("broken"));
        var error = assertThrows(CompletionException.class, written::join).getCause();
        assertEquals(Status.Code.INTERNAL, assertInstanceOf(ContextdException.class, error).code());
        assertEquals(1, fake.requests.size());
    }

    @Test
    void noAnswerInTimeSaysSo() {
        AsyncContext brief = client.context("c").withTimeout(Duration.ofMillis(50));
        CompletableFuture<Written> written = brief.put("k", "v");
        var error = assertThrows(CompletionException.class, written::join).getCause();
        var late = assertInstanceOf(DeadlineExceededException.class, error);
        assertFalse(late.requestId().isEmpty());
    }

    @Test
    void whatWaitsGoesTogetherAndInOrder() throws Exception {
        CompletableFuture<Written> a = client.context("a").put("k", "1");
        CompletableFuture<Written> b = client.context("b").put("k", "1");
        List<CompletableFuture<Written>> rest = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            rest.add(client.context("c" + i).put("k", "1"));
        }
        rest.add(client.context("b").put("k", "2")); // Its context is under way.
        fake.requests.take();
        fake.requests.take();
        assertTrue(fake.requests.isEmpty(), "two calls are under way at most");
        fake.answer(version(1));
        a.join();
        BatchUpdateContextsRequest batch = (BatchUpdateContextsRequest) fake.requests.take();
        assertEquals(5, batch.getRequestsCount());
        assertEquals("c0", batch.getRequests(0).getContextId());
        fake.answer(version(1));
        b.join();
        UpdateContextRequest behind = (UpdateContextRequest) fake.requests.take();
        assertEquals("b", behind.getContextId());
        fake.answer(versions(5));
        fake.answer(version(9));
        assertEquals(5, rest.get(4).join().version());
        assertEquals(9, rest.get(5).join().version());
    }

    /** Begins two calls, and four operations that wait. */
    private List<CompletableFuture<Written>> four() throws Exception {
        client.context("a").put("k", "1");
        client.context("b").put("k", "1");
        List<CompletableFuture<Written>> four = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            four.add(client.context("c" + i).put("k", "1"));
        }
        fake.requests.take();
        fake.requests.take();
        return four;
    }

    @Test
    void whatWasOverloadedGoesAgain() throws Exception {
        List<CompletableFuture<Written>> four = four();
        fake.answer(version(1));
        fake.requests.take();
        fake.answer(version(1));
        var refused =
                dev.contextd.v1.Failure.newBuilder()
                        .setCode(Status.Code.RESOURCE_EXHAUSTED.value())
                        .setReason("OVERLOADED");
        var results = BatchUpdateContextsResponse.newBuilder();
        results.addResults(UpdateResult.newBuilder().setResponse(version(1)));
        for (int i = 0; i < 3; i++) {
            results.addResults(UpdateResult.newBuilder().setFailure(refused));
        }
        fake.answer(results.build());
        assertEquals(1, four.get(0).join().version());
        BatchUpdateContextsRequest again = (BatchUpdateContextsRequest) fake.requests.take();
        assertEquals(3, again.getRequestsCount());
        assertEquals("c1", again.getRequests(0).getContextId());
        fake.answer(versions(3));
        assertEquals(3, four.get(3).join().version());
    }

    @Test
    void oneFaultIsNotAnothers() throws Exception {
        List<CompletableFuture<Written>> four = four();
        fake.answer(version(1));
        fake.requests.take();
        fake.answer(version(1));
        fake.fail(Status.RESOURCE_EXHAUSTED.withDescription("too large"));
        for (int i = 0; i < 4; i++) {
            UpdateContextRequest alone = (UpdateContextRequest) fake.requests.take();
            assertEquals("c" + i, alone.getContextId());
            if (i == 2) {
                fake.fail(Status.RESOURCE_EXHAUSTED.withDescription("too large"));
            } else {
                fake.answer(version(i));
            }
        }
        assertEquals(3, four.get(3).join().version());
        assertThrows(CompletionException.class, four.get(2)::join);
    }

    @Test
    void aCallIsOfOneNamespaceAndTheyTakeTurns() throws Exception {
        client.context("a").put("k", "1");
        client.context("b").put("k", "1");
        for (int i = 0; i < 3; i++) {
            client.withNamespace("other").context("o" + i).put("k", "1");
            client.context("c" + i).put("k", "1");
        }
        fake.requests.take();
        fake.requests.take();
        for (String namespace : List.of("other", "default")) {
            fake.answer(version(1));
            BatchUpdateContextsRequest batch = (BatchUpdateContextsRequest) fake.requests.take();
            assertEquals(3, batch.getRequestsCount());
            batch.getRequestsList()
                    .forEach(each -> assertEquals(namespace, each.getNamespace()));
        }
    }

    @Test
    void whatTheAnswerHadNoRoomForIsAskedAlone() throws Exception {
        List<CompletableFuture<Written>> four = four();
        fake.answer(version(1));
        fake.requests.take();
        var noRoom = dev.contextd.v1.Failure.newBuilder().setReason("RESPONSE_TOO_LARGE");
        var results = versions(4).toBuilder();
        results.setResults(2, UpdateResult.newBuilder().setFailure(noRoom));
        fake.answer(version(1));
        fake.answer(results.build());
        assertEquals(4, four.get(3).join().version());
        UpdateContextRequest alone = (UpdateContextRequest) fake.requests.take();
        assertEquals("c2", alone.getContextId());
        fake.answer(version(9));
        assertEquals(9, four.get(2).join().version());
    }

    @Test
    void whatIsBegunUponAnAnswerGoesWithTheNextCall() throws Exception {
        List<CompletableFuture<Written>> four = four();
        fake.answer(version(1));
        fake.requests.take();
        client.context("d").put("k", "1"); // Both calls are under way.
        four.forEach(each -> each.thenAccept(done -> client.context("e").put("k", "1")));
        fake.answers.add(fake.answers.take()); // That of the four is the next.
        fake.answer(versions(4));
        BatchUpdateContextsRequest next = (BatchUpdateContextsRequest) fake.requests.take();
        assertEquals(5, next.getRequestsCount());
    }

    @Test
    void whatWasGivenUpIsNotSent() throws Exception {
        List<CompletableFuture<Written>> four = four();
        four.get(1).cancel(true);
        fake.answer(version(1));
        BatchUpdateContextsRequest batch = (BatchUpdateContextsRequest) fake.requests.take();
        assertEquals(3, batch.getRequestsCount());
        assertThrows(CancellationException.class, four.get(1)::join);
    }

    @Test
    void whatWaitsTooLongSaysSo() throws Exception {
        four();
        CompletableFuture<Written> brief =
                client.context("x").withTimeout(Duration.ofMillis(20)).put("k", "1");
        var error = assertThrows(CompletionException.class, brief::join).getCause();
        assertInstanceOf(DeadlineExceededException.class, error);
    }

    @Test
    void moreThanMayWaitIsRefused() throws Exception {
        four();
        CompletableFuture<Written> last = null;
        for (int i = 0; i <= Lane.WAITING_MAX; i++) {
            last = client.context("many").put("k", "1");
        }
        var error = assertThrows(CompletionException.class, last::join).getCause();
        assertInstanceOf(OverloadedException.class, error);
    }

    @Test
    void aClosedClientEndsWhatIsUnderWay() throws Exception {
        List<CompletableFuture<Written>> four = four();
        CompletableFuture<Written> under = client.context("a").put("k", "2");
        client.close();
        for (CompletableFuture<Written> each : four) {
            var error = assertThrows(CompletionException.class, each::join).getCause();
            assertInstanceOf(ClientClosedException.class, error);
        }
        var error = assertThrows(CompletionException.class, under::join).getCause();
        assertInstanceOf(ClientClosedException.class, error);
    }

    @Test
    void nobodyThereNamesTheAddress() throws Exception {
        try (HeldPort port = new HeldPort();
                Client none =
                        Client.builder()
                                .address(port.address())
                                .timeout(Patience.TIME)
                                .retry(Patience.ONE_ATTEMPT)
                                .build()) {
            var error =
                    assertThrows(UnavailableException.class, () -> none.context("c").info());
            assertTrue(error.getMessage().contains(port.address()), error.getMessage());
            assertTrue(error.getMessage().contains("attempts"), error.getMessage());
        }
    }

    private static Client patient(ServerSocket server) {
        return Client.builder()
                .address("127.0.0.1:" + server.getLocalPort())
                .timeout(Patience.TIME)
                .build();
    }

    /** Who takes connections, and never says that it speaks HTTP/2. */
    @Test
    void aCallThatNeverHadAConnectionWasAnsweredByNobody() throws Exception {
        try (ServerSocket mute = new ServerSocket(0);
                Client client = patient(mute)) {
            var waits = client.withTimeout(Duration.ofSeconds(3)).context("c");
            var info = client.async().context("c").withTimeout(Duration.ofSeconds(3)).info();
            var put = client.async().context("c").withTimeout(Duration.ofSeconds(3)).put("k", "v");
            var read =
                    assertThrows(
                            UnavailableException.class,
                            () -> waits.entries(EntryQuery.ALL).iterator().hasNext());
            assertTrue(read.getMessage().contains("nobody answered at"), read.getMessage());
            for (CompletableFuture<?> each : List.of(info, put)) {
                var error = assertThrows(CompletionException.class, each::join).getCause();
                assertInstanceOf(UnavailableException.class, error);
                assertTrue(error.getMessage().contains("nobody answered at"), error.getMessage());
            }
        }
    }

    @Test
    void whatIsNotContextdSaysSo() throws Exception {
        try (ServerSocket socket = new ServerSocket(0)) {
            Thread web =
                    new Thread(
                            () -> {
                                try (Socket one = socket.accept()) {
                                    String page = "HTTP/1.1 400 Bad Request\r\n\r\n";
                                    one.getOutputStream().write(page.getBytes());
                                    one.getInputStream().transferTo(
                                            java.io.OutputStream.nullOutputStream());
                                } catch (java.io.IOException over) {
                                    return;
                                }
                            });
            web.setDaemon(true);
            web.start();
            try (Client wrong = patient(socket)) {
                assertThrows(WrongServerException.class, () -> wrong.context("c").info());
            }
        }
    }

    @Test
    void plainTextFromATlsServerIsACertificateMatter() throws Exception {
        try (ServerSocket socket = new ServerSocket(0)) {
            Thread tls =
                    new Thread(
                            () -> {
                                try (Socket one = socket.accept()) {
                                    byte[] alert = {0x15, 3, 3, 0, 2, 2, 80, 0, 0, 0, 0, 0};
                                    one.getOutputStream().write(alert);
                                    one.getInputStream().transferTo(
                                            java.io.OutputStream.nullOutputStream());
                                } catch (java.io.IOException over) {
                                    return;
                                }
                            });
            tls.setDaemon(true);
            tls.start();
            try (Client wrong = patient(socket)) {
                assertThrows(CertificateRejectedException.class, () -> wrong.context("c").info());
            }
        }
    }

    @Test
    void anInterruptedThreadIsToldAndStaysInterrupted() throws Exception {
        fake.onGet = (request, to) -> {};
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        String name = InProcessServerBuilder.generateName();
        Server own = InProcessServerBuilder.forName(name).addService(fake).build().start();
        try (Client blocking =
                Client.builder()
                        .channel(InProcessChannelBuilder.forName(name))
                        .timeout(Patience.TIME)
                        .build()) {
            Thread thread =
                    new Thread(
                            () -> {
                                assertThrows(
                                        CancellationException.class,
                                        () -> blocking.context("c").info());
                                interrupted.complete(Thread.currentThread().isInterrupted());
                            });
            thread.setUncaughtExceptionHandler(
                    (failed, error) -> interrupted.completeExceptionally(error));
            thread.start();
            fake.requests.take();
            thread.interrupt();
            assertTrue(interrupted.join());
        } finally {
            own.shutdownNow();
        }
    }

    @Test
    void aConnectionThatBrokeWhileACallBeganIsUnavailable() {
        Status broke = Status.UNKNOWN.withDescription("channel closed");
        assertInstanceOf(
                UnavailableException.class,
                Failures.of(broke.withCause(new ClosedChannelException()), null));
        assertEquals(Status.Code.UNKNOWN, Failures.of(broke, null).code());
    }

    @Test
    void jsonIsCheckedBothWays() {
        for (String good : List.of("{}", "[1, -2.5e3, \"\\u00e9\"]", "null", " {\"a\":[{}]} ")) {
            assertEquals(good, Value.json(good).asJson());
        }
        for (String bad : List.of("", "{", "[1,]", "01", "\"\\x\"", "nul", "{\"a\" 1}", "1 2")) {
            assertThrows(InvalidValueException.class, () -> Value.json(bad), bad);
        }
        assertThrows(InvalidValueException.class, () -> Value.of("\ud800"));
        assertThrows(InvalidValueException.class, () -> Value.of(new byte[] {-1}).text());
    }
}
