import { afterEach, beforeEach, expect, it } from 'vitest';
import { ChildTranscoder } from '../../server/transcoder/transcoder.ts';
import { addressedBy, lintDash } from '../helpers/dash-linter.ts';
import { HELLO, startPublisher } from '../helpers/service.ts';
import { parseXml } from '../helpers/xml-tree.ts';
import { send, WindowLife } from './window-life.ts';

let life: WindowLife;
beforeEach(async () => {
  life = await WindowLife.open();
});
afterEach(() => life.close());

/** Numbers of a set's segments in each Period. */
const numbersOf = (text: string, wanted: string): number[][] =>
  Object.values(
    Object.groupBy(
      addressedBy(parseXml(text)).filter(({ set }) => set === wanted),
      ({ period }) => period,
    ),
  ).map((segments) => (segments ?? []).map(({ number }) => number));

const BREAK = '#EXT-X-DISCONTINUITY\n';

/** Number of the segment that a playlist's first DISCONTINUITY is before. */
const sequenceAfterBreak = (text: string): number => {
  const first = Number(/#EXT-X-MEDIA-SEQUENCE:(\d+)/.exec(text)?.[1]);
  return first + (text.split(BREAK)[0]?.match(/#EXTINF/g)?.length ?? 0);
};

it('what Opus has of a stretch that AAC has not come to is in no Period yet, and then in its own', async () => {
  const { epoch, media } = await life.begin();
  const transcoder = life.service.station.desk('live')?.packager.programme?.transcoder;
  const pid = transcoder instanceof ChildTranscoder ? transcoder.pid : undefined;
  if (pid === undefined) throw new Error('There is no child.');
  process.kill(pid, 'SIGSTOP');
  try {
    const second = await startPublisher(life.service, { ...HELLO, takeover: true });
    expect(second.epoch).toBeGreaterThan(epoch);
    send(second.client, second.epoch, { from: 0, to: 50, begun: life.now - 1000 });
    const begins = sequenceAfterBreak(
      await life.until(`${media}/opus/index.m3u8`, (text) => text.includes(BREAK)),
    );
    const early = await life.until('/c/live/dash/listed.mpd', () => true);
    expect(lintDash(early)).toEqual([]);
    const [only, ...others] = numbersOf(early, '2');
    expect([only?.at(-1), others]).toEqual([begins - 1, []]);
  } finally {
    // It may have been replaced by now.
    try {
      process.kill(pid, 'SIGCONT');
    } catch {}
  }
  const late = await life.until(
    '/c/live/dash/listed.mpd',
    (text) => numbersOf(text, '1').length > 1,
  );
  expect(lintDash(late)).toEqual([]);
  expect(numbersOf(late, '2').at(-1)).toEqual(numbersOf(late, '1').at(-1));
});
