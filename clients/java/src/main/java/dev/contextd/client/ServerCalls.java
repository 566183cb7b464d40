package dev.contextd.client;

import dev.contextd.v1.BatchGetContextsRequest;
import dev.contextd.v1.BatchGetContextsResponse;
import dev.contextd.v1.BatchUpdateContextsRequest;
import dev.contextd.v1.BatchUpdateContextsResponse;
import dev.contextd.v1.ContextManagerGrpc;
import dev.contextd.v1.ContextView;
import dev.contextd.v1.GetContextRequest;
import dev.contextd.v1.GetServerInfoRequest;
import dev.contextd.v1.ListContextsRequest;
import dev.contextd.v1.ListNamespacesRequest;
import dev.contextd.v1.UpdateContextRequest;
import dev.contextd.v1.WriteOptions;
import java.util.ArrayList;
import java.util.List;

/** Every operation on several contexts, and on the server, once for both forms of the client. */
final class ServerCalls {
    private static final int BATCH_MAX = 1000;

    private ServerCalls() {}

    /** What the server is; it is asked once, unless it is to be asked again. */
    static Pending<ServerInfo> info(Core core, long timeoutNanos, boolean again) {
        ServerInfo known = core.serverInfo.get();
        if (known != null && !again) {
            return Pending.done(known);
        }
        return core.call(
                        ContextManagerGrpc.getGetServerInfoMethod(),
                        GetServerInfoRequest.getDefaultInstance(),
                        Messages::server,
                        System.nanoTime() + timeoutNanos,
                        "")
                .map(
                        info -> {
                            core.serverInfo.set(info);
                            return info;
                        });
    }

    static Source<NamespaceInfo> namespaces(Core core, long timeoutNanos) {
        return new PageSource<>(
                token ->
                        core.call(
                                ContextManagerGrpc.getListNamespacesMethod(),
                                ListNamespacesRequest.newBuilder().setPageToken(token).build(),
                                page ->
                                        new PageSource.Page<>(
                                                page.getNamespacesList().stream()
                                                        .map(Messages::namespace)
                                                        .toList(),
                                                page.getNextPageToken()),
                                System.nanoTime() + timeoutNanos,
                                ""));
    }

    static Source<ContextInfo> contexts(Target target, ContextQuery query) {
        Names.namespace("namespace", target.namespace());
        ListContextsRequest.Builder request =
                ListContextsRequest.newBuilder()
                        .setNamespace(target.namespace())
                        .setIdPrefix(query.idPrefix())
                        .setType(query.type())
                        .setParentId(query.parentId())
                        .putAllMetadata(query.metadata())
                        .setDeleted(query.deleted());
        return new PageSource<>(
                token ->
                        target.read(
                                ContextManagerGrpc.getListContextsMethod(),
                                request.setPageToken(token).build(),
                                page ->
                                        new PageSource.Page<>(
                                                page.getContextsList().stream()
                                                        .map(Messages::info)
                                                        .toList(),
                                                page.getNextPageToken())));
    }

    static Pending<List<Result<Snapshot>>> snapshots(Target target, List<String> ids) {
        return Pending.start(
                () -> {
                    Names.count("requests", ids.size(), 1, BATCH_MAX);
                    BatchGetContextsRequest.Builder request = BatchGetContextsRequest.newBuilder();
                    for (String id : ids) {
                        String field = "requests[" + request.getRequestsCount() + "].state";
                        request.addRequests(
                                GetContextRequest.newBuilder()
                                        .setState(target.other(id).state(field))
                                        .setView(ContextView.CONTEXT_VIEW_FULL));
                    }
                    return target.read(
                            ContextManagerGrpc.getBatchGetContextsMethod(),
                            request.build(),
                            response ->
                                    response.getResultsList().stream()
                                            .map(ServerCalls::snapshot)
                                            .toList());
                });
    }

    private static Result<Snapshot> snapshot(BatchGetContextsResponse.Result result) {
        return switch (result.getOutcomeCase()) {
            case RESPONSE ->
                    new Result<>(Messages.snapshot(result.getResponse().getContext()), null);
            case FAILURE -> new Result<>(null, Failures.of(result.getFailure(), ""));
            case OUTCOME_NOT_SET ->
                    new Result<>(null, Failures.newerServer("a result of another kind"));
        };
    }

    /** Changes several contexts as one change: all, or none. */
    static Pending<List<Written>> updateAll(Target target, List<Change> changes) {
        return Pending.start(
                () -> {
                    Names.count("requests", changes.size(), 1, BATCH_MAX);
                    String id = target.nextRequestId();
                    BatchUpdateContextsRequest.Builder request =
                            BatchUpdateContextsRequest.newBuilder()
                                    .setAtomic(true)
                                    .setWrite(WriteOptions.newBuilder().setRequestId(id));
                    for (Change change : changes) {
                        target.other(change.contextId())
                                .check("requests[" + request.getRequestsCount() + "].");
                        UpdateContextRequest.Builder part =
                                UpdateContextRequest.newBuilder()
                                        .setNamespace(target.namespace())
                                        .setContextId(change.contextId())
                                        .addAllMutations(change.changes().steps())
                                        .addAllPreconditions(change.changes().conditions());
                        if (target.create() != null) {
                            part.setCreateIfMissing(
                                    Requests.newContext("create_if_missing", target.create()));
                        }
                        request.addRequests(part);
                    }
                    return target.send(
                            ContextManagerGrpc.getBatchUpdateContextsMethod(),
                            request.build(),
                            id,
                            response -> written(response, id));
                });
    }

    private static List<Written> written(BatchUpdateContextsResponse response, String id) {
        List<Written> all = new ArrayList<>();
        response.getResultsList()
                .forEach(
                        result ->
                                all.add(
                                        Messages.written(
                                                result.getResponse().getVersion(),
                                                result.getResponse().getWrite(),
                                                id)));
        return List.copyOf(all);
    }
}
