package dev.contextd.client.conformance;

import dev.contextd.client.AsyncContext;
import dev.contextd.client.Changes;
import dev.contextd.client.Value;
import dev.contextd.client.Written;
import dev.contextd.client.error.ContextdException;
import java.util.concurrent.CompletableFuture;

/** Operations that are begun in their order, without waiting for their results. */
final class OrderedOperations {
    private OrderedOperations() {}

    /** Begins one. What it is refused with at once comes with its result, too. */
    static CompletableFuture<Object> begin(String operation, Call call) {
        try {
            CompletableFuture<Written> running = begun(operation, call);
            call.words().nothingLeft();
            return running.thenApply(Results::tree);
        } catch (ContextdException refused) {
            return CompletableFuture.failedFuture(refused);
        }
    }

    private static CompletableFuture<Written> begun(String operation, Call call) {
        AsyncContext context = context(call);
        Arguments words = call.words();
        if (operation.equals("update")) {
            return context.update(words.changes());
        }
        String key = words.text("key");
        Value value = Arguments.value(words.take("value"));
        return switch (operation) {
            case "put" -> context.put(key, value);
            case "append" ->
                    words.has("expected_size")
                            ? context.update(
                                    new Changes().append(key, value, words.number("expected_size")))
                            : context.append(key, value);
            default -> throw new IllegalArgumentException("in_order does no " + operation);
        };
    }

    private static AsyncContext context(Call call) {
        Arguments words = call.words();
        AsyncContext context = call.client().async().context(words.text("context"));
        if (words.has("request_id")) {
            context = context.withRequestId(words.text("request_id"));
        }
        if (words.has("create_if_missing")) {
            Object begins = words.take("create_if_missing");
            context = context.createIfMissing(new Arguments(begins).newContext());
        }
        return context;
    }
}
