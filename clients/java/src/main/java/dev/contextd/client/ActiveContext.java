package dev.contextd.client;

import dev.contextd.client.error.ClientClosedException;
import dev.contextd.client.error.ContextNotFoundException;
import dev.contextd.client.error.StaleFenceException;
import java.util.Map;

/**
 * A context that is active in a session: a {@link Context} whose writes are the session's, and
 * carry the fence where the activation is exclusive. Once that is not in force they are refused
 * with {@link StaleFenceException}. Made by {@link Session#activate(String)}.
 */
public final class ActiveContext extends Context implements AutoCloseable {
    private final Activation activation;
    private boolean over;

    ActiveContext(Target target, Activation activation) {
        super(target);
        this.activation = activation;
    }

    /**
     * What the server said of the activation.
     *
     * @return the activation
     */
    public Activation activation() {
        return activation;
    }

    /**
     * The fence that every write carries.
     *
     * @return the fence; 0 when shared
     */
    public long fence() {
        return activation.fence();
    }

    /**
     * Takes a named resource of the context; closing what this gives gives it back.
     *
     * @param name 1 to 256 bytes
     * @return the resource
     */
    public Held acquire(String name) {
        return acquire(name, "", Map.of());
    }

    /**
     * Takes a named resource of the context.
     *
     * @param name 1 to 256 bytes
     * @param type its type, at most 64 bytes
     * @param metadata its labels
     * @return the resource
     */
    public Held acquire(String name, String type, Map<String, String> metadata) {
        HeldResource resource = Wait.join(HistoryCalls.acquire(target, name, type, metadata));
        return new Held(target, resource);
    }

    /** Ends the activation. */
    public void deactivate() {
        over = true;
        Wait.join(SessionCalls.deactivate(target));
    }

    /**
     * Deactivates, if that was not done. It throws where the activation did not last until here;
     * but not where the program ended the session or deleted the context itself.
     */
    @Override
    public void close() {
        if (over) {
            return;
        }
        try {
            deactivate();
        } catch (ClientClosedException | ContextNotFoundException byTheProgram) {
            Log.LOGGER.log(System.Logger.Level.DEBUG, "an activation was over", byTheProgram);
        }
    }

    /** A resource of a context that the session holds until it is closed. */
    public static final class Held implements AutoCloseable {
        private final Target target;
        private final HeldResource resource;
        private boolean over;

        Held(Target target, HeldResource resource) {
            this.target = target;
            this.resource = resource;
        }

        /**
         * What is held.
         *
         * @return the resource
         */
        public HeldResource resource() {
            return resource;
        }

        /** Gives it back. */
        @Override
        public void close() {
            if (!over) {
                over = true;
                Wait.join(HistoryCalls.release(target, resource.name()));
            }
        }
    }
}
