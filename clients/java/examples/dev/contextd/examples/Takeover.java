package dev.contextd.examples;

import dev.contextd.client.ActiveContext;
import dev.contextd.client.Client;
import dev.contextd.client.NewSession;
import dev.contextd.client.Session;
import dev.contextd.client.error.StaleFenceException;

/** Two workers: where the first one sleeps, the second takes its task over. */
public final class Takeover {
    private Takeover() {}

    /** Gives what the task's state is in the end: only the second worker's writes count. */
    public static String run(Client client, String task) {
        try (Session asleep = client.session(NewSession.PLAIN.owner("worker-1"));
                Session awake = client.session(NewSession.PLAIN.owner("worker-2"))) {
            ActiveContext old = asleep.activateExclusively(task);
            old.put("state", "worker-1 began");
            try (ActiveContext taken = awake.activate(task, true, true, false)) {
                taken.put("state", "worker-2 finished");
            }
            try {
                old.put("state", "worker-1 woke up");
            } catch (StaleFenceException stale) {
                return old.getText("state"); // Nothing was written over.
            }
            throw new IllegalStateException("a stale fence was accepted");
        }
    }
}
