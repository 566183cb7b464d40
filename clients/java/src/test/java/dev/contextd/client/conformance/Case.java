package dev.contextd.client.conformance;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.yaml.snakeyaml.Yaml;

/** One case of tests/conformance, as its file has it. The README there is the specification. */
record Case(String file, Map<String, Object> words) {
    static final Path FOLDER = Path.of("../../tests/conformance");

    String id() {
        return (String) words.get("id");
    }

    boolean hasServer() {
        return words.containsKey("server");
    }

    Map<String, Object> server() {
        return Trees.map(words.get("server"));
    }

    List<Object> steps() {
        return Trees.list(words.get("steps"));
    }

    /** Reads all cases of {@code cases} or {@code must_fail}. */
    static List<Case> read(String folder) {
        List<Case> cases = new ArrayList<>();
        try (Stream<Path> files = Files.list(FOLDER.resolve(folder))) {
            for (Path file : files.sorted().toList()) {
                Map<String, Object> tree = Trees.map(new Yaml().load(Files.readString(file)));
                String name = file.getFileName().toString().replace(".yaml", "");
                for (Object words : Trees.list(tree.get("cases"))) {
                    cases.add(new Case(name, Trees.map(words)));
                }
            }
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
        return cases;
    }
}
