package dev.contextd.client;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** A real server in a process of its own: started, killed and started again on one port. */
public final class ContextdServer implements AutoCloseable {
    private static final String BINARY = System.getenv("CONTEXTD_BINARY");

    private final Path folder;
    private List<String> flags;
    private final HeldPort port = new HeldPort();
    private Process process;

    private ContextdServer(List<String> flags) throws IOException {
        folder = Files.createTempDirectory("contextd-java-");
        this.flags = flags;
    }

    /** Starts one; without $CONTEXTD_BINARY the test is skipped. */
    public static ContextdServer begin(String... flags) {
        Assumptions.assumeTrue(BINARY != null, "CONTEXTD_BINARY names no server");
        try {
            ContextdServer server = new ContextdServer(List.of(flags));
            server.start();
            return server;
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** Where it serves. */
    public String address() {
        return port.address();
    }

    ClientBuilder client() {
        return Client.builder().address(address()).timeout(Patience.TIME);
    }

    /** Starts the process, and waits until it serves. */
    public void start() throws IOException {
        Path ready = folder.resolve("port");
        Files.deleteIfExists(ready);
        List<String> command = new ArrayList<>(List.of(BINARY, "--listen", address()));
        command.addAll(List.of("--data-dir", folder.resolve("data").toString()));
        command.addAll(List.of("--port-file", ready.toString()));
        command.addAll(flags);
        File words = folder.resolve("words").toFile();
        ProcessBuilder builder =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.appendTo(words));
        // CONTEXTD_* are the server's settings: it refuses ours.
        builder.environment().keySet().removeIf(name -> name.startsWith("CONTEXTD_"));
        process = builder.start();
        awaitPort(ready);
    }

    private void awaitPort(Path ready) throws IOException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Patience.SECONDS);
        while (System.nanoTime() - end < 0) {
            if (Files.exists(ready) && !Files.readString(ready).isBlank()) {
                return;
            }
            try {
                if (process.waitFor(10, TimeUnit.MILLISECONDS)) {
                    break;
                }
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        throw new IllegalStateException("the server is not ready: " + words());
    }

    String words() throws IOException {
        return Files.readString(folder.resolve("words"));
    }

    /** Ends the process with SIGKILL. */
    public void kill() {
        process.destroyForcibly();
        try {
            process.waitFor();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends the process with SIGTERM, and gives its exit status. */
    public int stop() throws InterruptedException {
        process.destroy();
        return process.waitFor();
    }

    /** Sets the flags of the next start. */
    public void setFlags(List<String> next) {
        flags = next;
    }

    @Override
    public void close() {
        kill();
        port.close();
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
