/**
 * The sound that measures a path. Each second begins with a burst of 100 ms of pseudo-random noise,
 * one of 16 that return in a cycle, which tells the delay; after it every frame of 20 ms is a tone
 * of its own, which tells whether that frame came, came twice, or was made up.
 *
 * Both are sums of sines of fixed phase, not samples, so the same signal exists at every rate.
 */
import { type Millis, millis } from '../../shared/time.ts';
import { seededRandom } from './seeded-random.ts';

/** Bursts that differ; the signal repeats after so many seconds. */
export const IDENTITIES = 16;

/** Length of a burst, ms. */
export const BURST: Millis = millis(100);

/** Length of a frame, ms. */
export const FRAME: Millis = millis(20);

/** Frames in a second, and how many of them the burst fills. */
export const FRAMES_PER_SECOND = 50;
export const FRAMES_PER_BURST = 5;

const BURST_LEVEL = 0.12;
const TONE_LEVEL = 0.2;
const EDGE_SECONDS = 0.002;
// The band in which every codec and mode here keeps the wave form; lines 10 Hz apart repeat after
// 100 ms, the length of the burst.
const LOWEST_LINE = 30;
const HIGHEST_LINE = 600;
const LINE_SPACING = 10;

/**
 * Frequency in Hz of the tone in frame `slot` (5 to 49) of each second. A whole number of periods
 * fits the frame, and neighbours are at least 1900 Hz apart.
 */
export const toneFrequency = (slot: number): number => {
  const tones = FRAMES_PER_SECOND - FRAMES_PER_BURST;
  return 500 + 100 * (((slot - FRAMES_PER_BURST) * 19) % tones);
};

const raisedEdge = (second: number): number => {
  const inside = Math.min(second, BURST / 1000 - second) / EDGE_SECONDS;
  return inside >= 1 ? 1 : 0.5 - 0.5 * Math.cos(Math.PI * Math.max(0, inside));
};

/** One burst alone, mono, at `rate` Hz. */
export const burstWave = (identity: number, rate: number): Float32Array<ArrayBuffer> => {
  const random = seededRandom(identity + 1);
  const wave = new Float64Array(Math.round((rate * BURST) / 1000));
  const level = BURST_LEVEL * Math.sqrt(2 / (HIGHEST_LINE - LOWEST_LINE + 1));
  for (let line = LOWEST_LINE; line <= HIGHEST_LINE; line += 1) {
    const phase = 2 * Math.PI * random();
    const step = (2 * Math.PI * line * LINE_SPACING) / rate;
    // Turning a pointer is ten times cheaper than a sine a sample.
    let [real, imaginary] = [level * Math.cos(phase), level * Math.sin(phase)];
    const [cosine, sine] = [Math.cos(step), Math.sin(step)];
    for (let index = 0; index < wave.length; index += 1) {
      wave[index] = wave[index]! + imaginary;
      const turned = real * cosine - imaginary * sine;
      imaginary = real * sine + imaginary * cosine;
      real = turned;
    }
  }
  return Float32Array.from(wave, (sample, index) => sample * raisedEdge(index / rate));
};

/**
 * The first `seconds` of the signal, mono, within ±0.8, at `rate` Hz. To be looped without a seam
 * its length is a multiple of 16 seconds.
 */
export const measuringSignal = (seconds: number, rate = 48_000): Float32Array<ArrayBuffer> => {
  const signal = new Float32Array(Math.round(seconds * rate));
  for (let index = 0; index < signal.length; index += 1) {
    const slot = Math.floor((index * FRAMES_PER_SECOND) / rate) % FRAMES_PER_SECOND;
    if (slot < FRAMES_PER_BURST) continue;
    const turns = (index * toneFrequency(slot)) / rate;
    signal[index] = TONE_LEVEL * Math.sin(2 * Math.PI * (turns % 1));
  }
  const bursts = Array.from({ length: Math.min(IDENTITIES, Math.ceil(seconds)) }, (_, identity) =>
    burstWave(identity, rate),
  );
  for (let second = 0; second < seconds; second += 1) {
    const start = Math.round(second * rate);
    signal.set(bursts[second % IDENTITIES]!.subarray(0, signal.length - start), start);
  }
  return signal;
};
