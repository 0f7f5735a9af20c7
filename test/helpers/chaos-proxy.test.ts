import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { millis } from '../../shared/time.ts';
import { bothWays, type ChaosProxy, type Network, startChaosProxy } from './chaos-proxy.ts';
import { NETWORK } from './network-profile.ts';

const owned: (() => unknown)[] = [];
afterEach(async () => {
  for (const release of owned.splice(0).reverse()) await release();
});

const startEcho = async (): Promise<Server> => {
  const echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  owned.push(() => echo.close());
  return echo;
};

const startPath = async (network?: Network): Promise<ChaosProxy> => {
  const echo = await startEcho();
  const proxy = await startChaosProxy((echo.address() as AddressInfo).port, {
    ...(network && { network }),
    seed: 7,
  });
  owned.push(() => proxy.close());
  return proxy;
};

const join = async (proxy: ChaosProxy): Promise<Socket> => {
  const client = connect({ port: proxy.port, host: '127.0.0.1' });
  client.on('error', () => {});
  owned.push(() => client.destroy());
  await once(client, 'connect');
  return client;
};

const receive = async (client: Socket, length: number): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  for (let received = 0; received < length; ) {
    const [piece] = (await once(client, 'data')) as [Buffer];
    pieces.push(piece);
    received += piece.length;
  }
  return Buffer.concat(pieces);
};

/** Resolves when the socket is gone, by whatever way. */
const gone = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve());
  });

const numbered = (length: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, index) => (index * 7) % 251));

describe('the chaos proxy', () => {
  it('delivers every byte in order, also more than it holds, and counts them', async () => {
    const proxy = await startPath();
    const client = await join(proxy);
    const sent = numbered(3_000_000);
    client.end(sent);
    expect((await receive(client, sent.length)).equals(sent)).toBe(true);
    expect(proxy.counts).toMatchObject({ connections: 1, up: sent.length, down: sent.length });
  });

  it('delays each way by the delay of that way', async () => {
    const delay = (ms: number) => ({ ...NETWORK.direct, delay: millis(ms) });
    const proxy = await startPath({ up: delay(40), down: delay(80) });
    const client = await join(proxy);
    const began = performance.now();
    client.write('x');
    await receive(client, 1);
    expect(performance.now() - began).toBeGreaterThanOrEqual(119);
  });

  it('keeps the order while stalls hold the stream', async () => {
    const stalls = [{ length: millis(30), perSecond: 20 }];
    const proxy = await startPath(bothWays({ ...NETWORK.direct, stalls }));
    const client = await join(proxy);
    const sent = numbered(400);
    const received = receive(client, sent.length);
    for (let at = 0; at < sent.length; at += 8) {
      client.write(sent.subarray(at, at + 8));
      await sleep(4);
    }
    expect((await received).equals(sent)).toBe(true);
    expect(proxy.counts.held).toBeGreaterThan(0);
  });

  it('passes no more than the bandwidth', async () => {
    const proxy = await startPath({
      up: { ...NETWORK.direct, bandwidth: 100_000 },
      down: NETWORK.direct,
    });
    const client = await join(proxy);
    const began = performance.now();
    client.write(numbered(30_000));
    await receive(client, 30_000);
    expect(performance.now() - began).toBeGreaterThanOrEqual(299);
  });

  it('resets everybody when cut, turns newcomers away, and lets them in when restored', async () => {
    const proxy = await startPath();
    const client = await join(proxy);
    client.write('x');
    await receive(client, 1);
    proxy.cut();
    await gone(client);
    const newcomer = connect({ port: proxy.port, host: '127.0.0.1' });
    newcomer.on('error', () => {});
    await gone(newcomer);
    expect(proxy.counts).toMatchObject({ connections: 1, refused: 1, open: 0 });
    proxy.restore();
    const returned = await join(proxy);
    returned.write('y');
    expect((await receive(returned, 1)).toString()).toBe('y');
  });

  it('delivers nothing in a black hole and everything after it', async () => {
    const proxy = await startPath();
    const client = await join(proxy);
    client.write('1');
    await receive(client, 1);
    proxy.blackhole();
    client.write('2');
    const late = await join(proxy);
    late.write('3');
    await sleep(100);
    expect(proxy.counts).toMatchObject({ connections: 2, open: 2, up: 1, down: 1 });
    expect(client.closed || late.closed).toBe(false);
    proxy.restore();
    expect((await receive(client, 1)).toString()).toBe('2');
    expect((await receive(late, 1)).toString()).toBe('3');
  });

  it('holds a bounded amount in a black hole: the sender is made to wait', async () => {
    const proxy = await startPath();
    const client = await join(proxy);
    proxy.blackhole();
    const sent = Buffer.alloc(16 << 20, 'skywave');
    client.write(sent);
    await sleep(200);
    // The kernel's own buffers take some; the rest is still with the sender.
    expect(client.writableLength).toBeGreaterThan(0);
    proxy.restore();
    expect((await receive(client, sent.length)).equals(sent)).toBe(true);
  });

  it('refuses connections once closed', async () => {
    const proxy = await startPath();
    const port = proxy.port;
    await proxy.close();
    owned.splice(owned.length - 1);
    const client = connect({ port, host: '127.0.0.1' });
    const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  });
});
