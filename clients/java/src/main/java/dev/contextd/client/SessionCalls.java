package dev.contextd.client;

import dev.contextd.client.error.ContextdException;
import dev.contextd.client.error.Failure;
import dev.contextd.client.error.SessionNotFoundException;
import dev.contextd.v1.ActivateContextRequest;
import dev.contextd.v1.DeactivateContextRequest;
import dev.contextd.v1.EndSessionRequest;
import dev.contextd.v1.GetSessionRequest;
import dev.contextd.v1.ListSessionsRequest;
import dev.contextd.v1.RenewSessionRequest;
import dev.contextd.v1.RenewSessionResponse;
import dev.contextd.v1.Session;
import dev.contextd.v1.StartSessionRequest;
import dev.contextd.v1.StartSessionResponse;
import dev.contextd.v1.SwitchContextRequest;
import dev.contextd.v1.TrackerGrpc;
import dev.contextd.v1.WriteOptions;
import io.grpc.Status;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Every operation on sessions, once for both forms of the client. */
final class SessionCalls {
    private SessionCalls() {}

    static Pending<SessionKeeper> start(Target target, NewSession session) {
        return Pending.start(
                () -> {
                    String id = target.nextRequestId();
                    StartSessionRequest.Builder request =
                            StartSessionRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setOwner(session.owner())
                                    .putAllMetadata(session.metadata())
                                    .setTtl(Requests.length(session.ttl()))
                                    .setDefaultContextId(session.defaultContextId())
                                    .setMaxActiveContexts(session.maxActiveContexts())
                                    .setRecoveryPointOnLoss(session.recoveryPointOnLoss())
                                    .setWrite(WriteOptions.newBuilder().setRequestId(id));
                    session.createIfMissing()
                            .ifPresent(
                                    begin ->
                                            request.setCreateIfMissing(
                                                    Requests.newContext(begin)));
                    long since = System.nanoTime();
                    return target.send(
                                    TrackerGrpc.getStartSessionMethod(),
                                    request.build(),
                                    id,
                                    SessionCalls::begun)
                            .then(began -> keep(target, session, began, since));
                });
    }

    private static Session begun(StartSessionResponse response) {
        if (!response.hasSession()) { // A repeat came late.
            throw gone("the session began, and has ended already");
        }
        return response.getSession();
    }

    private static SessionNotFoundException gone(String message) {
        return new SessionNotFoundException(
                Failure.of(Status.Code.NOT_FOUND, message)
                        .withReason("SESSION_NOT_FOUND", Map.of()));
    }

    private static Pending<SessionKeeper> keep(
            Target target, NewSession session, Session began, long since) {
        long term = session.ttl().toNanos();
        if (System.nanoTime() - since <= term / 3) {
            return Pending.done(new SessionKeeper(target, session, began, since));
        }
        // The first of several attempts may have begun it: its term is partly over.
        long again = System.nanoTime();
        return renew(target, began.getId(), again + target.timeoutNanos())
                .map(renewed -> new SessionKeeper(target, session, began, again));
    }

    static Pending<RenewSessionResponse> renew(Target target, String sessionId, long deadline) {
        RenewSessionRequest request =
                RenewSessionRequest.newBuilder()
                        .setNamespace(target.namespace())
                        .setSessionId(sessionId)
                        .build();
        return target.core()
                .call(TrackerGrpc.getRenewSessionMethod(), request, same -> same, deadline, "");
    }

    static Pending<Void> end(Target target, String sessionId) {
        String id = RequestIds.next();
        EndSessionRequest request =
                EndSessionRequest.newBuilder()
                        .setNamespace(target.namespace())
                        .setSessionId(sessionId)
                        .setWrite(WriteOptions.newBuilder().setRequestId(id))
                        .build();
        // By nobody: a session that is ended does nothing more itself.
        return target.writer(null)
                .send(TrackerGrpc.getEndSessionMethod(), request, id, response -> null);
    }

    /** What the server knows of the session that writes to the target. */
    static Pending<SessionInfo> info(Target target, String sessionId) {
        GetSessionRequest request =
                GetSessionRequest.newBuilder()
                        .setNamespace(target.namespace())
                        .setSessionId(sessionId)
                        .build();
        return Pending.start(
                () ->
                        target.send(
                                TrackerGrpc.getGetSessionMethod(),
                                request,
                                "",
                                response -> session(response.getSession())));
    }

    static Source<SessionInfo> list(Target target, String owner) {
        return new PageSource<>(
                token ->
                        target.read(
                                TrackerGrpc.getListSessionsMethod(),
                                ListSessionsRequest.newBuilder()
                                        .setNamespace(target.namespace())
                                        .setOwner(owner)
                                        .setPageToken(token)
                                        .build(),
                                page ->
                                        new PageSource.Page<>(
                                                page.getSessionsList().stream()
                                                        .map(SessionCalls::session)
                                                        .toList(),
                                                page.getNextPageToken())));
    }

    static SessionInfo session(Session session) {
        return new SessionInfo(
                session.getNamespace(),
                session.getId(),
                session.getOwner(),
                Map.copyOf(session.getMetadataMap()),
                Messages.time(session.hasCreateTime(), session.getCreateTime()),
                Messages.time(session.hasExpireTime(), session.getExpireTime()),
                session.getActivationsList().stream().map(SessionCalls::activation).toList(),
                session.getCurrentContextId());
    }

    static Activation activation(dev.contextd.v1.Activation activation) {
        return new Activation(
                activation.getContextId(),
                activation.getFence(),
                activation.getExclusive(),
                Messages.time(activation.hasTime(), activation.getTime()));
    }

    /** How a context is activated. */
    record Mode(boolean exclusive, boolean takeover, boolean guard) {}

    static Pending<Activation> activate(Target target, Mode mode) {
        return Pending.start(
                () -> {
                    String id = target.nextRequestId();
                    ActivateContextRequest request =
                            ActivateContextRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setSessionId(target.writer().lease().id)
                                    .setContextId(target.id())
                                    .setExclusive(mode.exclusive())
                                    .setTakeover(mode.takeover())
                                    .setGuard(mode.guard())
                                    .setWrite(WriteOptions.newBuilder().setRequestId(id))
                                    .build();
                    return target.send(
                            TrackerGrpc.getActivateContextMethod(),
                            request,
                            id,
                            response -> activation(response.getActivation()));
                });
    }

    static Pending<Activation> switchTo(Target target) {
        return Pending.start(
                () -> {
                    String id = target.nextRequestId();
                    SwitchContextRequest request =
                            SwitchContextRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setSessionId(target.writer().lease().id)
                                    .setContextId(target.id())
                                    .setWrite(WriteOptions.newBuilder().setRequestId(id))
                                    .build();
                    return target.send(
                            TrackerGrpc.getSwitchContextMethod(),
                            request,
                            id,
                            response ->
                                    activationIn(
                                            session(response.getSession()).activations(),
                                            target.id()));
                });
    }

    /** To a repeat the session is as it is now: it may have gone on since. */
    private static Activation activationIn(List<Activation> activations, String contextId) {
        return activations.stream()
                .filter(each -> each.contextId().equals(contextId))
                .findFirst()
                .orElse(new Activation(contextId, 0, false, Optional.empty()));
    }

    static Pending<Void> deactivate(Target target) throws ContextdException {
        return Pending.start(
                () -> {
                    String id = target.nextRequestId();
                    DeactivateContextRequest request =
                            DeactivateContextRequest.newBuilder()
                                    .setNamespace(target.namespace())
                                    .setSessionId(target.writer().lease().id)
                                    .setContextId(target.id())
                                    .setWrite(target.write(id))
                                    .build();
                    return target.send(
                            TrackerGrpc.getDeactivateContextMethod(), request, id, answer -> null);
                });
    }
}
