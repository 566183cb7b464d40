package dev.contextd.client.conformance;

import dev.contextd.client.Client;
import dev.contextd.client.Context;
import dev.contextd.client.ContextState;
import dev.contextd.client.Session;

/** One operation under way: its arguments, the client that the step names, and what was begun. */
record Call(Arguments words, Client opened, Begun begun) {
    /** The client, in the namespace of the arguments where they have one. */
    Client client() {
        return words.has("namespace") ? opened.withNamespace(words.text("namespace")) : opened;
    }

    /** The client, with the request id of the arguments where they have one. */
    Client writer() {
        Client client = client();
        return words.has("request_id") ? client.withRequestId(words.text("request_id")) : client;
    }

    /** The session that the arguments name. */
    Session session() {
        return Begun.named(begun.sessions, words.text("session"));
    }

    /** The context of the arguments, with what they say of the write. */
    Context context() {
        Context context = named();
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

    private Context named() {
        if (words.has("activation")) {
            return Begun.named(begun.activations, words.text("activation"));
        }
        if (words.has("session")) {
            return session().context(words.text("context"));
        }
        return client().context(words.text("context"));
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
        return at.has("time") ? context.atTime(at.time("time")) : context;
    }

    /** The state that an argument names. */
    ContextState state(String argument) {
        Call other = with(words.take(argument));
        ContextState state = other.state();
        other.words().nothingLeft();
        return state;
    }

    /** The same, of other arguments. */
    Call with(Object tree) {
        return new Call(new Arguments(tree), opened, begun);
    }
}
