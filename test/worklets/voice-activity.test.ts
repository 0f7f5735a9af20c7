import { describe, expect, it } from 'vitest';
import { VoiceActivity } from '../../worklets/voice-activity.ts';
import { seededRandom } from '../helpers/seeded-random.ts';

/** White noise, uniform in -1..1. */
const whiteNoise = (seed: number) => {
  const next = seededRandom(seed);
  return () => 2 * next() - 1;
};

/** Share of quanta in which there is speech, for each half second of a signal. */
const activity = (rate: number, seconds: number, signal: (index: number) => number): number[] => {
  const voice = new VoiceActivity({ rate });
  const shares: number[] = [];
  const quantum = new Float32Array(128);
  let active = 0;
  let quanta = 0;
  for (let at = 0; at < seconds * rate; at += 128) {
    for (let index = 0; index < 128; index += 1) quantum[index] = signal(at + index);
    voice.write([quantum], 128);
    active += voice.active ? 1 : 0;
    quanta += 1;
    if (at + 128 < ((shares.length + 1) * rate) / 2) continue;
    shares.push(active / quanta);
    active = 0;
    quanta = 0;
  }
  return shares;
};

/**
 * Syllables at 4 Hz: harmonics of a gliding pitch under a formant, a hiss before each; every third
 * second is a pause.
 */
const speech = (rate: number, level: number) => {
  const noise = whiteNoise(5);
  let phase = 0;
  return (index: number) => {
    const at = index / rate;
    if (at % 3 >= 2) return 0;
    const syllable = (at * 4) % 1;
    const pitch = 120 + 25 * Math.sin(2 * Math.PI * 0.7 * at);
    phase += (2 * Math.PI * pitch) / rate;
    if (syllable < 0.2) return level * 0.3 * noise();
    let sum = 0;
    for (let k = 1; k <= 20; k += 1)
      sum += Math.sin(k * phase) / (1 + ((k * pitch - 600) / 300) ** 2);
    return level * sum * Math.sin(Math.PI * Math.min(1, (syllable - 0.2) / 0.7));
  };
};

const loudest = (shares: number[]) => Math.max(...shares);

describe('voice activity', () => {
  it.each([44_100, 48_000, 16_000])(
    'is there while somebody speaks, not in the pauses, at %i Hz',
    (rate) => {
      const shares = activity(rate, 12, speech(rate, 0.1));
      for (const start of [0, 3, 6, 9]) {
        const spoken = shares.slice(2 * start, 2 * start + 4);
        expect(spoken.reduce((sum, share) => sum + share) / 4).toBeGreaterThan(0.85);
        expect(shares[2 * start + 5]).toBe(0);
      }
    },
  );

  it('is there for quiet speech over the noise of a room, and not for the room', () => {
    const voice = speech(48_000, 0.03);
    const noise = whiteNoise(9);
    const shares = activity(48_000, 12, (index) => voice(index) + 0.003 * noise());
    expect(shares[7]).toBeGreaterThan(0.8);
    expect(shares[11]).toBe(0);
  });

  it('is not there in silence, nor with an offset', () => {
    expect(loudest(activity(48_000, 3, () => 0))).toBe(0);
    expect(loudest(activity(48_000, 3, () => 0.2))).toBe(0);
  });

  it.each([0.001, 0.03, 0.3])('is not there in white noise of %f that starts at once', (level) => {
    const noise = whiteNoise(21);
    expect(loudest(activity(48_000, 6, (index) => (index < 48_000 ? 0 : level * noise())))).toBe(0);
  });

  it('is not there in the rumble of a room', () => {
    const noise = whiteNoise(33);
    let rumble = 0;
    const signal = () => {
      rumble += 0.02 * (noise() - rumble);
      return rumble;
    };
    expect(loudest(activity(48_000, 6, signal))).toBeLessThan(0.05);
  });

  it('gives a hum up after three seconds', () => {
    const hum = (index: number) => 0.05 * Math.sin((2 * Math.PI * 100 * index) / 48_000);
    expect(activity(48_000, 8, hum).slice(9)).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });
});
