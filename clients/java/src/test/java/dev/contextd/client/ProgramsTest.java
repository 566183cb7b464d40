package dev.contextd.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.contextd.examples.ChatMemory;
import dev.contextd.examples.ForkAndMerge;
import dev.contextd.examples.LiveView;
import dev.contextd.examples.Takeover;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program of the README as it is printed, and the examples, with the real server. */
class ProgramsTest {
    private static ContextdServer server;
    private static Client client;

    @BeforeAll
    static void startServer() {
        server = ContextdServer.begin();
        client = server.client().namespace("examples").build();
    }

    @AfterAll
    static void stopServer() {
        if (server != null) {
            client.close();
            server.close();
        }
    }

    private static String block(String readme, String kind) {
        Matcher found =
                Pattern.compile("<!-- " + kind + ": First -->\n```\\w*\n(.*?)```", Pattern.DOTALL)
                        .matcher(readme);
        if (!found.find()) {
            throw new AssertionError("the README has no " + kind);
        }
        return found.group(1);
    }

    /** The address of the server, and time for a busy machine. */
    private static String patient() {
        return String.format(
                "\"%s\").timeout(java.time.Duration.ofSeconds(%d))",
                server.address(), Patience.SECONDS);
    }

    @Test
    void theReadmesProgramPrintsWhatItSays(@TempDir Path folder) throws Exception {
        String readme = Files.readString(Path.of("README.md"));
        String program = block(readme, "program").replace("\"127.0.0.1:7420\")", patient());
        Path source = Files.writeString(folder.resolve("First.java"), program);
        int status =
                ToolProvider.getSystemJavaCompiler()
                        .run(null, null, null, "-d", folder.toString(), source.toString());
        assertEquals(0, status, "it does not compile");
        ByteArrayOutputStream told = new ByteArrayOutputStream();
        PrintStream before = System.out;
        try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
            System.setOut(new PrintStream(told, true, StandardCharsets.UTF_8));
            loader.loadClass("First")
                    .getMethod("main", String[].class)
                    .invoke(null, (Object) new String[0]);
        } finally {
            System.setOut(before);
        }
        assertEquals(block(readme, "output"), told.toString(StandardCharsets.UTF_8));
    }

    @Test
    void aChatRemembersItsNewestMessages() {
        ChatMemory chat = new ChatMemory(client, "chat");
        for (int i = 1; i <= 12; i++) {
            chat.add(i, "{\"n\":" + i + "}");
        }
        assertEquals(List.of("{\"n\":11}", "{\"n\":12}"), chat.newest(2));
    }

    @Test
    void aSleepingWorkerWritesOverNothing() {
        client.create("task");
        assertEquals("worker-2 finished", Takeover.run(client, "task"));
    }

    @Test
    void aSubscriberFollowsTheOwners() {
        NewContext ticket = NewContext.ofType("ticket");
        client.create("t1", ticket, new Changes().put("owner", "mia"));
        client.create("t2", ticket, new Changes().put("owner", "zoe"));
        assertEquals(Map.of("t1", "mia", "t2", "zoe"), LiveView.owners(client, 2));
    }

    @Test
    void aGoodAttemptIsMerged() {
        Context trip = client.create("trip");
        ForkAndMerge.plan(trip);
        assertEquals("take the train", trip.getText("step"));
        assertEquals("Milan", trip.getText("via"));
    }
}
