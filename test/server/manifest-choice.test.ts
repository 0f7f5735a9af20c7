/** Programs that cannot use the manifest as it is for everybody are sent to another. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startService, type TestService } from '../helpers/service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService({ record: false });
  const desk = service.station.desk('live');
  if (desk === undefined) throw new Error('There is no channel.');
  // Its silence is enough.
  service.station.update(desk, { continuous: true });
  await vi.waitUntil(() => desk.packager.programme !== undefined);
});
afterAll(() => service.stop());

it('FFmpeg and mpv, which count segments wrongly, are sent to the manifest that lists them', async () => {
  const ask = (agent: string) =>
    fetch(`${service.base}/c/live/dash/manifest.mpd`, {
      headers: { 'user-agent': agent },
      redirect: 'manual',
    });
  for (const agent of ['Lavf/60.16.100', 'libmpv', 'mpv 0.35']) {
    const answer = await ask(agent);
    expect([answer.status, answer.headers.get('location')]).toEqual([307, 'listed.mpd']);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  }
  const counted = await ask('Mozilla/5.0 (like libmpv, GStreamer)');
  const text = await counted.text();
  expect(text).not.toContain('SegmentTimeline');
  expect(text).toContain('suggestedPresentationDelay="PT1.92S"');
  const listed = await fetch(`${service.base}/c/live/dash/listed.mpd`);
  expect(listed.headers.get('content-type')).toContain('application/dash+xml');
  expect(await listed.text()).toMatch(/<S t="0" d="184320"/);
  expect((await fetch(`${service.base}/c/nowhere/dash/listed.mpd`)).status).toBe(404);
});

it('GStreamer, which loads far ahead, is sent to the manifest that is far behind', async () => {
  const answer = await fetch(`${service.base}/c/live/dash/manifest.mpd`, {
    headers: { 'user-agent': 'GStreamer souphttpsrc 1.22.0 libsoup/3.2.3' },
  });
  expect([answer.status, new URL(answer.url).pathname]).toEqual([200, '/c/live/dash/delayed.mpd']);
  const text = await answer.text();
  // As far as there is silence.
  const behind = Number(/suggestedPresentationDelay="PT([\d.]+)S"/.exec(text)?.[1]);
  expect(behind).toBeGreaterThan(3.8);
  expect(behind).toBeLessThanOrEqual(20);
  expect(text).not.toContain('SegmentTimeline');
});
