package dev.contextd.client;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** Leaves behind what the client needs, for the scripts that use it without Maven. */
class ClassPathTest {
    @Test
    void theClassPathIsKept() throws Exception {
        Path kept = Files.createDirectories(Path.of("target")).resolve("class-path");
        Files.writeString(kept, System.getProperty("java.class.path"));
        assertTrue(Files.size(kept) > 0);
    }
}
