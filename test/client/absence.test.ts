import { describe, expect, it } from 'vitest';
import { Absence } from '../../client/net/absence.ts';
import { utc } from '../../shared/time.ts';

const NONE = { lost: 0, spooled: 0 };

/** An absence on two clocks that a test moves. */
const away = () => {
  const clocks = { now: 0, wall: 1_000_000 };
  const absence = new Absence({ now: () => utc(clocks.now), wall: () => utc(clocks.wall) });
  const pass = (span: number, { asleep = false } = {}): void => {
    clocks.now += asleep ? 0 : span;
    clocks.wall += span;
  };
  const end = (run: number, recording: string | null = 'a', counts = NONE, anew = false) =>
    absence.end(run, { counts, recording, anew });
  return { absence, clocks, pass, end };
};

describe('an outage', () => {
  it('lasts from the first loss to the welcome, whatever is lost between', () => {
    const { absence, pass, end } = away();
    expect(end(1)).toEqual({ outage: 0, lost: 0, spooled: 0, anew: false });
    absence.begin(1);
    pass(4000);
    absence.begin(1);
    pass(2200);
    expect(end(1)).toMatchObject({ outage: 6200 });
  });

  it('is no longer when the wall clock was set meanwhile', () => {
    const { absence, clocks, pass, end } = away();
    absence.begin(1);
    pass(3000);
    clocks.wall += 3_600_000;
    expect(end(1)).toMatchObject({ outage: 3000 });
  });

  it('counts the sleep in which the steady clock stood still, and so did capture', () => {
    const { absence, pass, end } = away();
    end(1);
    absence.heard(1);
    pass(600_000, { asleep: true });
    // Capture goes on in a run of its own before the dead socket is found.
    pass(3000);
    absence.begin(2);
    pass(500);
    expect(end(2)).toMatchObject({ outage: 603_500 });
  });

  it('is told with what was lost and kept in it alone', () => {
    const { absence, end } = away();
    absence.begin(1);
    expect(end(1, 'a', { lost: 5, spooled: 7 })).toMatchObject({ lost: 5, spooled: 7 });
    absence.begin(1);
    expect(end(1, 'a', { lost: 6, spooled: 7 })).toMatchObject({ lost: 1, spooled: 0 });
  });

  it('was in another broadcast when the recording is another', () => {
    const { end } = away();
    end(1, 'a');
    expect(end(1, 'a', NONE, true)).toMatchObject({ anew: false });
    expect(end(2, 'b', NONE, false)).toMatchObject({ anew: true });
    expect(end(3, null, NONE, true)).toMatchObject({ anew: true });
  });
});
