/**
 * The Java client of contextd. Begin with {@link dev.contextd.client.Client}, or with {@link
 * dev.contextd.client.AsyncClient} for futures.
 */
package dev.contextd.client;
