package dev.contextd.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.contextd.client.error.ClientClosedException;
import dev.contextd.client.error.ContextNotFoundException;
import dev.contextd.client.error.CursorCompactedException;
import dev.contextd.client.error.NewerServerException;
import dev.contextd.client.error.UnavailableException;
import dev.contextd.v1.BatchGetContextsResponse;
import dev.contextd.v1.CaughtUp;
import dev.contextd.v1.Context;
import dev.contextd.v1.DiffStatesResponse;
import dev.contextd.v1.EntryDiff;
import dev.contextd.v1.Event.Builder;
import dev.contextd.v1.EventBatch;
import dev.contextd.v1.GetContextResponse;
import dev.contextd.v1.GetRecoveryPointResponse;
import dev.contextd.v1.ListRecoveryPointsResponse;
import dev.contextd.v1.MergeContextResponse;
import dev.contextd.v1.Mutation;
import dev.contextd.v1.PutEntry;
import dev.contextd.v1.ReadEntriesResponse;
import dev.contextd.v1.RecoveryPoint;
import dev.contextd.v1.SubscribeResponse;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Streams that break, end or tell what is new, with a server that is a fake. */
@Timeout(Patience.TEST_SECONDS)
class StreamsTest {
    private static final int UNKNOWN_NUMBER = 99;
    private FakeServices fake;
    private Client client;

    @BeforeEach
    void start() throws Exception {
        fake = new FakeServices();
        client = fake.client().build();
    }

    @AfterEach
    void stop() {
        client.close();
        fake.close();
    }

    private static Builder put(String cursor, String key, String value) {
        PutEntry put =
                PutEntry.newBuilder().setKey(key).setValue(ByteString.copyFromUtf8(value)).build();
        return dev.contextd.v1.Event.newBuilder()
                .setType(dev.contextd.v1.EventType.EVENT_TYPE_UPDATED)
                .setCursor(cursor)
                .setContext(Context.newBuilder().setId("c").setVersion(2))
                .addMutations(Mutation.newBuilder().setPutEntry(put));
    }

    private static SubscribeResponse events(Builder... events) {
        EventBatch.Builder batch = EventBatch.newBuilder();
        List.of(events).forEach(batch::addEvents);
        return SubscribeResponse.newBuilder().setEvents(batch).build();
    }

    private static SubscribeResponse caughtUp(String cursor) {
        return SubscribeResponse.newBuilder()
                .setCaughtUp(CaughtUp.newBuilder().setCursor(cursor))
                .build();
    }

    private static Builder snapshot(String id) {
        return dev.contextd.v1.Event.newBuilder()
                .setType(dev.contextd.v1.EventType.EVENT_TYPE_SNAPSHOT)
                .setCursor("s")
                .setContext(Context.newBuilder().setId(id).setVersion(1));
    }

    private static <T> Throwable failure(CompletableFuture<T> future) {
        return assertThrows(
                        ExecutionException.class,
                        () -> future.get(Patience.SECONDS, TimeUnit.SECONDS))
                .getCause();
    }

    @Test
    void anEventOfAnUnknownTypeIsToldWithItsPosition() {
        fake.subscribe.thenStay(
                List.of(events(put("1", "k", "v").setTypeValue(UNKNOWN_NUMBER))));
        try (Subscription events = client.subscribe(EventQuery.ALL)) {
            Event event = events.next();
            assertEquals(EventType.UNKNOWN, event.type());
            assertEquals("1", event.cursor());
        }
    }

    @Test
    void aViewEndsWithAnEventThatItDoesNotKnow() {
        fake.subscribe.thenStay(
                List.of(
                        caughtUp("0"),
                        events(put("1", "k", "v").setTypeValue(UNKNOWN_NUMBER))));
        try (View view = client.view(EventQuery.ALL)) {
            assertInstanceOf(NewerServerException.class, failure(view.ended()));
        }
    }

    @Test
    void aMessageOfAnUnknownKindIsNotLeftOut() {
        fake.subscribe.thenStay(List.of(SubscribeResponse.getDefaultInstance()));
        assertThrows(NewerServerException.class, () -> client.subscribe(EventQuery.ALL));
    }

    @Test
    void aDifferenceOfAnUnknownKindIsNotLeftOut() {
        EntryDiff nothing = EntryDiff.newBuilder().setKey("k").build();
        fake.diff.then(
                FakeServices.END,
                List.of(DiffStatesResponse.newBuilder().addEntries(nothing).build()));
        var differences = client.context("c").at(2).diff(client.context("c").at(1));
        assertThrows(NewerServerException.class, () -> differences.iterator().next());
    }

    @Test
    void anUnknownOriginIsToldAsThat() {
        RecoveryPoint point =
                RecoveryPoint.newBuilder().setId("p").setOriginValue(UNKNOWN_NUMBER).build();
        fake.points.then(
                FakeServices.END,
                List.of(
                        ListRecoveryPointsResponse.newBuilder()
                                .addRecoveryPoints(
                                        GetRecoveryPointResponse.newBuilder()
                                                .setRecoveryPoint(point))
                                .build()));
        var first = client.context("c").points().list(PointQuery.ALL).iterator().next();
        assertEquals(dev.contextd.client.RecoveryPoint.Origin.UNKNOWN, first.origin());
    }

    private static ReadEntriesResponse entries(String... keys) {
        ReadEntriesResponse.Builder made = ReadEntriesResponse.newBuilder().setVersion(7);
        for (String key : keys) {
            made.addEntries(dev.contextd.v1.Entry.newBuilder().setKey(key));
        }
        return made.build();
    }

    @Test
    void aReadThatBreaksGoesOnBehindTheLastKeyInTheSameVersion() {
        fake.read
                .then(FakeServices.BROKEN, List.of(entries("a"), entries("b")))
                .then(FakeServices.BROKEN, List.of())
                .then(FakeServices.END, List.of(entries("c")));
        List<String> keys = new ArrayList<>();
        client.context("c").entries(EntryQuery.ALL).forEach(each -> keys.add(each.key()));
        assertEquals(List.of("a", "b", "c"), keys);
        var last = fake.read.requests.get(2);
        assertEquals("b", last.getAfterKey());
        assertEquals(7, last.getState().getVersion());
    }

    @Test
    void aSubscriptionGoesOnBehindTheLastWholeEvent() {
        fake.subscribe
                .then(
                        FakeServices.BROKEN,
                        List.of(
                                events(put("1", "a", "1")),
                                events(put("2", "b", "1").setMore(true))))
                .thenStay(
                        List.of(events(put("2", "b", "1").setMore(true), put("2", "c", "1"))));
        try (Subscription events = client.subscribe(EventQuery.ALL)) {
            assertEquals("1", events.next().cursor());
            Event whole = events.next();
            assertEquals(2, whole.steps().size());
            assertEquals("1", fake.subscribe.requests.get(1).getCursor());
        }
    }

    @Test
    void aSubscriptionThatNobodyAnswersEnds() {
        fake.subscribe.then(FakeServices.BROKEN, List.of());
        try (Client brief = fake.client().timeout(Duration.ofMillis(200)).build()) {
            var error =
                    assertThrows(
                            UnavailableException.class, () -> brief.subscribe(EventQuery.ALL));
            assertTrue(error.getMessage().contains("attempts"), error.getMessage());
        }
    }

    @Test
    void lostEventsAreToldAndAViewBeginsAnew() throws Exception {
        var compacted =
                FakeServices.refusal(
                        Status.Code.OUT_OF_RANGE, "CURSOR_COMPACTED", "oldest_cursor", "9");
        fake.subscribe
                .then(compacted, List.of())
                .then(compacted, List.of(events(snapshot("old")), caughtUp("1")))
                .thenStay(List.of(events(snapshot("new")), caughtUp("2")));
        var error =
                assertThrows(
                        CursorCompactedException.class, () -> client.subscribe(EventQuery.ALL));
        assertEquals("9", error.oldestCursor());
        try (View view = client.view(EventQuery.ALL)) {
            view.ready().get(Patience.SECONDS, TimeUnit.SECONDS);
            while (!view.ids().contains("new")) {
                Thread.onSpinWait();
            }
            assertEquals(2, view.beginnings());
            assertFalse(view.ids().contains("old"));
        }
    }

    /** Asks for all there is, and keeps how it ended. */
    private static final class Taking implements Flow.Subscriber<Event> {
        final CompletableFuture<Void> end = new CompletableFuture<>();
        final CountDownLatch begun = new CountDownLatch(1);

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            subscription.request(Long.MAX_VALUE);
            begun.countDown();
        }

        @Override
        public void onNext(Event event) {
            throw new IllegalStateException("this subscriber breaks the rules");
        }

        @Override
        public void onError(Throwable error) {
            end.completeExceptionally(error);
        }

        @Override
        public void onComplete() {
            end.complete(null);
        }
    }

    @Test
    void aClosedClientEndsWhoeverWaitsForAStream() throws Exception {
        CountDownLatch open = new CountDownLatch(3);
        fake.subscribe.then((request, to) -> open.countDown());
        fake.read.then((request, to) -> open.countDown());
        View view = client.view(EventQuery.ALL);
        Taking taking = new Taking();
        client.async().subscribe(EventQuery.ALL).subscribe(taking);
        CompletableFuture<Boolean> reading =
                CompletableFuture.supplyAsync(
                        () -> client.context("c").entries(EntryQuery.ALL).iterator().hasNext());
        assertTrue(open.await(Patience.SECONDS, TimeUnit.SECONDS));
        client.close();
        assertInstanceOf(ClientClosedException.class, failure(view.ended()));
        assertInstanceOf(ClientClosedException.class, failure(view.ready()));
        assertInstanceOf(ClientClosedException.class, failure(taking.end));
        assertInstanceOf(ClientClosedException.class, failure(reading));
    }

    @Test
    void aSubscriberThatThrowsIsCancelled() throws Exception {
        CountDownLatch cancelled = new CountDownLatch(1);
        fake.subscribe.then(
                (request, to) -> {
                    ((ServerCallStreamObserver<SubscribeResponse>) to)
                            .setOnCancelHandler(cancelled::countDown);
                    to.onNext(events(put("1", "k", "v")));
                });
        client.async().subscribe(EventQuery.ALL).subscribe(new Taking());
        assertTrue(cancelled.await(Patience.SECONDS, TimeUnit.SECONDS));
    }

    @Test
    void aTokenThatCannotBeMadeEndsWhatNeedsIt() {
        try (Client none =
                fake.client()
                        .token(
                                () -> {
                                    throw new IllegalStateException("no token");
                                })
                        .build()) {
            assertThrows(IllegalStateException.class, () -> none.context("c").info());
            assertThrows(IllegalStateException.class, () -> none.subscribe(EventQuery.ALL));
            try (View view = none.view(EventQuery.ALL)) {
                assertInstanceOf(IllegalStateException.class, failure(view.ended()));
            }
        }
    }

    @Test
    void theTokenIsAskedAgainWhenAStreamIsBegunAnew() {
        AtomicInteger asked = new AtomicInteger();
        fake.subscribe
                .then(FakeServices.BROKEN, List.of(events(put("1", "k", "v"))))
                .thenStay(List.of(events(put("2", "k", "v"))));
        try (Client own = fake.client().token(() -> "t" + asked.incrementAndGet()).build();
                Subscription events = own.subscribe(EventQuery.ALL)) {
            events.next();
            events.next();
        }
        var key =
                io.grpc.Metadata.Key.of(
                        "authorization", io.grpc.Metadata.ASCII_STRING_MARSHALLER);
        assertEquals(
                List.of("Bearer t1", "Bearer t2"),
                fake.headers.stream().map(sent -> sent.get(key)).toList());
    }

    @Test
    void aMergeThatWasNotMadeAndHasNoConflictIsOfANewerServer() {
        fake.merge.then(FakeServices.END, List.of(MergeContextResponse.getDefaultInstance()));
        dev.contextd.client.Context target = client.context("target").withRequestId("merge-1");
        var newer =
                assertThrows(
                        NewerServerException.class,
                        () -> target.merge(client.context("source"), MergeOptions.PLAIN));
        assertEquals("merge-1", newer.requestId());
    }

    @Test
    void aSnapshotThatTheAnswerHadNoRoomForIsReadByItself() {
        var small = dev.contextd.v1.Context.newBuilder().setId("small").setVersion(3);
        var noRoom = dev.contextd.v1.Failure.newBuilder().setReason("RESPONSE_TOO_LARGE");
        var results = BatchGetContextsResponse.newBuilder();
        results.addResultsBuilder().getResponseBuilder().setContext(small);
        results.addResultsBuilder().setFailure(noRoom);
        results.addResultsBuilder().setFailure(noRoom);
        fake.getAll.then(FakeServices.END, List.of(results.build()));
        var large = dev.contextd.v1.Context.newBuilder().setId("large").setVersion(7);
        fake.get.then(
                        FakeServices.END,
                        List.of(GetContextResponse.newBuilder().setContext(large).build()))
                .then(
                        FakeServices.refusal(
                                io.grpc.Status.Code.NOT_FOUND, "CONTEXT_NOT_FOUND"),
                        List.of());
        List<Result<Snapshot>> told = client.snapshots(List.of("small", "large", "gone"));
        assertEquals(3, told.get(0).value().version());
        assertEquals(7, told.get(1).value().version());
        assertInstanceOf(ContextNotFoundException.class, told.get(2).error());
        assertEquals("large", fake.get.requests.get(0).getState().getContextId());
    }

    @Test
    void whatTheServerSaysOfASnapshotIsToldAtItsPlaceAmongAllOfThem() {
        var wrong =
                dev.contextd.v1.Failure.newBuilder()
                        .setCode(Status.Code.INVALID_ARGUMENT.value())
                        .setReason("INVALID_FIELD")
                        .setMessage("requests[0].state.namespace is another")
                        .putMetadata("field", "requests[0].state.namespace")
                        .putMetadata("rule", "is another");
        var results = BatchGetContextsResponse.newBuilder();
        results.addResultsBuilder().setFailure(wrong);
        fake.getAll.then(FakeServices.END, List.of(results.build()));
        var told = client.snapshots(List.of("", "a")).get(1).error();
        assertEquals("requests[1].state.namespace", told.details().get("field"));
        assertTrue(told.getMessage().contains("requests[1].state"), told.getMessage());
    }

    private static final EventQuery HOURLY =
            EventQuery.ALL.progressInterval(Duration.ofHours(1));

    @Test
    void aSubscriptionOfAHungServerGivesUpAfterTheClientsTimeout() {
        fake.subscribe.thenStay(List.of());
        Client hasty = client.withTimeout(Duration.ofMillis(100));
        var error = assertThrows(UnavailableException.class, () -> hasty.subscribe(HOURLY));
        assertTrue(error.getMessage().contains("nobody answered at"), error.getMessage());
    }

    @Test
    void aSubscriptionThatFindsAHungServerGivesUpAfterTheClientsTimeout() {
        fake.subscribe
                .then(FakeServices.BROKEN, List.of(FakeServices.CAUGHT_UP))
                .thenStay(List.of());
        Client patient = client.withTimeout(Duration.ofSeconds(5));
        try (Subscription events = patient.subscribe(HOURLY)) {
            var error = assertThrows(UnavailableException.class, events::next);
            assertTrue(error.getMessage().contains("nobody answered at"), error.getMessage());
        }
        assertEquals(0, client.context("any").target.core().timers.count());
    }

    @Test
    void aClosedSubscriptionLeavesNothingToRunLater() {
        fake.subscribe.thenStay(List.of(FakeServices.CAUGHT_UP));
        Subscription events = client.subscribe(HOURLY);
        Timers timers = client.context("any").target.core().timers;
        assertEquals(1, timers.count());
        events.close();
        assertEquals(0, timers.count());
    }

    @Test
    void aViewThatIsClosedBeforeItIsReadySaysSo() {
        fake.subscribe.thenStay(List.of());
        View view = client.view(EventQuery.ALL);
        view.close();
        var error = assertThrows(CompletionException.class, () -> view.ready().join());
        assertInstanceOf(ClientClosedException.class, error.getCause());
        view.ended().join();
    }

    @Test
    void whoAsksForLessThanOneIsToldSoWhateverComes() throws Exception {
        fake.subscribe.thenStay(List.of());
        var told = new java.util.concurrent.CompletableFuture<Throwable>();
        client.async()
                .subscribe(EventQuery.ALL)
                .subscribe(
                        new Flow.Subscriber<>() {
                            @Override
                            public void onSubscribe(Flow.Subscription subscription) {
                                subscription.request(1);
                                subscription.request(0);
                            }

                            @Override
                            public void onNext(Event event) {}

                            @Override
                            public void onError(Throwable error) {
                                told.complete(error);
                            }

                            @Override
                            public void onComplete() {
                                told.complete(null);
                            }
                        });
        assertInstanceOf(IllegalArgumentException.class, told.get());
    }

    @Test
    void anInterruptedReaderGoesOnLaterAndMissesNothing() {
        var to = new java.util.concurrent.CompletableFuture<StreamObserver<SubscribeResponse>>();
        fake.subscribe.then(
                (request, observer) -> {
                    observer.onNext(FakeServices.CAUGHT_UP);
                    to.complete(observer);
                });
        try (Subscription events = client.subscribe(EventQuery.ALL.positions())) {
            assertEquals(EventType.CAUGHT_UP, events.next().type());
            Thread.currentThread().interrupt();
            assertThrows(CancellationException.class, events::next);
            assertTrue(Thread.interrupted());
            var progress = SubscribeResponse.newBuilder();
            progress.getProgressBuilder().setCursor("7");
            to.join().onNext(progress.build());
            assertEquals("7", events.next().cursor());
        }
    }
}
