import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../shared/frame.ts';
import { millis, samples } from '../../shared/time.ts';
import { Playout } from '../../worklets/playout.ts';
import { synthesize } from '../fixtures/synth.ts';
import {
  createDecoder,
  decodeAll,
  encode,
  offset,
  onTime,
  rms,
  Session,
} from '../helpers/playout-session.ts';
import { seededRandom } from '../helpers/seeded-random.ts';

const SECOND = 48_000;
const music = synthesize(16 * SECOND, { channels: 2, seed: 31, turns: ['music', 'noise'] });
const frames = encode(music);
const reference = decodeAll(frames);

describe('the start', () => {
  it('sounds at the first quantum when the server sends what it has in hand', () => {
    const session = new Session();
    for (const frame of frames.slice(100, 150)) session.push(frame, { live: false });
    session.pull();
    expect(session.playout.phase).toBe('playing');
    expect(session.playout.buffered).toBeGreaterThan(99);
    expect(session.playout.buffered).toBeLessThan(121);
    for (let quantum = 0; quantum < 30; quantum += 1) session.pull();
    expect(rms(session.output.subarray(2048, 3840))).toBeGreaterThan(0.01);
    expect(session.playout.skipped).toBe(0);
    expect(session.playout.concealed).toBe(0);
    expect(offset(session, 20, reference)).toBe(0);
  });

  it('waits for the target delay where frames come one by one', () => {
    const session = new Session({ target: 150 });
    session.play(130, frames, onTime);
    expect(session.playout.phase).toBe('priming');
    session.play(400, frames, onTime);
    expect(session.playout.phase).toBe('playing');
    const { now, position } = session.quanta.at(-1)!;
    expect(now - position / 48 - 20).toBeCloseTo(150, -0.5);
  });

  it('is silent, and exactly so, while there is nothing', () => {
    const session = new Session();
    for (let quantum = 0; quantum < 100; quantum += 1) session.pull();
    expect(session.output.every((x) => x === 0)).toBe(true);
    expect(session.playout.phase).toBe('priming');
    expect(session.playout.position.epoch).toBe(-1);
  });
});

describe('a pause', () => {
  it('goes on at the very sample, whatever is sent before it so that the decoder can settle', () => {
    const session = new Session();
    session.playout.rejoin(samples(105 * 960 + 371));
    for (const frame of frames.slice(100, 150)) session.push(frame, { live: false });
    session.pull();
    expect(session.playout.phase).toBe('playing');
    session.pull();
    session.pull();
    const behind = session.playout.position.timestamp - (105 * 960 + 371);
    expect(behind).toBeGreaterThanOrEqual(0);
    expect(behind).toBeLessThanOrEqual(2 * 128);
    for (let quantum = 0; quantum < 60; quantum += 1) session.pull();
    expect(offset(session, 40, reference)).toBe(0);
  });
});

describe('the position', () => {
  for (const deviceRate of [48_000, 44_100, 96_000, 16_000])
    it(`is that of the sample heard, exact to a sample, at ${deviceRate} Hz`, () => {
      const session = new Session({ deviceRate });
      session.play(14_000, frames, onTime);
      const { quanta } = session;
      const advance = (128 * SECOND) / deviceRate;
      let compared = 0;
      for (let quantum = 400; quantum < quanta.length - 8; quantum += 23) {
        // Within a crossfade two places sound at once.
        const even = quanta[quantum + 4]!.position - quanta[quantum]!.position - 4 * advance;
        if (Math.abs(even) > 2) continue;
        compared += 1;
        const lag = offset(session, quantum, reference);
        expect(Math.abs(lag), `at ${quanta[quantum]!.now} ms`).toBeLessThanOrEqual(1);
      }
      expect(compared).toBeGreaterThan((0.9 * quanta.length) / 23 - 20);
      expect(session.playout.splices).toBeGreaterThan(2);
      expect(session.playout.concealed).toBe(0);
      expect(session.playout.skipped).toBe(0);
    });
});

describe('an epoch', () => {
  const later = (epoch: number): Frame[] => frames.map((frame) => ({ ...frame, epoch }));

  it('that is newer forgets everything and begins anew', () => {
    const session = new Session();
    session.play(3000, frames, onTime);
    session.play(5000, later(2), (frame) => onTime(frame) + 3000);
    const { playout } = session;
    expect(playout.position.epoch).toBe(2);
    expect(playout.newest).toBe(98);
    expect(playout.phase).toBe('playing');
    expect(offset(session, session.quanta.length - 10, reference)).toBe(0);
  });

  it('that is older is ignored, also across the end of 16 bits', () => {
    const session = new Session();
    session.push(later(3)[10]!);
    session.push(frames[11]!);
    expect(session.playout.newest).toBe(10);
    expect(session.playout.late).toBe(1);
    const wrapped = new Session();
    wrapped.push(later(65_535)[10]!);
    wrapped.push(later(0)[2]!);
    expect(wrapped.playout.position.epoch).toBe(0);
    expect(wrapped.playout.newest).toBe(2);
  });
});

describe('what the server does', () => {
  it('skipping: what is in hand goes, the next frame is played, ramped in', () => {
    const session = new Session();
    session.play(3000, frames, onTime);
    const inHand = Math.round(session.playout.buffered / 20);
    session.playout.flush();
    expect(session.playout.phase).toBe('priming');
    session.play(5000, frames.slice(300), (frame) => onTime(frame) - 3000);
    expect(session.playout.skipped).toBeGreaterThan(inHand - 3);
    expect(session.playout.skipped).toBeLessThanOrEqual(inHand + 1);
    expect(session.playout.phase).toBe('playing');
    expect(session.playout.concealed).toBe(0);
    expect(offset(session, session.quanta.length - 10, reference)).toBe(0);
  });

  it('sending more than a second too much: skips to the target, counted', () => {
    const session = new Session();
    session.play(2000, frames, onTime);
    session.playout.pause();
    session.play(4500, frames, () => Number.NaN);
    for (const frame of frames.slice(99, 224)) session.push(frame);
    session.play(6000, frames, (frame) => onTime(frame));
    const { now, position } = session.quanta.at(-1)!;
    expect(session.playout.skipped).toBeGreaterThan(110);
    expect(now - position / 48 - 20).toBeLessThan(125);
    expect(offset(session, session.quanta.length - 10, reference)).toBe(0);
  });

  it('sending without end into a playout that nobody pulls: 16 s are kept', () => {
    const session = new Session();
    for (let k = 0; k < 2000; k += 1)
      session.push(
        { ...frames[k % 700]!, sequence: k, timestamp: samples(960 * k) },
        { live: false },
      );
    expect(session.playout.skipped).toBe(1200);
    session.pull();
    expect(session.playout.buffered).toBeLessThan(121);
  });

  it('sending twice, and late', () => {
    const session = new Session();
    session.play(1000, frames, onTime);
    const { received } = session.playout;
    session.push(frames[48]!, { live: false });
    session.push(frames[10]!, { live: false });
    expect(session.playout.received).toBe(received);
    session.play(2000, frames, onTime);
    expect(session.playout.concealed).toBe(0);
  });
});

describe('whatever comes', () => {
  for (const seed of [1, 2, 3, 4])
    it(`fills every quantum with sound that is a number, and only counts up (seed ${seed})`, () => {
      const random = seededRandom(seed);
      const playout = new Playout({ createDecoder, deviceRate: 44_100 });
      const left = new Float32Array(700);
      const right = new Float32Array(700);
      const counters = (): number[] => [
        playout.concealed,
        playout.recovered,
        playout.skipped,
        playout.received,
        playout.late,
        playout.replaced,
      ];
      let before = counters();
      let now = 0;
      let sequence = 0;
      for (let round = 0; round < 4000; round += 1) {
        for (
          let burst = random() < 0.1 ? random() * 30 : random() < 0.13 ? 1 : 0;
          burst > 0;
          burst -= 1
        ) {
          sequence += random() < 0.9 ? 1 : Math.floor(40 * (random() - 0.4));
          const frame = frames[Math.abs(sequence) % 800]!;
          const packet = random() < 0.02 ? frame.packet.map(() => 256 * random()) : frame.packet;
          const wild =
            random() < 0.01 ? Math.floor(random() * 1e6) * 960 : 960 * Math.max(0, sequence);
          playout.push(
            {
              ...frame,
              packet,
              sequence: Math.max(0, sequence),
              timestamp: samples(wild),
              epoch: 1 + Math.floor(round / 1500),
              flags: Math.floor(random() * 32),
            },
            { live: random() < 0.7, now: millis(now) },
          );
        }
        if (random() < 0.002) playout.flush();
        if (random() < 0.002) playout.pause();
        const count = 1 + Math.floor(random() * 700);
        const outputs = [
          left.subarray(0, count).fill(Number.NaN),
          right.subarray(0, count).fill(Number.NaN),
        ];
        playout.pull(outputs[0]!, outputs[1]!, millis(now));
        now += (count * 1000) / 44_100 + (random() < 0.001 ? 5000 : 0);
        for (const output of outputs) expect(output.every((x) => Math.abs(x) < 1.5)).toBe(true);
        const after = counters();
        for (const [k, count] of after.entries()) expect(count).toBeGreaterThanOrEqual(before[k]!);
        before = after;
        expect(Number.isSafeInteger(playout.position.timestamp)).toBe(true);
        expect(playout.buffered).toBeGreaterThanOrEqual(0);
      }
    });
});

describe('the audio thread', () => {
  it('is left nothing to collect: no object is made in a pull, only now and then a boxed number', () => {
    setFlagsFromString('--expose_gc');
    const collect = runInNewContext('gc') as () => void;
    const playout = new Playout({ createDecoder, deviceRate: 44_100 });
    const left = new Float32Array(128);
    const right = new Float32Array(128);
    const options = { live: true, now: millis(0) };
    let next = 0;
    let now = 0;
    const play = (quanta: number): void => {
      for (let quantum = 0; quantum < quanta; quantum += 1) {
        options.now = millis(now);
        for (; next < frames.length && onTime(frames[next]!) <= now; next += 1)
          playout.push(frames[next]!, options);
        playout.pull(left, right, options.now);
        now += 128_000 / 44_100;
      }
    };
    play(3000);
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 4; round += 1) {
      collect();
      const before = process.memoryUsage().heapUsed;
      play(500);
      least = Math.min(least, (process.memoryUsage().heapUsed - before) / 500);
    }
    // An object a sample would be 2 kB and more; so would one typed array a quantum, nearly.
    expect(least).toBeLessThan(1500);
  });
});
