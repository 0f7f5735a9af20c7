import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Connection } from '../../client/net/connection.ts';
import type { ConnectionEvent } from '../../client/net/messages.ts';
import type { Platform } from '../../client/net/platform.ts';
import { parseToListenerMessage, type ToListenerMessage } from '../../shared/control.ts';
import { utc } from '../../shared/time.ts';
import { Publishing } from './publishing.ts';
import { quickPlatform } from './quick-platform.ts';
import { SmallServer } from './small-server.ts';

let server: SmallServer;
let events: ConnectionEvent[];
let connection: Connection<ToListenerMessage>;

beforeEach(async () => {
  server = await SmallServer.open();
  events = [];
});

afterEach(async () => {
  await connection.close();
  await server.close();
});

const connect = (platform: Platform): Connection<ToListenerMessage> => {
  connection = new Connection<ToListenerMessage>({
    destination: { server: server.url, channel: 'live' },
    role: 'listener',
    parse: parseToListenerMessage,
    post: (event) => events.push(event),
    platform,
    session: {
      opened: () => connection.send({ type: 'hello', role: 'listener' }),
      control: () => {},
      frame: () => {},
      answered: () => {},
      closed: () => {},
    },
  });
  connection.start();
  return connection;
};

const until = (claim: () => void) => vi.waitFor(claim, { timeout: 5000, interval: 5 });

describe('a wall clock that is set', () => {
  /** Steady time at ten times its speed; the wall clock stands `set` ms beside it. */
  const settable = () => {
    const platform = quickPlatform({ speed: 10 });
    const wall = { set: 0 };
    return { wall, platform: { ...platform, wall: () => utc(platform.now() + wall.set) } };
  };

  it.each([3_600_000, -3_600_000])('by %d ms costs neither the socket nor a wait', async (set) => {
    const { wall, platform } = settable();
    // The server's clock is that of the platform plus five seconds, and is not set.
    server.clock = () => platform.now() + 5000;
    const { clock } = connect(platform);
    await until(() => expect(clock.known).toBe(true));
    const pings = server.newest.heardOf('ping').length;
    wall.set = set;
    // Asked at once, and then more often than the usual one in 5 s.
    await until(() =>
      expect(server.newest.heardOf('ping').length).toBeGreaterThanOrEqual(pings + 5),
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(events.filter(({ type }) => type === 'lost')).toEqual([]);
    expect(server.sessions).toHaveLength(1);
    expect(clock.known).toBe(true);
    expect(Math.abs(clock.toServer(platform.now()) - platform.now() - 5000)).toBeLessThan(300);
  });

  it('finds a socket that died while the machine slept long before the 15 s', async () => {
    const { wall, platform } = settable();
    connect(platform);
    await until(() => expect(server.sessions[0]?.heardOf('ping').length).toBeGreaterThan(3));
    server.mute = true;
    const slept = platform.now();
    wall.set = 600_000;
    await until(() => expect(events.some(({ type }) => type === 'lost')).toBe(true));
    expect(platform.now() - slept).toBeLessThan(14_500);
  });
});

it('a publisher tells the right UTC of its samples, however far its wall clock is off', async () => {
  const on = await Publishing.open();
  connect(quickPlatform());
  // The steady clock stands an hour beside the wall clock, which is what the worklet reads.
  const steady = quickPlatform();
  const platform = { ...steady, now: () => utc(Date.now() - 3_600_000), wall: steady.wall };
  await on.start(platform);
  on.capture.record(4);
  const captured = Date.now();
  await on.hello(1);
  on.session.welcome(3, 0);
  await until(() => expect(on.session.heardOf('clock').length).toBeGreaterThanOrEqual(2));
  for (const clock of on.session.heardOf('clock'))
    expect(Math.abs(clock.utc - captured)).toBeLessThanOrEqual(clock.uncertainty + 50);
  await on.close();
});
