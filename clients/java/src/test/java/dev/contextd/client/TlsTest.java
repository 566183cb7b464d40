package dev.contextd.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.contextd.client.error.CertificateRejectedException;
import dev.contextd.client.error.UnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** TLS with the real server; the certificates are made by openssl. */
@Timeout(Patience.TEST_SECONDS)
class TlsTest {
    @TempDir private static Path files;
    private static ContextdServer open;
    private static ContextdServer guarded;
    private static ContextdServer plain;

    @BeforeAll
    static void startServers() throws Exception {
        makeCertificates();
        String[] tls = {
            "--tls-cert", file("server").toString(), "--tls-key", file("server.key").toString()
        };
        open = ContextdServer.begin(tls);
        guarded =
                ContextdServer.begin(
                        tls[0], tls[1], tls[2], tls[3], "--tls-client-ca", file("ca").toString());
        plain = ContextdServer.begin();
    }

    @AfterAll
    static void stopServers() {
        for (ContextdServer each : new ContextdServer[] {open, guarded, plain}) {
            if (each != null) {
                each.close();
            }
        }
    }

    /** Two authorities, and what the first one signed for a server and a client. */
    private static void makeCertificates() throws Exception {
        Files.writeString(file("names"), "subjectAltName=DNS:contextd.test");
        for (String name : List.of("ca", "other")) {
            openssl("req -x509", name, "-out " + name);
        }
        for (String name : List.of("server", "client")) {
            openssl("req", name, "-out " + name + ".csr");
            run(
                    "openssl x509 -req -CA ca -CAkey ca.key -CAcreateserial -extfile names"
                            + (" -in " + name + ".csr -out " + name));
        }
    }

    private static void openssl(String command, String name, String more) throws Exception {
        run(
                ("openssl " + command)
                        + " -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
                        + (" -subj /CN=" + name + " -keyout " + name + ".key " + more));
    }

    private static void run(String command) throws Exception {
        List<String> words = new ArrayList<>(List.of(command.split(" ")));
        Process process;
        try {
            process =
                    new ProcessBuilder(words)
                            .directory(files.toFile())
                            .redirectErrorStream(true)
                            .start();
        } catch (IOException missing) {
            Assumptions.abort("openssl is not installed");
            return;
        }
        String told = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), told);
    }

    private static Path file(String name) {
        return files.resolve(name);
    }

    private static ClientBuilder trusting(ContextdServer server, String authority) {
        return server.client().tlsAuthorities(file(authority)).serverName("contextd.test");
    }

    private static void refused(ClientBuilder how) {
        List<CallReport> reports = new java.util.concurrent.CopyOnWriteArrayList<>();
        try (Client client = how.onCall(reports::add).build()) {
            assertThrows(CertificateRejectedException.class, client::serverInfo);
            assertEquals(1, reports.get(0).attempts(), "it is not repeated");
        }
    }

    @Test
    void aServerWhoseCertificateIsTrustedIsAsked() {
        try (Client client = trusting(open, "ca").build()) {
            assertFalse(client.serverInfo().version().isEmpty());
        }
    }

    @Test
    void aServerThatAsksForACertificateTakesOurs() {
        try (Client client =
                trusting(guarded, "ca").tlsIdentity(file("client"), file("client.key")).build()) {
            client.create("c").put("k", "v");
            assertEquals("v", client.context("c").getText("k"));
        }
    }

    /** The real server ends such connections without a word: what can be told is a hint. */
    private static void closed(ClientBuilder how) {
        try (Client client = how.retry(Patience.ONE_ATTEMPT).build()) {
            var error = assertThrows(UnavailableException.class, client::serverInfo);
            assertTrue(error.getMessage().contains("TLS"), error.getMessage());
        }
    }

    @Test
    void aServerThatAsksForACertificateRefusesWhoHasNone() {
        closed(trusting(guarded, "ca"));
    }

    @Test
    void aCertificateOfAnotherAuthorityIsRefused() {
        refused(trusting(open, "other"));
    }

    @Test
    void aCertificateOfAnotherNameIsRefused() {
        refused(open.client().tlsAuthorities(file("ca")).serverName("another.test"));
    }

    @Test
    void plainTextToATlsServerSaysSo() {
        closed(open.client());
    }

    @Test
    void tlsToAPlainServerSaysSo() {
        refused(trusting(plain, "ca"));
    }

    @Test
    void aFileThatIsMissingIsNamed() {
        ClientBuilder builder = Client.builder().tlsAuthorities(file("nowhere"));
        var error = assertThrows(IllegalArgumentException.class, builder::build);
        assertTrue(error.getMessage().contains("nowhere"), error.getMessage());
    }
}
