package dev.contextd.client.conformance;

import dev.contextd.client.Client;
import dev.contextd.client.Context;
import dev.contextd.client.ContextState;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** One operation under way: its arguments, and the client that the step names. */
record Call(Arguments words, Client opened) {
    /** The client, in the namespace of the arguments where they have one. */
    Client client() {
        return words.has("namespace") ? opened.withNamespace(words.text("namespace")) : opened;
    }

    /** The context of the arguments, with what they say of the write. */
    Context context() {
        Context context = client().context(words.text("context"));
        if (words.has("timeout")) {
            context = context.withTimeout(words.seconds("timeout"));
        }
        if (words.has("request_id")) {
            context = context.withRequestId(words.text("request_id"));
        }
        if (words.has("create_if_missing")) {
            context =
                    context.createIfMissing(
                            new Arguments(words.take("create_if_missing")).newContext());
        }
        return context;
    }

    /** The state of the arguments: the newest, or an earlier one. */
    ContextState state() {
        Arguments at = new Arguments(words.take("at"));
        Context context = context();
        if (at.has("version")) {
            return context.at(at.number("version"));
        }
        if (at.has("point")) {
            return context.atPoint(at.text("point"));
        }
        return at.has("time")
                ? context.atTime(Instant.EPOCH.plus(at.number("time"), ChronoUnit.MICROS))
                : context;
    }
}
