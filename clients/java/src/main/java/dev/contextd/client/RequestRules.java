package dev.contextd.client;

import dev.contextd.v1.BatchGetContextsRequest;
import dev.contextd.v1.BatchUpdateContextsRequest;
import dev.contextd.v1.CreateContextRequest;
import dev.contextd.v1.DeleteContextRequest;
import dev.contextd.v1.GetContextRequest;
import dev.contextd.v1.ListContextsRequest;
import dev.contextd.v1.ReadEntriesRequest;
import dev.contextd.v1.UpdateContextRequest;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Looks at whole requests before they are sent: what the server would refuse, whatever it holds,
 * is refused here. Here are the rules of contexts.
 */
final class RequestRules {
    private static final int KEYS = 10_000;
    private static final int BATCH = 1000;
    private static final Map<Class<?>, Consumer<Object>> ALL = new HashMap<>();

    static {
        add(UpdateContextRequest.class, RequestRules::update);
        add(CreateContextRequest.class, RequestRules::create);
        add(GetContextRequest.class, RequestRules::get);
        add(ReadEntriesRequest.class, RequestRules::readEntries);
        add(ListContextsRequest.class, RequestRules::list);
        add(DeleteContextRequest.class, RequestRules::delete);
        add(BatchGetContextsRequest.class, RequestRules::getAll);
        add(BatchUpdateContextsRequest.class, RequestRules::updateAll);
        TrackerRules.addAll();
        RecoveryRules.addAll();
    }

    private RequestRules() {}

    static <M> void add(Class<M> kind, Consumer<M> rule) {
        ALL.put(kind, request -> rule.accept(kind.cast(request)));
    }

    /** Throws what the server would say of a request that it refuses. */
    static void check(Object request) {
        Consumer<Object> rule = ALL.get(request.getClass());
        if (rule != null) {
            rule.accept(request);
        }
    }

    /** How many requests a batch may hold. */
    static void batch(int requests) {
        Names.count("requests", requests, 1, BATCH);
    }

    static void keys(List<String> keys) {
        Names.names("keys", keys, KEYS, Names.KEY);
    }

    private static void update(UpdateContextRequest request) {
        PartRules.context(request.getNamespace(), request.getContextId());
        PartRules.mutations(request.getMutationsList(), 1);
        PartRules.preconditions(request.getPreconditionsList());
        PartRules.newContext(
                "create_if_missing",
                request.hasCreateIfMissing(),
                request.getCreateIfMissing(),
                request.getContextId());
        PartRules.write(request.getWrite());
    }

    private static void create(CreateContextRequest request) {
        PartRules.optionalContext(request.getNamespace(), request.getContextId());
        PartRules.newContext(
                "properties",
                request.hasProperties(),
                request.getProperties(),
                request.getContextId());
        PartRules.mutations(request.getMutationsList(), 0);
        PartRules.write(request.getWrite());
    }

    private static void get(GetContextRequest request) {
        PartRules.state("state", request.getState());
        keys(request.getKeysList());
        Names.name("key_prefix", request.getKeyPrefix(), 0, Names.KEY);
    }

    private static void readEntries(ReadEntriesRequest request) {
        PartRules.state("state", request.getState());
        Names.name("key_prefix", request.getKeyPrefix(), 0, Names.KEY);
        Names.name("after_key", request.getAfterKey(), 0, Names.KEY);
        Names.name("before_key", request.getBeforeKey(), 0, Names.KEY);
    }

    private static void list(ListContextsRequest request) {
        Names.namespace("namespace", request.getNamespace());
        Names.name("id_prefix", request.getIdPrefix(), 0, Names.ID);
        Names.name("type", request.getType(), 0, Names.TYPE);
        Names.name("parent_id", request.getParentId(), 0, Names.ID);
        Names.labels("metadata", request.getMetadataMap());
    }

    private static void delete(DeleteContextRequest request) {
        PartRules.context(request.getNamespace(), request.getContextId());
        PartRules.preconditions(request.getPreconditionsList());
        PartRules.write(request.getWrite());
    }

    private static void getAll(BatchGetContextsRequest request) {
        batch(request.getRequestsCount());
        Names.each("requests", request.getRequestsList(), RequestRules::get);
    }

    private static void updateAll(BatchUpdateContextsRequest request) {
        batch(request.getRequestsCount());
        Names.each("requests", request.getRequestsList(), RequestRules::update);
        PartRules.write(request.getWrite());
    }
}
