import { describe, expect, it } from 'vitest';
import { RenditionChoice } from '../../client/net/rendition-choice.ts';
import { utc } from '../../shared/time.ts';

/** Frames of 20 ms in a second. */
const FRAMES = 50;

/** What happens in each of some seconds; nothing bad unless said. */
type Second = { readonly concealed?: number; readonly skips?: number; readonly target?: number };

/** A listener of a ladder under fake time: a report a second. */
const listener = (steps: number) => {
  const choice = new RenditionChoice();
  choice.offer(steps);
  let [at, received, concealed, skips] = [1_000_000, 0, 0, 0];
  /** Lets seconds pass; returns the step after each change, with the second of it. */
  const pass = (seconds: number, each: Second = {}): [second: number, step: number][] => {
    const changes: [number, number][] = [];
    for (let second = 1; second <= seconds; second += 1) {
      const before = choice.step;
      at += 1000;
      concealed += each.concealed ?? 0;
      received += FRAMES - (each.concealed ?? 0);
      skips += each.skips ?? 0;
      const target = each.target ?? 100;
      choice.judge({ at: utc(at), received, concealed, skips, target });
      if (choice.step !== before) changes.push([second, choice.step]);
    }
    return changes;
  };
  /** A bad network, up to the moment when a lower rendition is asked for. */
  const worsen = (): void => {
    for (let most = 30; most > 0; most -= 1) if (pass(1, { concealed: 5 }).length > 0) return;
    throw new Error('It never went down.');
  };
  return { choice, pass, worsen };
};

describe('the choice of a rendition', () => {
  const CASES: [name: string, each: Second, seconds: number, step: number][] = [
    ['stays while all is well', {}, 600, 0],
    ['stays at 2 % concealed', { concealed: 1 }, 600, 0],
    ['goes down at 4 % concealed', { concealed: 2 }, 12, 1],
    ['does not judge shares before ten seconds', { concealed: 10 }, 9, 0],
    ['goes down when the target delay is long', { target: 800 }, 1, 1],
    ['stays below that', { target: 799 }, 600, 0],
    ['goes to the lowest and stays there', { concealed: 25 }, 120, 2],
  ];
  it.each(CASES)('%s', (_name, each, seconds, step) => {
    const { choice, pass } = listener(3);
    pass(seconds, each);
    expect(choice.step).toBe(step);
  });

  it('goes down at the second skip in twenty seconds, and not for one', () => {
    const { choice, pass } = listener(3);
    pass(5);
    pass(1, { skips: 1 });
    pass(25);
    pass(1, { skips: 1 });
    expect(choice.step).toBe(0);
    pass(10);
    pass(1, { skips: 1 });
    expect(choice.step).toBe(1);
  });

  it('does not hold a long target against the new rendition before the peak can be forgotten', () => {
    const { pass } = listener(3);
    expect(pass(70, { target: 900 })).toEqual([
      [1, 1],
      [31, 2],
    ]);
  });

  it('goes up one step after thirty seconds of calm each', () => {
    const { choice, pass } = listener(3);
    pass(60, { concealed: 25 });
    expect(choice.step).toBe(2);
    const changes = pass(120);
    expect(changes.map(([, step]) => step)).toEqual([1, 0]);
    expect((changes[1]?.[0] ?? 0) - (changes[0]?.[0] ?? 0)).toBe(31);
  });

  it('waits twice as long after every try that failed, up to eight minutes', () => {
    const { choice, pass, worsen } = listener(2);
    const waited: number[] = [];
    worsen();
    for (let tries = 0; tries < 7; tries += 1) {
      waited.push(choice.patience / 1000);
      expect(pass(choice.patience / 1000 + 1)).toEqual([[choice.patience / 1000 + 1, 0]]);
      worsen();
    }
    expect(waited).toEqual([30, 60, 120, 240, 480, 480, 480]);
  });

  it('forgets failed tries once a higher rendition has lasted', () => {
    const { choice, pass, worsen } = listener(2);
    worsen();
    pass(31);
    worsen();
    expect(choice.patience).toBe(60_000);
    pass(61);
    pass(120);
    worsen();
    expect(choice.patience).toBe(30_000);
  });

  it('begins anew when counts go back, and after an interruption', () => {
    const choice = new RenditionChoice();
    choice.offer(2);
    const judge = (second: number, received: number, concealed: number) =>
      choice.judge({ at: utc(second * 1000), received, concealed, skips: 0, target: 100 });
    judge(0, 0, 0);
    expect(judge(9, 400, 50)).toBe(0);
    expect(judge(11, 10, 60)).toBe(0);
    choice.interrupt();
    expect(judge(12, 50, 90)).toBe(0);
  });

  it('never asks for a step that is no longer offered', () => {
    const { choice, pass } = listener(3);
    pass(60, { concealed: 25 });
    choice.offer(1);
    expect(choice.step).toBe(0);
  });
});
