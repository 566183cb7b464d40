package dev.contextd.examples;

import dev.contextd.client.Client;
import dev.contextd.client.Event;
import dev.contextd.client.EventQuery;
import dev.contextd.client.Step;
import dev.contextd.client.Subscription;
import java.util.Map;
import java.util.TreeMap;

/** A subscriber that keeps one entry of each context: who is responsible for which ticket. */
public final class LiveView {
    private LiveView() {}

    /** Follows the tickets until so many have an owner. */
    public static Map<String, String> owners(Client client, int count) {
        Map<String, String> owners = new TreeMap<>();
        try (Subscription events = client.subscribe(EventQuery.ALL.type("ticket").snapshot())) {
            for (Event event : events) {
                String id = event.context().orElseThrow().id();
                event.entries().stream()
                        .filter(entry -> entry.key().equals("owner"))
                        .forEach(entry -> owners.put(id, entry.text()));
                for (Step step : event.steps()) {
                    if (step instanceof Step.Put put && put.key().equals("owner")) {
                        owners.put(id, put.value().text());
                    }
                }
                if (owners.size() == count) {
                    break;
                }
            }
        }
        return owners;
    }
}
