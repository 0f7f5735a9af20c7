import fastify from 'fastify';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Rendered } from '../../server/packager/render-cache.ts';
import { renderedSender } from '../../server/routes/bytes.ts';
import { registerDates } from '../../server/routes/dates.ts';
import { utc } from '../../shared/time.ts';
import { startService, type TestService } from '../helpers/service.ts';

const HOUR = 3_600_000;

let service: TestService;
beforeAll(async () => {
  // As after the wall clock was set back by an hour: the media's clock goes on.
  service = await startService({}, { now: () => utc(Date.now() + HOUR) });
});
afterAll(() => service.stop());

it.each([
  ['/c/live/dash/time', 200],
  ['/c/live/hls/index.m3u8', 404],
  ['/healthz', 200],
  ['/nowhere', 404],
  ['/api/v1/events', 200],
])('%s is dated by the clock of the media', async (path, status) => {
  const asked = new AbortController();
  const answer = await fetch(`${service.base}${path}`, {
    headers: { authorization: `Bearer ${service.token}` },
    signal: asked.signal,
  });
  const { headers } = answer;
  asked.abort();
  expect(answer.status).toBe(status);
  const off = Date.parse(headers.get('date') ?? '') - (Date.now() + HOUR);
  expect(Math.abs(off)).toBeLessThan(60_000);
});

it('an answer that was waited for is dated when it leaves', async () => {
  let now = 1_000_000;
  const app = fastify();
  registerDates(app, { now: () => utc(now) });
  const wait = (): void => {
    now += 4000;
  };
  app.get('/sent', async (_request, reply) => {
    wait();
    return reply.send('late');
  });
  app.get('/written', async (request, reply) => {
    const send = renderedSender(request, reply, { type: 'text/plain', cache: 'no-store' });
    wait();
    return send(new Rendered('late'));
  });
  for (const path of ['/sent', '/written']) {
    const { headers, body } = await app.inject(path);
    expect(body).toBe('late');
    expect(Date.parse(String(headers.date))).toBe(now);
  }
  await app.close();
});
