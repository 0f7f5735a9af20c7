import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FrameHeader } from '../../shared/frame.ts';
import { Ring } from '../../shared/ring.ts';
import { samples } from '../../shared/time.ts';

const header = (epoch: number, sequence: number): FrameHeader => ({
  flags: 0,
  rendition: 0,
  duration: samples(960),
  sequence,
  epoch,
  timestamp: samples(sequence * 960),
});

it('keeps the newest frames up to its duration, and finds each by epoch and sequence', () => {
  const ring = new Ring<FrameHeader>({ duration: samples(960 * 100) });
  for (let sequence = 0; sequence < 250; sequence += 1) ring.push(header(3, sequence));
  expect([ring.tail, ring.head, ring.held]).toEqual([150, 250, 96_000]);
  expect(ring.oldest?.sequence).toBe(150);
  expect(ring.newest?.sequence).toBe(249);
  expect(ring.at(149)).toBeUndefined();
  expect(ring.find(3, 200)).toBe(200);
  expect(ring.find(3, 5)).toBe(150);
  expect(ring.find(4, 0)).toBe(250);
});

it('orders a new epoch after the old one, whatever its sequence', () => {
  const ring = new Ring<FrameHeader>({ duration: samples(960 * 100) });
  ring.push(header(1, 500));
  ring.push(header(2, 0));
  expect(ring.find(1, 501)).toBe(1);
  expect(ring.find(2, 0)).toBe(1);
});

it('agrees with a plain array over any mixture of pushes, losses and epochs', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('next', 'lost', 'epoch'), { maxLength: 400 }), (steps) => {
      const ring = new Ring<FrameHeader>({ duration: samples(960 * 20) });
      const all: FrameHeader[] = [];
      let epoch = 0;
      let sequence = 0;
      for (const step of steps) {
        if (step === 'epoch') {
          epoch += 1;
          sequence = 0;
        }
        if (step === 'lost') sequence += 7;
        const frame = header(epoch, sequence);
        sequence += 1;
        all.push(frame);
        ring.push(frame);
      }
      const kept = all.slice(-20);
      for (const frame of kept) expect(ring.at(ring.find(frame.epoch, frame.sequence))).toBe(frame);
      expect(ring.head - ring.tail).toBe(kept.length);
    }),
    { numRuns: 500, seed: 4 },
  );
});

it('lets go of everything and goes on counting', () => {
  const ring = new Ring<FrameHeader>({ duration: samples(9600) });
  ring.push(header(0, 0));
  ring.clear();
  expect([ring.tail, ring.head, ring.held]).toEqual([1, 1, 0]);
  ring.push(header(0, 1));
  expect(ring.at(1)?.sequence).toBe(1);
});
