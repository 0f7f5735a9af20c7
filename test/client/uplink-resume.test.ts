import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Frame } from '../../shared/frame.ts';
import { hello, KEPT, origin, Publishing, range, sequences, until } from './publishing.ts';
import { quickPlatform } from './quick-platform.ts';

let on: Publishing;

beforeEach(async () => {
  on = await Publishing.open();
});

afterEach(() => on.close());

describe('coming back', () => {
  it('delivers every frame once and in order, wherever the socket was cut', async () => {
    /** What a relay would have: frames from `next` on only. */
    const kept: Frame[] = [];
    const welcomed: number[] = [];
    on.server.greet = (session) => {
      const push = session.frames.push.bind(session.frames);
      session.frames.push = (...frames) => {
        for (const frame of frames) {
          expect(frame.sequence).toBe(kept.length);
          kept.push(frame);
          if (kept.length % 100 === 0) session.say({ type: 'ack', sequence: kept.length - 1 });
          if (kept.length % 130 === 0) session.cut();
        }
        return push(...frames);
      };
      welcomed.push(kept.length);
      session.welcome(4, kept.length);
    };
    await on.start(quickPlatform({ speed: 20 }));
    for (let batch = 0; batch < 50; batch += 1) {
      on.capture.record(20);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await until(() => expect(kept).toHaveLength(1000));
    expect(kept.map(origin)).toEqual(range(0, 1000).map((n) => [on.capture.run, n]));
    expect(on.server.sessions.length).toBeGreaterThan(3);
    for (const [index, session] of on.server.sessions.slice(1).entries()) {
      const resume = hello(session)?.resume;
      expect(resume?.epoch).toBe(4);
      // The last one known to be there; what was sent after it may have gone with the socket.
      expect(resume?.sequence).toBeLessThan(welcomed[index + 1] ?? 0);
    }
    expect(on.of('on-air').every(({ lost }) => lost === 0)).toBe(true);
  });

  it('counts what two minutes could not hold, and sends the rest', async () => {
    await on.start(quickPlatform({ speed: 20 }));
    await on.hello(1);
    on.session.welcome(1, 0);
    on.capture.record(10);
    await until(() => expect(on.session.frames).toHaveLength(10));
    on.session.say({ type: 'ack', sequence: 9 });
    // A cut may take with it what was said just before.
    await until(() => expect(on.of('uplink').at(-1)?.acked).toBe(9));
    on.session.cut();
    on.capture.record(KEPT + 100);
    await on.hello(2);
    expect(hello(on.session)?.resume).toEqual({ epoch: 1, sequence: 9 });
    on.session.welcome(1, 10);
    await until(() => expect(on.session.frames).toHaveLength(KEPT));
    expect(sequences(on.session.frames)).toEqual(range(110, KEPT + 110));
    expect(on.of('on-air')[1]).toMatchObject({ lost: 100 });
    await until(() => expect(on.of('uplink').at(-1)).toMatchObject({ lost: 100, acked: 9 }));
  });

  it('starts a new run when the server no longer knows the epoch', async () => {
    await on.start(quickPlatform({ speed: 20 }));
    await on.hello(1);
    on.session.welcome(1, 0);
    const run = on.capture.run;
    on.capture.record(10);
    await until(() => expect(on.session.frames).toHaveLength(10));
    on.session.say({ type: 'ack', sequence: 5 });
    await until(() => expect(on.of('uplink').at(-1)?.acked).toBe(5));
    on.session.cut();
    await on.hello(2);
    on.session.welcome(2, 0);
    await until(() => expect(on.capture.run).toBeGreaterThan(run));
    on.capture.record(3);
    await until(() => expect(on.session.frames).toHaveLength(3));
    expect(on.session.frames.map((frame) => [frame.epoch, frame.sequence])).toEqual([
      [2, 0],
      [2, 1],
      [2, 2],
    ]);
    expect(on.session.frames.map(origin)).toEqual(range(0, 3).map((n) => [on.capture.run, n]));
    expect(on.of('on-air')[1]).toMatchObject({ epoch: 2, lost: 4 });
  });
});

describe('a media clock that stood still', () => {
  it('goes on in a new epoch on a new socket, after all of the old one', async () => {
    await on.start(quickPlatform());
    await on.hello(1);
    on.session.welcome(1, 0);
    on.capture.record(50);
    on.capture.begin(on.capture.run + 1);
    on.capture.record(5);
    await on.hello(2);
    expect(sequences(on.server.sessions[0]?.frames ?? [])).toEqual(range(0, 50));
    expect(hello(on.session)).toMatchObject({ resume: { epoch: 1 }, fresh: true });
    on.session.welcome(2, 0);
    on.capture.record(2);
    await until(() => expect(on.session.frames).toHaveLength(7));
    expect(on.session.frames.map(origin)).toEqual(range(0, 7).map((n) => [on.capture.run, n]));
    expect(on.session.frames.every((frame) => frame.epoch === 2)).toBe(true);
    expect(on.of('on-air')[1]).toMatchObject({ epoch: 2, lost: 0 });
  });

  it('first brings what the old epoch still owes when the socket had gone too', async () => {
    await on.start(quickPlatform({ speed: 20 }));
    await on.hello(1);
    on.session.welcome(1, 0);
    on.capture.record(4);
    await until(() => expect(on.session.frames).toHaveLength(4));
    on.session.cut();
    on.capture.record(6);
    on.capture.begin(on.capture.run + 1);
    on.capture.record(5);
    await on.hello(2);
    const second = on.session;
    expect(hello(second)).toMatchObject({ resume: { epoch: 1, sequence: -1 } });
    expect(hello(second)).not.toHaveProperty('fresh');
    second.welcome(1, 4);
    await on.hello(3);
    expect(sequences(second.frames)).toEqual(range(4, 10));
    expect(hello(on.session)).toMatchObject({ resume: { epoch: 1 }, fresh: true });
    on.session.welcome(2, 0);
    await until(() => expect(sequences(on.session.frames)).toEqual(range(0, 5)));
    expect(on.of('uplink').every(({ lost }) => lost === 0)).toBe(true);
  });
});
