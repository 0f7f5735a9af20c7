import { describe, expect, it } from 'vitest';
import { millis, samples } from '../../shared/time.ts';
import { Drift } from '../../worklets/drift.ts';
import { Control } from '../../worklets/playout-control.ts';
import { seededRandom } from '../helpers/seeded-random.ts';

const HOUR = 3_600_000;
const SEED = 21;

/**
 * Runs the control against a publisher whose clock is `ppm` fast, on a network with 2 ms of jitter.
 * The media played is a number that grows by what the control says; nothing is decoded.
 */
const simulate = (ppm: number, length: number): { worst: number; stretched: boolean } => {
  const random = seededRandom(SEED);
  const control = new Control({ initial: millis(40) });
  const rate = 1 + ppm * 1e-6;
  const step = 10;
  let arrived = 0;
  let position = -42 * 48;
  let worst = 0;
  let stretched = false;
  for (let now = 0; now < length; now += step) {
    for (; (arrived * 20) / rate + 2 < now; arrived += 1)
      control.arrived(millis((arrived * 20) / rate + 2 * random()), samples(arrived * 960));
    control.update(millis(now), samples(position), true);
    stretched ||= control.pace !== 0;
    worst = Math.max(worst, Math.abs(now * rate - position / 48 - 2 - 40));
    position += step * 48 * control.ratio;
  }
  return { worst, stretched };
};

describe('drift', () => {
  for (const ppm of [-200, 0, 200])
    it(`keeps the delay within 15 ms for four hours at ${ppm} ppm without any stretch (seed ${SEED})`, () => {
      const { worst, stretched } = simulate(ppm, 4 * HOUR);
      expect(worst).toBeLessThan(15);
      expect(stretched).toBe(false);
    });

  it('never bends the pitch by more than 1000 ppm', () => {
    const drift = new Drift();
    for (let now = 0; now < HOUR; now += 10) drift.update(500, 10);
    expect(drift.ratio).toBe(1.001);
    for (let now = 0; now < 2 * HOUR; now += 10) drift.update(-500, 10);
    expect(drift.ratio).toBe(0.999);
  });

  it('keeps what it learnt of the clocks while it stands still', () => {
    const drift = new Drift();
    for (let now = 0; now < HOUR / 4; now += 10) drift.update(5, 10);
    drift.hold(300);
    const learnt = drift.ratio;
    expect(learnt).toBeGreaterThan(1.0002);
    drift.hold(-300);
    expect(drift.ratio).toBe(learnt);
  });
});

describe('control', () => {
  const steady = (): Control => {
    const control = new Control({ initial: millis(40) });
    for (let captured = 0; captured < 5000; captured += 20)
      control.arrived(millis(captured), samples(captured * 48));
    return control;
  };
  const paceAt = (control: Control, delay: number, playing = true): number => {
    control.update(millis(5000), samples((5000 - delay) * 48), playing);
    return control.pace;
  };

  it('stretches only beyond 20 ms, then until 2 ms, and by 1 to 5 %', () => {
    const control = steady();
    expect(paceAt(control, 59)).toBe(0);
    expect(paceAt(control, 61)).toBeCloseTo(0.021, 9);
    expect(paceAt(control, 45)).toBe(0.01);
    expect(paceAt(control, 41.9)).toBe(0);
    expect(paceAt(control, 45)).toBe(0);
    expect(paceAt(control, 900)).toBe(0.05);
    expect(paceAt(control, 21)).toBe(0);
    expect(paceAt(control, 15)).toBe(-0.05);
    expect(paceAt(control, 30)).toBeCloseTo(-0.02, 9);
    expect(paceAt(control, 39)).toBe(0);
  });

  it('does not stretch while the position stands still', () => {
    expect(paceAt(steady(), 900, false)).toBe(0);
  });

  it('gives up beyond a second more than the target', () => {
    const control = steady();
    paceAt(control, 1039);
    expect(control.hopeless).toBe(false);
    paceAt(control, 1041);
    expect(control.hopeless).toBe(true);
    expect(control.aim(millis(5000))).toBe((5000 - 40) * 48);
  });
});
