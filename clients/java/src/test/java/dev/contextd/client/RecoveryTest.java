package dev.contextd.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.contextd.client.error.ContextNotFoundException;
import dev.contextd.client.error.NoRecoveryPointsException;
import dev.contextd.client.error.RecoveryPointExistsException;
import dev.contextd.client.error.RecoveryPointNotFoundException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/** Recovery points, forks and merges, with the real server. */
class RecoveryTest {
    private static ContextdServer server;
    private Client client;
    private Context trip;

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
        client = server.client().namespace("recovery").build();
        String name = test.getTestMethod().orElseThrow().getName();
        trip = client.create(name, NewContext.PLAIN, new Changes().put("goal", "Rome"));
    }

    @AfterEach
    void close() {
        client.close();
    }

    private static List<String> ids(Iterable<RecoveryPoint> points) {
        List<String> found = new ArrayList<>();
        points.forEach(point -> found.add(point.id()));
        return found;
    }

    @Test
    void aPointKeepsAState() {
        Points points = trip.points();
        assertThrows(
                NoRecoveryPointsException.class, () -> points.get("", PointQuery.ALL));
        RecoveryPoint found =
                points.create(
                        NewPoint.PLAIN
                                .id("found")
                                .metadata(Map.of("by", "a"))
                                .attachments(Map.of("offers", Value.of("3"))));
        assertEquals(RecoveryPoint.Origin.CLIENT, found.origin());
        assertThrows(RecoveryPointExistsException.class, () -> points.create("found"));
        trip.put("goal", "Paris");
        points.create(NewPoint.PLAIN.id("next").asPinned());
        assertEquals("Rome", trip.atPoint("found").getText("goal"));
        RecoveryPoint whole = points.get("found", PointQuery.ALL.entries().attachments());
        assertEquals("3", whole.attachments().get("offers").text());
        assertEquals("Rome", whole.entries().get("goal").text());
        assertEquals(List.of("next", "found"), ids(points.list(PointQuery.ALL)));
        assertEquals(List.of("found"), ids(points.list(PointQuery.ALL.before("next"))));
        assertTrue(ids(client.points(trip.id(), PointQuery.ALL)).contains("found"));
        assertThrows(RecoveryPointNotFoundException.class, () -> points.delete("none"));
    }

    @Test
    void whatLiesBesideAPointChanges() {
        Points points = trip.points();
        points.create("p");
        points.update("p", PointUpdate.NONE.metadata(Map.of("a", "b")).pinned(true));
        points.attach("p", PointUpdate.NONE.add(Map.of("w", Value.of("1"))));
        points.attach("later", PointUpdate.NONE.put(Map.of("w", Value.of("2"))));
        points.create("later");
        RecoveryPoint later = points.get("later", PointQuery.ALL.attachments());
        assertEquals("2", later.attachments().get("w").text());
        assertTrue(points.get("p", PointQuery.ALL).pinned());
        assertEquals(0, points.prune(RetentionPolicy.keepLast(1), false).removedCount());
        points.update("p", PointUpdate.NONE.pinned(false));
        assertEquals(1, points.prune(RetentionPolicy.keepLast(1), true).removedCount());
        assertEquals(1, points.pruneLabelled(Map.of("a", "b"), false).removedCount());
        points.delete("later");
    }

    @Test
    void pointsOfConcurrentCallersGoTogether() {
        AsyncPoints points = client.async().context(trip.id()).points();
        List<CompletableFuture<RecoveryPoint>> made = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            made.add(points.create("p" + i));
        }
        for (int i = 0; i < 100; i++) {
            assertEquals(i + 1, made.get(i).join().sequence());
        }
    }

    @Test
    void aRestoreLosesNothing() {
        trip.points().create("p");
        trip.update(new Changes().put("goal", "Paris").put("seat", "12A"));
        Restored back = trip.restore("p", RestoreOptions.PLAIN.withSafetyPoint());
        assertEquals(2, back.changedEntryCount());
        assertEquals("Rome", trip.getText("goal"));
        trip.restore(back.safetyPointId(), RestoreOptions.PLAIN);
        assertEquals("12A", trip.getText("seat"));
        trip.restore(1, RestoreOptions.PLAIN);
        assertFalse(trip.contains("seat"));
        trip.delete();
        assertThrows(ContextNotFoundException.class, trip::info);
        trip.restore(RestoreOptions.PLAIN.undeleting());
        assertEquals("Rome", trip.getText("goal"));
    }

    @Test
    void aBranchIsMergedAndGone() {
        String id;
        try (Branch attempt = trip.branch(ForkOptions.PLAIN)) {
            id = attempt.id();
            attempt.update(new Changes().put("goal", "Milan").put("via", "train"));
            trip.put("goal", "Oslo");
            var unmerged =
                    assertThrows(
                            MergeConflictsException.class,
                            () -> attempt.mergeBack(MergeOptions.PLAIN));
            MergeConflict conflict = unmerged.conflicts().get(0);
            assertEquals("Oslo", conflict.target().orElseThrow().text());
            assertEquals("Milan", conflict.source().orElseThrow().text());
            assertEquals(1, attempt.mergeBack(MergeOptions.PLAIN.dry()).conflictCount());
            attempt.mergeBack(MergeOptions.PLAIN.onConflict(OnConflict.SOURCE));
        }
        assertEquals("Milan", trip.getText("goal"));
        assertThrows(ContextNotFoundException.class, () -> client.context(id).info());
    }

    @Test
    void differencesAndSyncsAreComplete() {
        Map<String, Entry> mine = new TreeMap<>();
        Synced first = trip.sync(0);
        assertTrue(first.full());
        first.apply(mine);
        trip.update(new Changes().put("a", "1").remove("goal").label("l", "v"));
        List<String> told = new ArrayList<>();
        for (Difference each : trip.diff(trip.at(1))) {
            told.add(each.key() + ":" + each.before().isPresent() + each.after().isPresent());
        }
        assertEquals(List.of("l:falsetrue", "a:falsetrue", "goal:truefalse"), told);
        Synced then = trip.sync(first.info().version());
        assertFalse(then.full());
        then.apply(mine);
        assertEquals(List.of("a"), List.copyOf(mine.keySet()));
        assertEquals("1", trip.fork("", ForkOptions.PLAIN.history()).getText("a"));
    }
}
