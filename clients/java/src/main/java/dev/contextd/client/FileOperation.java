package dev.contextd.client;

/**
 * A file that was touched.
 *
 * @param path 1 to 2,048 bytes, as it is: two spellings of a path are two files
 * @param operation such as {@code read}, {@code write}, {@code delete}; at most 64 bytes
 * @param source the tool or agent that did it, or empty
 */
public record FileOperation(String path, String operation, String source)
        implements Recordable, Activity.Detail {
    /**
     * Without a source.
     *
     * @param path the path
     * @param operation what was done
     */
    public FileOperation(String path, String operation) {
        this(path, operation, "");
    }
}
