import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Continuity } from '../../../server/packager/continuity.ts';
import type { Piece } from '../../../server/packager/track.ts';
import type { Frame } from '../../../shared/frame.ts';
import { samples, samplesToMillis, utc } from '../../../shared/time.ts';
import { BEGIN, expectGapless, frameOf, GRID, START, sum } from './continuity-run.ts';

describe('whatever happens', () => {
  type Step =
    | { kind: 'speak'; frames: number; jitter: number }
    | { kind: 'lose'; frames: number }
    | { kind: 'stall'; ms: number; kept: boolean }
    | { kind: 'lag'; ms: number }
    | { kind: 'set'; ms: number }
    | { kind: 'epoch'; duration: number }
    | { kind: 'end' };
  const steps: fc.Arbitrary<Step[]> = fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constant('speak' as const),
        frames: fc.integer({ min: 1, max: 400 }),
        jitter: fc.integer({ min: 0, max: 300 }),
      }),
      fc.record({ kind: fc.constant('lose' as const), frames: fc.integer({ min: 1, max: 300 }) }),
      fc.record({
        kind: fc.constant('stall' as const),
        ms: fc.integer({ min: 0, max: 20_000 }),
        kept: fc.boolean(),
      }),
      fc.record({ kind: fc.constant('lag' as const), ms: fc.integer({ min: 0, max: 5000 }) }),
      fc.record({ kind: fc.constant('set' as const), ms: fc.integer({ min: -4e6, max: 4e6 }) }),
      fc.record({
        kind: fc.constant('epoch' as const),
        duration: fc.constantFrom(120, 240, 480, 960, 1920),
      }),
      fc.record({ kind: fc.constant('end' as const) }),
    ),
    { maxLength: 25 },
  );

  /** Plays a script; returns the pieces, the frames pushed in order, and the counts. */
  const play = (script: readonly Step[], continuous: boolean) => {
    const pieces: Piece[] = [];
    const pushed: Frame[] = [];
    const emit = (piece: Piece): void => void pieces.push(piece);
    const continuity = new Continuity({ grid: GRID, begin: BEGIN, emit, continuous });
    let wall = START;
    let ticked = wall;
    const pass = (until: number): void => {
      for (; ticked + 100 <= until; ticked += 100) continuity.tick(utc(ticked + 100));
      wall = Math.max(wall, until);
    };
    let media = { epoch: 1, duration: 960, sequence: 0, timestamp: 0, origin: wall };
    const due = (): number => media.origin + samplesToMillis(samples(media.timestamp));
    const next = (send: boolean): void => {
      const { epoch, duration, sequence, timestamp } = media;
      const frame = frameOf(sequence, { epoch, duration, timestamp });
      media = { ...media, sequence: sequence + 1, timestamp: timestamp + duration };
      if (!send) return;
      pushed.push(frame);
      continuity.push(frame, { now: utc(wall), clock: null });
    };
    for (const step of script) {
      if (step.kind === 'speak')
        for (let index = 0; index < step.frames; index += 1) {
          pass(due() + ((index * 7919) % (step.jitter + 1)));
          next(true);
        }
      else if (step.kind === 'lose') for (let i = 0; i < step.frames; i += 1) next(false);
      else if (step.kind === 'stall') {
        pass(wall + step.ms);
        while (due() < wall) next(step.kept);
      } else if (step.kind === 'lag') media = { ...media, origin: media.origin + step.ms };
      else if (step.kind === 'set') {
        wall += step.ms;
        ticked = wall;
        media = { ...media, origin: media.origin + step.ms };
      } else if (step.kind === 'epoch') {
        const { duration } = step;
        media = { epoch: media.epoch + 1, duration, sequence: 0, timestamp: 0, origin: wall };
      } else continuity.end(utc(wall));
    }
    continuity.end(utc(wall));
    return { pieces, pushed, continuity };
  };

  it('pieces are gapless, every frame is there once and in order or counted late', () => {
    const seed = 42_001;
    console.log(`seed ${seed}`);
    fc.assert(
      fc.property(steps, fc.boolean(), (script, continuous) => {
        const { pieces, pushed, continuity } = play(script, continuous);
        expectGapless(pieces);
        const heard = pieces.flatMap((piece) => (piece.kind === 'frame' ? [piece.frame] : []));
        let index = 0;
        for (const frame of pushed) if (heard[index] === frame) index += 1;
        expect(index).toBe(heard.length);
        expect(heard.length + continuity.counts.late).toBe(pushed.length);
        expect(sum(pieces.map((one) => (one.kind === 'silence' ? one.duration : 0)))).toBe(
          continuity.counts.silence,
        );
      }),
      { numRuns: 300, seed },
    );
  });

  it('silence stands only where frames were missing or late, or rounds up to a part', () => {
    const seed = 42_002;
    console.log(`seed ${seed}`);
    const calm = steps.map((script) =>
      script.filter(({ kind }) => kind !== 'stall' && kind !== 'set' && kind !== 'lag'),
    );
    fc.assert(
      fc.property(calm, (script) => {
        const { pieces, pushed } = play(script, false);
        const stretches = pieces.filter(({ kind }) => kind === 'discontinuity').length;
        const silence = sum(pieces.map((one) => (one.kind === 'silence' ? one.duration : 0)));
        const missing = pushed.map((frame, index) => {
          const before = pushed[index - 1];
          return before?.epoch !== frame.epoch
            ? 0
            : frame.timestamp - before.timestamp - before.duration;
        });
        const late = pushed.length - pieces.filter(({ kind }) => kind === 'frame').length;
        expect(silence).toBeLessThanOrEqual(
          sum(missing) + late * 1920 + stretches * (GRID.part - 120),
        );
      }),
      { numRuns: 200, seed },
    );
  });
});
