/**
 * Units of time. Media time is an integer count of 48 kHz samples; seconds and milliseconds exist
 * only at the edges, and every conversion between them lives in this file.
 */

/** Integer count of 48 kHz samples: a position on the media clock, or a length. */
export type Samples = number & { readonly unit: 'samples' };

/** A span of time in milliseconds, or a reading of a clock with an arbitrary origin. */
export type Millis = number & { readonly unit: 'millis' };

/** Milliseconds since 1970-01-01 UTC, on the clock of whoever holds it. */
export type Utc = number & { readonly unit: 'utc' };

/** The media clock's rate, samples a second (RFC 6716 section 2: Opus always counts in 48 kHz). */
export const SAMPLE_RATE = 48_000;

/** Media samples in one millisecond. */
export const SAMPLES_PER_MILLI = SAMPLE_RATE / 1000;

/** Names a number of samples; the caller vouches that it is an integer count at 48 kHz. */
export const samples = (count: number): Samples => count as Samples;

/** Names a number of milliseconds. */
export const millis = (span: number): Millis => span as Millis;

/** Names a reading of a UTC clock, in milliseconds. */
export const utc = (reading: number): Utc => reading as Utc;

/** Converts samples to milliseconds, exactly up to floating point. */
export const samplesToMillis = (count: Samples): Millis => (count / SAMPLES_PER_MILLI) as Millis;

/** Converts milliseconds to the nearest whole sample. */
export const millisToSamples = (span: Millis): Samples =>
  Math.round(span * SAMPLES_PER_MILLI) as Samples;

/** Converts seconds to milliseconds. */
export const secondsToMillis = (span: number): Millis => (span * 1000) as Millis;
