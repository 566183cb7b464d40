package dev.contextd.client;

import dev.contextd.client.error.ContextdException;
import dev.contextd.client.error.InvalidFieldException;
import dev.contextd.client.error.ResponseTooLargeException;
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

    /** Several states at once; what is wrong with one is told there, and the others are read. */
    static Pending<List<Result<Snapshot>>> snapshots(Target target, List<String> ids) {
        return Pending.start(
                () -> {
                    RequestRules.batch(ids.size());
                    BatchGetContextsRequest.Builder request = BatchGetContextsRequest.newBuilder();
                    List<Result<Snapshot>> results = new ArrayList<>();
                    List<Integer> places = new ArrayList<>(); // Of what is sent, among the ids.
                    for (int i = 0; i < ids.size(); i++) {
                        GetContextRequest part =
                                GetContextRequest.newBuilder()
                                        .setState(target.other(ids.get(i)).state())
                                        .setView(ContextView.CONTEXT_VIEW_FULL)
                                        .build();
                        Result<Snapshot> refused = refused(part, i);
                        results.add(refused);
                        if (refused == null) {
                            request.addRequests(part);
                            places.add(i);
                        }
                    }
                    if (places.isEmpty()) {
                        return Pending.done(List.copyOf(results));
                    }
                    return target.read(
                                    ContextManagerGrpc.getBatchGetContextsMethod(),
                                    request.build(),
                                    response -> results(response, places, results))
                            .then(all -> large(target, ids, all, 0));
                });
    }

    /** What is wrong with the request at a place; null: nothing. */
    private static Result<Snapshot> refused(GetContextRequest part, int place) {
        try {
            Names.inside("requests", place, () -> RequestRules.check(part));
            return null;
        } catch (InvalidFieldException wrong) {
            return new Result<>(null, wrong);
        }
    }

    /** Adds to the results of what was refused those of what was sent. */
    private static List<Result<Snapshot>> results(
            BatchGetContextsResponse response,
            List<Integer> places,
            List<Result<Snapshot>> refused) {
        if (response.getResultsCount() != places.size()) {
            throw Failures.newerServer("another number of results than asked");
        }
        List<Result<Snapshot>> results = new ArrayList<>(refused);
        for (int i = 0; i < places.size(); i++) {
            results.set(places.get(i), snapshot(response.getResults(i), places.get(i)));
        }
        return results;
    }

    /** Reads by themselves those for which the answer had no room, from a place on. */
    private static Pending<List<Result<Snapshot>>> large(
            Target target, List<String> ids, List<Result<Snapshot>> results, int from) {
        int at = from;
        while (at < ids.size()
                && !(results.get(at).error() instanceof ResponseTooLargeException)) {
            at++;
        }
        if (at == ids.size()) {
            return Pending.done(List.copyOf(results));
        }
        int place = at;
        return EntryReads.snapshot(target.other(ids.get(place)), null, "")
                .map(found -> new Result<>(found, null))
                .recover(ServerCalls::failed)
                .then(
                        result -> {
                            results.set(place, result);
                            return large(target, ids, results, place + 1);
                        });
    }

    private static Pending<Result<Snapshot>> failed(Throwable error) {
        return error instanceof ContextdException known
                ? Pending.done(new Result<>(null, known))
                : Pending.failed(error);
    }

    private static Result<Snapshot> snapshot(
            BatchGetContextsResponse.Result result, int place) {
        return switch (result.getOutcomeCase()) {
            case RESPONSE ->
                    new Result<>(Messages.snapshot(result.getResponse().getContext()), null);
            case FAILURE ->
                    new Result<>(
                            null,
                            Failures.of(result.getFailure(), "requests[" + place + "].", ""));
            case OUTCOME_NOT_SET ->
                    new Result<>(null, Failures.newerServer("a result of another kind"));
        };
    }

    /** Changes several contexts as one change: all, or none. */
    static Pending<List<Written>> updateAll(Target target, List<Change> changes) {
        return Pending.start(
                () -> {
                    String id = target.nextRequestId();
                    BatchUpdateContextsRequest.Builder request =
                            BatchUpdateContextsRequest.newBuilder()
                                    .setAtomic(true)
                                    .setWrite(WriteOptions.newBuilder().setRequestId(id));
                    for (Change change : changes) {
                        UpdateContextRequest.Builder part =
                                UpdateContextRequest.newBuilder()
                                        .setNamespace(target.namespace())
                                        .setContextId(change.contextId())
                                        .addAllMutations(change.changes().steps())
                                        .addAllPreconditions(change.changes().conditions());
                        if (target.create() != null) {
                            part.setCreateIfMissing(
                                    Requests.newContext(target.create()));
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
