import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { frameOf, realPackets } from '../../helpers/opus-frames.ts';
import { RecordingClient } from '../../helpers/recording-client.ts';
import { HELLO, TestClient } from '../../helpers/service.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const TOKEN = 'a-token-for-this-test-only';
/** Frames that one life is told at most: how late its acknowledgements are decides nothing. */
const LIFE = 120;
const LIVES = 3;
const ALL = 400;
const PACKETS = realPackets(ALL);

type Running = { readonly child: ChildProcess; readonly base: string };

const start = async (data: string): Promise<Running> => {
  const child = spawn(process.execPath, ['server/main.ts'], {
    cwd: root,
    env: {
      ...process.env,
      SKYWAVE_PORT: '0',
      SKYWAVE_DATA: data,
      SKYWAVE_LOG_LEVEL: 'error',
      SKYWAVE_ADMIN_TOKEN: TOKEN,
      SKYWAVE_RECORD_MIN_FREE: '1000000',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // A claim that fails leaves none behind, which would keep the runner waiting for ever.
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  for await (const piece of child.stdout ?? []) {
    text += String(piece);
    const base = /(http:\/\/127\.0\.0\.1:\d+)\/c\/live/.exec(text)?.[1];
    if (base !== undefined) return { child, base };
  }
  throw new Error(`The service did not start: ${text}`);
};

const publish = async ({ base }: Running, hello: object): Promise<TestClient> => {
  const answer = await fetch(`${base}/api/v1/channels/live/tickets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ role: 'publisher' }),
  });
  const { ticket } = (await answer.json()) as { ticket: string };
  const client = new TestClient(`${base}/api/v1/channels/live/publish?ticket=${ticket}`);
  await client.opened();
  client.send(hello);
  await client.text('welcome');
  return client;
};

const ackOf = (client: TestClient): number =>
  Number(client.texts.findLast(({ type }) => type === 'ack')?.sequence ?? -1);

describe('a service that is killed in the middle', () => {
  it('has every frame that it acknowledged, and asks for the others', async () => {
    const data = await mkdtemp(join(tmpdir(), 'skywave-killed-'));
    let next = 0;
    let epoch = 0;
    let acked = -1;
    for (let life = 0; life < LIVES; life += 1) {
      const running = await start(data);
      const resume = life === 0 ? {} : { resume: { epoch, sequence: acked } };
      const client = await publish(running, { ...HELLO, ...resume });
      const welcome = await client.text('welcome');
      epoch = Number(welcome.epoch);
      next = Number(welcome.next);
      // What was acknowledged is not asked for again: it is all there.
      expect(next).toBeGreaterThan(acked);
      const end = next + LIFE;
      const timer = setInterval(() => {
        if (next === end) return;
        client.send(frameOf(PACKETS[next] as Buffer, { sequence: next, epoch }).bytes);
        next += 1;
      }, 10);
      await client.until(() => ackOf(client) > acked + 60);
      const ended = once(running.child, 'exit');
      running.child.kill('SIGKILL');
      clearInterval(timer);
      await ended;
      acked = ackOf(client);
      client.close();
    }
    const running = await start(data);
    const client = await publish(running, { ...HELLO, resume: { epoch, sequence: acked } });
    next = Number((await client.text('welcome')).next);
    expect(next).toBeGreaterThan(acked);
    for (; next < ALL; next += 1)
      client.send(frameOf(PACKETS[next] as Buffer, { sequence: next, epoch }).bytes);
    await client.until(() => ackOf(client) === ALL - 1);
    // A goodbye waits for a slow disk no longer than a second: the list says when all is done.
    const recordings = new RecordingClient(() => ({ base: running.base, token: TOKEN }));
    const item = await recordings.finished(client);
    expect(await recordings.list()).toHaveLength(1);
    expect(item).toMatchObject({ complete: true, gaps: 0, duration: ALL / 50 });
    expect(await recordings.packetsOf(item)).toEqual(PACKETS);
    const ended = once(running.child, 'exit');
    running.child.kill('SIGTERM');
    await ended;
    await rm(data, { recursive: true, force: true });
  });
});
