package dev.contextd.bench;

import com.google.protobuf.ByteString;
import dev.contextd.client.AsyncClient;
import dev.contextd.client.AsyncContext;
import dev.contextd.client.Changes;
import dev.contextd.client.Client;
import dev.contextd.client.Context;
import dev.contextd.client.EventQuery;
import dev.contextd.client.NewContext;
import dev.contextd.client.Subscription;
import dev.contextd.v1.ContextManagerGrpc;
import dev.contextd.v1.Mutation;
import dev.contextd.v1.PutEntry;
import dev.contextd.v1.SubscribeRequest;
import dev.contextd.v1.SubscribeResponse;
import dev.contextd.v1.TrackerGrpc;
import dev.contextd.v1.UpdateContextRequest;
import dev.contextd.v1.WriteOptions;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * Measures what the client costs over the generated code: {@code Bench HOST:PORT SECONDS ROUNDS}.
 * What is compared takes turns in slices of so many seconds, after rounds in which the compiler
 * finds what is hot; the medians count.
 */
public final class Bench {
    private static final int CALLERS = 64;
    private static final int EVENTS = 20_000;
    private static final int WARM_UP_ROUNDS = 4;
    private static final String NAMESPACE = "bench";

    private final String address;
    private final double seconds;
    private final String run = UUID.randomUUID().toString();

    private Bench(String address, double seconds) {
        this.address = address;
        this.seconds = seconds;
    }

    public static void main(String[] arguments) throws Exception {
        int rounds = Integer.parseInt(arguments[2]);
        new Bench(arguments[0], Double.parseDouble(arguments[1])).all(rounds);
        System.exit(0);
    }

    private void all(int rounds) throws Exception {
        List<double[]> found = new ArrayList<>();
        ManagedChannel channel =
                Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()).build();
        try (Client client = client(true);
                Client plain = client(false)) {
            prepare(client);
            for (int round = -WARM_UP_ROUNDS; round < rounds; round++) {
                double[] rates = round(channel, client, plain);
                if (round >= 0) {
                    found.add(rates);
                }
            }
        }
        channel.shutdownNow();
        System.out.printf(
                Locale.ROOT,
                "client=java unary_ratio=%.2f coalescing_ratio=%.2f coalescing_futures_ratio=%.2f"
                        + " events_ratio=%.2f cpu_us_bare=%.1f cpu_us_client=%.1f%n",
                median(found, 0, 1),
                median(found, 2, 3),
                median(found, 4, 5),
                median(found, 6, 7),
                median(found, 8, -1),
                median(found, 9, -1));
    }

    private Client client(boolean coalescing) {
        return Client.builder()
                .address(address)
                .namespace(NAMESPACE)
                .coalescing(coalescing)
                .build();
    }

    private void prepare(Client client) {
        for (int i = 0; i < CALLERS; i++) {
            client.create(run + "/" + i, NewContext.PLAIN, new Changes());
        }
        AsyncContext events = client.async().context(run + "/0");
        for (int i = 0; i < EVENTS; i += 1000) {
            List<java.util.concurrent.CompletableFuture<?>> writes = new ArrayList<>();
            for (int n = 0; n < 1000; n++) {
                writes.add(events.put("k" + n % 10, "value " + n));
            }
            writes.forEach(java.util.concurrent.CompletableFuture::join);
        }
    }

    private double[] round(ManagedChannel channel, Client client, Client plain) throws Exception {
        double[] cpu = new double[2];
        double unary = timed(client, () -> one(client), cpu, 1);
        double bare = timed(client, () -> bare(channel), cpu, 0);
        double together = threads(client);
        double apart = threads(plain);
        double futures = futures(client.async());
        double futuresApart = futures(plain.async());
        double events = events(client);
        double bareEvents = bareEvents(channel);
        return new double[] {
            unary, bare, together, apart, futures, futuresApart, events, bareEvents, cpu[0], cpu[1]
        };
    }

    private static double median(List<double[]> rounds, int above, int below) {
        double[] sorted =
                rounds.stream()
                        .mapToDouble(each -> below < 0 ? each[above] : each[above] / each[below])
                        .sorted()
                        .toArray();
        return sorted[sorted.length / 2];
    }

    private double timed(Client client, Supplier<Runnable> made, double[] cpu, int place) {
        Runnable call = made.get();
        var system = (com.sun.management.OperatingSystemMXBean)
                ManagementFactory.getOperatingSystemMXBean();
        long cpuBegin = system.getProcessCpuTime();
        long begin = System.nanoTime();
        long end = begin + (long) (seconds * 1e9);
        long calls = 0;
        while (System.nanoTime() - end < 0) {
            call.run();
            calls++;
        }
        double elapsed = (System.nanoTime() - begin) / 1e9;
        cpu[place] = (system.getProcessCpuTime() - cpuBegin) / 1e3 / calls;
        return calls / elapsed;
    }

    private Runnable one(Client client) {
        Context context = client.context(run + "/1");
        return () -> context.put("k", "some value");
    }

    private Runnable bare(ManagedChannel channel) {
        var stub = ContextManagerGrpc.newBlockingStub(channel);
        return () -> stub.withDeadlineAfter(10, TimeUnit.SECONDS).updateContext(bareRequest());
    }

    private UpdateContextRequest bareRequest() {
        String requestId = UUID.randomUUID().toString();
        PutEntry put =
                PutEntry.newBuilder()
                        .setKey("k")
                        .setValue(ByteString.copyFromUtf8("some value"))
                        .setContentType("text/plain; charset=utf-8")
                        .build();
        return UpdateContextRequest.newBuilder()
                .setNamespace(NAMESPACE)
                .setContextId(run + "/1")
                .addMutations(Mutation.newBuilder().setPutEntry(put))
                .setWrite(WriteOptions.newBuilder().setRequestId(requestId))
                .build();
    }

    /** Writes a second by threads that wait for each of theirs. */
    private double threads(Client client) throws InterruptedException {
        AtomicBoolean over = new AtomicBoolean();
        AtomicLong calls = new AtomicLong();
        CountDownLatch done = new CountDownLatch(CALLERS);
        long begin = System.nanoTime();
        for (int i = 0; i < CALLERS; i++) {
            Context context = client.context(run + "/" + i);
            Thread thread =
                    new Thread(
                            () -> {
                                long own = 0;
                                while (!over.get()) {
                                    context.put("k", "some value");
                                    own++;
                                }
                                calls.addAndGet(own);
                                done.countDown();
                            });
            thread.start();
        }
        Thread.sleep((long) (seconds * 1e3));
        over.set(true);
        done.await();
        return calls.get() / ((System.nanoTime() - begin) / 1e9);
    }

    /** Writes a second by callers that begin the next one where the last one is done. */
    private double futures(AsyncClient client) throws InterruptedException {
        AtomicLong calls = new AtomicLong();
        CountDownLatch done = new CountDownLatch(CALLERS);
        long begin = System.nanoTime();
        long end = begin + (long) (seconds * 1e9);
        for (int i = 0; i < CALLERS; i++) {
            next(client.context(run + "/" + i), end, calls, done);
        }
        done.await();
        return calls.get() / ((System.nanoTime() - begin) / 1e9);
    }

    private void next(AsyncContext context, long end, AtomicLong calls, CountDownLatch done) {
        context.put("k", "some value")
                .whenComplete(
                        (written, error) -> {
                            calls.incrementAndGet();
                            if (System.nanoTime() - end < 0 && error == null) {
                                next(context, end, calls, done);
                            } else {
                                done.countDown();
                            }
                        });
    }

    private double events(Client client) {
        long begin = System.nanoTime();
        EventQuery query = EventQuery.ALL.contexts(List.of(run + "/0")).fromOldest();
        try (Subscription events = client.subscribe(query)) {
            for (int i = 0; i < EVENTS; i++) {
                events.next();
            }
        }
        return EVENTS / ((System.nanoTime() - begin) / 1e9);
    }

    private double bareEvents(ManagedChannel channel) {
        long begin = System.nanoTime();
        Iterator<SubscribeResponse> stream =
                TrackerGrpc.newBlockingStub(channel)
                        .subscribe(
                                SubscribeRequest.newBuilder()
                                        .setNamespace(NAMESPACE)
                                        .addContextIds(run + "/0")
                                        .setFromOldest(true)
                                        .build());
        for (int seen = 0; seen < EVENTS; ) {
            seen += stream.next().getEvents().getEventsCount();
        }
        return EVENTS / ((System.nanoTime() - begin) / 1e9);
    }
}
