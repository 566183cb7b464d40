package dev.contextd.client;

import com.google.protobuf.ByteString;
import dev.contextd.client.error.ContextdException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Writes any number of entries in pieces that fit into messages, in order. */
final class PutAll {
    private static final String MESSAGE_MAX = "message_size_max";
    private static final long MESSAGE_MAX_DEFAULT = 4L << 20;
    private static final long PIECE_MAX = 4L << 20;
    private static final int STEPS_MAX = 5_000;
    private static final int STEP_OVERHEAD = 64; // Of a step in a message, at most.

    private final Target target;
    private final List<Changes> pieces = new ArrayList<>();
    private final long budget;
    private Changes open = new Changes();
    private long bytes;

    private PutAll(Target target, long budget) {
        this.target = target;
        this.budget = budget;
    }

    static Pending<Written> begin(Target target, Map<String, Value> values, Changes last) {
        return Pending.start(
                () ->
                        ServerCalls.info(target.core(), target.timeoutNanos(), false)
                                .then(info -> write(target, values, last, budget(info))));
    }

    private static long budget(ServerInfo info) {
        String told = info.settings().getOrDefault(MESSAGE_MAX, "");
        long max = Sizes.parse(told).orElse(MESSAGE_MAX_DEFAULT);
        return Math.min(max / 2, PIECE_MAX);
    }

    private static Pending<Written> write(
            Target target, Map<String, Value> values, Changes last, long budget) {
        PutAll all = new PutAll(target, budget);
        values.forEach(all::add);
        if (all.open.steps().size() + last.steps().size() > STEPS_MAX) {
            all.close();
        }
        last.steps().forEach(all.open.steps()::add);
        if (!all.open.isEmpty() || all.pieces.isEmpty()) {
            all.close();
        }
        last.conditions().forEach(all.pieces.get(0).conditions()::add);
        all.check();
        return all.send(0);
    }

    /** Refuses what the server would refuse before the first piece is written. */
    private void check() {
        for (int piece = 0; piece < pieces.size(); piece++) {
            Target to = to(piece);
            String id = to.nextRequestId();
            try {
                RequestRules.check(EntryWrites.request(to, pieces.get(piece), id));
            } catch (ContextdException refused) {
                throw Failures.ofWrite(refused, id);
            }
        }
    }

    /** The target of one piece: each has an id of its own. */
    private Target to(int piece) {
        return target.requestId() == null || piece == pieces.size() - 1
                ? target
                : target.requestId(target.requestId() + "/" + piece);
    }

    private void add(String key, Value value) {
        if (value.size() <= budget) {
            room(key, value.size()).put(key, value);
            return;
        }
        ByteString rest = value.raw();
        for (int at = 0; at < rest.size(); at += (int) budget) {
            ByteString part = rest.substring(at, (int) Math.min(rest.size(), at + budget));
            Value piece = Value.of(part, value.contentType());
            if (at == 0) {
                room(key, part.size()).put(key, piece);
            } else {
                room(key, part.size()).append(key, piece, at);
            }
        }
    }

    private Changes room(String key, long size) {
        long cost = size + 3L * key.length() + STEP_OVERHEAD;
        if (!open.isEmpty() && (bytes + cost > budget || open.steps().size() >= STEPS_MAX)) {
            close();
        }
        bytes += cost;
        return open;
    }

    private void close() {
        pieces.add(open);
        open = new Changes();
        bytes = 0;
    }

    private Pending<Written> send(int piece) {
        Pending<Written> written = EntryWrites.update(to(piece), pieces.get(piece));
        return piece == pieces.size() - 1 ? written : written.then(done -> send(piece + 1));
    }
}
