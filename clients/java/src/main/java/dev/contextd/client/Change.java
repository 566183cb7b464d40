package dev.contextd.client;

/**
 * What is to be done to one context, together with others: see {@link Client#updateAll}.
 *
 * @param contextId the context
 * @param changes the steps and their conditions
 */
public record Change(String contextId, Changes changes) {}
