package dev.contextd.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import dev.contextd.client.error.ContextdException;
import dev.contextd.client.error.InvalidFieldException;
import dev.contextd.v1.ActivateContextRequest;
import dev.contextd.v1.Activity;
import dev.contextd.v1.BatchUpdateContextsRequest;
import dev.contextd.v1.ContextManagerGrpc;
import dev.contextd.v1.CreateContextRequest;
import dev.contextd.v1.CreateRecoveryPointRequest;
import dev.contextd.v1.Entry;
import dev.contextd.v1.ForkContextRequest;
import dev.contextd.v1.GetContextRequest;
import dev.contextd.v1.GetRecoveryPointRequest;
import dev.contextd.v1.ListActivitiesRequest;
import dev.contextd.v1.ListRecoveryPointsRequest;
import dev.contextd.v1.MergeContextRequest;
import dev.contextd.v1.Mutation;
import dev.contextd.v1.NewContext;
import dev.contextd.v1.PruneRecoveryPointsRequest;
import dev.contextd.v1.PutEntry;
import dev.contextd.v1.RecordActivitiesRequest;
import dev.contextd.v1.RecoveryGrpc;
import dev.contextd.v1.RetentionPolicy;
import dev.contextd.v1.SetExpiry;
import dev.contextd.v1.StartSessionRequest;
import dev.contextd.v1.StateRef;
import dev.contextd.v1.TrackerGrpc;
import dev.contextd.v1.TruncateHistoryRequest;
import dev.contextd.v1.UpdateContextRequest;
import dev.contextd.v1.UpdateRecoveryPointRequest;
import io.grpc.MethodDescriptor;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/** What is refused before it is sent, with the words that the real server has for it. */
class RulesTest {
    private static ContextdServer server;
    private static Client client;
    private static final AtomicInteger CALLS = new AtomicInteger();

    @BeforeAll
    static void startServer() {
        server = ContextdServer.begin();
        client = server.client().onCall(report -> CALLS.incrementAndGet()).build();
    }

    @AfterAll
    static void stopServer() {
        if (server != null) {
            client.close();
            server.close();
        }
    }

    private static final String LONG = "x".repeat(5000);
    private static final StateRef STATE = StateRef.newBuilder().setContextId("c").build();

    private static Duration seconds(long seconds) {
        return Duration.newBuilder().setSeconds(seconds).build();
    }

    private static Duration millis(int millis) {
        return Duration.newBuilder().setNanos(millis * 1_000_000).build();
    }

    /** A request that is refused, with its method. */
    private record Wrong<Q extends Message>(MethodDescriptor<Q, ?> method, Q request) {}

    private static Wrong<?> update(Mutation.Builder... steps) {
        var request = UpdateContextRequest.newBuilder().setContextId("c");
        List.of(steps).forEach(request::addMutations);
        return new Wrong<>(ContextManagerGrpc.getUpdateContextMethod(), request.build());
    }

    private static Mutation.Builder put(String key) {
        return Mutation.newBuilder().setPutEntry(PutEntry.newBuilder().setKey(key));
    }

    private static Wrong<?> start(StartSessionRequest.Builder request) {
        return new Wrong<>(TrackerGrpc.getStartSessionMethod(), request.build());
    }

    private static Wrong<?> record(Activity.Builder activity) {
        var request = RecordActivitiesRequest.newBuilder().setContextId("c");
        return new Wrong<>(
                TrackerGrpc.getRecordActivitiesMethod(), request.addActivities(activity).build());
    }

    private static Wrong<?> point(CreateRecoveryPointRequest.Builder request) {
        return new Wrong<>(
                RecoveryGrpc.getCreateRecoveryPointMethod(), request.setContextId("c").build());
    }

    private static Wrong<?> change(UpdateRecoveryPointRequest.Builder request) {
        return new Wrong<>(
                RecoveryGrpc.getUpdateRecoveryPointMethod(),
                request.setContextId("c").setRecoveryPointId("p").build());
    }

    private static Wrong<?> list(ListRecoveryPointsRequest.Builder request) {
        return new Wrong<>(RecoveryGrpc.getListRecoveryPointsMethod(), request.build());
    }

    private static Wrong<?> prune(PruneRecoveryPointsRequest.Builder request) {
        return new Wrong<>(RecoveryGrpc.getPruneRecoveryPointsMethod(), request.build());
    }

    private static Stream<Wrong<?>> contexts() {
        var twoParts =
                BatchUpdateContextsRequest.newBuilder()
                        .setAtomic(true)
                        .addRequests(
                                UpdateContextRequest.newBuilder()
                                        .setContextId("c")
                                        .addMutations(put("k")))
                        .addRequests(
                                UpdateContextRequest.newBuilder()
                                        .setContextId("d")
                                        .addMutations(put("k"))
                                        .addMutations(put("")));
        var parent = NewContext.newBuilder().setParentId("c");
        var create = CreateContextRequest.newBuilder().setContextId("c").setProperties(parent);
        var keys = GetContextRequest.newBuilder().setState(STATE).addKeys("k").addKeys("");
        return Stream.of(
                update(),
                update(put("k"), put(LONG)),
                update(put("k").setPutEntry(PutEntry.newBuilder().setKey("a\u0001b"))),
                update(
                        Mutation.newBuilder()
                                .setSetExpiry(SetExpiry.newBuilder().setTtl(seconds(0)))),
                update(Mutation.newBuilder()),
                new Wrong<>(ContextManagerGrpc.getBatchUpdateContextsMethod(), twoParts.build()),
                new Wrong<>(ContextManagerGrpc.getCreateContextMethod(), create.build()),
                new Wrong<>(ContextManagerGrpc.getGetContextMethod(), keys.build()));
    }

    private static Stream<Wrong<?>> sessions() {
        var activate =
                ActivateContextRequest.newBuilder()
                        .setContextId("c")
                        .setSessionId("s")
                        .setTakeover(true);
        return Stream.of(
                start(StartSessionRequest.newBuilder().setTtl(seconds(0))),
                start(StartSessionRequest.newBuilder().setTtl(millis(999))),
                start(StartSessionRequest.newBuilder().setTtl(seconds(86_401))),
                start(StartSessionRequest.newBuilder().setMaxActiveContexts(1001)),
                start(StartSessionRequest.newBuilder().putMetadata("", "v")),
                new Wrong<>(TrackerGrpc.getActivateContextMethod(), activate.build()));
    }

    private static Stream<Wrong<?>> histories() {
        Activity.Builder euros = Activity.newBuilder();
        euros.getModelBuilder().setCurrency("euro");
        Activity.Builder late = Activity.newBuilder();
        late.getModelBuilder().setLatency(seconds(-1));
        Activity.Builder noPath = Activity.newBuilder();
        noPath.getFileBuilder().setOperation("read");
        var times =
                ListActivitiesRequest.newBuilder()
                        .setContextId("c")
                        .setStartTime(Timestamp.newBuilder().setSeconds(9))
                        .setEndTime(Timestamp.newBuilder().setSeconds(8));
        var types = ListActivitiesRequest.newBuilder().setContextId("c").addTypes("");
        var first = TruncateHistoryRequest.newBuilder().setContextId("c").setFromSequence(0);
        return Stream.of(
                record(Activity.newBuilder()),
                record(euros),
                record(late),
                record(noPath),
                new Wrong<>(TrackerGrpc.getListActivitiesMethod(), times.build()),
                new Wrong<>(TrackerGrpc.getListActivitiesMethod(), types.build()),
                new Wrong<>(TrackerGrpc.getTruncateHistoryMethod(), first.build()));
    }

    private static Stream<Wrong<?>> points() {
        Entry entry = Entry.newBuilder().setKey("a").build();
        Mutation expiry =
                Mutation.newBuilder()
                        .setSetExpiry(SetExpiry.newBuilder().setTtl(seconds(5)))
                        .build();
        var get = GetRecoveryPointRequest.newBuilder().setContextId("c").addKeys(LONG);
        return Stream.of(
                point(CreateRecoveryPointRequest.newBuilder().setRecoveryPointId(LONG)),
                point(CreateRecoveryPointRequest.newBuilder().addMutations(expiry)),
                point(
                        CreateRecoveryPointRequest.newBuilder()
                                .addAttachments(entry)
                                .addAttachments(entry)),
                point(CreateRecoveryPointRequest.newBuilder().setTtl(seconds(-1))),
                change(
                        UpdateRecoveryPointRequest.newBuilder()
                                .setTtl(seconds(5))
                                .setClearExpiry(true)),
                change(UpdateRecoveryPointRequest.newBuilder().addDeleteMetadata("")),
                change(
                        UpdateRecoveryPointRequest.newBuilder()
                                .addPutAttachments(entry)
                                .addDeleteAttachments("a")),
                list(ListRecoveryPointsRequest.newBuilder().setIdPrefix(LONG)),
                list(ListRecoveryPointsRequest.newBuilder().setAncestorsOf(LONG)),
                list(ListRecoveryPointsRequest.newBuilder().setBeforeRecoveryPointId(LONG)),
                list(ListRecoveryPointsRequest.newBuilder().addKeys("k").addKeys("")),
                prune(PruneRecoveryPointsRequest.newBuilder()),
                prune(
                        PruneRecoveryPointsRequest.newBuilder()
                                .setPolicy(RetentionPolicy.getDefaultInstance())),
                new Wrong<>(RecoveryGrpc.getGetRecoveryPointMethod(), get.build()));
    }

    private static Stream<Wrong<?>> states() {
        var other = STATE.toBuilder().setNamespace("other");
        var merge =
                MergeContextRequest.newBuilder().setSource(other).setTargetContextId("d");
        var keys =
                MergeContextRequest.newBuilder()
                        .setSource(STATE)
                        .setTargetContextId("d")
                        .putOnConflictByKey(
                                "", MergeContextRequest.OnConflict.ON_CONFLICT_TARGET);
        var fork = ForkContextRequest.newBuilder().setSource(STATE).setContextId(LONG);
        return Stream.of(
                new Wrong<>(RecoveryGrpc.getMergeContextMethod(), merge.build()),
                new Wrong<>(RecoveryGrpc.getMergeContextMethod(), keys.build()),
                new Wrong<>(RecoveryGrpc.getForkContextMethod(), fork.build()));
    }

    @TestFactory
    Stream<DynamicTest> whatTheServerRefusesIsRefusedHereWithItsWords() {
        return Stream.of(contexts(), sessions(), histories(), points(), states())
                .flatMap(Function.identity())
                .map(
                        wrong -> {
                            var local =
                                    assertThrows(
                                            InvalidFieldException.class,
                                            () -> RequestRules.check(wrong.request()),
                                            () -> wrong.request().toString());
                            String name = local.text();
                            return DynamicTest.dynamicTest(name, () -> same(wrong, local));
                        });
    }

    private static <Q extends Message> void same(Wrong<Q> wrong, InvalidFieldException local) {
        Pending<?> sent = send(wrong.method(), wrong.request());
        var told = assertThrows(InvalidFieldException.class, () -> Wait.join(sent));
        assertEquals(told.getMessage(), local.getMessage());
        assertEquals(told.field(), local.field());
        assertEquals(told.rule(), local.rule());
    }

    /** Sends what the local checks refuse. */
    private static <Q, R> Pending<R> send(MethodDescriptor<Q, R> method, Q request) {
        Target any = client.context("c").target;
        return any.core().call(method, request, response -> response, any.deadline(), "");
    }

    @Test
    void aRefusedWriteIsNotSentAndTellsItsRequestId() {
        int before = CALLS.get();
        Context named = client.context("c").withRequestId("order-7");
        var refused = assertThrows(InvalidFieldException.class, () -> named.put("", "v"));
        assertEquals("order-7", refused.requestId());
        assertEquals("mutations[0].put_entry.key", refused.field());
        var created = assertThrows(InvalidFieldException.class, () -> client.context("").create());
        assertFalse(created.requestId().isEmpty());
        var point =
                assertThrows(
                        InvalidFieldException.class, () -> named.points().create("x".repeat(200)));
        assertEquals("order-7", point.requestId());
        assertEquals(before, CALLS.get());
    }

    @Test
    void aRefusedFutureFailsAndDoesNotThrow() {
        var written = client.async().context("c").put("", "v");
        var error = assertThrows(CompletionException.class, written::join).getCause();
        assertFalse(((ContextdException) error).requestId().isEmpty());
    }

    /** What is refused with a field, without a call. */
    private static ContextdException refused(String field, Executable call) {
        int before = CALLS.get();
        var error = assertThrows(InvalidFieldException.class, call);
        assertEquals(field, error.field());
        assertEquals(before, CALLS.get());
        return error;
    }

    private static ContextdException refused(String field, CompletableFuture<?> future) {
        return refused(field, () -> Wait.join(future));
    }

    @Test
    void aContextWithoutAnIdNeverStandsForItsNamespace() {
        Context none = client.context("");
        var last = dev.contextd.client.RetentionPolicy.keepLast(1);
        refused("context_id", () -> none.points().list(PointQuery.ALL).iterator().hasNext());
        refused("context_id", () -> none.points().prune(last, false));
        refused("context_id", () -> none.points().pruneLabelled(Map.of("a", "b"), false));
        refused("context_id", () -> none.history().usage());
        AsyncContext future = client.async().context("");
        refused("context_id", future.points().prune(last, false));
        refused("context_id", future.points().pruneLabelled(Map.of("a", "b"), false));
        refused("context_id", future.history().usage());
        Points named = none.withRequestId("order-8").points();
        var error = refused("context_id", () -> named.prune(last, false));
        assertEquals("order-8", error.requestId());
    }

    @Test
    void theEndOfASessionWithoutAnIdIsNotSent() {
        refused("session_id", () -> client.endSession(""));
        refused("session_id", client.async().endSession(""));
    }

    @Test
    void aStateThatCannotBeIsRefusedWhereItIsRead() {
        Context context = client.context("c");
        RestoreOptions plain = RestoreOptions.PLAIN;
        refused("version", () -> context.restore(0, plain));
        refused("recovery_point_id", () -> context.restore("", plain));
        refused("state.version", () -> context.at(-1).info());
        refused("state.recovery_point_id", () -> context.atPoint("").info());
        refused("source.version", () -> context.at(0).fork("d", ForkOptions.PLAIN));
    }

    @Test
    void aFutureOfAStateThatCannotBeFailsAndDoesNotThrow() {
        AsyncContext context = client.async().context("c");
        refused("version", context.restore(0, RestoreOptions.PLAIN));
        refused("recovery_point_id", context.restore("", RestoreOptions.PLAIN));
        refused("state.version", context.at(0).info());
        refused("state.recovery_point_id", context.atPoint("").info());
    }

    @Test
    void ofPutAllNothingIsWrittenWhereAPieceIsRefused() {
        Context context = client.create("pieces");
        Value large = Value.of(new byte[3 << 20]);
        Map<String, Value> values =
                new java.util.LinkedHashMap<>(Map.of("a", large));
        values.put("b", large);
        values.put("x".repeat(513), Value.of("v"));
        assertThrows(InvalidFieldException.class, () -> context.putAll(values, new Changes()));
        assertTrue(context.snapshot().entries().isEmpty());
    }
}
