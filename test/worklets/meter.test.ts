import { describe, expect, it } from 'vitest';
import { Meter } from '../../worklets/meter.ts';

const tone = (amplitude: number) =>
  Float32Array.from(
    { length: 4800 },
    (_, index) => amplitude * Math.sin((2 * Math.PI * index) / 48),
  );

describe('a meter', () => {
  it('reads a sine of half scale as -6.02 dBFS peak and -9.03 RMS, each channel by itself', () => {
    const meter = new Meter({ channels: 2 });
    meter.write([tone(0.5), tone(0.05)], 4800);
    expect(meter.peak(0)).toBeCloseTo(-6.02, 2);
    expect(meter.rms(0)).toBeCloseTo(-9.03, 2);
    expect(meter.peak(1)).toBeCloseTo(-26.02, 2);
    expect(meter.rms(1)).toBeCloseTo(-29.03, 2);
    expect(meter.clipped).toBe(false);
  });

  it('reads digital silence, and nothing at all, as -Infinity', () => {
    const meter = new Meter({ channels: 1 });
    expect([meter.peak(0), meter.rms(0)]).toEqual([-Infinity, -Infinity]);
    meter.write([new Float32Array(128)], 128);
    expect([meter.peak(0), meter.rms(0)]).toEqual([-Infinity, -Infinity]);
  });

  it('finds a single sample at full scale, of either sign', () => {
    for (const level of [32_767 / 32_768, -1, 3]) {
      const meter = new Meter({ channels: 1 });
      const signal = tone(0.1);
      signal[100] = level;
      meter.write([signal], 4800);
      expect(meter.clipped).toBe(true);
    }
  });

  it('forgets at a reset', () => {
    const meter = new Meter({ channels: 1 });
    meter.write([tone(1)], 4800);
    meter.reset();
    meter.write([tone(0.5)], 4800);
    expect(meter.peak(0)).toBeCloseTo(-6.02, 2);
    expect(meter.clipped).toBe(false);
  });
});
