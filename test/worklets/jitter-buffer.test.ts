import { describe, expect, it } from 'vitest';
import type { Frame } from '../../shared/frame.ts';
import { samples } from '../../shared/time.ts';
import { JitterBuffer, MAX_HELD } from '../../worklets/jitter-buffer.ts';

const packet = Uint8Array.of(0xfc, 0xff, 0xfe);

const frame = (sequence: number, duration = 960): Frame => ({
  flags: 0,
  rendition: 0,
  duration: samples(duration),
  sequence,
  epoch: 1,
  timestamp: samples(sequence * duration),
  packet,
  bytes: packet,
});

const drain = (buffer: JitterBuffer): number[] => {
  const sequences: number[] = [];
  for (let next = buffer.shift(); next !== undefined; next = buffer.shift())
    sequences.push(next.sequence);
  return sequences;
};

describe('jitter buffer', () => {
  it('gives frames in order of sequence, whatever order they came in', () => {
    const buffer = new JitterBuffer();
    for (const sequence of [5, 7, 6, 9, 8]) expect(buffer.insert(frame(sequence))).toBe('kept');
    expect(buffer.newestEnd).toBe(10 * 960);
    expect(drain(buffer)).toEqual([5, 6, 7, 8, 9]);
    expect(buffer.next).toBe(10);
  });

  it('ignores a frame twice, and one whose place has passed', () => {
    const buffer = new JitterBuffer();
    buffer.insert(frame(3));
    buffer.insert(frame(5));
    expect(buffer.insert(frame(5))).toBe('duplicate');
    buffer.shift();
    expect(buffer.insert(frame(3))).toBe('late');
    buffer.pass();
    expect(buffer.insert(frame(4))).toBe('late');
    expect(buffer.length).toBe(1);
    expect(buffer.first?.sequence).toBe(5);
  });

  it('shows a gap as the distance from next to first', () => {
    const buffer = new JitterBuffer();
    for (const sequence of [0, 3]) buffer.insert(frame(sequence));
    buffer.shift();
    expect(buffer.next).toBe(1);
    expect(buffer.first?.sequence).toBe(3);
    expect(buffer.insert(frame(2))).toBe('kept');
    expect(buffer.first?.sequence).toBe(2);
  });

  for (const duration of [120, 960, 1920])
    it(`holds 16 s of frames of ${duration} samples, drops the oldest beyond and counts them`, () => {
      const buffer = new JitterBuffer();
      const most = MAX_HELD / duration;
      for (let sequence = 0; sequence < most + 25; sequence += 1)
        expect(buffer.insert(frame(sequence, duration))).toBe('kept');
      expect(buffer.length).toBe(most);
      expect(buffer.overflowed).toBe(25);
      expect(buffer.first?.sequence).toBe(25);
      expect(buffer.next).toBe(25);
    });

  it('survives a sequence from far away, forward and back', () => {
    const buffer = new JitterBuffer();
    for (let sequence = 0; sequence < 100; sequence += 1) buffer.insert(frame(sequence));
    expect(buffer.insert(frame(4_000_000_000))).toBe('kept');
    expect(buffer.length).toBe(1);
    expect(buffer.overflowed).toBe(100);
    expect(buffer.insert(frame(50))).toBe('late');
    expect(drain(buffer)).toEqual([4_000_000_000]);
  });

  it('begins anew wherever it is told to after a clear', () => {
    const buffer = new JitterBuffer();
    buffer.insert(frame(100));
    buffer.clear();
    expect(buffer.length).toBe(0);
    expect(buffer.insert(frame(7))).toBe('kept');
    expect(drain(buffer)).toEqual([7]);
  });
});
