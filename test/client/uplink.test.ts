import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CLOSE } from '../../shared/codes.ts';
import { FRAME, hello, Publishing, RENDITION, range, sequences, until } from './publishing.ts';
import { quickPlatform } from './quick-platform.ts';

let on: Publishing;

beforeEach(async () => {
  on = await Publishing.open();
});

afterEach(() => on.close());

describe('going live', () => {
  it('sends what was captured before the welcome, first thing after it, from 0', async () => {
    await on.start(quickPlatform());
    on.capture.record(5);
    await on.hello(1);
    expect(hello(on.session)).toEqual({
      type: 'hello',
      role: 'publisher',
      rendition: RENDITION,
    });
    on.session.welcome(7, 0);
    await until(() => expect(on.session.frames).toHaveLength(5));
    on.capture.record(3);
    await until(() => expect(on.session.frames).toHaveLength(8));
    const { frames } = on.session;
    expect(sequences(frames)).toEqual(range(0, 8));
    expect(frames.map((frame) => frame.epoch)).toEqual(new Array(8).fill(7));
    expect(frames.map((frame) => frame.timestamp)).toEqual(range(0, 8).map((n) => n * FRAME));
    expect(on.of('on-air')).toEqual([
      { type: 'on-air', epoch: 7, outage: 0, lost: 0, spooled: 0, anew: false },
    ]);
  });

  it('begins to capture although the server is not there yet', async () => {
    on.server.refuseUpgrade = 503;
    await on.start(quickPlatform({ speed: 20 }));
    on.capture.record(10);
    await until(() => expect(on.of('lost').length).toBeGreaterThan(1));
    on.server.refuseUpgrade = 0;
    await on.hello(1);
    on.session.welcome(1, 0);
    await until(() => expect(sequences(on.session.frames)).toEqual(range(0, 10)));
  });

  it('tells the age of a long backlog before it sends any of it', async () => {
    const order: string[] = [];
    on.server.greet = (session) => {
      const write = session.heard.push.bind(session.heard);
      session.heard.push = (...messages) => {
        for (const { type } of messages) order.push(`${type} after ${session.frames.length}`);
        return write(...messages);
      };
      session.welcome(1, 0);
    };
    on.server.refuseUpgrade = 503;
    await on.start(quickPlatform({ speed: 4 }));
    on.capture.record(500);
    await until(() => expect(on.of('uplink').at(-1)?.waiting).toBe(10_000));
    on.server.refuseUpgrade = 0;
    await until(() => expect(on.session.frames).toHaveLength(500));
    expect(order).toContain('clock after 0');
  });

  it('tells where the media clock stands on the clock of the server', async () => {
    on.server.clock = () => Date.now() + 5000;
    await on.start(quickPlatform());
    on.capture.record(4);
    const captured = Date.now();
    await on.hello(1);
    on.session.welcome(3, 0);
    await until(() => expect(on.session.heardOf('clock').length).toBeGreaterThanOrEqual(2));
    const clocks = on.session.heardOf('clock');
    for (const clock of clocks) {
      expect(clock).toMatchObject({ epoch: 3, timestamp: 4 * FRAME });
      expect(Math.abs(clock.utc - captured - 5000)).toBeLessThanOrEqual(clock.uncertainty + 20);
    }
  });

  it('tells at once when the microphone has lost time, and nothing of mere drift', async () => {
    await on.start(quickPlatform());
    const begun = Date.now();
    on.capture.record(1, { at: begun });
    await on.hello(1);
    on.session.welcome(3, 0);
    await until(() => expect(on.session.heardOf('clock')).toHaveLength(2));
    // A fifth of a second that passes as it should, within a device's drift.
    for (let frame = 1; frame <= 10; frame += 1)
      on.capture.record(1, { at: begun + frame * 20 + frame });
    await until(() => expect(on.session.frames).toHaveLength(11));
    expect(on.session.heardOf('clock')).toHaveLength(2);
    for (let frame = 11; frame <= 20; frame += 1)
      on.capture.record(1, { at: begun + frame * 20 + 77 });
    await until(() => expect(on.session.frames).toHaveLength(21));
    const clocks = on.session.heardOf('clock');
    expect(clocks).toHaveLength(3);
    const [first, , last] = clocks;
    expect(last?.timestamp).toBe(12 * FRAME);
    expect(Number(last?.utc) - Number(first?.utc)).toBeCloseTo(11 * 20 + 77, -1);
  });

  it('pushes another publisher aside only before its first welcome', async () => {
    await on.start(quickPlatform({ speed: 20 }), { takeover: true });
    await on.hello(1);
    expect(hello(on.session)).toHaveProperty('takeover', true);
    on.session.welcome(1, 0);
    await until(() => expect(on.of('on-air')).toHaveLength(1));
    on.session.cut();
    await on.hello(2);
    expect(hello(on.session)).not.toHaveProperty('takeover');
  });

  it('stops capture when somebody else has the channel', async () => {
    await on.start(quickPlatform());
    await on.hello(1);
    on.session.close(CLOSE.taken);
    await until(() => expect(on.last).toMatchObject({ type: 'refused', why: 'taken' }));
    await until(() => expect(on.capture.commands('stop')).toHaveLength(1));
  });

  it('refuses a server that sends frames to a publisher', async () => {
    await on.start(quickPlatform());
    await on.hello(1);
    on.session.write(new Uint8Array(20));
    await until(() => expect(on.last).toMatchObject({ type: 'refused', why: 'protocol' }));
  });
});

describe('a congested uplink', () => {
  it('holds frames, asks for a lower bitrate, and sends all in order when it drains', async () => {
    await on.start(quickPlatform({ speed: 20 }));
    await on.hello(1);
    on.session.welcome(1, 0);
    on.session.pause();
    // The kernel takes some megabytes for a peer that does not read.
    let count = 4000;
    on.capture.record(count, { bytes: 1500 });
    await until(() => {
      on.capture.record(1);
      count += 1;
      expect(on.capture.commands('bitrate').length).toBeGreaterThan(1);
    });
    expect(on.capture.commands('bitrate').slice(0, 2)).toEqual([
      { type: 'bitrate', bitrate: 96_000 },
      { type: 'bitrate', bitrate: 64_000 },
    ]);
    expect(on.session.frames.length).toBeLessThan(count);
    on.session.resume();
    await until(() => expect(on.session.frames).toHaveLength(count));
    expect(sequences(on.session.frames)).toEqual(range(0, count));
    expect(on.server.sessions).toHaveLength(1);
  });
});

describe('the end', () => {
  it('says bye after the last frame, closes and tells the page', async () => {
    await on.start(quickPlatform());
    await on.hello(1);
    on.session.welcome(1, 0);
    on.capture.record(20);
    on.leave();
    await until(() => expect(on.last).toEqual({ type: 'ended' }));
    expect(sequences(on.session.frames)).toEqual(range(0, 20));
    expect(on.session.heard.at(-1)).toMatchObject({ type: 'bye' });
    await until(() => expect(on.session.closedWith).toBe(1000));
    expect(on.capture.commands('stop')).toHaveLength(1);
  });

  it('comes within bounds when the server is away', async () => {
    on.server.refuseUpgrade = 503;
    await on.start(quickPlatform({ speed: 40 }));
    on.capture.record(20);
    on.leave();
    await until(() => expect(on.last).toEqual({ type: 'ended' }));
    expect(on.server.sessions).toHaveLength(0);
  });

  it('waits for a server that comes back, and drops nothing that was said', async () => {
    on.server.refuseUpgrade = 503;
    await on.start(quickPlatform({ speed: 10 }));
    on.capture.record(200);
    on.leave();
    await new Promise((resolve) => setTimeout(resolve, 500));
    on.server.refuseUpgrade = 0;
    await on.hello(1);
    on.session.welcome(1, 0);
    await until(() => expect(on.last).toEqual({ type: 'ended' }));
    expect(sequences(on.session.frames)).toEqual(range(0, 200));
    expect(on.session.heard.at(-1)).toMatchObject({ type: 'bye' });
  });
});
