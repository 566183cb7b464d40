/**
 * What can go wrong: {@link dev.contextd.client.error.ContextdException} and one class a reason.
 */
package dev.contextd.client.error;
