import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addressedBy, lintDash } from '../helpers/dash-linter.ts';
import { RealPublisher } from '../helpers/real-publisher.ts';
import { startService, type TestService } from '../helpers/service.ts';
import { parseXml } from '../helpers/xml-tree.ts';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

/** The manifest once it says so. */
const manifestWith = async (words: string): Promise<string> => {
  for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(50)) {
    const text = await (await fetch(`${service.base}/c/live/dash/manifest.mpd`)).text();
    if (text.includes(words)) return text;
  }
  throw new Error(`No manifest ever said ${words}.`);
};

it('after the end all is there that the manifest counts, and nothing where players count on', async () => {
  const publisher = await RealPublisher.start(service);
  expect(await manifestWith('aac128')).toContain('type="dynamic"');
  await publisher.end();
  const text = await manifestWith('type="static"');
  expect(text).not.toContain('SegmentTimeline');
  expect(lintDash(text)).toEqual([]);
  const secret = /media\/([^/]+)/.exec(text)?.[1];
  const get = (number: number): Promise<Response> =>
    fetch(`${service.base}/c/live/media/${secret}/aac128/${number}.m4s`);
  const numbers = addressedBy(parseXml(text)).flatMap(({ set, number }) =>
    set === '1' ? [number] : [],
  );
  expect(numbers.length).toBeGreaterThan(0);
  for (const number of numbers) {
    const answer = await get(number);
    expect(answer.status).toBe(200);
    expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(1000);
  }
  const last = numbers.at(-1) ?? 0;
  for (const past of [1, 2]) {
    const answer = await get(last + past);
    expect([answer.status, await answer.text()]).toEqual([200, '']);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=1');
  }
  expect((await get(last + 3)).status).toBe(404);
}, 30_000);
