import { describe, expect, it } from 'vitest';
import { UplinkPressure } from '../../client/net/pressure.ts';
import { utc } from '../../shared/time.ts';

const FRAME = 960;
const RENDITION = { bitrate: 128_000, frame: FRAME };

describe('the bitrate', () => {
  /** Lets so many seconds pass with so much media waiting in the socket; returns the bitrates. */
  const pass = (pressure: UplinkPressure, from: number, seconds: number, waiting: number) => {
    const bitrates: number[] = [];
    for (let at = from * 1000; at < (from + seconds) * 1000; at += 20) {
      const bytes = waiting * (pressure.bitrate / 8 + 1200);
      if (pressure.observe(bytes, utc(at))) bitrates.push(pressure.bitrate);
    }
    return bitrates;
  };

  it('goes down a step a second under pressure, and up a step in ten seconds of calm', () => {
    const pressure = new UplinkPressure(RENDITION);
    expect(pass(pressure, 0, 6, 0.5)).toEqual([96_000, 64_000, 48_000, 32_000]);
    expect(pass(pressure, 6, 12, 0.2)).toEqual([]);
    expect(pass(pressure, 18, 45, 0)).toEqual([48_000, 64_000, 96_000, 128_000]);
  });

  it('does not change for bursts that drain', () => {
    const pressure = new UplinkPressure(RENDITION);
    const changed = Array.from({ length: 600 }, (_, index) =>
      pressure.observe(index % 10 === 0 ? 0 : 20_000, utc(index * 20)),
    );
    expect(changed.some(Boolean)).toBe(false);
  });

  it('never begins above what was asked for', () => {
    const pressure = new UplinkPressure({ bitrate: 60_000, frame: FRAME });
    expect(pass(pressure, 0, 6, 0.5)).toEqual([48_000, 32_000]);
  });
});
