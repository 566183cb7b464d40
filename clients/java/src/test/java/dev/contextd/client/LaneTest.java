package dev.contextd.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.contextd.client.error.ContextdException;
import dev.contextd.client.error.NewerServerException;
import dev.contextd.client.error.VersionConflictException;
import dev.contextd.v1.BatchUpdateContextsRequest;
import dev.contextd.v1.BatchUpdateContextsResponse;
import dev.contextd.v1.ContextManagerGrpc;
import dev.contextd.v1.UpdateContextRequest;
import dev.contextd.v1.UpdateContextResponse;
import dev.contextd.v1.UpdateResult;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What goes together, how much of it, and in which order: by a server in this process that keeps
 * each call until the test lets it answer.
 */
class LaneTest {
    /** A call that came, and how it is answered. */
    private record Came(List<UpdateContextRequest> parts, StreamObserver<?> to) {
        boolean isBatch() {
            return parts.size() > 1;
        }

        String namespace() {
            return parts.get(0).getNamespace();
        }

        @SuppressWarnings("unchecked") // Who made it knows which.
        <R> void answer(R response) {
            StreamObserver<R> observer = (StreamObserver<R>) to;
            observer.onNext(response);
            observer.onCompleted();
        }
    }

    private static final class Held extends ContextManagerGrpc.ContextManagerImplBase {
        final List<Came> calls = new ArrayList<>();

        @Override
        public void updateContext(
                UpdateContextRequest request, StreamObserver<UpdateContextResponse> to) {
            calls.add(new Came(List.of(request), to));
        }

        @Override
        public void batchUpdateContexts(
                BatchUpdateContextsRequest request,
                StreamObserver<BatchUpdateContextsResponse> to) {
            calls.add(new Came(request.getRequestsList(), to));
        }
    }

    private final Held server = new Held();
    private Server running;
    private AsyncClient client;

    @BeforeEach
    void start() throws Exception {
        String name = InProcessServerBuilder.generateName();
        running =
                InProcessServerBuilder.forName(name)
                        .directExecutor()
                        .addService(server)
                        .build()
                        .start();
        // All of it runs in the test's thread: what is to come has come when a call returns.
        client =
                Client.builder()
                        .channel(InProcessChannelBuilder.forName(name).directExecutor())
                        .timeout(Patience.TIME)
                        .buildAsync();
    }

    @AfterEach
    void stop() {
        client.close();
        running.shutdownNow();
    }

    private static UpdateContextResponse version(long version) {
        return UpdateContextResponse.newBuilder().setVersion(version).build();
    }

    /** Answers the call that came first: each part with its place as the version. */
    private Came answerFirst() {
        Came call = server.calls.remove(0);
        if (!call.isBatch()) {
            call.answer(version(1));
            return call;
        }
        var results = BatchUpdateContextsResponse.newBuilder();
        for (int i = 1; i <= call.parts().size(); i++) {
            results.addResults(UpdateResult.newBuilder().setResponse(version(i)));
        }
        call.answer(results.build());
        return call;
    }

    /** Takes both places of the lane; what is given from here on waits. */
    private void occupy() {
        client.context("first").put("k", "v");
        client.context("second").put("k", "v");
    }

    private List<Integer> sizesOfTheRest() {
        answerFirst();
        answerFirst();
        List<Integer> sizes = new ArrayList<>();
        while (!server.calls.isEmpty()) {
            sizes.add(answerFirst().parts().size());
        }
        return sizes;
    }

    @Test
    void aCallHoldsAtMostAThousandOperations() {
        occupy();
        List<CompletableFuture<Written>> all = new ArrayList<>();
        for (int i = 0; i < 2500; i++) {
            all.add(client.context("c" + i).put("k", "v"));
        }
        assertEquals(List.of(1000, 1000, 500), sizesOfTheRest());
        assertEquals(1000, all.get(1999).join().version());
        assertEquals(500, all.get(2499).join().version());
    }

    @Test
    void aCallHoldsAtMostAMebibyteOfRequests() {
        occupy();
        for (int i = 0; i < 7; i++) {
            client.context("c" + i).put("k", Value.of(new byte[300_000]));
        }
        assertEquals(List.of(3, 3, 1), sizesOfTheRest());
    }

    @Test
    void whatIsLargerThanACallMayHoldGoesAloneInItsTurn() {
        occupy();
        client.context("before").put("k", "v");
        client.context("large").put("k", Value.of(new byte[2 << 20]));
        client.context("behind").put("k", "v");
        client.context("last").put("k", "v");
        assertEquals(List.of(1, 1, 2), sizesOfTheRest());
    }

    @Test
    void namespacesTakeTurns() {
        occupy();
        for (int i = 0; i < 2200; i++) {
            client.withNamespace("busy").context("c" + i).put("k", "v");
        }
        client.withNamespace("quiet").context("one").put("k", "v");
        answerFirst();
        answerFirst();
        List<String> turns = new ArrayList<>();
        while (!server.calls.isEmpty()) {
            turns.add(answerFirst().namespace());
        }
        assertTrue(turns.indexOf("quiet") <= 1, () -> "it waits for its turn only: " + turns);
        assertEquals(4, turns.size());
    }

    @Test
    void anotherNumberOfResultsIsANewerServerForEachOfThem() {
        occupy();
        List<CompletableFuture<Written>> two =
                List.of(client.context("a").put("k", "v"), client.context("b").put("k", "v"));
        answerFirst();
        answerFirst();
        server.calls.remove(0).answer(BatchUpdateContextsResponse.getDefaultInstance());
        for (CompletableFuture<Written> each : two) {
            var error = assertThrows(CompletionException.class, each::join).getCause();
            var newer = assertInstanceOf(NewerServerException.class, error);
            assertTrue(!newer.requestId().isEmpty());
        }
    }

    /** One operation of the random test: what it writes, and what becomes of it. */
    private record Given(String context, String value, CompletableFuture<Written> written) {}

    /** What the server of the random test has: the writes of each context in their order. */
    private final class Model {
        final Random random;
        final Map<String, List<String>> applied = new HashMap<>();
        final Map<String, Long> answered = new HashMap<>();
        long version;

        Model(Random random) {
            this.random = random;
        }

        /** Answers one of the calls that are under way, in any way that a server may. */
        void answerAny() {
            Came call = server.calls.remove(random.nextInt(server.calls.size()));
            if (!call.isBatch()) {
                answer(call, call.parts().get(0));
                return;
            }
            if (random.nextInt(10) == 0) {
                call.to().onError(Status.RESOURCE_EXHAUSTED.asRuntimeException());
                return;
            }
            var results = BatchUpdateContextsResponse.newBuilder();
            call.parts().forEach(part -> results.addResults(result(part)));
            call.answer(results.build());
        }

        private void answer(Came call, UpdateContextRequest part) {
            UpdateResult result = result(part);
            if (result.hasResponse()) {
                call.answer(result.getResponse());
            } else {
                call.to().onError(FakeServices.refusal(Status.Code.ABORTED, "VERSION_CONFLICT"));
            }
        }

        /** One in eight is refused, by its value; the others are applied. */
        private UpdateResult result(UpdateContextRequest part) {
            String value = part.getMutations(0).getPutEntry().getValue().toStringUtf8();
            if (isRefused(value)) {
                var refused =
                        dev.contextd.v1.Failure.newBuilder()
                                .setCode(Status.Code.ABORTED.value())
                                .setReason("VERSION_CONFLICT");
                return UpdateResult.newBuilder().setFailure(refused).build();
            }
            applied.computeIfAbsent(key(part), key -> new ArrayList<>()).add(value);
            answered.put(value, ++version);
            return UpdateResult.newBuilder().setResponse(version(version)).build();
        }

        private String key(UpdateContextRequest part) {
            return part.getNamespace() + "/" + part.getContextId();
        }
    }

    private static boolean isRefused(String value) {
        return Integer.parseInt(value) % 8 == 7;
    }

    @Test
    void eachContextIsWrittenInOrderAndEachOperationHasItsOwnResult() {
        String told = System.getenv("CONTEXTD_SEED");
        long seed = told == null ? System.nanoTime() : Long.parseLong(told);
        System.out.println("LaneTest: CONTEXTD_SEED=" + seed);
        Model model = new Model(new Random(seed));
        List<Given> given = new ArrayList<>();
        for (int i = 0; i < 4000; i++) {
            if (model.random.nextInt(3) > 0 || server.calls.isEmpty()) {
                given.add(give(model.random, i));
            } else {
                model.answerAny();
            }
        }
        while (!server.calls.isEmpty()) {
            model.answerAny();
        }
        check(model, given);
    }

    private Given give(Random random, int number) {
        String namespace = "n" + random.nextInt(2);
        String id = "c" + random.nextInt(12);
        String value = Integer.toString(number);
        CompletableFuture<Written> written =
                client.withNamespace(namespace).context(id).put("k", value);
        return new Given(namespace + "/" + id, value, written);
    }

    private static void check(Model model, List<Given> given) {
        Map<String, List<String>> expected = new HashMap<>();
        for (Given one : given) {
            if (isRefused(one.value())) {
                var error = assertThrows(CompletionException.class, one.written()::join).getCause();
                assertInstanceOf(VersionConflictException.class, error);
                assertTrue(!((ContextdException) error).requestId().isEmpty());
            } else {
                assertEquals(model.answered.get(one.value()), one.written().join().version());
                expected.computeIfAbsent(one.context(), key -> new ArrayList<>()).add(one.value());
            }
        }
        assertEquals(expected, model.applied);
    }
}
