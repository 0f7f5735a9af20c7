/**
 * What playout costs on the audio thread: decode, concealment, control, time-stretch and resampling
 * together, a quantum of 128 samples at a time, beside plain decoding of the same packets in the
 * same run. Run with `node test/bench/playout.bench.ts`.
 */
import { millis } from '../../shared/time.ts';
import { Playout } from '../../worklets/playout.ts';
import { synthesize } from '../fixtures/synth.ts';
import { createDecoder, encode, onTime } from '../helpers/playout-session.ts';

const SECONDS = 60;
const QUANTUM = 128;
const QUANTUM_MICROS = (QUANTUM * 1e6) / 48_000;

const turns = ['music', 'voice', 'noise'] as const;
const frames = encode(synthesize(SECONDS * 48_000, { channels: 2, seed: 41, turns }));

const summarize = (times: number[]): { mean: number; tail: number } => {
  const sorted = times.toSorted((a, b) => a - b);
  return {
    mean: times.reduce((sum, time) => sum + time, 0) / times.length,
    tail: sorted[Math.floor(0.999 * sorted.length)]!,
  };
};

/** Microseconds of decoding alone that fall to one quantum. */
const decoding = (): number => {
  const decoder = createDecoder();
  const started = performance.now();
  for (const { packet } of frames) decoder.decode(packet);
  return ((performance.now() - started) * 1000) / (frames.length * 7.5);
};

/**
 * Microseconds of each pull; `hold` delays every second's first half so that the stretch has work,
 * and at a `rate` it always has, as with a listener who catches up with live.
 */
const playing = (deviceRate: number, hold: number, rate = 1): number[] => {
  const playout = new Playout({ createDecoder, deviceRate });
  const left = new Float32Array(QUANTUM);
  const right = new Float32Array(QUANTUM);
  const times: number[] = [];
  let next = 0;
  playout.setRate(rate, millis(0));
  for (let now = 0; now < (SECONDS * 1000) / rate; now += (QUANTUM * 1000) / deviceRate) {
    const late = now % 10_000 < 200 ? hold : 0;
    for (; next < frames.length && onTime(frames[next]!) / rate + late <= now; next += 1)
      playout.push(frames[next]!, { live: true, now: millis(now) });
    const started = performance.now();
    playout.pull(left, right, millis(now));
    times.push((performance.now() - started) * 1000);
  }
  return times;
};

decoding();
playing(48_000, 200);
const plain = Math.min(decoding(), decoding(), decoding());
const rows = [
  { what: 'clean, 48 kHz', deviceRate: 48_000, hold: 0 },
  { what: 'freezes of 200 ms, 48 kHz', deviceRate: 48_000, hold: 200 },
  { what: 'freezes of 200 ms, 44.1 kHz', deviceRate: 44_100, hold: 200 },
  { what: 'freezes of 200 ms, 96 kHz', deviceRate: 96_000, hold: 200 },
  { what: 'catching up at 1.25, 48 kHz', deviceRate: 48_000, hold: 0, rate: 1.25 },
  { what: 'catching up at 1.5, 48 kHz', deviceRate: 48_000, hold: 0, rate: 1.5 },
].map(({ what, deviceRate, hold, rate }) => {
  const { mean, tail } = summarize(playing(deviceRate, hold, rate));
  const quantum = (QUANTUM_MICROS * 48_000) / deviceRate;
  return {
    what,
    'mean µs': mean.toFixed(1),
    'of the quantum': `${((100 * mean) / quantum).toFixed(2)} %`,
    'times plain decode': ((mean * deviceRate) / 48_000 / plain).toFixed(1),
    'p99.9 µs': tail.toFixed(0),
    'p99.9 of the quantum': `${((100 * tail) / quantum).toFixed(1)} %`,
  };
});
console.log(`Plain decode: ${plain.toFixed(1)} µs for 128 samples of stereo.`);
console.table(rows);
