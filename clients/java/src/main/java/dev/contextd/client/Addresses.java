package dev.contextd.client;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What an address says of where the server is. */
final class Addresses {
    /** A scheme of gRPC's resolvers, with the name server if any; the host; the port. */
    private static final Pattern PARTS =
            Pattern.compile("(?:dns:(?://[^/]*/)?)?(\\[[^\\]]*\\]|[^:]*)(?::\\d*)?");

    /** What no name looks like: nobody is asked for it. */
    private static final Pattern NUMBERS = Pattern.compile("\\[[0-9a-fA-F:.]+\\]|\\d+(\\.\\d+){3}");

    private Addresses() {}

    /** Whether it is of this machine: loopback, or a socket in its file system. */
    static boolean isLocal(String address) {
        if (address.startsWith("unix:")) {
            return true;
        }
        Matcher parts = PARTS.matcher(address);
        if (!parts.matches()) {
            return false;
        }
        String host = parts.group(1);
        if (!NUMBERS.matcher(host).matches()) {
            return host.equals("localhost");
        }
        try {
            return InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException error) {
            return false;
        }
    }
}
