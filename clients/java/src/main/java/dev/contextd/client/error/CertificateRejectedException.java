package dev.contextd.client.error;

/** The server's certificate was not accepted, or ours was not, or one side does not speak TLS. */
public final class CertificateRejectedException extends UnavailableException {
    private static final long serialVersionUID = 1L;

    /**
     * Made by the client.
     *
     * @param failure what is known of it
     */
    public CertificateRejectedException(Failure failure) {
        super(failure);
    }
}
