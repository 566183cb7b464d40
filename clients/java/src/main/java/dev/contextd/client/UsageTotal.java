package dev.contextd.client;

import java.time.Duration;

/**
 * What one model cost.
 *
 * @param provider who runs it
 * @param model which model
 * @param mode how it was used
 * @param currency the currency of the cost
 * @param callCount how often it was called
 * @param inputTokens tokens that went in
 * @param outputTokens tokens that came out
 * @param cachedTokens tokens of the input that were cached
 * @param costMicros what it cost, in millionths of the currency
 * @param latency how long it took
 */
public record UsageTotal(
        String provider,
        String model,
        String mode,
        String currency,
        long callCount,
        long inputTokens,
        long outputTokens,
        long cachedTokens,
        long costMicros,
        Duration latency) {}
