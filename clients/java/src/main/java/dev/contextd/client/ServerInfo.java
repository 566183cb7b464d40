package dev.contextd.client;

import java.util.List;
import java.util.Map;

/**
 * What the server is.
 *
 * @param version its version
 * @param logId names its log; another one means that the server began from nothing
 * @param settings its limits, by the names of the configuration and as they are written there
 * @param features what it can do beyond the first release of the API
 */
public record ServerInfo(
        String version, String logId, Map<String, String> settings, List<String> features) {}
