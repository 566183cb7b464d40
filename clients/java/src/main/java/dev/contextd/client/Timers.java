package dev.contextd.client;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Runs things later, in one thread of its own, which nothing may block. */
final class Timers {
    /** The thread: who waits in it for a call waits for what it has to do itself. */
    static final class TimerThread extends Thread {
        TimerThread(Runnable run) {
            super(run, "contextd-timer");
            setDaemon(true);
        }
    }

    private final ScheduledThreadPoolExecutor thread =
            new ScheduledThreadPoolExecutor(1, TimerThread::new);
    private final Set<Pending<?>> waiting = ConcurrentHashMap.newKeySet();

    Timers() {
        thread.setRemoveOnCancelPolicy(true);
    }

    /**
     * Runs something later. What is closed before does not run, and fails its owner instead. Gives
     * what takes it back.
     */
    Runnable after(long nanos, Pending<?> owner, Runnable run) {
        waiting.add(owner);
        try {
            Future<?> later =
                    thread.schedule(
                            () -> {
                                if (waiting.remove(owner)) {
                                    run.run();
                                }
                            },
                            nanos,
                            TimeUnit.NANOSECONDS);
            return () -> {
                waiting.remove(owner);
                later.cancel(false);
            };
        } catch (RejectedExecutionException isClosed) {
            waiting.remove(owner);
            owner.completeExceptionally(Failures.closed("client"));
            return () -> {};
        }
    }

    /** How many things are to run later. */
    int count() {
        return thread.getQueue().size();
    }

    void close(Supplier<? extends Throwable> error) {
        thread.shutdownNow();
        for (Pending<?> owner : waiting) {
            if (waiting.remove(owner)) {
                owner.completeExceptionally(error.get());
            }
        }
    }
}
