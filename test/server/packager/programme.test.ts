import { describe, expect, it } from 'vitest';
import { samples, utc } from '../../../shared/time.ts';
import { BEGIN, frameOf, GRID, START } from './continuity-run.ts';
import { programmeOf, restored, textOf } from './programme-run.ts';

const title = (epoch: number, timestamp: number, words = 'Air') =>
  ({ type: 'metadata', at: { epoch, timestamp: samples(timestamp) }, title: words }) as const;

describe('a title that is told before its epoch begins', () => {
  it('is placed at its sample once the first frame is there', () => {
    const { programme, speak } = programmeOf();
    speak(0, 50);
    programme.title(title(2, 4800, 'Next'));
    expect(programme.titles).toEqual([]);
    speak(50, 60);
    expect(programme.titles).toEqual([]);
    speak(0, 100, 2);
    const begin = BEGIN + GRID.segment;
    expect(programme.titles).toMatchObject([{ title: 'Next', at: begin + 4800 }]);
    programme.end(utc(START + 4000));
    const parts = programme.outputs.get('opus')?.window.segments.at(-1)?.parts ?? [];
    expect(parts[0]?.bytes.includes('Next')).toBe(true);
    expect(parts[1]?.bytes.includes('Next')).toBe(false);
  });

  it('lies at the beginning when its sample never came', () => {
    const { programme, speak } = programmeOf();
    programme.title(title(1, 100));
    speak(3, 20);
    expect(programme.titles).toMatchObject([{ title: 'Air', at: BEGIN }]);
  });

  it('is one of the newest eight, and goes with an epoch that never comes', () => {
    const { programme, speak } = programmeOf();
    speak(0, 10);
    for (let count = 0; count < 1000; count += 1) programme.title(title(2, count, `${count}`));
    speak(0, 10, 2);
    const kept = Array.from({ length: 8 }, (_, index) => ({ title: `${992 + index}` }));
    expect(programme.titles).toMatchObject(kept);
    programme.title(title(9, 0, 'Never'));
    programme.end(utc(START + 4000));
    expect(programme.titles).toHaveLength(8);
  });
});

describe('titles of one sample', () => {
  it('stand a millisecond apart, and one that is told again stands once', () => {
    const { programme, speak } = programmeOf();
    speak(0, 50);
    for (const words of ['One', 'One', 'Two', 'One', 'One']) programme.title(title(1, 4800, words));
    const [one, two, three] = [4800, 4848, 4896].map((at) => ({ at: BEGIN + at }));
    expect(programme.titles).toMatchObject([
      { ...one, title: 'One' },
      { ...two, title: 'Two' },
      { ...three, title: 'One' },
    ]);
  });

  it('do not outlast their broadcast where the channel goes on', () => {
    const { programme, speak } = programmeOf();
    speak(0, 50);
    programme.title(title(1, 4800, 'Last song'));
    programme.title(title(1, 480_000, 'Never said'));
    programme.title(title(2, 0, 'Of the next'));
    programme.rest(utc(START + 1000));
    const [song, after] = programme.titles;
    expect(song).toMatchObject({ title: 'Last song', at: BEGIN + 4800 });
    // The silence begins with a part of its own.
    expect(after).toMatchObject({ title: '', artist: null, at: BEGIN + 4 * GRID.part });
    programme.rest(utc(START + 2000));
    programme.tick(utc(START + 2100), false);
    expect(programme.titles).toHaveLength(2);
    speak(0, 700, 2);
    programme.tick(utc(START + 16_000), true);
    expect(programme.titles.map((one) => one.title)).toEqual(['Last song', '', 'Of the next']);
    const said = programme.outputs.get('opus')?.window.segments.flatMap(({ parts }) => parts);
    expect(said?.some(({ bytes }) => bytes.includes('Of the next'))).toBe(true);
    expect(said?.some(({ bytes }) => bytes.includes('Never said'))).toBe(false);
  });

  it('end also when a broadcast that a restart had cut is not resumed', () => {
    const { programme, speak } = programmeOf();
    speak(0, 50);
    programme.title(title(1, 4800, 'Last song'));
    programme.tick(utc(START + 1100), true);
    expect(programme.titles).toHaveLength(1);
    programme.tick(utc(START + 1200), false);
    expect(programme.titles.map((one) => one.title)).toEqual(['Last song', '']);
  });

  it('are bounded: what is past goes first, then what is furthest ahead', () => {
    const { programme, speak } = programmeOf();
    speak(0, 50);
    const at = (index: number): number => 4800 * (index + 1);
    for (let index = 0; index < 490; index += 1) programme.title(title(1, at(index), `${index}`));
    const kept = programme.titles.map(({ title: words }) => Number(words));
    // Of the ten that hold within the first second the last one holds now.
    expect(kept).toEqual(Array.from({ length: 480 }, (_, index) => index + 9));
  });
});

describe('the step that a frame brings', () => {
  it('changes where a part ends and where the encoders have what its last unit needs', () => {
    const { programme, speak } = programmeOf();
    expect(programme.stepOf(frameOf(0))).toBeNull();
    speak(0, 1);
    const steps = Array.from({ length: 34 }, (_, at) => programme.stepOf(frameOf(at + 1)) ?? 0);
    const changes = steps.flatMap((step, at) => (step !== (steps[at - 1] ?? step) ? [at + 1] : []));
    // Frames 2, 18 and 34 hold the samples 2048 after a part began, 15 and 31 are a part's last ones.
    expect(changes).toEqual([2, 15, 18, 31, 34]);
  });

  it('is unknown for a frame of another epoch, a late one, and after the end', () => {
    const { programme, speak } = programmeOf();
    speak(0, 20);
    expect(programme.stepOf(frameOf(20))).not.toBeNull();
    expect(programme.stepOf(frameOf(20, { epoch: 2 }))).toBeNull();
    expect(programme.stepOf(frameOf(19))).toBeNull();
    programme.end(utc(START + 4000));
    expect(programme.stepOf(frameOf(21))).toBeNull();
  });
});

describe('the end of a programme whose encoder died', () => {
  it.each([
    ['within a segment', 5 * 48_000],
    ['two segments before', 1.5 * 48_000],
  ])('comes in all renditions at the same sample: %s', async (_, dies) => {
    const { programme, speak } = programmeOf({ dies });
    speak(0, 500);
    programme.end(utc(START + 10_000));
    await programme.release();
    const [aac, opus] = ['aac128', 'opus'].map((name) => {
      const { segments, ended } = programme.outputs.get(name)?.window ?? { segments: [] };
      expect(ended).toBe(true);
      return segments.map(({ sequence, parts, complete }) => [sequence, parts.length, complete]);
    });
    expect(opus?.length).toBe(Math.ceil(10 / 3.84));
    expect(aac).toEqual(opus);
  });
});

describe('a crash just behind the beginning of a stretch', () => {
  it('takes the beginning from no rendition, though one has nothing of it yet', async () => {
    const { programme, speak, folder } = programmeOf({ dies: 5 * GRID.part });
    // Nine parts, of which AAC has five, and the first of the next stretch.
    speak(0, 9 * 16);
    speak(0, 16, 2);
    await programme.folder.flush();
    const again = restored(folder);
    again.speak(0, 2 * 64, 3);
    const tags = /#EXT-X-DISCONTINUITY\n|#EXT-X-(MEDIA|DISCONTINUITY)-SEQUENCE:\d+|^\d+\.m4s/gm;
    const [aac, opus] = ['aac128', 'opus'].map((name) => textOf(again.programme, name).match(tags));
    expect(opus?.filter((line) => line.endsWith('\n'))).toHaveLength(2);
    expect(aac).toEqual(opus);
  });
});
