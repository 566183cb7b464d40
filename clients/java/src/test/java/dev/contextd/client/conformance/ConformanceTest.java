package dev.contextd.client.conformance;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import dev.contextd.client.ContextdServer;
import dev.contextd.client.HeldPort;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every case of tests/conformance; its README is the specification. */
final class ConformanceTest {
    private static ContextdServer shared;
    private static HttpServer http;
    private static Server otherGrpc;
    private static Server asksToken;
    private static HeldPort nobody;
    private static Map<String, String> addresses;

    @BeforeAll
    static void begin() throws IOException {
        shared = ContextdServer.begin();
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        http = HttpServer.create(any, 0);
        http.start();
        otherGrpc = Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create()).build();
        otherGrpc.start();
        asksToken =
                Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
                        .fallbackHandlerRegistry(new TellToken())
                        .build();
        asksToken.start();
        nobody = new HeldPort();
        addresses =
                Map.of(
                        "nobody", nobody.address(),
                        "other_grpc", "127.0.0.1:" + otherGrpc.getPort(),
                        "asks_token", "127.0.0.1:" + asksToken.getPort(),
                        "elsewhere", "contextd.example:7420",
                        "http", "127.0.0.1:" + http.getAddress().getPort());
    }

    @AfterAll
    static void end() {
        if (shared != null) {
            shared.close();
            http.stop(0);
            otherGrpc.shutdownNow();
            asksToken.shutdownNow();
            nobody.close();
        }
    }

    private static void run(Case one) {
        String namespace = "case-" + UUID.randomUUID();
        if (!one.hasServer()) {
            try (World world = new World(shared, false, null, addresses, namespace)) {
                world.run(one.steps());
            }
            return;
        }
        Map<String, Object> settings = new LinkedHashMap<>(one.server());
        String tls = (String) settings.remove("tls");
        List<String> flags = World.flags(settings);
        if (tls == null) {
            runWithServer(one, flags, null, namespace);
            return;
        }
        try (Security security = new Security(tls)) {
            flags.addAll(security.flags());
            runWithServer(one, flags, security, namespace);
        }
    }

    private static void runWithServer(
            Case one, List<String> flags, Security security, String namespace) {
        try (ContextdServer own = ContextdServer.begin(flags.toArray(new String[0]));
                World world = new World(own, true, security, addresses, namespace)) {
            world.run(one.steps());
        }
    }

    @TestFactory
    Stream<DynamicTest> theClientDoesWhatTheCaseSays() {
        return Case.read("cases").stream()
                .map(one -> DynamicTest.dynamicTest(one.file() + "/" + one.id(), () -> judge(one)));
    }

    /** What is not offered yet must fail, so that the list gets shorter. */
    private static void judge(Case one) {
        String missing = NotYet.reason(one);
        if (missing == null) {
            run(one);
            return;
        }
        assertThrows(Throwable.class, () -> run(one), "it passes: take it off the list");
        Assumptions.abort("not offered yet: " + missing);
    }

    @TestFactory
    Stream<DynamicTest> aCaseThatIsWrongFailsWhereItIsWrong() {
        return Case.read("must_fail").stream()
                .map(one -> DynamicTest.dynamicTest(one.id(), () -> mustFail(one)));
    }

    private static void mustFail(Case one) {
        AssertionError failed = assertThrows(AssertionError.class, () -> run(one));
        String where = "step " + one.words().get("fails_at") + ": ";
        String says = (String) one.words().getOrDefault("says", "");
        assertTrue(failed.getMessage().startsWith(where), failed.getMessage());
        assertTrue(failed.getMessage().contains(says), failed.getMessage());
    }
}
