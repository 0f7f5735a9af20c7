import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ServerClock } from '../../client/audio/server-clock.ts';

const AHEAD = 30_000;
let answer = (): { status: number; text: string } => ({ status: 200, text: '' });
let asked = 0;
const server = createServer((_request, response) => {
  asked += 1;
  const { status, text } = answer();
  response.writeHead(status).end(text);
});
let url = '';

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const ask = async (clock: ServerClock): Promise<number> => {
  await clock.ask(AbortSignal.timeout(5000));
  return clock.offset;
};

it('leaves a clock alone that agrees with the server', () => {
  const clock = new ServerClock(url);
  clock.enter(5420, 5400, 5450);
  clock.enter(10_000, 9990, 10_010);
  expect(clock.offset).toBe(0);
});

it('moves a wrong one no further than it must, and closer with every answer', () => {
  const clock = new ServerClock(url);
  for (const way of [400, 90, 20]) {
    clock.enter(1_000_000 + way + AHEAD, 1_000_000, 1_000_000 + 2 * way);
    expect(AHEAD - clock.offset).toBe(way);
  }
});

it('forgets what it knew when a clock was set', () => {
  const clock = new ServerClock(url);
  clock.enter(5420, 5400, 5450);
  clock.enter(65_000, 5500, 5500);
  expect(clock.offset).toBe(59_500);
});

it('learns the time from the answer, as exactly as it came, and does not ask again at once', async () => {
  answer = () => ({ status: 200, text: new Date(Date.now() + AHEAD).toISOString() });
  const clock = new ServerClock(url);
  const before = performance.now();
  const offset = await ask(clock);
  const took = performance.now() - before;
  expect(offset).toBeGreaterThan(AHEAD - took - 2);
  expect(offset).toBeLessThanOrEqual(AHEAD + 2);
  const times = asked;
  expect(await ask(clock)).toBe(offset);
  expect(asked).toBe(times);
});

it.each([
  [503, new Date(0).toISOString()],
  [200, '<html>a captive portal</html>'],
  [200, ''],
])('learns nothing from %i %s', async (status, text) => {
  answer = () => ({ status, text });
  expect(await ask(new ServerClock(url))).toBe(0);
});

it('learns nothing where nobody answers', async () => {
  expect(await ask(new ServerClock('http://127.0.0.1:9/'))).toBe(0);
});

it('does not ask for what the socket has told', async () => {
  const times = asked;
  expect(await ask(new ServerClock(url, 12.5))).toBe(12.5);
  expect(asked).toBe(times);
});
