package dev.contextd.client.conformance;

import dev.contextd.client.Client;
import dev.contextd.client.ClientBuilder;
import dev.contextd.client.ContextdServer;
import dev.contextd.client.error.ContextdException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;

/** What the steps of one case work on, and how they are done. */
final class World implements AutoCloseable {
    private static final Set<String> STEP_KEYS = Set.of("expect", "error", "save", "client");
    private static final Duration TIMEOUT = Duration.ofSeconds(30); // The cases say so.

    private final ContextdServer server;
    private final boolean isOwn;
    private final Security security; // null: its server has no TLS.
    private final Map<String, String> addresses;
    private final String namespace;
    private final Map<String, Client> clients = new ConcurrentHashMap<>();
    private final Begun begun = new Begun();
    private final Map<String, Future<?>> background = new ConcurrentHashMap<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    World(
            ContextdServer server,
            boolean isOwn,
            Security security,
            Map<String, String> addresses,
            String namespace) {
        this.server = server;
        this.isOwn = isOwn;
        this.security = security;
        this.addresses = addresses;
        this.namespace = namespace;
    }

    /** Does all steps. What is wrong is an AssertionError that names the step. */
    void run(List<Object> steps) {
        openClient(new Arguments(Map.of("as", "")));
        Names names = Names.of(namespace);
        for (int i = 0; i < steps.size(); i++) {
            try {
                step(Trees.map(steps.get(i)), names);
            } catch (Mismatch wrong) {
                throw new AssertionError("step " + i + ": " + wrong.getMessage(), wrong);
            } catch (RuntimeException wrong) {
                throw new AssertionError("step " + i + ": " + wrong, wrong);
            }
        }
    }

    @Override
    public void close() {
        begun.close();
        clients.values().forEach(Client::close);
        threads.shutdownNow();
    }

    private static String operation(Map<String, Object> step) {
        List<String> operations =
                step.keySet().stream().filter(key -> !STEP_KEYS.contains(key)).toList();
        if (operations.size() != 1) {
            throw new IllegalArgumentException("a step has one operation, not " + operations);
        }
        return operations.get(0);
    }

    private void step(Map<String, Object> step, Names names) {
        String operation = operation(step);
        Map<String, Object> words = Trees.map(step.get(operation));
        switch (operation) {
            case "repeat" -> repeat(words, names, () -> {});
            case "concurrently" -> concurrently(words, names);
            case "in_order" -> inOrder(words, names);
            case "begin" -> begin(words, names);
            case "finish" -> await(background.remove((String) words.get("as")));
            default -> perform(operation, step, words, names);
        }
    }

    private Call call(Map<String, Object> step, Map<String, Object> words, Names names) {
        String client = (String) step.getOrDefault("client", "");
        return new Call(new Arguments(Trees.filled(words, names)), clients.get(client), begun);
    }

    private void perform(
            String operation, Map<String, Object> step, Map<String, Object> words, Names names) {
        Call call = call(step, words, names);
        settle(
                operation,
                step,
                () -> {
                    Object result = performed(operation, call);
                    call.words().nothingLeft();
                    return result;
                },
                names);
    }

    /** Gets a result or failure, compares it, and saves what is to be saved. */
    private static void settle(
            String operation, Map<String, Object> step, Supplier<Object> work, Names names) {
        Object result = null;
        ContextdException failure = null;
        try {
            result = work.get();
        } catch (ContextdException error) {
            failure = error;
        }
        compare(operation, step, result, failure, names);
        Object told = result;
        Trees.map(step.get("save"))
                .forEach((name, path) -> names.set(name, Trees.part(told, (String) path)));
    }

    private static void compare(
            String operation,
            Map<String, Object> step,
            Object result,
            ContextdException failure,
            Names names) {
        if (step.containsKey("error")) {
            if (failure == null) {
                throw new Mismatch(
                        operation + " did not fail, but gave " + Trees.shown(result));
            }
            Object wanted = step.get("error");
            wanted = wanted instanceof String name ? Map.of("class", name) : wanted;
            Expectation.check(Trees.filled(wanted, names), Results.failure(failure), "");
        } else if (failure != null) {
            throw new Mismatch(operation + " failed: " + Results.failure(failure));
        }
        if (step.containsKey("expect")) {
            Expectation.check(Trees.filled(step.get("expect"), names), result, "");
        }
    }

    private Object performed(String operation, Call call) {
        Arguments words = call.words();
        switch (operation) {
            case "open_client" -> openClient(words);
            case "close_client" -> call.opened().close();
            case "start_server" -> startServer(words);
            case "kill_server" -> endServer("kill");
            case "stop_server" -> endServer("stop");
            case "restart_server" -> {
                endServer(words.text("how"));
                startServer(words);
            }
            case "tell" -> {
                return Map.of("values", words.take("values"));
            }
            default -> {
                return Operations.perform(operation, call);
            }
        }
        return Map.of();
    }

    // ---- The client and the server. ----

    private void openClient(Arguments words) {
        String address = words.has("address") ? words.text("address") : "server";
        ClientBuilder builder =
                Client.builder()
                        .address(
                                address.equals("server")
                                        ? server.address()
                                        : addresses.get(address))
                        .namespace(words.has("namespace") ? words.text("namespace") : namespace)
                        .timeout(words.has("timeout") ? words.seconds("timeout") : TIMEOUT);
        if (words.has("token")) {
            String token = words.text("token");
            builder.token(() -> token);
        }
        String tls = words.text("tls");
        if (security != null && address.equals("server")) {
            security.secure(builder, tls);
        } else if (!tls.isEmpty()) {
            throw new IllegalArgumentException("the server of the case has no TLS");
        }
        if (words.has("coalescing")) {
            builder.coalescing(words.flag("coalescing"));
        }
        clients.put(words.text("as"), builder.build());
    }

    private void startServer(Arguments words) {
        if (!isOwn) {
            throw new IllegalStateException("only a case with a server of its own stops it");
        }
        if (words.has("flags")) {
            server.setFlags(flags(words.fields("flags")));
        }
        try {
            server.start();
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    private void endServer(String how) {
        if (!isOwn) {
            throw new IllegalStateException("only a case with a server of its own stops it");
        }
        if (!how.equals("stop")) {
            server.kill();
            return;
        }
        try {
            int status = server.stop();
            // Java counts the signal in where the process did not end by itself.
            if (status != 0) {
                throw new Mismatch("the server ended with " + status);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** The server's flags for settings by their names. */
    static List<String> flags(Map<String, Object> settings) {
        List<String> made = new ArrayList<>();
        settings.forEach(
                (name, value) -> {
                    made.add("--" + name.replace('_', '-'));
                    made.add(String.valueOf(value));
                });
        return made;
    }

    // ---- Steps of steps. ----

    private void all(List<Object> steps, Names names) {
        steps.forEach(step -> step(Trees.map(step), names));
    }

    private static List<Names> rounds(Map<String, Object> words, Names names) {
        List<Names> made = new ArrayList<>();
        long times = ((Number) words.get("times")).longValue();
        for (long count = 1; count <= times; count++) {
            made.add(names.with((String) words.getOrDefault("as", ""), count));
        }
        return made;
    }

    private void repeat(Map<String, Object> words, Names names, Runnable passed) {
        for (Names round : rounds(words, names)) {
            all(Trees.list(words.get("steps")), round);
            passed.run();
        }
    }

    private void concurrently(Map<String, Object> words, Names names) {
        List<Future<?>> running = new ArrayList<>();
        for (Object step : Trees.list(words.get("steps"))) {
            Map<String, Object> inner = Trees.map(Trees.map(step).get("repeat"));
            if (inner.isEmpty()) {
                running.add(threads.submit(() -> step(Trees.map(step), names)));
            } else {
                for (Names round : rounds(inner, names)) {
                    running.add(threads.submit(() -> all(Trees.list(inner.get("steps")), round)));
                }
            }
        }
        running.forEach(World::await);
    }

    /** Begins all in their order, and then settles them. */
    private void inOrder(Map<String, Object> words, Names names) {
        List<Runnable> begun = new ArrayList<>();
        for (Object step : Trees.list(words.get("steps"))) {
            Map<String, Object> inner = Trees.map(Trees.map(step).get("repeat"));
            if (inner.isEmpty()) {
                begun.add(ordered(Trees.map(step), names));
                continue;
            }
            for (Names round : rounds(inner, names)) {
                Trees.list(inner.get("steps"))
                        .forEach(each -> begun.add(ordered(Trees.map(each), round)));
            }
        }
        begun.forEach(Runnable::run);
    }

    private Runnable ordered(Map<String, Object> step, Names names) {
        String operation = operation(step);
        Call call = call(step, Trees.map(step.get(operation)), names);
        CompletableFuture<Object> running = OrderedOperations.begin(operation, call);
        return () -> settle(operation, step, () -> joined(running), names);
    }

    private static Object joined(CompletableFuture<Object> running) {
        try {
            return running.join();
        } catch (CompletionException failed) {
            if (failed.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw failed;
        }
    }

    private static void await(Future<?> running) {
        try {
            running.get();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (java.util.concurrent.ExecutionException failed) {
            if (failed.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException(failed.getCause());
        }
    }

    private void begin(Map<String, Object> words, Names names) {
        Object wanted = words.getOrDefault("passed", 0);
        CountDownLatch passed = new CountDownLatch(((Number) wanted).intValue());
        Runnable counted =
                () -> {
                    try {
                        counted(Trees.list(words.get("steps")), names, passed);
                    } finally {
                        while (passed.getCount() > 0) {
                            passed.countDown();
                        }
                    }
                };
        background.put((String) words.get("as"), CompletableFuture.runAsync(counted, threads));
        try {
            passed.await();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void counted(List<Object> steps, Names names, CountDownLatch passed) {
        for (Object step : steps) {
            Map<String, Object> inner = Trees.map(Trees.map(step).get("repeat"));
            if (inner.isEmpty()) {
                step(Trees.map(step), names);
                passed.countDown();
            } else {
                repeat(inner, names, passed::countDown);
            }
        }
    }
}
