package dev.contextd.client;

import dev.contextd.client.error.ContextdException;
import dev.contextd.client.error.Failure;
import dev.contextd.client.error.SessionLostException;
import dev.contextd.client.error.SessionNotFoundException;
import io.grpc.Status;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What a program knows of a session that it began itself.
 *
 * <p>What always holds:
 *
 * <ol>
 *   <li>It is lost at the latest when the term has passed since the last renewal that was answered
 *       was <em>sent</em>. The server counts from when it came, which is later: the program knows
 *       before anybody else can have what the session held.
 *   <li>What is lost stays lost, and what was ended is never lost.
 *   <li>Whoever finds out tells it once, without a lock held.
 * </ol>
 *
 * <p>Threads: any.
 */
final class Lease {
    final String id;
    final long termNanos;
    private final Consumer<SessionLostException> whenLost;
    private long deadline;
    private String why;
    private boolean ended;

    /** Begins, with a term that counts from {@code since} of System.nanoTime(). */
    Lease(String id, long termNanos, long since, Consumer<SessionLostException> whenLost) {
        this.id = id;
        this.termNanos = termNanos;
        this.whenLost = whenLost;
        deadline = since + termNanos;
    }

    synchronized void renewed(long since) {
        if (since + termNanos - deadline > 0) {
            deadline = since + termNanos;
        }
    }

    /** Nanoseconds until it is lost unless it is renewed; not below 0. */
    synchronized long remaining() {
        return Math.max(0, deadline - System.nanoTime());
    }

    /** The server does not know it. */
    void lose() {
        find("the server does not know it: it was not renewed in time, or was ended");
    }

    /** Whether it is lost; finds out where its term has passed. */
    boolean lost() {
        if (remaining() == 0) {
            find("it was not renewed in time");
        }
        synchronized (this) {
            return why != null;
        }
    }

    /** The program ends it. Gives whether the server may still know it. */
    synchronized boolean end() {
        boolean first = !ended;
        ended = true;
        return first && why == null;
    }

    synchronized boolean ended() {
        return ended;
    }

    private void find(String reason) {
        synchronized (this) {
            if (ended || why != null) {
                return;
            }
            why = reason;
        }
        whenLost.accept(loss());
    }

    private synchronized SessionLostException loss() {
        return new SessionLostException(failure("is lost: " + why));
    }

    private Failure failure(String what) {
        return Failure.of(Status.Code.NOT_FOUND, "the session " + id + " " + what)
                .withReason("SESSION_NOT_FOUND", Map.of("session_id", id));
    }

    /** Throws unless the program can still rely on it. */
    void check() throws ContextdException {
        if (lost()) {
            throw loss();
        }
        if (ended()) {
            throw Failures.closed("session " + id);
        }
    }

    /** Runs what names the session, if it is not lost, and notes when it is. */
    <T> Pending<T> guard(Supplier<Pending<T>> call) {
        check();
        return call.get()
                .recover(
                        error -> {
                            if (!(error instanceof SessionNotFoundException gone)) {
                                return Pending.failed(error);
                            }
                            lose();
                            if (!lost()) {
                                return Pending.failed(error);
                            }
                            Failure failure = loss().failure().withCause(error);
                            return Pending.failed(
                                    new SessionLostException(
                                            failure.withRequestId(gone.requestId())));
                        });
    }
}
