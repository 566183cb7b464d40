package dev.contextd.client;

import dev.contextd.v1.AcquireResourceRequest;
import dev.contextd.v1.ActivateContextRequest;
import dev.contextd.v1.DeactivateContextRequest;
import dev.contextd.v1.EndSessionRequest;
import dev.contextd.v1.GetContextStatusRequest;
import dev.contextd.v1.GetSessionRequest;
import dev.contextd.v1.ListActivitiesRequest;
import dev.contextd.v1.ListFilesRequest;
import dev.contextd.v1.ListResourcesRequest;
import dev.contextd.v1.ListSessionsRequest;
import dev.contextd.v1.OptimizeHistoryRequest;
import dev.contextd.v1.RecordActivitiesRequest;
import dev.contextd.v1.ReleaseResourceRequest;
import dev.contextd.v1.StartSessionRequest;
import dev.contextd.v1.SubscribeRequest;
import dev.contextd.v1.SummarizeUsageRequest;
import dev.contextd.v1.SwitchContextRequest;
import dev.contextd.v1.TruncateHistoryRequest;
import dev.contextd.v1.WriteOptions;

/** The rules of requests of sessions, histories and events. */
final class TrackerRules {
    private static final long SESSION_MILLIS_MIN = 1000;
    private static final long SESSION_SECONDS_MAX = 86_400;
    private static final int ACTIVE_CONTEXTS = 1000;
    private static final int ACTIVITIES = 1000;
    private static final int ACTIVITY_TYPES = 100;
    private static final int FILTER_IDS = 1000;
    private static final int FILTER_TYPES = 64;
    private static final long PROGRESS_MILLIS_MIN = 100;
    private static final long PROGRESS_SECONDS_MAX = 3600;
    private static final int PATH = 2048;
    private static final int TEXT = 4096;

    private TrackerRules() {}

    static void addAll() {
        sessions();
        histories();
        RequestRules.add(SubscribeRequest.class, TrackerRules::subscribe);
    }

    private static void sessions() {
        RequestRules.add(StartSessionRequest.class, TrackerRules::start);
        RequestRules.add(
                EndSessionRequest.class,
                request -> {
                    session(request.getNamespace(), request.getSessionId());
                    PartRules.write(request.getWrite());
                });
        RequestRules.add(
                GetSessionRequest.class,
                request -> session(request.getNamespace(), request.getSessionId()));
        RequestRules.add(
                ListSessionsRequest.class,
                request -> {
                    Names.namespace("namespace", request.getNamespace());
                    Names.name("owner", request.getOwner(), 0, Names.ID);
                });
        RequestRules.add(ActivateContextRequest.class, TrackerRules::activate);
        RequestRules.add(
                SwitchContextRequest.class,
                request ->
                        held(
                                request.getNamespace(),
                                request.getContextId(),
                                request.getSessionId(),
                                request.getWrite()));
        RequestRules.add(
                DeactivateContextRequest.class,
                request ->
                        held(
                                request.getNamespace(),
                                request.getContextId(),
                                request.getSessionId(),
                                request.getWrite()));
        RequestRules.add(AcquireResourceRequest.class, TrackerRules::acquire);
        RequestRules.add(ReleaseResourceRequest.class, TrackerRules::release);
    }

    private static void session(String namespace, String id) {
        Names.namespace("namespace", namespace);
        PartRules.session(id);
    }

    private static void start(StartSessionRequest request) {
        Names.namespace("namespace", request.getNamespace());
        Names.name("owner", request.getOwner(), 0, Names.ID);
        Names.labels("metadata", request.getMetadataMap());
        if (request.hasTtl()) {
            Names.length("ttl", request.getTtl(), SESSION_MILLIS_MIN, SESSION_SECONDS_MAX);
        }
        Names.name("default_context_id", request.getDefaultContextId(), 0, Names.ID);
        PartRules.newContext(
                "create_if_missing",
                request.hasCreateIfMissing(),
                request.getCreateIfMissing(),
                "");
        if (Integer.compareUnsigned(request.getMaxActiveContexts(), ACTIVE_CONTEXTS) > 0) {
            throw Names.invalid(
                    "max_active_contexts", "must be 1 to " + ACTIVE_CONTEXTS + ", or 0 for 5");
        }
        PartRules.write(request.getWrite());
    }

    /** What all have with which a session takes or gives back something of a context. */
    private static void held(
            String namespace, String contextId, String sessionId, WriteOptions write) {
        PartRules.context(namespace, contextId);
        PartRules.session(sessionId);
        PartRules.write(write);
    }

    private static void activate(ActivateContextRequest request) {
        held(
                request.getNamespace(),
                request.getContextId(),
                request.getSessionId(),
                request.getWrite());
        String rule = "must not be set without `exclusive`";
        if (request.getTakeover() && !request.getExclusive()) {
            throw Names.invalid("takeover", rule);
        }
        if (request.getGuard() && !request.getExclusive()) {
            throw Names.invalid("guard", rule);
        }
    }

    private static void acquire(AcquireResourceRequest request) {
        held(
                request.getNamespace(),
                request.getContextId(),
                request.getSessionId(),
                request.getWrite());
        Names.name("name", request.getName(), 1, Names.ID);
        Names.name("type", request.getType(), 0, Names.TYPE);
        Names.labels("metadata", request.getMetadataMap());
    }

    private static void release(ReleaseResourceRequest request) {
        held(
                request.getNamespace(),
                request.getContextId(),
                request.getSessionId(),
                request.getWrite());
        Names.name("name", request.getName(), 1, Names.ID);
    }

    private static void histories() {
        RequestRules.add(
                GetContextStatusRequest.class,
                request -> PartRules.context(request.getNamespace(), request.getContextId()));
        RequestRules.add(RecordActivitiesRequest.class, TrackerRules::record);
        RequestRules.add(ListActivitiesRequest.class, TrackerRules::list);
        RequestRules.add(TruncateHistoryRequest.class, TrackerRules::truncate);
        RequestRules.add(
                OptimizeHistoryRequest.class,
                request -> {
                    PartRules.context(request.getNamespace(), request.getContextId());
                    PartRules.write(request.getWrite());
                });
        RequestRules.add(
                ListFilesRequest.class,
                request -> {
                    PartRules.context(request.getNamespace(), request.getContextId());
                    Names.text("path_prefix", request.getPathPrefix(), PATH);
                });
        RequestRules.add(
                ListResourcesRequest.class,
                request -> PartRules.context(request.getNamespace(), request.getContextId()));
        RequestRules.add(
                SummarizeUsageRequest.class,
                request ->
                        PartRules.optionalContext(
                                request.getNamespace(), request.getContextId()));
    }

    private static void record(RecordActivitiesRequest request) {
        PartRules.context(request.getNamespace(), request.getContextId());
        Names.count("activities", request.getActivitiesCount(), 1, ACTIVITIES);
        Names.each("activities", request.getActivitiesList(), PartRules::activity);
        PartRules.newContext(
                "create_if_missing",
                request.hasCreateIfMissing(),
                request.getCreateIfMissing(),
                request.getContextId());
        PartRules.write(request.getWrite());
    }

    private static void list(ListActivitiesRequest request) {
        PartRules.context(request.getNamespace(), request.getContextId());
        Names.names("types", request.getTypesList(), ACTIVITY_TYPES, Names.TYPE);
        boolean both = request.hasStartTime() && request.hasEndTime();
        if (both && Requests.isBefore(request.getEndTime(), request.getStartTime())) {
            throw Names.invalid("end_time", "must not be before start_time");
        }
    }

    private static void truncate(TruncateHistoryRequest request) {
        PartRules.context(request.getNamespace(), request.getContextId());
        switch (request.getKeepCase()) {
            case FROM_SEQUENCE -> {
                if (request.getFromSequence() == 0) {
                    throw Names.invalid("from_sequence", "must be positive");
                }
            }
            case FROM_TIME -> {}
            case KEEP_NOT_SET ->
                    throw Names.invalid("keep", "must be set: from_sequence or from_time");
        }
        PartRules.write(request.getWrite());
    }

    private static void subscribe(SubscribeRequest request) {
        Names.namespace("namespace", request.getNamespace());
        Names.names("context_ids", request.getContextIdsList(), FILTER_IDS, Names.ID);
        Names.name("id_prefix", request.getIdPrefix(), 0, Names.ID);
        Names.name("type", request.getType(), 0, Names.TYPE);
        Names.labels("metadata", request.getMetadataMap());
        Names.count("event_types", request.getEventTypesCount(), 0, FILTER_TYPES);
        Names.name("key_prefix", request.getKeyPrefix(), 0, Names.KEY);
        if (request.hasProgressInterval()) {
            Names.length(
                    "progress_interval",
                    request.getProgressInterval(),
                    PROGRESS_MILLIS_MIN,
                    PROGRESS_SECONDS_MAX);
        }
        Names.text("cursor", request.getCursor(), TEXT);
    }
}
