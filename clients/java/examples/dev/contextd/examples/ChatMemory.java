package dev.contextd.examples;

import dev.contextd.client.Client;
import dev.contextd.client.Context;
import dev.contextd.client.Entry;
import dev.contextd.client.EntryQuery;
import dev.contextd.client.NewContext;
import dev.contextd.client.Value;
import java.util.ArrayList;
import java.util.List;

/** The memory of a chat: each message an entry, read back in order after a restart. */
public final class ChatMemory {
    private final Context chat;

    /** Remembers under an id; the context is created by its first message. */
    public ChatMemory(Client client, String id) {
        chat = client.context(id).createIfMissing(NewContext.ofType("chat"));
    }

    /** Adds a message. */
    public void add(int number, String json) {
        chat.put(String.format("messages/%08d", number), Value.json(json));
    }

    /** Gives the newest messages, the oldest of them first. */
    public List<String> newest(int count) {
        List<String> found = new ArrayList<>();
        EntryQuery query = EntryQuery.prefixed("messages/").reversed().limit(count);
        for (Entry entry : chat.entries(query)) {
            found.add(0, entry.value().asJson());
        }
        return found;
    }
}
