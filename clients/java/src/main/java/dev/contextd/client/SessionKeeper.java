package dev.contextd.client;

import dev.contextd.client.error.SessionLostException;
import dev.contextd.client.error.SessionNotFoundException;
import dev.contextd.v1.Session;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Renews a session until it is ended or lost: every third of its term, less up to a quarter of
 * that.
 *
 * <p>Threads: any; the renewals are the timer's and the network's.
 */
final class SessionKeeper {
    final Target target;
    final Lease lease;
    final CompletableFuture<SessionLostException> lost = new CompletableFuture<>();
    private final NewSession session;
    private final Runnable forget;
    private int failed;

    SessionKeeper(Target base, NewSession session, Session began, long since) {
        this.session = session;
        lease = new Lease(began.getId(), session.ttl().toNanos(), since, this::tell);
        target = base.other("").writer(new Target.Writer(lease, 0));
        forget = base.core().onClose(lease::end);
        later(pause());
    }

    Target on(String contextId, long fence) {
        Target to = target.other(contextId).writer(new Target.Writer(lease, fence));
        return session.createIfMissing().map(to::createIfMissing).orElse(to);
    }

    private void tell(SessionLostException error) {
        forget.run();
        try {
            target.core()
                    .executor
                    .execute(
                            () -> {
                                lost.complete(error);
                                session.onLost().accept(error);
                            });
        } catch (RejectedExecutionException over) {
            // The program's executor takes nothing more: at least the future tells it.
            lost.complete(error);
            Log.LOGGER.log(
                    System.Logger.Level.WARNING, "nobody could be told of a lost session", over);
        }
    }

    private long pause() {
        double random = ThreadLocalRandom.current().nextDouble();
        return (long) (lease.termNanos / 3.0 * (1 - 0.25 * random));
    }

    private void later(long nanos) {
        long delay = Math.min(nanos, lease.remaining());
        target.core().timers.after(delay, new Pending<Void>(), this::renew);
    }

    private void renew() {
        if (lease.ended() || lease.lost()) {
            return;
        }
        long since = System.nanoTime();
        long patience = Math.min(lease.termNanos / 3, target.timeoutNanos());
        long deadline = since + Math.min(patience, lease.remaining());
        SessionCalls.renew(target, lease.id, deadline)
                .whenComplete(
                        (renewed, error) -> {
                            if (error == null) {
                                failed = 0;
                                lease.renewed(since);
                                later(pause());
                            } else if (Pending.unwrap(error) instanceof SessionNotFoundException) {
                                lease.lose();
                            } else {
                                double random = ThreadLocalRandom.current().nextDouble();
                                later(target.core().retry.delayNanos(failed++, random));
                            }
                        });
    }

    /** Gives it a full term from now on. */
    Pending<Void> renewNow() {
        long since = System.nanoTime();
        return Pending.start(
                () ->
                        lease.guard(() -> SessionCalls.renew(target, lease.id, target.deadline()))
                                .map(
                                        renewed -> {
                                            lease.renewed(since);
                                            return null;
                                        }));
    }

    /** Ends it; tells the server where that may still know it. */
    Pending<Void> end(Target by) {
        forget.run();
        return lease.end() ? SessionCalls.end(by, lease.id) : Pending.done(null);
    }
}
