package dev.contextd.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Workers of both forms, and a subscriber, while the server is killed and started again. */
class RestartTest {
    private static final int WORKERS = 32;
    private static final int WRITES_BETWEEN = 200;
    private static final long STUCK_SECONDS = 2 * Patience.SECONDS;
    private static final int RESTARTS =
            Integer.parseInt(System.getenv().getOrDefault("CONTEXTD_RESTARTS", "5"));

    private final Semaphore written = new Semaphore(0);
    private final ConcurrentLinkedQueue<Throwable> errors = new ConcurrentLinkedQueue<>();
    private final CountDownLatch done = new CountDownLatch(WORKERS);
    private volatile boolean over;

    /** Appends its numbers to a context of its own, one after the other. */
    private final class Worker {
        final String id;
        final Client client;
        volatile int acknowledged;

        Worker(int number, Client client) {
            this.client = client;
            id = "worker-" + number;
            client.create(id);
        }

        /** Half of them wait for each write, the others begin the next one upon the answer. */
        void start(int number) {
            if (number % 2 == 0) {
                new Thread(this::waiting, id).start();
            } else {
                next(client.async().context(id));
            }
        }

        private void waiting() {
            Context own = client.context(id);
            try {
                while (!over) {
                    own.append("log", Value.of(acknowledged + ","));
                    count();
                }
            } catch (RuntimeException error) {
                errors.add(error);
            } finally {
                done.countDown();
            }
        }

        private void next(AsyncContext own) {
            own.append("log", Value.of(acknowledged + ","))
                    .whenComplete(
                            (write, error) -> {
                                if (error != null) {
                                    errors.add(error);
                                    done.countDown();
                                    return;
                                }
                                count();
                                if (over) {
                                    done.countDown();
                                } else {
                                    next(own);
                                }
                            });
        }

        private void count() {
            acknowledged++; // By one thread at a time.
            written.release();
        }
    }

    /** The versions of each context that were told, until a context was created as the last. */
    private static Map<String, List<Long>> versionsUntil(Subscription events, String last) {
        Map<String, List<Long>> told = new HashMap<>();
        for (Event event : events) {
            ContextInfo context = event.context().orElseThrow();
            if (context.id().equals(last)) {
                break;
            }
            told.computeIfAbsent(context.id(), id -> new ArrayList<>()).add(context.version());
        }
        return told;
    }

    private void killAndRestart(ContextdServer server) throws Exception {
        for (int restart = 0; restart < RESTARTS; restart++) {
            written.drainPermits();
            boolean go = written.tryAcquire(WRITES_BETWEEN, STUCK_SECONDS, TimeUnit.SECONDS);
            assertTrue(go, () -> "nothing is written any more: " + errors.peek());
            server.kill();
            server.start();
        }
    }

    @Test
    void whatWasAcknowledgedIsThereOnceAndTold() throws Exception {
        try (ContextdServer server = ContextdServer.begin();
                Client client = server.client().build();
                Subscription events = client.subscribe(EventQuery.ALL.fromOldest())) {
            FutureTask<Map<String, List<Long>>> told =
                    new FutureTask<>(() -> versionsUntil(events, "last"));
            new Thread(told, "subscriber").start();
            List<Worker> workers =
                    IntStream.range(0, WORKERS).mapToObj(i -> new Worker(i, client)).toList();
            IntStream.range(0, WORKERS).forEach(i -> workers.get(i).start(i));
            killAndRestart(server);
            over = true;
            assertTrue(done.await(STUCK_SECONDS, TimeUnit.SECONDS), "a worker is stuck");
            assertTrue(errors.isEmpty(), () -> "a worker failed: " + errors.peek());
            client.create("last");
            Map<String, List<Long>> versions = told.get(STUCK_SECONDS, TimeUnit.SECONDS);
            for (Worker worker : workers) {
                int count = worker.acknowledged;
                String expected =
                        IntStream.range(0, count)
                                .mapToObj(n -> n + ",")
                                .collect(Collectors.joining());
                String found =
                        client.context(worker.id).find("log").map(Entry::text).orElse("");
                assertEquals(expected, found);
                List<Long> all = LongStream.rangeClosed(1, count + 1).boxed().toList();
                assertEquals(all, versions.get(worker.id));
            }
        }
    }
}
