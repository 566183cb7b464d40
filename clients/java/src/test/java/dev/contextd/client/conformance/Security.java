package dev.contextd.client.conformance;

import dev.contextd.client.ClientBuilder;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** The TLS of a case's server, and what its clients trust and show; openssl makes it. */
final class Security implements AutoCloseable {
    private static final String SERVER_NAME = "contextd.test";

    private final Path folder;
    private final boolean isMutual;

    /** Makes the certificates for what a case says of its server: one_way or mutual. */
    Security(String kind) {
        isMutual = kind.equals("mutual");
        try {
            folder = Files.createTempDirectory("contextd-tls-");
            Files.writeString(file("names"), "subjectAltName=DNS:" + SERVER_NAME);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
        for (String name : List.of("ca", "other")) {
            request("req -x509", name, name);
        }
        sign("server", "ca");
        sign("client", "ca");
        sign("stranger", "other");
    }

    private void request(String command, String name, String out) {
        run(
                "openssl "
                        + command
                        + " -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
                        + (" -subj /CN=" + name + " -keyout " + name + ".key -out " + out));
    }

    private void sign(String name, String ca) {
        request("req", name, name + ".csr");
        String authority = " -CA " + ca + " -CAkey " + ca + ".key -CAcreateserial";
        run(
                "openssl x509 -req -extfile names"
                        + authority
                        + (" -in " + name + ".csr -out " + name));
    }

    private void run(String command) {
        Process process;
        try {
            process =
                    new ProcessBuilder(command.split(" "))
                            .directory(folder.toFile())
                            .redirectErrorStream(true)
                            .start();
        } catch (IOException missing) {
            Assumptions.abort("openssl is not installed");
            return;
        }
        try {
            String told = new String(process.getInputStream().readAllBytes());
            if (process.waitFor() != 0) {
                throw new IllegalStateException(told);
            }
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    private Path file(String name) {
        return folder.resolve(name);
    }

    /** The flags of the server. */
    List<String> flags() {
        List<String> made = new ArrayList<>();
        made.addAll(List.of("--tls-cert", file("server").toString()));
        made.addAll(List.of("--tls-key", file("server.key").toString()));
        if (isMutual) {
            made.addAll(List.of("--tls-client-ca", file("ca").toString()));
        }
        return made;
    }

    /** Secures a client as the word of a case says. */
    void secure(ClientBuilder builder, String how) {
        switch (how) {
            case "none" -> {
                return;
            }
            case "another_authority" -> trust(builder, "other", SERVER_NAME);
            case "another_name" -> trust(builder, "ca", "another.test");
            case "anonymous" -> trust(builder, "ca", SERVER_NAME);
            case "stranger" -> show(builder, "stranger");
            case "", "trusting" -> {
                if (isMutual) {
                    show(builder, "client");
                } else {
                    trust(builder, "ca", SERVER_NAME);
                }
            }
            default -> throw new IllegalArgumentException("the runner knows no '" + how + "'");
        }
    }

    private void trust(ClientBuilder builder, String authority, String name) {
        builder.tlsAuthorities(file(authority)).serverName(name);
    }

    private void show(ClientBuilder builder, String name) {
        trust(builder, "ca", SERVER_NAME);
        builder.tlsIdentity(file(name), file(name + ".key"));
    }

    @Override
    public void close() {
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
