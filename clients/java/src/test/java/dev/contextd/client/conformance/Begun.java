package dev.contextd.client.conformance;

import dev.contextd.client.ActiveContext;
import dev.contextd.client.Session;
import dev.contextd.client.Subscription;
import dev.contextd.client.View;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** What the steps of a case began, by name. */
final class Begun implements AutoCloseable {
    final Map<String, Session> sessions = new ConcurrentHashMap<>();
    final Map<String, CompletableFuture<?>> losses = new ConcurrentHashMap<>();
    final Map<String, ActiveContext> activations = new ConcurrentHashMap<>();
    final Map<String, Subscription> subscriptions = new ConcurrentHashMap<>();
    final Map<String, View> views = new ConcurrentHashMap<>();
    private final ArrayDeque<Subscription> open = new ArrayDeque<>();

    void subscribed(String name, Subscription subscription) {
        subscriptions.put(name, subscription);
        synchronized (open) {
            open.push(subscription);
        }
    }

    /** Closes the views, and the subscriptions, the last that was opened first. */
    @Override
    public void close() {
        views.values().forEach(View::close);
        synchronized (open) {
            open.forEach(Subscription::close);
        }
    }

    /** What was begun under a name; a case that names another is wrong. */
    static <T> T named(Map<String, T> among, String name) {
        T found = among.get(name);
        if (found == null) {
            throw new IllegalArgumentException("nothing was begun as '" + name + "'");
        }
        return found;
    }
}
