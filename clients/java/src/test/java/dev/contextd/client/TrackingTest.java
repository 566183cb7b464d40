package dev.contextd.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.contextd.client.error.ClientClosedException;
import dev.contextd.client.error.ContextBusyException;
import dev.contextd.client.error.ResourceHeldException;
import dev.contextd.client.error.SessionLostException;
import dev.contextd.client.error.StaleFenceException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/** Sessions, histories and subscriptions, with the real server. */
class TrackingTest {
    private static ContextdServer server;
    private Client client;
    private Context chat;

    @BeforeAll
    static void startServer() {
        server = ContextdServer.begin();
    }

    @AfterAll
    static void stopServer() {
        if (server != null) {
            server.close();
        }
    }

    @BeforeEach
    void connect(TestInfo test) {
        String name = test.getTestMethod().orElseThrow().getName();
        client = server.client().namespace(name.toLowerCase(java.util.Locale.ROOT)).build();
        chat = client.create("chat");
    }

    @AfterEach
    void close() {
        client.close();
    }

    @Test
    void onlyOneSessionHasAContextExclusively() {
        try (Session slow = client.session(NewSession.PLAIN.owner("slow"));
                Session fast = client.session(NewSession.PLAIN.owner("fast"))) {
            ActiveContext held = slow.activateExclusively("chat");
            held.put("state", "slow works");
            var busy =
                    assertThrows(
                            ContextBusyException.class, () -> fast.activateExclusively("chat"));
            assertEquals("slow", busy.owner());
            try (ActiveContext taken = fast.activate("chat", true, true, true)) {
                taken.put("state", "fast works");
                var stale =
                        assertThrows(StaleFenceException.class, () -> held.put("state", "late"));
                assertEquals(taken.fence(), stale.currentFence());
                assertThrows(StaleFenceException.class, () -> chat.put("state", "no fence"));
                assertEquals(ContextStatus.Presence.ACTIVE, chat.status().presence());
                assertTrue(chat.status().guarded());
            }
            assertEquals("fast works", chat.getText("state"));
        }
    }

    @Test
    void aSessionThatWasEndedElsewhereIsLost() throws Exception {
        CompletableFuture<SessionLostException> told = new CompletableFuture<>();
        Session session = client.session(NewSession.PLAIN.onLost(told::complete));
        client.endSession(session.id());
        assertThrows(SessionLostException.class, () -> session.context("chat").put("k", "v"));
        assertTrue(session.isLost());
        var loss = told.get(Patience.SECONDS, TimeUnit.SECONDS);
        assertTrue(loss.getMessage().contains(session.id()));
        assertThrows(SessionLostException.class, () -> session.context("chat").put("k", "v"));
        session.close();
    }

    @Test
    void aSessionThatWasClosedIsOfNoUse() {
        Session session = client.session(NewSession.PLAIN);
        assertEquals(1, count(client.sessions("")));
        session.close();
        session.close();
        assertThrows(ClientClosedException.class, () -> session.activate("chat"));
        assertFalse(session.isLost());
        assertEquals(0, count(client.sessions("")));
    }

    @Test
    void aSessionOutlivesItsTerm() throws Exception {
        // A term within which a busy machine renews it.
        NewSession brief = NewSession.PLAIN.ttl(Duration.ofSeconds(6));
        try (Session session = client.session(brief);
                Subscription events =
                        client.subscribe(
                                EventQuery.ALL
                                        .progressInterval(Duration.ofMillis(500))
                                        .positions())) {
            var first = session.info().expireTime().orElseThrow();
            while (session.info().expireTime().orElseThrow().isBefore(first.plus(brief.ttl()))) {
                events.next(); // A position comes each half second: no sleep of our own.
            }
            assertFalse(session.isLost());
        }
    }

    private static int count(Iterable<?> rows) {
        int count = 0;
        for (Object row : rows) {
            count++;
        }
        return count;
    }

    @Test
    void aResourceIsHeldByOne() {
        try (Session one = client.session(NewSession.PLAIN);
                Session two = client.session(NewSession.PLAIN);
                ActiveContext mine = one.activate("chat");
                ActiveContext theirs = two.activate("chat")) {
            try (ActiveContext.Held held = mine.acquire("browser")) {
                assertEquals(one.id(), held.resource().sessionId());
                assertThrows(ResourceHeldException.class, () -> theirs.acquire("browser"));
                assertEquals(1, count(chat.resources()));
            }
            theirs.acquire("browser").close();
            assertEquals("chat", two.switchTo("chat").id());
        }
    }

    @Test
    void theHistoryAddsUp() {
        History history = chat.history();
        history.recordAll(
                List.of(
                        new Activity("message", "Hello"),
                        new FileOperation("report.md", "write"),
                        new ModelUsage("openai", "gpt", 1200, 80)));
        assertEquals(4, history.record(new Activity("message", "Bye")).lastSequence());
        List<String> types = new ArrayList<>();
        history.list(HistoryQuery.ALL.newest()).forEach(each -> types.add(each.type()));
        assertEquals(List.of("message", "model_usage", "file_operation", "message"), types);
        assertEquals(2, count(history.list(HistoryQuery.ALL.types(List.of("message")))));
        assertEquals("write", history.files("").iterator().next().lastOperation().operation());
        assertEquals(1200, history.usage().get(0).inputTokens());
        assertEquals(80, client.usage().get(0).outputTokens());
        assertEquals(2, history.truncate(3));
        assertEquals(1, history.optimize(0, 1, false, false).removedCount());
    }

    @Test
    @SuppressWarnings("try") // It is closed twice on purpose.
    void eventsComeInOrderFromACursor() {
        try (Subscription events = client.subscribe(EventQuery.ALL.fromOldest())) {
            chat.put("a", "1");
            chat.put("a", "2");
            assertEquals(EventType.CREATED, events.next().type());
            Event first = events.next();
            assertEquals(List.of(new Step.Put("a", Value.of("1"))), first.steps());
            events.close();
            assertFalse(events.hasNext());
            try (Subscription later = client.subscribe(EventQuery.ALL.after(first.cursor()))) {
                assertEquals(3, later.next().context().orElseThrow().version());
            }
        }
    }

    @Test
    void aPublisherHandsOutWhatIsAsked() throws Exception {
        chat.put("a", "1");
        CompletableFuture<List<EventType>> told = new CompletableFuture<>();
        client.async()
                .subscribe(EventQuery.ALL.fromOldest())
                .subscribe(
                        new Flow.Subscriber<>() {
                            private final List<EventType> types = new ArrayList<>();
                            private Flow.Subscription subscription;

                            @Override
                            public void onSubscribe(Flow.Subscription begun) {
                                subscription = begun;
                                begun.request(1);
                            }

                            @Override
                            public void onNext(Event event) {
                                types.add(event.type());
                                if (types.size() == 2) {
                                    subscription.cancel();
                                    told.complete(types);
                                } else {
                                    subscription.request(1);
                                }
                            }

                            @Override
                            public void onError(Throwable error) {
                                told.completeExceptionally(error);
                            }

                            @Override
                            public void onComplete() {}
                        });
        assertEquals(
                List.of(EventType.CREATED, EventType.UPDATED),
                told.get(Patience.SECONDS, TimeUnit.SECONDS));
    }

    @Test
    void aViewHoldsWhatTheServerHas() throws Exception {
        chat.put("a", "1");
        try (View view = client.view(EventQuery.ALL);
                Subscription events =
                        client.subscribe(
                                EventQuery.ALL
                                        .positions()
                                        .progressInterval(Duration.ofMillis(100)))) {
            view.ready().get(Patience.SECONDS, TimeUnit.SECONDS);
            Context other = client.create("other");
            chat.update(
                    new Changes()
                            .append("a", Value.of("2"))
                            .put("big", Value.of(new byte[10_000]))
                            .label("user", "mia"));
            chat.append("big", Value.of(new byte[10]));
            other.fork("fork", ForkOptions.PLAIN);
            other.delete();
            while (view.ids().contains("other") || !view.ids().contains("fork")) {
                events.next(); // Positions come again and again.
            }
            assertEquals(java.util.Set.of("chat", "fork"), view.ids());
            assertEquals(chat.snapshot(), view.get("chat").orElseThrow());
            assertEquals(1, view.beginnings());
            assertEquals(Map.of("user", "mia"), view.info("chat").orElseThrow().metadata());
        }
    }

    @Test
    void aClosedClientEndsAllOfIt() {
        Client own = server.client().build();
        Session session = own.session(NewSession.PLAIN);
        Subscription events = own.subscribe(EventQuery.ALL);
        own.close();
        own.close();
        assertThrows(ClientClosedException.class, () -> own.context("x").info());
        assertThrows(ClientClosedException.class, () -> own.context("x").put("a", "b"));
        assertThrows(ClientClosedException.class, events::hasNext);
        assertThrows(ClientClosedException.class, session::info);
    }

    @Test
    void aLossIsToldWhereTheExecutorTakesNothingMoreToo() {
        java.util.concurrent.Executor over =
                run -> {
                    throw new java.util.concurrent.RejectedExecutionException("it was shut down");
                };
        try (Client own = server.client().executor(over).build()) {
            own.create("held");
            Session session = own.session(NewSession.PLAIN);
            client.withNamespace(own.namespace()).endSession(session.id());
            assertThrows(SessionLostException.class, () -> session.context("held").put("k", "v"));
            assertTrue(session.isLost());
        }
    }
}
