package dev.contextd.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.contextd.client.error.ContextExistsException;
import dev.contextd.client.error.ContextNotFoundException;
import dev.contextd.client.error.EntryNotFoundException;
import dev.contextd.client.error.InvalidFieldException;
import dev.contextd.client.error.InvalidValueException;
import dev.contextd.client.error.SizeMismatchException;
import dev.contextd.client.error.StateNotRetainedException;
import dev.contextd.client.error.VersionConflictException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/** Contexts and their entries, with the real server. */
class ContextTest {
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
        client = server.client().namespace("contexts").build();
        chat = client.create(test.getTestMethod().orElseThrow().getName());
    }

    @AfterEach
    void close() {
        client.close();
    }

    @Test
    void whatIsPutIsGot() {
        Written written = chat.put("system", "You are helpful.");
        assertEquals(2, written.version());
        assertEquals("You are helpful.", chat.getText("system"));
        Entry entry = chat.find("system").orElseThrow();
        assertEquals(Value.TEXT, entry.value().contentType());
        assertEquals(2, entry.version());
        chat.put("m", Value.json("{\"role\": \"user\"}"));
        assertEquals("{\"role\": \"user\"}", chat.getJson("m"));
        assertThrows(InvalidValueException.class, () -> chat.getJson("system"));
    }

    @Test
    void whatIsMissingSaysSo() {
        var missing = assertThrows(EntryNotFoundException.class, () -> chat.get("none"));
        assertEquals("none", missing.key());
        assertFalse(chat.contains("none"));
        assertEquals(Optional.empty(), chat.find("none"));
        Context nowhere = client.context("nowhere");
        assertThrows(ContextNotFoundException.class, nowhere::info);
        assertThrows(ContextNotFoundException.class, () -> nowhere.put("k", "v"));
        assertEquals(1, nowhere.createIfMissing(NewContext.ofType("chat")).put("k", "v").version());
    }

    @Test
    void aContextIsCreatedOnce() {
        assertEquals(1, assertThrows(ContextExistsException.class, chat::create).version());
        String made = client.create("", NewContext.ofType("t"), new Changes().put("a", "1")).id();
        assertEquals("t", client.context(made).info().type());
    }

    @Test
    void anUpdateIsAllOrNothing() {
        chat.put("old", "1");
        Written written =
                chat.update(
                        new Changes()
                                .remove("old")
                                .put("new", "2")
                                .append("log", Value.of("a"))
                                .label("user", "mia")
                                .record(new Activity("message", "Hello"))
                                .ifVersion(2));
        assertEquals(3, written.version());
        assertEquals(Map.of("user", "mia"), chat.info().metadata());
        var conflict =
                assertThrows(
                        VersionConflictException.class,
                        () -> chat.update(new Changes().put("x", "y").ifVersion(2)));
        assertEquals(3, conflict.currentVersion());
        assertFalse(conflict.requestId().isEmpty());
        var size =
                assertThrows(
                        SizeMismatchException.class,
                        () -> chat.update(new Changes().append("log", Value.of("b"), 7)));
        assertEquals(1, size.currentSize());
    }

    @Test
    void aWriteWithTheSameIdIsAppliedOnce() {
        Written first = chat.withRequestId("order-7-java").append("log", Value.of("x"));
        Written second = chat.withRequestId("order-7-java").append("log", Value.of("x"));
        assertFalse(first.replayed());
        assertTrue(second.replayed());
        assertEquals("x", chat.getText("log"));
    }

    @Test
    void entriesComeInOrderFromOneVersion() {
        List<CompletableFuture<Written>> writes = new ArrayList<>();
        AsyncContext async = client.async().context(chat.id());
        for (int i = 0; i < 100; i++) {
            writes.add(async.put(String.format("k%03d", i), "v" + i));
        }
        writes.forEach(CompletableFuture::join);
        List<String> keys = new ArrayList<>();
        chat.entries().forEach(entry -> keys.add(entry.key()));
        assertEquals(100, keys.size());
        assertEquals("k000", keys.get(0));
        keys.clear();
        EntryQuery last = EntryQuery.prefixed("k0").reversed().limit(3).withoutValues();
        chat.entries(last).forEach(entry -> keys.add(entry.key()));
        assertEquals(List.of("k099", "k098", "k097"), keys);
        assertEquals(100, chat.snapshot().entries().size());
        assertEquals(List.of("k001"), List.copyOf(snapshotKeys(List.of("k001", "none"))));
        assertEquals(10, chat.snapshotOfPrefix("k01").entries().size());
    }

    private Iterable<String> keysOf(Snapshot snapshot) {
        return snapshot.entries().keySet();
    }

    private List<String> snapshotKeys(List<String> keys) {
        List<String> found = new ArrayList<>();
        keysOf(chat.snapshot(keys)).forEach(found::add);
        return found;
    }

    @Test
    void writesOfOneContextKeepTheirOrder() {
        AsyncContext async = client.async().context(chat.id());
        List<CompletableFuture<Written>> writes = new ArrayList<>();
        StringBuilder expected = new StringBuilder();
        for (int i = 0; i < 500; i++) {
            writes.add(async.append("log", Value.of(i + ",")));
            expected.append(i).append(',');
        }
        writes.forEach(CompletableFuture::join);
        assertEquals(expected.toString(), chat.getText("log"));
    }

    @Test
    void oneFailureInABatchTouchesNoOther() {
        AsyncContext async = client.async().context(chat.id());
        List<CompletableFuture<Written>> writes = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            writes.add(async.put("k", "v" + i));
        }
        CompletableFuture<Written> bad = async.update(new Changes().put("k", "x").ifVersion(1));
        CompletableFuture<Written> last = async.put("k", "last");
        writes.forEach(CompletableFuture::join);
        last.join();
        var thrown = assertThrows(java.util.concurrent.CompletionException.class, bad::join);
        assertTrue(thrown.getCause() instanceof VersionConflictException);
        assertEquals("last", chat.getText("k"));
    }

    @Test
    void editBeginsAgainAfterAConflict() throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Thread thread =
                    new Thread(
                            () -> {
                                for (int n = 0; n < 5; n++) {
                                    chat.edit("count", ContextTest::oneMore);
                                }
                            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals("20", chat.getText("count"));
        client.async().context(chat.id()).edit("count", ContextTest::oneMore).join();
        assertEquals("21", chat.getText("count"));
    }

    private static Optional<Value> oneMore(Optional<Value> old) {
        int count = old.map(value -> Integer.parseInt(value.text())).orElse(0);
        return Optional.of(Value.of(Integer.toString(count + 1)));
    }

    @Test
    void transactWritesWhatTheDraftCameTo() {
        chat.put("todo", "pack");
        String done =
                chat.transact(
                        draft -> {
                            Value value = draft.remove("todo").orElseThrow();
                            draft.put("done", value);
                            draft.metadata().put("state", "done");
                            return value.text();
                        });
        assertEquals("pack", done);
        assertEquals(Map.of("state", "done"), chat.info().metadata());
        assertEquals(List.of("done"), List.copyOf(chat.snapshot().entries().keySet()));
        long version = chat.version();
        chat.transact(List.of("done"), draft -> draft.text("done"));
        assertEquals(version, chat.version());
    }

    @Test
    void transactOfSomeKeysGuardsTheLabelsThatItLooksAt() {
        chat.update(new Changes().label("owner", "mia"));
        String owner =
                chat.transact(
                        List.of("note"),
                        draft -> {
                            String read = draft.metadata().get("owner");
                            if (read.equals("mia")) { // Somebody else is faster.
                                chat.update(new Changes().label("owner", "tom"));
                            }
                            draft.put("note", "for " + read);
                            return read;
                        });
        assertEquals("tom", owner);
        assertEquals("for tom", chat.getText("note"));
    }

    @Test
    void earlierStatesAreRead() {
        chat.put("a", "1");
        chat.put("a", "2");
        assertEquals("1", chat.at(2).getText("a"));
        assertThrows(StateNotRetainedException.class, () -> chat.at(99).info());
    }

    @Test
    void namesThatTheServerRefusesAreNotSent() {
        String[][] wrong = {
            {"", "k"}, {"a\u0001", "k"}, {"x".repeat(257), "k"}, {"ok", ""}, {"ok", "x".repeat(513)}
        };
        for (String[] names : wrong) {
            var local =
                    assertThrows(
                            InvalidFieldException.class,
                            () -> client.context(names[0]).put(names[1], "v"));
            var told = assertThrows(InvalidFieldException.class, () -> raw(names[0], names[1]));
            assertEquals(told.field(), local.field());
            assertEquals(told.rule(), local.rule());
            assertEquals(told.getMessage(), local.getMessage());
        }
    }

    /** Sends what the local checks would refuse. */
    private void raw(String id, String key) {
        var put = dev.contextd.v1.PutEntry.newBuilder().setKey(key);
        var request =
                dev.contextd.v1.UpdateContextRequest.newBuilder()
                        .setNamespace("contexts")
                        .setContextId(id)
                        .addMutations(dev.contextd.v1.Mutation.newBuilder().setPutEntry(put))
                        .build();
        Core core = chat.target.core();
        Wait.join(
                core.call(
                        dev.contextd.v1.ContextManagerGrpc.getUpdateContextMethod(),
                        request,
                        response -> response,
                        chat.target.deadline(),
                        ""));
    }

    @Test
    void manyEntriesArePutInPieces() {
        Map<String, Value> values = new LinkedHashMap<>();
        for (int i = 0; i < 12; i++) {
            values.put("big/" + i, Value.of(new byte[900_000]));
        }
        chat.putAll(values, new Changes().label("complete", "yes").ifVersion(1));
        assertEquals(12, chat.info().entryCount());
        assertEquals(Map.of("complete", "yes"), chat.info().metadata());
        assertEquals(12, chat.snapshot().entries().size());
        assertThrows(
                VersionConflictException.class,
                () -> chat.putAll(values, new Changes().ifVersion(1)));
    }

    @Test
    void severalContextsChangeAsOne() {
        Context other = client.create(chat.id() + "-other");
        client.updateAll(
                List.of(
                        new Change(chat.id(), new Changes().put("a", "1")),
                        new Change(other.id(), new Changes().put("a", "2"))));
        List<Result<Snapshot>> both =
                client.snapshots(List.of(chat.id(), "no such context", other.id()));
        assertEquals(Optional.of("1"), both.get(0).get().text("a"));
        assertThrows(ContextNotFoundException.class, () -> both.get(1).get());
        assertEquals(Optional.of("2"), both.get(2).get().text("a"));
    }

    @Test
    void ofSeveralSnapshotsOnlyThoseFailThatAreWrong() {
        List<Result<Snapshot>> told =
                client.snapshots(List.of("", chat.id(), "no such context", "a\nb"));
        var empty = assertThrows(InvalidFieldException.class, () -> told.get(0).get());
        assertEquals("requests[0].state.context_id", empty.field());
        assertTrue(told.get(1).get().entries().isEmpty());
        assertThrows(ContextNotFoundException.class, () -> told.get(2).get());
        var wrong = assertThrows(InvalidFieldException.class, () -> told.get(3).get());
        assertEquals("requests[3].state.context_id", wrong.field());
        var alone = client.snapshots(List.of("")).get(0).error();
        assertEquals(empty.getMessage(), alone.getMessage());
        var none =
                assertThrows(InvalidFieldException.class, () -> client.snapshots(List.of()));
        assertEquals("requests", none.field());
    }

    @Test
    void listsAreCompleteAndSelect() {
        Client here = client.withNamespace("contexts-list");
        for (int i = 0; i < 5; i++) {
            NewContext properties = NewContext.ofType(i == 0 ? "a" : "b");
            here.create("c" + i, properties, new Changes());
        }
        List<String> ids = new ArrayList<>();
        here.contexts(ContextQuery.ALL.type("b")).forEach(info -> ids.add(info.id()));
        assertEquals(List.of("c1", "c2", "c3", "c4"), ids);
        List<String> names = new ArrayList<>();
        client.namespaces().forEach(namespace -> names.add(namespace.name()));
        assertTrue(names.contains("contexts-list"));
    }

    @Test
    void theServerIsAskedOnceWhatItIs() {
        ServerInfo info = client.serverInfo();
        assertTrue(info.settings().containsKey("message_size_max"));
        assertTrue(info == client.serverInfo());
        assertEquals(info.logId(), client.refreshServerInfo().logId());
    }

    @Test
    void deletesCountWhatIsGone() {
        assertEquals(1, chat.delete());
        assertThrows(ContextNotFoundException.class, chat::delete);
        assertEquals(0, chat.delete(DeleteOptions.PLAIN.orMissing()));
    }
}
