import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Connection } from '../../client/net/connection.ts';
import type { ConnectionEvent } from '../../client/net/messages.ts';
import type { Platform } from '../../client/net/platform.ts';
import { CLOSE } from '../../shared/codes.ts';
import { parseToListenerMessage, type ToListenerMessage } from '../../shared/control.ts';
import { utc } from '../../shared/time.ts';
import { quickPlatform } from './quick-platform.ts';
import { SmallServer } from './small-server.ts';

const WELCOME = {
  type: 'welcome',
  session: 's',
  catalog: [],
  start: null,
  live: null,
  recovered: false,
  clock: null,
};

let server: SmallServer;
let events: ConnectionEvent[];
let connection: Connection<ToListenerMessage> | undefined;
const heard: ToListenerMessage[] = [];

beforeEach(async () => {
  server = await SmallServer.open();
  events = [];
  heard.length = 0;
});

afterEach(async () => {
  await connection?.close();
  connection = undefined;
  await server.close();
});

const connect = (platform: Platform, token?: string): Connection<ToListenerMessage> => {
  connection = new Connection<ToListenerMessage>({
    destination: { server: server.url, channel: 'live' },
    role: token === undefined ? 'listener' : 'publisher',
    ...(token === undefined ? {} : { token }),
    parse: parseToListenerMessage,
    post: (event) => events.push(event),
    platform,
    session: {
      opened: () => {
        if (token === undefined) connection?.send({ type: 'hello', role: 'listener' });
      },
      control: (message) => heard.push(message),
      frame: () => {},
      answered: () => {},
      closed: () => {},
    },
  });
  connection.start();
  return connection;
};

const last = () => events.at(-1);
const until = (claim: () => void) => vi.waitFor(claim, { timeout: 5000, interval: 5 });
const lostWaits = () => events.flatMap((event) => (event.type === 'lost' ? [event.retryIn] : []));

describe('buying a ticket', () => {
  it('buys one with the token before every try and shows it on the socket', async () => {
    server.greet = (session) => {
      if (server.sessions.length === 1) session.close(CLOSE.restarting);
    };
    connect(quickPlatform({ speed: 20 }), 'a token');
    await until(() => expect(server.sessions).toHaveLength(2));
    expect(server.tickets).toEqual(['Bearer a token', 'Bearer a token']);
    expect(server.sessions.map((session) => session.url)).toEqual([
      '/api/v1/channels/live/publish?ticket=t1',
      '/api/v1/channels/live/publish?ticket=t2',
    ]);
  });

  it('asks for none without a token', async () => {
    connect(quickPlatform());
    await until(() => expect(server.sessions).toHaveLength(1));
    expect(server.tickets).toEqual([]);
    expect(server.newest.url).toBe('/api/v1/channels/live/listen');
  });

  it.each([
    [401, 'token'],
    [403, 'token'],
    [404, 'channel'],
  ] as const)('gives up on HTTP %d', async (status, why) => {
    server.ticketAnswer = { status };
    connect(quickPlatform(), 'a token');
    await until(() => expect(last()).toMatchObject({ type: 'refused', why }));
    expect(server.sessions).toHaveLength(0);
  });

  it('gives up on a ticket it cannot read', async () => {
    server.ticketAnswer = { status: 201, body: '{"ticket":7}' };
    connect(quickPlatform(), 'a token');
    await until(() => expect(last()).toMatchObject({ type: 'refused', why: 'protocol' }));
  });

  it('waits as long as the server says after HTTP 429', async () => {
    server.ticketAnswer = { status: 429, headers: { 'retry-after': '7' } };
    connect(quickPlatform({ speed: 20 }), 'a token');
    await until(() => expect(last()).toEqual({ type: 'lost', code: 4429, retryIn: 7000 }));
    connection?.hurry();
    server.ticketAnswer = { status: 201 };
    await until(() => expect(server.sessions).toHaveLength(1));
    expect(server.tickets).toHaveLength(2);
  });
});

describe('opening', () => {
  it.each([false, 'skywave.v0'] as const)('stays with no server that selects %s', async (other) => {
    server.protocol = other;
    connect(quickPlatform({ random: () => 1 }));
    await until(() => expect(last()?.type).not.toBe('connecting'));
    expect(server.sessions.flatMap((session) => session.heard)).toEqual([]);
  });

  it('asks for the reason when the upgrade is refused', async () => {
    server.refuseUpgrade = 404;
    server.status = 404;
    connect(quickPlatform());
    await until(() => expect(last()).toMatchObject({ type: 'refused', why: 'channel' }));
    expect(server.statusAsked).toBe(1);
  });

  it('goes on trying when the channel is there after all', async () => {
    server.refuseUpgrade = 429;
    connect(quickPlatform({ speed: 20 }));
    await until(() => expect(server.statusAsked).toBeGreaterThan(1));
    server.refuseUpgrade = 0;
    await until(() => expect(server.sessions).toHaveLength(1));
  });

  it('waits longer and longer, with full jitter, while nobody answers', async () => {
    server.refuseUpgrade = 503;
    connect(quickPlatform({ speed: 40, random: () => 1 }));
    await until(() => expect(lostWaits().length).toBeGreaterThan(6));
    expect(lostWaits().slice(0, 7)).toEqual([250, 500, 1000, 2000, 2000, 2000, 2000]);
  });

  it('comes at once when the network is said to be back', async () => {
    server.refuseUpgrade = 503;
    // The first wait would be longer than the test.
    connect(quickPlatform({ speed: 1 / 1000, random: () => 1 }));
    await until(() => expect(last()?.type).toBe('lost'));
    server.refuseUpgrade = 0;
    connection?.hurry();
    await until(() => expect(server.sessions).toHaveLength(1));
  });
});

describe('an open socket', () => {
  it.each([
    [CLOSE.badMessage, 'protocol'],
    [CLOSE.refused, 'token'],
    [CLOSE.noChannel, 'channel'],
    [CLOSE.taken, 'taken'],
    [CLOSE.deleted, 'deleted'],
    [CLOSE.tooLarge, 'protocol'],
  ] as const)('is not opened again after %d', async (code, why) => {
    server.greet = (session) => session.close(code, 'Because.');
    connect(quickPlatform());
    await until(() => expect(last()).toEqual({ type: 'refused', why, sentence: 'Because.' }));
  });

  it.each([1000, 1011, CLOSE.restarting, CLOSE.full, CLOSE.tooSlow, CLOSE.tooMany])(
    'is opened again after %d',
    async (code) => {
      server.greet = (session) => {
        if (server.sessions.length === 1) session.close(code);
      };
      connect(quickPlatform({ speed: 20 }));
      await until(() => expect(server.sessions).toHaveLength(2));
      expect(events).toContainEqual({ type: 'lost', code, retryIn: 125 });
    },
  );

  it('is opened again after the network went away', async () => {
    connect(quickPlatform({ speed: 20 }));
    await until(() => expect(server.newest.heardOf('hello')).toHaveLength(1));
    server.newest.cut();
    await until(() => expect(server.sessions).toHaveLength(2));
    expect(events).toContainEqual({ type: 'lost', code: 1006, retryIn: 125 });
  });

  it('backs off further when it is welcomed and thrown out again and again', async () => {
    server.greet = (session) => {
      session.say(WELCOME);
      session.close(CLOSE.tooSlow);
    };
    connect(quickPlatform({ speed: 20, random: () => 1 }));
    await until(() => expect(lostWaits().length).toBeGreaterThan(3));
    expect(lostWaits().slice(0, 4)).toEqual([250, 500, 1000, 2000]);
  });

  it('begins the backoff anew after a session that held', async () => {
    server.greet = (session) => {
      if (server.sessions.length < 3) session.close(CLOSE.restarting);
      else session.say(WELCOME);
    };
    connect(quickPlatform({ speed: 20, random: () => 1 }));
    await until(() => expect(server.newest.heardOf('ping').length).toBeGreaterThan(4));
    server.newest.cut();
    await until(() => expect(lostWaits()).toEqual([250, 500, 250]));
  });

  it('comes back when goaway says, whatever the backoff', async () => {
    server.greet = (session) => {
      if (server.sessions.length > 1) return;
      session.say({ type: 'goaway', after: 3000 });
      session.close(CLOSE.restarting);
    };
    connect(quickPlatform({ speed: 20, random: () => 0.5 }));
    await until(() => expect(server.sessions).toHaveLength(2));
    const [wait = 0] = lostWaits();
    expect(wait).toBeGreaterThan(2000);
    expect(wait).toBeLessThanOrEqual(3500);
  });

  it('goes by itself when the server said goaway and stayed', async () => {
    server.greet = (session) => {
      if (server.sessions.length === 1) session.say({ type: 'goaway', after: 1000 });
    };
    connect(quickPlatform({ speed: 20 }));
    await until(() => expect(server.sessions).toHaveLength(2));
    await until(() => expect(server.sessions[0]?.closedWith).toBe(1000));
  });

  it('is given up when nothing is heard for 15 s', async () => {
    server.mute = true;
    connect(quickPlatform({ speed: 20 }));
    await until(() => expect(server.sessions).toHaveLength(2));
    // Pings went out all that time: four quick ones, then one each 5 s.
    expect(server.sessions[0]?.heardOf('ping').length).toBeGreaterThanOrEqual(6);
    expect(events).toContainEqual({ type: 'lost', code: 1006, retryIn: 125 });
  });

  it('learns the clock of a server that is 5 s ahead from four quick pings', async () => {
    server.clock = () => Date.now() + 5000;
    const { clock } = connect(quickPlatform());
    await until(() => expect(server.newest.heardOf('ping')).toHaveLength(4));
    await until(() => expect(clock.known).toBe(true));
    const offset = clock.toServer(utc(0));
    // Clocks in whole milliseconds add one to what the round trip allows.
    expect(Math.abs(offset - 5000)).toBeLessThanOrEqual(clock.uncertainty + 1);
  });

  it.each(['{', '[]', '{"type":"nonsense"}', '{"type":"state","is":"odd"}', '{"type":"welcome"}'])(
    'ends with 4400 when the server says %s',
    async (message) => {
      server.greet = (session) => session.write(message);
      connect(quickPlatform());
      await until(() => expect(last()).toMatchObject({ type: 'refused', why: 'protocol' }));
      await until(() => expect(server.newest.closedWith).toBe(CLOSE.badMessage));
    },
  );

  it('drops fields that it does not know', async () => {
    server.greet = (session) => session.say({ type: 'state', is: 'live', mood: 'fine' });
    connect(quickPlatform());
    await until(() => expect(heard).toEqual([{ type: 'state', is: 'live' }]));
  });

  it('says nothing more once it is closed', async () => {
    const closing = connect(quickPlatform());
    await until(() => expect(server.newest.heardOf('hello')).toHaveLength(1));
    await closing.close();
    await until(() => expect(server.newest.closedWith).toBe(1000));
    expect(events).toEqual([{ type: 'connecting' }]);
  });
});
