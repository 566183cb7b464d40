package dev.contextd.client;

import dev.contextd.v1.AcquireResourceRequest;
import dev.contextd.v1.GetContextStatusRequest;
import dev.contextd.v1.GetContextStatusResponse;
import dev.contextd.v1.ListActivitiesRequest;
import dev.contextd.v1.ListFilesRequest;
import dev.contextd.v1.ListResourcesRequest;
import dev.contextd.v1.OptimizeHistoryRequest;
import dev.contextd.v1.RecordActivitiesRequest;
import dev.contextd.v1.ReleaseResourceRequest;
import dev.contextd.v1.Resource;
import dev.contextd.v1.SummarizeUsageRequest;
import dev.contextd.v1.SummarizeUsageResponse.UsageTotal;
import dev.contextd.v1.TrackerGrpc;
import dev.contextd.v1.TruncateHistoryRequest;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** Every operation on what was done with a context, once for both forms of the client. */
final class HistoryCalls {
    private HistoryCalls() {}

    static Pending<Recorded> record(Target target, List<? extends Recordable> activities) {
        return Pending.start(
                () -> {
                    String id = target.nextRequestId();
                    RecordActivitiesRequest.Builder request =
                            RecordActivitiesRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setContextId(target.id())
                                    .setWrite(target.write(id));
                    for (Recordable activity : activities) {
                        request.addActivities(Requests.activity(activity));
                    }
                    if (target.create() != null) {
                        request.setCreateIfMissing(
                                Requests.newContext(target.create()));
                    }
                    return target.send(
                            TrackerGrpc.getRecordActivitiesMethod(),
                            request.build(),
                            id,
                            response ->
                                    new Recorded(
                                            response.getFirstSequence(),
                                            response.getLastSequence(),
                                            response.getWrite().getRevision(),
                                            response.getWrite().getReplayed(),
                                            id));
                });
    }

    static Source<Activity> list(Target target, HistoryQuery query) {
        ListActivitiesRequest.Builder request =
                ListActivitiesRequest.newBuilder()
                        .setNamespace(target.namespace())
                        .setContextId(target.id())
                        .addAllTypes(query.types())
                        .setNewestFirst(query.newestFirst())
                        .setFromSequence(query.fromSequence());
        query.from().ifPresent(time -> request.setStartTime(Requests.time(time)));
        query.until().ifPresent(time -> request.setEndTime(Requests.time(time)));
        return new PageSource<>(
                token ->
                        target.read(
                                TrackerGrpc.getListActivitiesMethod(),
                                request.setPageToken(token).build(),
                                page ->
                                        new PageSource.Page<>(
                                                page.getActivitiesList().stream()
                                                        .map(Messages::activity)
                                                        .toList(),
                                                page.getNextPageToken())));
    }

    static Pending<Optimized> optimize(
            Target target, long maxBytes, long maxCount, boolean deduplicate, boolean dryRun) {
        return Pending.start(
                () -> {
                    String id = target.nextRequestId();
                    OptimizeHistoryRequest request =
                            OptimizeHistoryRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setContextId(target.id())
                                    .setMaxBytes(maxBytes)
                                    .setMaxCount(maxCount)
                                    .setDeduplicate(deduplicate)
                                    .setDryRun(dryRun)
                                    .setWrite(target.write(id))
                                    .build();
                    return target.send(
                            TrackerGrpc.getOptimizeHistoryMethod(),
                            request,
                            id,
                            response ->
                                    new Optimized(
                                            response.getRemovedCount(),
                                            response.getRemovedBytes(),
                                            response.getKeptCount(),
                                            response.getKeptBytes()));
                });
    }

    /** Drops what is before a sequence, or where {@code time} is given, before that. */
    static Pending<Long> truncate(Target target, long fromSequence, Instant time) {
        return Pending.start(
                () -> {
                    String id = target.nextRequestId();
                    TruncateHistoryRequest.Builder request =
                            TruncateHistoryRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setContextId(target.id())
                                    .setWrite(target.write(id));
                    if (time != null) {
                        request.setFromTime(Requests.time(time));
                    } else {
                        request.setFromSequence(fromSequence);
                    }
                    return target.send(
                            TrackerGrpc.getTruncateHistoryMethod(),
                            request.build(),
                            id,
                            response -> response.getRemovedCount());
                });
    }

    static Source<TrackedFile> files(Target target, String prefix) {
        return new PageSource<>(
                token ->
                        target.read(
                                TrackerGrpc.getListFilesMethod(),
                                ListFilesRequest.newBuilder()
                                        .setNamespace(target.namespace())
                                        .setContextId(target.id())
                                        .setPathPrefix(prefix)
                                        .setPageToken(token)
                                        .build(),
                                page ->
                                        new PageSource.Page<>(
                                                page.getFilesList().stream()
                                                        .map(HistoryCalls::file)
                                                        .toList(),
                                                page.getNextPageToken())));
    }

    private static TrackedFile file(dev.contextd.v1.TrackedFile file) {
        return new TrackedFile(
                Messages.file(file.getLastOperation()),
                Messages.time(file.hasTime(), file.getTime()),
                file.getOperationCount());
    }

    /** What models cost in one context. */
    static Pending<List<dev.contextd.client.UsageTotal>> usageOf(Target context) {
        return context.named("").then(named -> usage(context));
    }

    /** The same in the namespace, or, where the target has an id, in that context. */
    static Pending<List<dev.contextd.client.UsageTotal>> usage(Target target) {
        return Pending.start(
                () ->
                        target.read(
                                TrackerGrpc.getSummarizeUsageMethod(),
                                SummarizeUsageRequest.newBuilder()
                                        .setNamespace(target.namespace())
                                        .setContextId(target.id())
                                        .build(),
                                response ->
                                        response.getTotalsList().stream()
                                                .map(HistoryCalls::total)
                                                .toList()));
    }

    private static dev.contextd.client.UsageTotal total(UsageTotal total) {
        return new dev.contextd.client.UsageTotal(
                total.getProvider(),
                total.getModel(),
                total.getMode(),
                total.getCurrency(),
                total.getCallCount(),
                total.getInputTokens(),
                total.getOutputTokens(),
                total.getCachedTokens(),
                total.getCostMicros(),
                Messages.length(total.getLatency()));
    }

    static Pending<ContextStatus> status(Target target) {
        return Pending.start(
                () -> {
                    GetContextStatusRequest request =
                            GetContextStatusRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setContextId(target.id())
                                    .build();
                    return target.read(
                            TrackerGrpc.getGetContextStatusMethod(), request, HistoryCalls::status);
                });
    }

    private static ContextStatus status(GetContextStatusResponse response) {
        ContextStatus.Presence presence =
                switch (response.getStatus()) {
                    case STATUS_ACTIVE -> ContextStatus.Presence.ACTIVE;
                    case STATUS_INACTIVE -> ContextStatus.Presence.INACTIVE;
                    case STATUS_NON_EXISTENT -> ContextStatus.Presence.NON_EXISTENT;
                    default -> ContextStatus.Presence.UNKNOWN;
                };
        return new ContextStatus(
                presence,
                response.getVersion(),
                response.getFence(),
                List.copyOf(response.getSessionIdsList()),
                response.getExclusiveSessionId(),
                response.getGuarded());
    }

    static Source<HeldResource> resources(Target target) {
        return new PageSource<>(
                token ->
                        target.read(
                                TrackerGrpc.getListResourcesMethod(),
                                ListResourcesRequest.newBuilder()
                                        .setNamespace(target.namespace())
                                        .setContextId(target.id())
                                        .setPageToken(token)
                                        .build(),
                                page ->
                                        new PageSource.Page<>(
                                                page.getResourcesList().stream()
                                                        .map(HistoryCalls::resource)
                                                        .toList(),
                                                page.getNextPageToken())));
    }

    private static HeldResource resource(Resource resource) {
        return new HeldResource(
                resource.getName(),
                resource.getType(),
                resource.getSessionId(),
                Map.copyOf(resource.getMetadataMap()),
                Messages.time(resource.hasTime(), resource.getTime()));
    }

    /** Takes a resource for the session that writes to the target. */
    static Pending<HeldResource> acquire(
            Target target, String name, String type, Map<String, String> metadata) {
        return Pending.start(
                () -> {
                    String id = target.nextRequestId();
                    AcquireResourceRequest request =
                            AcquireResourceRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setContextId(target.id())
                                    .setSessionId(target.writer().lease().id)
                                    .setName(name)
                                    .setType(type)
                                    .putAllMetadata(metadata)
                                    .setWrite(target.write(id))
                                    .build();
                    return target.send(
                            TrackerGrpc.getAcquireResourceMethod(),
                            request,
                            id,
                            response -> resource(response.getResource()));
                });
    }

    static Pending<Void> release(Target target, String name) {
        return Pending.start(
                () -> {
                    String id = target.nextRequestId();
                    ReleaseResourceRequest request =
                            ReleaseResourceRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setContextId(target.id())
                                    .setSessionId(target.writer().lease().id)
                                    .setName(name)
                                    .setWrite(target.write(id))
                                    .build();
                    return target.send(
                            TrackerGrpc.getReleaseResourceMethod(), request, id, answer -> null);
                });
    }
}
