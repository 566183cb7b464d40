package dev.contextd.client.error;

/** So old a state is no longer kept. */
public final class StateNotRetainedException extends ContextdException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public StateNotRetainedException(Failure failure) {
        super(failure);
    }

    /**
     * Tells the oldest version that can be read.
     *
     * @return the oldest version that can be read
     */
    public long oldestVersion() {
        return number("oldest_version");
    }

    /**
     * Tells the newest version.
     *
     * @return the newest version
     */
    public long newestVersion() {
        return number("newest_version");
    }
}
