package dev.contextd.client;

import dev.contextd.v1.BatchGetContextsRequest;
import dev.contextd.v1.BatchGetContextsResponse;
import dev.contextd.v1.ContextManagerGrpc;
import dev.contextd.v1.DiffStatesRequest;
import dev.contextd.v1.DiffStatesResponse;
import dev.contextd.v1.GetContextRequest;
import dev.contextd.v1.GetContextResponse;
import dev.contextd.v1.ListRecoveryPointsRequest;
import dev.contextd.v1.ListRecoveryPointsResponse;
import dev.contextd.v1.MergeContextRequest;
import dev.contextd.v1.MergeContextResponse;
import dev.contextd.v1.ReadEntriesRequest;
import dev.contextd.v1.ReadEntriesResponse;
import dev.contextd.v1.RecoveryGrpc;
import dev.contextd.v1.SubscribeRequest;
import dev.contextd.v1.SubscribeResponse;
import dev.contextd.v1.TrackerGrpc;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BiConsumer;

/** A server in this process whose answers a test writes down beforehand, call by call. */
final class FakeServices implements AutoCloseable {
    /** What a method does: the first call the first answer, and so on; the last one stays. */
    static final class Script<Q, R> {
        final List<Q> requests = new CopyOnWriteArrayList<>();
        private final ConcurrentLinkedDeque<BiConsumer<Q, StreamObserver<R>>> answers =
                new ConcurrentLinkedDeque<>();

        /** Adds what the next call does. */
        Script<Q, R> then(BiConsumer<Q, StreamObserver<R>> answer) {
            answers.add(answer);
            return this;
        }

        /** Adds messages, which a failure follows, or the end where that is OK. */
        Script<Q, R> then(StatusRuntimeException end, List<R> messages) {
            return then(
                    (request, to) -> {
                        messages.forEach(to::onNext);
                        if (end.getStatus().isOk()) {
                            to.onCompleted();
                        } else {
                            to.onError(end);
                        }
                    });
        }

        /** Adds messages, behind which the stream stays open. */
        Script<Q, R> thenStay(List<R> messages) {
            return then((request, to) -> messages.forEach(to::onNext));
        }

        private void call(Q request, StreamObserver<R> to) {
            requests.add(request);
            BiConsumer<Q, StreamObserver<R>> next =
                    answers.size() > 1 ? answers.poll() : answers.peek();
            next.accept(request, to);
        }
    }

    static final SubscribeResponse CAUGHT_UP =
            SubscribeResponse.newBuilder()
                    .setCaughtUp(
                            dev.contextd.v1.CaughtUp.newBuilder().setCursor("5"))
                    .build();
    static final StatusRuntimeException END = Status.OK.asRuntimeException();
    static final StatusRuntimeException BROKEN = Status.UNAVAILABLE.asRuntimeException();

    final Script<GetContextRequest, GetContextResponse> get = new Script<>();
    final Script<BatchGetContextsRequest, BatchGetContextsResponse> getAll = new Script<>();
    final Script<MergeContextRequest, MergeContextResponse> merge = new Script<>();
    final Script<ReadEntriesRequest, ReadEntriesResponse> read = new Script<>();
    final Script<SubscribeRequest, SubscribeResponse> subscribe = new Script<>();
    final Script<DiffStatesRequest, DiffStatesResponse> diff = new Script<>();
    final Script<ListRecoveryPointsRequest, ListRecoveryPointsResponse> points = new Script<>();
    final List<Metadata> headers = new CopyOnWriteArrayList<>();
    private final String name = InProcessServerBuilder.generateName();
    private final Server server;

    FakeServices() throws IOException {
        server =
                InProcessServerBuilder.forName(name)
                        .directExecutor()
                        .addService(new Contexts())
                        .addService(new Tracking())
                        .addService(new Recovering())
                        .intercept(new Headers())
                        .build()
                        .start();
    }

    ClientBuilder client() {
        return Client.builder()
                .channel(InProcessChannelBuilder.forName(name))
                .timeout(Patience.TIME);
    }

    /** A failure as the server tells it. */
    static StatusRuntimeException refusal(Status.Code code, String reason, String... details) {
        var info = com.google.rpc.ErrorInfo.newBuilder().setDomain("contextd").setReason(reason);
        for (int i = 0; i < details.length; i += 2) {
            info.putAllMetadata(Map.of(details[i], details[i + 1]));
        }
        return io.grpc.protobuf.StatusProto.toStatusRuntimeException(
                com.google.rpc.Status.newBuilder()
                        .setCode(code.value())
                        .setMessage(reason)
                        .addDetails(com.google.protobuf.Any.pack(info.build()))
                        .build());
    }

    @Override
    public void close() {
        server.shutdownNow();
    }

    private final class Headers implements ServerInterceptor {
        @Override
        public <Q, R> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, R> call, Metadata sent, ServerCallHandler<Q, R> next) {
            headers.add(sent);
            return next.startCall(call, sent);
        }
    }

    private final class Contexts extends ContextManagerGrpc.ContextManagerImplBase {
        @Override
        public void getContext(GetContextRequest request, StreamObserver<GetContextResponse> to) {
            get.call(request, to);
        }

        @Override
        public void batchGetContexts(
                BatchGetContextsRequest request, StreamObserver<BatchGetContextsResponse> to) {
            getAll.call(request, to);
        }

        @Override
        public void readEntries(
                ReadEntriesRequest request, StreamObserver<ReadEntriesResponse> to) {
            read.call(request, to);
        }
    }

    private final class Tracking extends TrackerGrpc.TrackerImplBase {
        @Override
        public void subscribe(SubscribeRequest request, StreamObserver<SubscribeResponse> to) {
            subscribe.call(request, to);
        }
    }

    private final class Recovering extends RecoveryGrpc.RecoveryImplBase {
        @Override
        public void diffStates(DiffStatesRequest request, StreamObserver<DiffStatesResponse> to) {
            diff.call(request, to);
        }

        @Override
        public void mergeContext(
                MergeContextRequest request, StreamObserver<MergeContextResponse> to) {
            merge.call(request, to);
        }

        @Override
        public void listRecoveryPoints(
                ListRecoveryPointsRequest request, StreamObserver<ListRecoveryPointsResponse> to) {
            points.call(request, to);
        }
    }
}
