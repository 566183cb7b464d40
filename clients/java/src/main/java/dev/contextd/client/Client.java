package dev.contextd.client;

import dev.contextd.client.error.ClientClosedException;
import java.time.Duration;
import java.util.List;

/**
 * A server, and the namespace that is worked in. Its calls wait for their answers; {@link #async}
 * gives the same client with futures.
 *
 * <pre>{@code
 * try (Client client = Client.connect("127.0.0.1:7420")) {
 *     Context chat = client.create("chat-1");
 *     chat.put("system", "You are helpful.");
 * }
 * }</pre>
 *
 * <p>Safe to use from many threads; one is enough for a program. A thread that is interrupted while
 * it waits gets a {@link java.util.concurrent.CancellationException}, and stays interrupted.
 */
public final class Client implements AutoCloseable {
    private final Target target;

    Client(Core core, String namespace, long timeoutNanos) {
        target = new Target(core, namespace, "", timeoutNanos);
    }

    private Client(Target target) {
        this.target = target;
    }

    /**
     * Begins to say how a client is made.
     *
     * @return the builder
     */
    public static ClientBuilder builder() {
        return new ClientBuilder();
    }

    /**
     * Makes a client for an address, with all else as it is by default. Calls nobody.
     *
     * @param address such as {@code 127.0.0.1:7420}
     * @return the client
     */
    public static Client connect(String address) {
        return builder().address(address).build();
    }

    /**
     * The same client, with futures. Closing either closes both.
     *
     * @return the asynchronous form
     */
    public AsyncClient async() {
        return new AsyncClient(target.core(), target.namespace(), target.timeoutNanos());
    }

    /**
     * The same client in another namespace. Closing either closes both.
     *
     * @param name the namespace
     * @return the client
     */
    public Client withNamespace(String name) {
        Names.namespace("namespace", name);
        return new Client(target.core(), name, target.timeoutNanos());
    }

    /**
     * The same client, with another timeout of each call. Closing either closes both.
     *
     * @param timeout above 0
     * @return the client
     */
    public Client withTimeout(Duration timeout) {
        return new Client(target.timeout(timeout));
    }

    /**
     * The namespace.
     *
     * @return its name
     */
    public String namespace() {
        return target.namespace();
    }

    /**
     * Names a context, without a call.
     *
     * @param id its id, 1 to 256 bytes
     * @return the context
     */
    public Context context(String id) {
        return new Context(target.other(id));
    }

    /**
     * Creates a context, empty and of no type.
     *
     * @param id its id; empty: the server makes one up
     * @return the context
     */
    public Context create(String id) {
        return create(id, NewContext.PLAIN, new Changes());
    }

    /**
     * Creates a context.
     *
     * @param id its id; empty: the server makes one up
     * @param properties how it begins
     * @param first the first steps, without conditions
     * @return the context
     */
    public Context create(String id, NewContext properties, Changes first) {
        return context(Wait.join(EntryCalls.create(target.other(id), properties, first)).id());
    }

    /**
     * Lists contexts in the order of their ids, page after page as they are read.
     *
     * @param query which contexts
     * @return the contexts
     */
    public Iterable<ContextInfo> contexts(ContextQuery query) {
        return () -> Source.iterator(ServerCalls.contexts(target, query));
    }

    /**
     * Gets up to 1,000 contexts with their entries in one call.
     *
     * @param ids which contexts
     * @return what became of each, in the same order
     */
    public List<Result<Snapshot>> snapshots(List<String> ids) {
        return Wait.join(ServerCalls.snapshots(target, ids));
    }

    /**
     * Changes up to 1,000 contexts as one change: all of it, or nothing.
     *
     * @param changes what is done to each; no context twice
     * @return what became of each, in the same order
     */
    public List<Written> updateAll(List<Change> changes) {
        return Wait.join(ServerCalls.updateAll(target, changes));
    }

    /**
     * Lists the namespaces that hold anything, by name.
     *
     * @return the namespaces
     */
    public Iterable<NamespaceInfo> namespaces() {
        return () ->
                Source.iterator(ServerCalls.namespaces(target.core(), target.timeoutNanos()));
    }

    /**
     * What the server is. It is asked once, and what it said is kept.
     *
     * @return version, log, limits and features
     */
    public ServerInfo serverInfo() {
        return Wait.join(ServerCalls.info(target.core(), target.timeoutNanos(), false));
    }

    /**
     * Asks the server again what it is.
     *
     * @return version, log, limits and features
     */
    public ServerInfo refreshServerInfo() {
        return Wait.join(ServerCalls.info(target.core(), target.timeoutNanos(), true));
    }

    /**
     * Ends all calls with {@link ClientClosedException}, closes the subscriptions, and stops to renew
     * the sessions, which end by themselves. Closing twice is allowed.
     */
    @Override
    public void close() {
        target.core().close();
    }
}
