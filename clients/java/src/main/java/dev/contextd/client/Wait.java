package dev.contextd.client;

import dev.contextd.client.error.ContextdException;
import io.grpc.netty.shaded.io.netty.util.concurrent.FastThreadLocalThread;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Function;

/** Waits for results: what the blocking form is made of. */
final class Wait {
    private Wait() {}

    /** Waits for a result, and throws what it failed with. */
    static <T> T join(CompletableFuture<T> pending) {
        refuseOnOwnThread(pending);
        try {
            return pending.get();
        } catch (InterruptedException interrupted) {
            throw interrupted(pending);
        } catch (ExecutionException failed) {
            throw thrown(failed.getCause());
        }
    }

    /** The same; an interrupted thread can ask again for the same result, and miss nothing. */
    static <T> T joinAgain(CompletableFuture<T> pending) {
        refuseOnOwnThread(pending);
        try {
            return pending.get();
        } catch (InterruptedException interrupted) {
            throw interrupted();
        } catch (ExecutionException failed) {
            throw thrown(failed.getCause());
        }
    }

    /** Waits for a result, with the functions that the operation calls run by this thread. */
    static <T> T running(Function<Executor, Pending<T>> operation) {
        LinkedBlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
        Pending<T> pending = operation.apply(tasks::add);
        pending.whenComplete((value, error) -> tasks.add(() -> {}));
        try {
            while (!pending.isDone()) {
                tasks.take().run();
            }
        } catch (InterruptedException interrupted) {
            throw interrupted(pending);
        }
        return join(pending);
    }

    private static CancellationException interrupted(CompletableFuture<?> pending) {
        pending.cancel(true);
        return interrupted();
    }

    private static CancellationException interrupted() {
        Thread.currentThread().interrupt();
        return new CancellationException("this thread was interrupted while it waited");
    }

    private static void refuseOnOwnThread(CompletableFuture<?> pending) {
        Thread thread = Thread.currentThread();
        boolean own =
                thread instanceof FastThreadLocalThread || thread instanceof Timers.TimerThread;
        if (own && !pending.isDone()) {
            throw new IllegalStateException(
                    "a blocking call on one of the client's own threads would wait for itself:"
                            + " in what follows on a future use the asynchronous client, or an"
                            + " executor (thenApplyAsync)");
        }
    }

    /** The failure, with the trace of the thread that waited. */
    private static RuntimeException thrown(Throwable error) {
        if (error instanceof ContextdException known) {
            known.fillInStackTrace();
            return known;
        }
        if (error instanceof RuntimeException unchecked) {
            return unchecked;
        }
        if (error instanceof Error serious) {
            throw serious;
        }
        return new IllegalStateException(error);
    }
}
