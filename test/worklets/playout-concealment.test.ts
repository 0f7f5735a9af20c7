import { describe, expect, it } from 'vitest';
import { FLAG, type Frame } from '../../shared/frame.ts';
import { samples } from '../../shared/time.ts';
import type { Decoder } from '../../worklets/playout.ts';
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

const SECOND = 48_000;
const music = synthesize(16 * SECOND, { channels: 2, seed: 31, turns: ['music', 'noise'] });
const frames = encode(music);
const reference = decodeAll(frames);

const tone = (seconds: number): Int16Array => {
  const pcm = new Int16Array(2 * seconds * SECOND);
  for (let k = 0; k < pcm.length; k += 1)
    pcm[k] = 10_000 * Math.sin((2 * Math.PI * 500 * Math.floor(k / 2)) / SECOND);
  return pcm;
};

/** Counts what is asked of a real decoder. */
const counting = (counts: { conceal: number[] }) => (): Decoder => {
  const decoder = createDecoder();
  return {
    pcm: decoder.pcm,
    decode: (packet) => {
      counts.conceal.push(0);
      return decoder.decode(packet);
    },
    decodeFec: (packet, duration) => decoder.decodeFec(packet, duration),
    conceal: (duration) => {
      counts.conceal[counts.conceal.length - 1]! += 1;
      return decoder.conceal(duration);
    },
    reset: () => decoder.reset(),
  };
};

describe('a stall', () => {
  for (const [name, source] of [
    ['a tone', tone(6)],
    ['music and voice', music.subarray(0, 12 * SECOND)],
  ] as const)
    for (const duration of [240, 480, 960, 1920])
      it(`is concealed in ${name} of ${duration} samples a frame: never louder, gone after 100 ms`, () => {
        const counts = { conceal: [0] };
        const session = new Session({ createDecoder: counting(counts) });
        const stalled = encode(source, { duration });
        const late = (frame: Frame): number => {
          const time = onTime(frame);
          return time > 2000 && time < 2600 ? 2600 : time;
        };
        session.play(5000, stalled, late);
        const { output, quanta, playout } = session;
        expect(Math.max(...counts.conceal)).toBe(5);
        const begin = quanta.findIndex(({ phase }) => phase === 'starved');
        const end = quanta.findIndex(({ phase }, k) => k > begin && phase === 'playing');
        // The level before, at its highest over 20 ms of the last 60: PLC repeats what it heard last.
        const piece = (from: number): number => rms(output.subarray(from, from + 960));
        const start = begin * 128;
        const before = Math.max(
          ...[960, 1440, 1920, 2400, 2880].map((back) => piece(start - back)),
        );
        for (let from = start; from < start + 5000; from += 240)
          expect(piece(from)).toBeLessThanOrEqual(1.05 * before);
        for (let k = start + 4800 + 256; k < end * 128; k += 1) expect(output[k]).toBeCloseTo(0, 9);
        // The position stands, and then goes on where it stood.
        expect(quanta[end - 1]!.position - quanta[begin + 2]!.position).toBeLessThanOrEqual(1);
        const starved = quanta[end]!.now - quanta[begin]!.now;
        expect(playout.concealed).toBeGreaterThanOrEqual(
          Math.floor((starved - 6) / (duration / 48)),
        );
        expect(playout.concealed).toBeLessThanOrEqual(Math.ceil((starved + 6) / (duration / 48)));
        expect(playout.skipped).toBe(0);
      });

  it('that ends early leaves no step: the rest of the concealment is dropped over 5 ms', () => {
    const encoded = encode(tone(6));
    const session = new Session();
    session.play(4000, encoded, (frame) => {
      const time = onTime(frame);
      return time > 2000 && time < 2130 ? 2130 : time;
    });
    expect(session.playout.concealed).toBeGreaterThan(0);
    expect(session.playout.concealed).toBeLessThan(4);
    const { output } = session;
    let largest = 0;
    for (let k = SECOND; k < output.length; k += 1)
      largest = Math.max(largest, Math.abs(output[k]! - output[k - 1]!));
    const own = (10_000 / 32_768) * 2 * Math.PI * (500 / SECOND);
    expect(largest).toBeLessThan(1.1 * own);
  });

  it('counts for nothing while the channel pauses', () => {
    const session = new Session();
    session.play(2000, frames, onTime);
    session.playout.pause();
    const { concealed, target } = session.playout;
    session.play(4000, frames, () => Number.NaN);
    expect(session.playout.phase).toBe('starved');
    expect(session.playout.concealed - concealed).toBeLessThanOrEqual(1);
    for (const frame of frames.slice(100, 199)) session.push(frame);
    session.play(5000, frames, onTime);
    expect(session.playout.target).toBeLessThanOrEqual(target);
  });
});

describe('a lost frame', () => {
  const speech = synthesize(6 * SECOND, { channels: 2, seed: 32, turns: ['voice'] });
  const options = { application: 'voip', bitrate: 32_000, fec: true, loss: 20 } as const;
  const lose = (encoded: readonly Frame[], lost: readonly number[]): Session => {
    const session = new Session();
    session.play(4000, encoded, (frame) =>
      lost.includes(frame.sequence) ? Number.NaN : onTime(frame),
    );
    return session;
  };
  /** Error of the output over the media lost, as a share of what should be heard. */
  const error = (session: Session, encoded: readonly Frame[], lost: readonly number[]): number => {
    const whole = decodeAll(encoded);
    const { output, quanta } = session;
    let [difference, power] = [0, 0];
    for (const sequence of lost) {
      const quantum = quanta.findIndex(({ position }) => position >= sequence * 960);
      const start = quanta[quantum]!.position;
      for (let k = 0; k < 832; k += 1) {
        difference += (output[quantum * 128 + k]! - whole[start + k]!) ** 2;
        power += whole[start + k]! ** 2;
      }
    }
    return Math.sqrt(difference / power);
  };

  it('is recovered from the one after it where that carries FEC', () => {
    const encoded = encode(speech, options);
    const bare = encoded.map((frame) => ({ ...frame, flags: 0 }));
    const lost = Array.from({ length: 16 }, (_, k) => 60 + 7 * k);
    const session = lose(encoded, lost);
    expect(session.playout.recovered).toBe(lost.length);
    expect(session.playout.concealed).toBe(0);
    const without = lose(bare, lost);
    expect(without.playout.recovered).toBe(0);
    expect(without.playout.concealed).toBe(lost.length);
    expect(error(session, encoded, lost)).toBeLessThan(0.75 * error(without, encoded, lost));
  });

  it('is concealed but for the last where several are missing', () => {
    const session = lose(encode(speech, options), [64, 65, 66]);
    expect(session.playout.recovered).toBe(1);
    expect(session.playout.concealed).toBe(2);
  });

  it('does not ask a music frame for FEC it cannot carry', () => {
    const flagged = frames.map((frame) => ({ ...frame, flags: FLAG.fec }));
    const { playout } = lose(flagged, [80]);
    expect(playout.recovered).toBe(0);
    expect(playout.concealed).toBe(1);
  });

  it('takes its time on the media clock, neither more nor less', () => {
    const session = lose(frames, [80, 120, 121, 122, 123, 124, 125, 126, 127]);
    // Three of the eight are waited for before the gap is known, in frames begun.
    expect(session.playout.concealed).toBeGreaterThanOrEqual(9);
    expect(session.playout.concealed).toBeLessThanOrEqual(10);
    const { now, position } = session.quanta.at(-1)!;
    expect(now - position / 48 - 20).toBeCloseTo(100, -0.5);
    expect(offset(session, session.quanta.length - 10, reference)).toBe(0);
  });
});

describe('a decoder that breaks', () => {
  const breaking = (fail: () => number): { create: () => Decoder; made: () => number } => {
    let made = 0;
    let decoded = 0;
    const create = (): Decoder => {
      made += 1;
      const decoder = createDecoder();
      return {
        pcm: decoder.pcm,
        decode: (packet) => {
          decoded += 1;
          return decoded === 60 ? fail() : decoder.decode(packet);
        },
        decodeFec: (packet, duration) => decoder.decodeFec(packet, duration),
        conceal: (duration) => decoder.conceal(duration),
        reset: () => decoder.reset(),
      };
    };
    return { create, made: () => made };
  };

  for (const [name, fail] of [
    [
      'traps',
      (): number => {
        throw new WebAssembly.RuntimeError('unreachable');
      },
    ],
    ['refuses', (): number => -4],
    ['says another length', (): number => 480],
  ] as const)
    it(`that ${name} is replaced within the frame, and the next frame sounds`, () => {
      const { create, made } = breaking(fail);
      const session = new Session({ createDecoder: create });
      session.play(6000, frames, onTime);
      expect(made()).toBe(2);
      expect(session.playout.replaced).toBe(1);
      expect(session.playout.concealed).toBe(1);
      const broken = session.quanta.findIndex(({ position }) => position >= 60 * 960);
      expect(offset(session, broken + 60, reference)).toBe(0);
      expect(session.output.every((x) => Math.abs(x) <= 1)).toBe(true);
    });

  it('and cannot be replaced leaves silence, not an exception', () => {
    let made = 0;
    const session = new Session({
      createDecoder: () => {
        made += 1;
        if (made > 1) throw new Error('Out of memory.');
        return {
          ...createDecoder(),
          pcm: new Int16Array(11_520),
          decode: () => -1,
          conceal: () => -1,
          reset: () => {},
        };
      },
    });
    session.play(1000, frames, onTime);
    expect(session.output.every((x) => x === 0)).toBe(true);
    expect(session.playout.replaced).toBeGreaterThan(0);
  });
});

describe('silence in the media', () => {
  it('is kept in time where the capture had a hole', () => {
    const hole = 9600;
    const broken = frames.map((frame) =>
      frame.sequence < 100
        ? frame
        : {
            ...frame,
            flags: frame.sequence === 100 ? FLAG.discontinuity : 0,
            timestamp: samples(frame.timestamp + hole),
          },
    );
    const session = new Session({ target: 400 });
    session.play(2800, broken, onTime);
    expect(session.playout.concealed).toBe(0);
    const { output, quanta } = session;
    const inside = quanta.findIndex(({ position }) => position >= 96_000 + 480);
    const after = quanta.findIndex(({ position }) => position >= 96_000 + hole);
    expect((after - inside) * 128).toBeCloseTo(hole - 480, -3);
    expect(output.subarray(inside * 128, (after - 1) * 128).every((x) => x === 0)).toBe(true);
    const { now, position } = quanta.at(-1)!;
    expect(now - position / 48 - 20).toBeCloseTo(400, -1);
  });

  it('after a frame flagged DTX is silence for 400 ms, and a stall beyond', () => {
    const paused = frames.map((frame) =>
      frame.sequence === 99 ? { ...frame, flags: FLAG.dtx } : frame,
    );
    const session = new Session();
    session.play(2000 + 100 + 380, paused, (frame) =>
      frame.sequence < 100 ? onTime(frame) : Number.NaN,
    );
    expect(session.playout.phase).toBe('playing');
    expect(session.playout.concealed).toBe(0);
    session.play(2800, paused, () => Number.NaN);
    expect(session.playout.phase).toBe('starved');
    expect(session.playout.concealed).toBeGreaterThan(0);
  });

  it('after DTX takes the time the media says', () => {
    const paused = frames
      .filter(({ sequence }) => sequence < 100 || sequence >= 115)
      .map((frame) => ({
        ...frame,
        flags: frame.sequence === 99 ? FLAG.dtx : 0,
        sequence: frame.sequence < 100 ? frame.sequence : frame.sequence - 15,
      }));
    const session = new Session();
    session.play(4000, paused, onTime);
    expect(session.playout.concealed).toBe(0);
    const { now, position } = session.quanta.at(-1)!;
    expect(now - position / 48 - 20).toBeCloseTo(100, -0.5);
    expect(offset(session, session.quanta.length - 10, reference)).toBe(0);
  });
});
