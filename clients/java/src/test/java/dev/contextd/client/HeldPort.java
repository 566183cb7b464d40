package dev.contextd.client;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;

/**
 * A port of this machine that nobody else gets, from here to {@link #close}. Who connects to it is
 * refused, but while a server listens there that was told the port: such as contextd, whose socket
 * may share it with one that does not listen.
 */
public final class HeldPort implements AutoCloseable {
    private final Socket holder = new Socket();

    /** Holds a port that was free. */
    public HeldPort() {
        try {
            holder.setReuseAddress(true);
            holder.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** Where it is. */
    public String address() {
        return "127.0.0.1:" + holder.getLocalPort();
    }

    @Override
    public void close() {
        try {
            holder.close();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
