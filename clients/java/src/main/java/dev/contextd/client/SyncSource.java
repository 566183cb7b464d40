package dev.contextd.client;

import dev.contextd.v1.RecoveryGrpc;
import dev.contextd.v1.SyncContextRequest;
import dev.contextd.v1.SyncContextResponse;
import java.util.ArrayList;
import java.util.List;

/** Reads what leads to the newest version, whole: a stream that breaks is begun anew. */
final class SyncSource extends StreamSource<SyncContextRequest, SyncContextResponse, Synced> {
    private final SyncContextRequest request;
    private List<Difference> differences = new ArrayList<>();
    private int streams;
    private int most;
    private boolean full;
    private boolean done;

    SyncSource(Target target, long haveVersion) {
        super(target.core(), RecoveryGrpc.getSyncContextMethod(), target.timeoutNanos());
        request =
                SyncContextRequest.newBuilder()
                        .setNamespace(target.namespace())
                        .setContextId(target.id())
                        .setHaveVersion(haveVersion)
                        .build();
    }

    @Override
    SyncContextRequest request() {
        streams++;
        differences = new ArrayList<>();
        full = request.getHaveVersion() == 0;
        return request;
    }

    @Override
    int patience() {
        return streams + 1;
    }

    @Override
    boolean done() {
        return done;
    }

    @Override
    boolean endsByItself() {
        return done;
    }

    @Override
    List<Synced> accept(SyncContextResponse message) {
        full |= message.getFull();
        message.getEntriesList().forEach(entry -> differences.add(DiffSource.entry(entry)));
        if (differences.size() > most) {
            most = differences.size();
            progressed();
        }
        if (!message.hasContext()) {
            return List.of();
        }
        done = true;
        long from = full ? 0 : message.getFromVersion();
        ContextInfo info = Messages.info(message.getContext());
        return List.of(new Synced(from, full, info, List.copyOf(differences)));
    }
}
