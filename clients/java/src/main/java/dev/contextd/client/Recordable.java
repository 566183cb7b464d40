package dev.contextd.client;

/** What can be added to the history of a context. */
public sealed interface Recordable permits Activity, FileOperation, ModelUsage {}
