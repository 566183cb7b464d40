package dev.contextd.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Workers and a subscriber, while the server is killed and started again and again. */
class RestartTest {
    private static final int WORKERS = 32;
    private static final int WRITES_BETWEEN = 200;
    private static final int RESTARTS =
            Integer.parseInt(System.getenv().getOrDefault("CONTEXTD_RESTARTS", "5"));

    @Test
    void whatWasAcknowledgedIsThereOnce() throws Exception {
        try (ContextdServer server = ContextdServer.begin();
                Client client = server.client().timeout(Duration.ofSeconds(60)).build()) {
            for (int i = 0; i < WORKERS; i++) {
                client.create("worker-" + i);
            }
            Subscription events = client.subscribe(EventQuery.ALL.fromOldest());
            AtomicBoolean over = new AtomicBoolean();
            AtomicInteger written = new AtomicInteger();
            ConcurrentLinkedQueue<Throwable> errors = new ConcurrentLinkedQueue<>();
            int[] counts = new int[WORKERS];
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < WORKERS; i++) {
                int number = i;
                Thread thread =
                        new Thread(
                                () -> {
                                    Context own = client.context("worker-" + number);
                                    while (!over.get() && errors.isEmpty()) {
                                        own.append("log", Value.of(counts[number] + ","));
                                        counts[number]++;
                                        written.incrementAndGet();
                                    }
                                });
                thread.setUncaughtExceptionHandler((which, error) -> errors.add(error));
                thread.start();
                threads.add(thread);
            }
            for (int restart = 0; restart < RESTARTS; restart++) {
                int until = written.get() + WRITES_BETWEEN;
                while (written.get() < until && errors.isEmpty()) {
                    Thread.onSpinWait();
                    Thread.yield();
                }
                server.kill();
                server.start();
            }
            over.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
            assertTrue(errors.isEmpty(), () -> "a worker failed: " + errors.peek());
            int total = 0;
            for (int i = 0; i < WORKERS; i++) {
                String expected =
                        IntStream.range(0, counts[i])
                                .mapToObj(n -> n + ",")
                                .collect(Collectors.joining());
                String found =
                        client.context("worker-" + i)
                                .find("log")
                                .map(Entry::text)
                                .orElse("");
                assertEquals(expected, found);
                total += counts[i];
            }
            int told = 0;
            while (told < total) {
                told += events.next().type() == EventType.UPDATED ? 1 : 0;
            }
            events.close();
        }
    }
}
