import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Downlink } from '../../client/net/downlink.ts';
import type { DownlinkEvent } from '../../client/net/messages.ts';
import type { Platform } from '../../client/net/platform.ts';
import { CLOSE } from '../../shared/codes.ts';
import { decodeFrame, encodeFrame } from '../../shared/frame.ts';
import { samples, utc } from '../../shared/time.ts';
import type { DownlinkMessage, PlayoutReading } from '../../worklets/port.ts';
import { quickPlatform } from './quick-platform.ts';
import { type ServerSession, SmallServer } from './small-server.ts';

const FRAME = 960;
const AHEAD = 5000;

const header = (epoch: number, sequence: number) => ({
  flags: 0,
  rendition: 0,
  duration: samples(FRAME),
  sequence,
  epoch,
  timestamp: samples(sequence * FRAME),
});

const frame = (epoch: number, sequence: number) =>
  encodeFrame(header(epoch, sequence), Uint8Array.of(0xfc, sequence & 0xff));

const reading = (part: Partial<PlayoutReading> = {}): PlayoutReading => ({
  type: 'playout',
  phase: 'playing',
  epoch: 1,
  timestamp: samples(0),
  at: utc(0),
  sequence: 0,
  buffered: 80,
  target: 100,
  concealed: 1,
  recovered: 0,
  skipped: 2,
  received: 0,
  replaced: 0,
  peak: 0,
  ...part,
});

const welcome = (session: ServerSession, part: Record<string, unknown> = {}) =>
  session.say({
    type: 'welcome',
    session: 's',
    catalog: [],
    start: { epoch: 1, sequence: 0, timestamp: 0 },
    live: null,
    recovered: false,
    clock: null,
    ...part,
  });

let server: SmallServer;
let events: DownlinkEvent[];
let played: DownlinkMessage[];
let playback: MessagePort;
let downlink: Downlink;

beforeEach(async () => {
  server = await SmallServer.open();
  events = [];
  played = [];
});

afterEach(async () => {
  downlink.leave();
  playback.close();
  await server.close();
});

const listen = (on: Platform): void => {
  const { port1, port2 } = new MessageChannel();
  playback = port2;
  port2.onmessage = ({ data }: MessageEvent<DownlinkMessage>) => played.push(data);
  downlink = new Downlink(
    { type: 'listen', server: server.url, channel: 'live', port: port1 },
    { post: (event) => events.push(event), platform: on },
  );
  downlink.start();
};

const until = (claim: () => void) => vi.waitFor(claim, { timeout: 8000, interval: 5 });
const of = <T extends DownlinkEvent['type']>(type: T) =>
  events.filter((event) => event.type === type) as Extract<DownlinkEvent, { type: T }>[];
const hasHello = (count: number) =>
  until(() => {
    expect(server.sessions).toHaveLength(count);
    expect(server.newest.heardOf('hello')).toHaveLength(1);
  });
const hello = () => server.newest.heardOf('hello')[0];
/** Sequence and liveness of the frames that playback got, and the types of the rest. */
const heard = () =>
  played.map((message) =>
    message.type === 'frame'
      ? [decodeFrame(message.bytes).sequence, message.live ? 'live' : 'replay']
      : message.type,
  );

describe('frames', () => {
  it('go on untouched, and are no measure of the network up to the live edge of the welcome', async () => {
    listen(quickPlatform());
    await hasHello(1);
    expect(hello()).toEqual({ type: 'hello', role: 'listener' });
    welcome(server.newest, { live: { epoch: 1, sequence: 2 } });
    for (let sequence = 0; sequence < 5; sequence += 1) server.newest.write(frame(1, sequence));
    await until(() => expect(played).toHaveLength(5));
    expect(heard()).toEqual([
      [0, 'replay'],
      [1, 'replay'],
      [2, 'replay'],
      [3, 'live'],
      [4, 'live'],
    ]);
    expect(played.map((message) => message.type === 'frame' && message.bytes)).toEqual(
      [0, 1, 2, 3, 4].map((sequence) => frame(1, sequence)),
    );
    expect(of('welcome')).toMatchObject([{ type: 'welcome', catalog: [], onAir: true }]);
  });

  it('resume after the last one received, and play on when the server still had the next', async () => {
    listen(quickPlatform({ speed: 20 }));
    await hasHello(1);
    welcome(server.newest);
    for (let sequence = 0; sequence < 4; sequence += 1) server.newest.write(frame(1, sequence));
    await until(() => expect(played).toHaveLength(4));
    server.newest.cut();
    await hasHello(2);
    expect(hello()).toMatchObject({ resume: { epoch: 1, sequence: 3 } });
    welcome(server.newest, { recovered: true, live: { epoch: 1, sequence: 5 } });
    for (let sequence = 4; sequence < 7; sequence += 1) server.newest.write(frame(1, sequence));
    await until(() => expect(played).toHaveLength(7));
    expect(heard().slice(4)).toEqual([
      [4, 'replay'],
      [5, 'replay'],
      [6, 'live'],
    ]);
  });

  it('begin anew when the server could not go on from there', async () => {
    listen(quickPlatform({ speed: 20 }));
    await hasHello(1);
    welcome(server.newest);
    server.newest.write(frame(1, 0));
    await until(() => expect(played).toHaveLength(1));
    server.newest.cut();
    await hasHello(2);
    welcome(server.newest, { start: { epoch: 1, sequence: 900, timestamp: 864_000 } });
    server.newest.write(frame(1, 900));
    await until(() => expect(heard()).toEqual([[0, 'live'], 'rejoin', [900, 'live']]));
  });

  it('end the session when they are malformed', async () => {
    listen(quickPlatform());
    await hasHello(1);
    welcome(server.newest);
    const bytes = frame(1, 0);
    bytes[3] = 7;
    server.newest.write(bytes);
    await until(() => expect(of('refused')[0]).toMatchObject({ why: 'protocol' }));
    await until(() => expect(server.newest.closedWith).toBe(CLOSE.badMessage));
    expect(played).toEqual([]);
  });

  it('of the burst after a hold are no measure of the network', async () => {
    listen(quickPlatform());
    await hasHello(1);
    welcome(server.newest);
    server.newest.write(frame(1, 0));
    for (const is of ['filling', 'live']) server.newest.say({ type: 'state', is });
    for (let sequence = 1; sequence < 4; sequence += 1) server.newest.write(frame(1, sequence));
    await until(() =>
      expect(heard()).toEqual([[0, 'live'], 'pause', [1, 'replay'], [2, 'replay'], [3, 'replay']]),
    );
    expect(of('state').map(({ is }) => is)).toEqual(['filling', 'live']);
  });

  it('after a skip are played from the next one on', async () => {
    listen(quickPlatform());
    await hasHello(1);
    welcome(server.newest);
    server.newest.write(frame(1, 0));
    const [from, to] = [1, 400].map((sequence) => ({ epoch: 1, sequence }));
    server.newest.say({ type: 'skipped', from, to, reason: 'slow' });
    server.newest.write(frame(1, 400));
    await until(() => expect(heard()).toEqual([[0, 'live'], 'flush', [400, 'replay']]));
    expect(of('skipped')).toEqual([{ type: 'skipped', reason: 'slow' }]);
  });
});

describe('what is told', () => {
  /** A platform whose clock stands still: the server's offset comes out exactly. */
  const still = (): Platform => {
    const now = () => utc(1_000_000);
    return { ...quickPlatform({ speed: 20 }), now, wall: now };
  };

  it('is the time from microphone to ear', async () => {
    server.clock = () => 1_000_000 + AHEAD;
    listen(still());
    downlink.outputLatency = 0.03;
    await hasHello(1);
    // Sample 48,000 of epoch 1 was captured when the server's clock showed 1,004,500.
    const point = { epoch: 1, timestamp: 48_000, utc: 1_004_500, uncertainty: 1 };
    welcome(server.newest, { clock: point });
    await until(() => expect(server.newest.heardOf('ping').length).toBeGreaterThan(1));
    // It leaves the worklet, with the 4800 after it, when the listener's shows 999,800.
    playback.postMessage(reading({ timestamp: samples(52_800), at: utc(999_800) }));
    await until(() => expect(of('playout')).toHaveLength(1));
    // 999,800 + 5000 - (1,004,500 + 100) = 200 ms, and 30 ms to the ear.
    expect(of('playout')[0]?.latency).toBeCloseTo(0.23, 9);
  });

  it('is no latency for an epoch whose clock is not known, or while nothing plays', async () => {
    listen(still());
    await hasHello(1);
    const point = { timestamp: 0, utc: 1_000_000, uncertainty: 1 };
    welcome(server.newest);
    for (const epoch of [1, 2, 3]) server.newest.say({ type: 'clock', epoch, ...point });
    await until(() => expect(server.newest.heardOf('ping').length).toBeGreaterThan(1));
    server.newest.write(frame(1, 0));
    await until(() => expect(played).toHaveLength(1));
    for (const epoch of [1, 2, 3, 4]) playback.postMessage(reading({ epoch }));
    playback.postMessage(reading({ epoch: 3, phase: 'priming' }));
    await until(() => expect(of('playout')).toHaveLength(5));
    expect(of('playout').map(({ latency }) => latency === null)).toEqual([
      true,
      false,
      false,
      true,
      true,
    ]);
  });

  it('goes to the server each second from the first frame on, even while nothing plays', async () => {
    listen(quickPlatform({ speed: 10 }));
    await hasHello(1);
    welcome(server.newest);
    server.newest.write(frame(1, 41));
    await until(() => expect(server.newest.heardOf('report').length).toBeGreaterThan(3));
    expect(server.newest.heardOf('report')[0]).toEqual({
      type: 'report',
      sequence: 41,
      buffered: 0,
      target: 0,
      concealed: 0,
      skipped: 0,
      latency: null,
    });
    server.newest.write(frame(1, 42));
    const replay = setInterval(() => playback.postMessage(reading({ sequence: 41 })), 10);
    await until(() =>
      expect(server.newest.heardOf('report').at(-1)).toMatchObject({
        sequence: 42,
        buffered: 80,
        target: 100,
        concealed: 1,
        skipped: 2,
      }),
    );
    clearInterval(replay);
    // The worklet falls silent: what it said last no longer holds.
    await until(() =>
      expect(server.newest.heardOf('report').at(-1)).toMatchObject({ buffered: 0, concealed: 1 }),
    );
  });

  it('reaches the page: titles, the catalog, the state', async () => {
    listen(quickPlatform());
    await hasHello(1);
    welcome(server.newest, { start: null });
    const rendition = { codec: 'opus', channels: 1, bitrate: 64_000, frame: FRAME };
    const catalog = [{ id: 0, ...rendition, fec: false, dtx: false }];
    server.newest.say({ type: 'catalog', catalog });
    const metadata = { type: 'metadata', title: 'A title', at: { epoch: 1, timestamp: 0 } };
    server.newest.say(metadata);
    server.newest.say({ type: 'state', is: 'ended' });
    await until(() => expect(of('state')).toHaveLength(1));
    expect(events.slice(1)).toEqual([
      { type: 'welcome', catalog: [], onAir: false, shifted: false, since: null },
      { type: 'catalog', catalog },
      { type: 'metadata', metadata },
      { type: 'state', is: 'ended' },
    ]);
    await until(() => expect(heard()).toEqual(['pause']));
  });
});
