package dev.contextd.client;

import java.time.Duration;

/**
 * One call of a model.
 *
 * @param provider who runs it, or empty
 * @param model which model, or empty
 * @param mode how it was used, or empty
 * @param inputTokens tokens that went in
 * @param outputTokens tokens that came out
 * @param cachedTokens tokens of the input that were cached
 * @param costMicros what it cost, in millionths of the currency
 * @param currency three capital letters; empty stands for USD
 * @param latency how long it took
 */
public record ModelUsage(
        String provider,
        String model,
        String mode,
        long inputTokens,
        long outputTokens,
        long cachedTokens,
        long costMicros,
        String currency,
        Duration latency)
        implements Recordable, Activity.Detail {
    /**
     * A call with what most programs know of one.
     *
     * @param provider who runs the model
     * @param model which model
     * @param inputTokens tokens that went in
     * @param outputTokens tokens that came out
     */
    public ModelUsage(String provider, String model, long inputTokens, long outputTokens) {
        this(provider, model, "", inputTokens, outputTokens, 0, 0, "", Duration.ZERO);
    }
}
