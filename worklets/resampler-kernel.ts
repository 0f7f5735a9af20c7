/** Phases between two input samples; between phases the taps are interpolated linearly. */
export const PHASES = 256;

const KAISER = 8.3;
const TAPS = 32;
const DECIMATING_TAPS = 40;
const NARROW_TAPS = 48;
/** Beyond this step the output's Nyquist frequency is audible, and nothing may fold below it. */
const NARROW = 1.1;

/** A windowed sinc in polyphase form: row after row of `taps` coefficients, 257 rows. */
export type Kernel = {
  readonly step: number;
  /** Even. */
  readonly taps: number;
  readonly rows: Float64Array;
};

const bessel = (x: number): number => {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-17; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
};

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** Width of the transition of a Kaiser window, cycles per sample (Kaiser 1974). */
const transition = (taps: number): number =>
  (KAISER / 0.1102 + 8.7 - 7.95) / (2.285 * 2 * Math.PI * (taps - 1));

/**
 * Designs the filter for `step` input samples an output sample. Up to 1 the cut-off is the input's
 * Nyquist frequency, so that image and original of what lies below 20 kHz are kept apart; above 1 it
 * comes down, and from 1.1 on the stop band begins at the output's Nyquist frequency.
 */
export const designKernel = (step: number): Kernel => {
  const perStep = step <= 1 ? TAPS : step <= NARROW ? DECIMATING_TAPS : NARROW_TAPS;
  const taps = 2 * Math.ceil((perStep / 2) * Math.max(1, step));
  const nyquist = 0.5 / Math.max(1, step);
  const cutoff = step <= NARROW ? nyquist : nyquist - transition(taps) / 2;
  const rows = new Float64Array((PHASES + 1) * taps);
  const half = taps / 2;
  const scale = bessel(KAISER);
  for (let phase = 0; phase <= PHASES; phase += 1) {
    let sum = 0;
    for (let tap = 0; tap < taps; tap += 1) {
      const distance = tap - (half - 1) - phase / PHASES;
      const edge = Math.max(0, 1 - (distance / half) ** 2);
      const value = (sinc(2 * cutoff * distance) * bessel(KAISER * Math.sqrt(edge))) / scale;
      rows[phase * taps + tap] = value;
      sum += value;
    }
    for (let tap = 0; tap < taps; tap += 1) rows[phase * taps + tap]! /= sum;
  }
  return { step, taps, rows };
};
