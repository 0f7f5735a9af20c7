import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UplinkEvent } from '../../client/net/messages.ts';
import type { Platform } from '../../client/net/platform.ts';
import { Salvage } from '../../client/net/salvage.ts';
import { CLOSE } from '../../shared/codes.ts';
import type { Frame } from '../../shared/frame.ts';
import { millis } from '../../shared/time.ts';
import { DiskFolder } from './disk-folder.ts';
import { origin, Publishing, range, sequences, until } from './publishing.ts';
import { quickPlatform } from './quick-platform.ts';

let on: Publishing;
let disk: DiskFolder;
/** A replay of one second, and a spool from half a second on. */
const SHORT = { replay: { kept: millis(1000), spoolAfter: millis(500) } };
const HELD = 50;

beforeEach(async () => {
  on = await Publishing.open();
  disk = await DiskFolder.make();
});

afterEach(async () => {
  await on.close();
  await disk.dispose();
});

const withDisk = (options: { speed?: number } = {}): Platform => ({
  ...quickPlatform(options),
  openFolder: disk.open,
});

const uploaded = (recording: string): Frame[] =>
  on.server.uploads.filter((upload) => upload.recording === recording).flatMap((u) => u.frames);

const spool = (events: readonly UplinkEvent[] = on.events) =>
  events.filter((event) => event.type === 'spool').at(-1);

/** On the air with ten frames that the server has, and then no server. */
const goLiveAndBeCut = async (platform: Platform, recording: string | null = 'first') => {
  await on.start(platform, SHORT);
  await on.hello(1);
  on.session.welcome(1, 0, recording);
  on.capture.record(10);
  await until(() => expect(on.session.frames).toHaveLength(10));
  on.session.say({ type: 'ack', sequence: 9 });
  await until(() => expect(on.of('uplink').at(-1)?.acked).toBe(9));
  on.server.refuseUpgrade = 503;
  on.session.cut();
};

/** Captures in batches, so that what leaves the ring was written before. */
const talk = async (batches: number): Promise<void> => {
  for (let batch = 0; batch < batches; batch += 1) {
    on.capture.record(10);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
};

describe('an outage longer than the replay', () => {
  it('brings every frame exactly once, by socket or by upload, and leaves no file', async () => {
    await goLiveAndBeCut(withDisk({ speed: 20 }));
    await talk(20);
    on.server.refuseUpgrade = 0;
    await on.hello(2);
    on.session.welcome(1, 10, 'first');
    await until(() => expect(on.session.frames).toHaveLength(HELD));
    expect(sequences(on.session.frames)).toEqual(range(160, 210));
    expect(on.of('on-air')[1]).toMatchObject({ lost: 0, spooled: 150, anew: false });
    await until(() => expect(uploaded('first')).toHaveLength(150));
    expect(sequences(uploaded('first'))).toEqual(range(10, 160));
    expect(uploaded('first').map(origin)).toEqual(range(10, 160).map((n) => [on.capture.run, n]));
    expect(on.server.uploads[0]?.authorization).toBe('Bearer a token');
    // Kept until the socket's part is confirmed as well.
    on.session.say({ type: 'ack', sequence: 209 });
    await until(async () => expect(await disk.list()).toEqual([]));
    await until(() => expect(spool()?.parts ?? []).toEqual([]));
  });

  it('uploads nothing when the replay reached over it', async () => {
    await goLiveAndBeCut(withDisk({ speed: 20 }));
    await talk(4);
    await until(async () => expect(await disk.list()).toHaveLength(1));
    on.server.refuseUpgrade = 0;
    await on.hello(2);
    on.session.welcome(1, 10, 'first');
    await until(() => expect(on.session.frames).toHaveLength(40));
    on.session.say({ type: 'ack', sequence: 49 });
    await until(async () => expect(await disk.list()).toEqual([]));
    expect(on.server.uploadsAsked).toBe(0);
  });

  it('says what is lost where nothing can be kept', async () => {
    await goLiveAndBeCut({ ...withDisk({ speed: 20 }), openFolder: async () => null });
    await talk(20);
    on.server.refuseUpgrade = 0;
    await on.hello(2);
    on.session.welcome(1, 10, 'first');
    await until(() => expect(on.of('on-air')[1]).toMatchObject({ lost: 150, spooled: 0 }));
    expect(spool()).toMatchObject({ trouble: 'unsupported' });
  });

  it('keeps nothing of a broadcast that is not recorded', async () => {
    await goLiveAndBeCut(withDisk({ speed: 20 }), null);
    await talk(20);
    on.server.refuseUpgrade = 0;
    await on.hello(2);
    on.session.welcome(1, 10, null);
    await until(() => expect(on.of('on-air')[1]).toMatchObject({ lost: 150, spooled: 0 }));
    expect(await disk.list()).toEqual([]);
  });

  it('goes on when the disk is full, and says how much of it is lost', async () => {
    await goLiveAndBeCut(withDisk({ speed: 20 }));
    disk.space = 40 * 78;
    await talk(20);
    on.server.refuseUpgrade = 0;
    await on.hello(2);
    on.session.welcome(1, 10, 'first');
    await until(() => expect(on.session.frames).toHaveLength(HELD));
    await until(() => expect(spool()).toMatchObject({ trouble: 'full' }));
    const kept = uploaded('first').length;
    await until(() => expect(on.of('uplink').at(-1)?.lost).toBe(150 - uploaded('first').length));
    expect(kept).toBeLessThanOrEqual(40);
  });
});

describe('a broadcast that has ended while its host was away', () => {
  it('gets everything said until the return, and the new one only what comes after', async () => {
    await goLiveAndBeCut(withDisk({ speed: 20 }));
    const old = on.capture.run;
    await talk(20);
    on.server.refuseUpgrade = 0;
    await on.hello(2);
    on.session.welcome(2, 0, 'second');
    await until(() => expect(on.capture.run).not.toBe(old));
    await until(() =>
      expect(on.of('on-air')[1]).toMatchObject({ epoch: 2, lost: 0, spooled: 200, anew: true }),
    );
    on.capture.record(30);
    await until(() => expect(on.session.frames).toHaveLength(30));
    expect(on.session.frames.every(({ epoch }) => epoch === 2)).toBe(true);
    expect(sequences(on.session.frames)).toEqual(range(0, 30));
    await until(() => expect(uploaded('first')).toHaveLength(200));
    expect(sequences(uploaded('first'))).toEqual(range(10, 210));
    expect(uploaded('first').map(origin)).toEqual(range(10, 210).map((n) => [old, n]));
    expect(uploaded('second')).toEqual([]);
    // No acknowledgement of the old epoch will ever come, and none is needed.
    on.session.say({ type: 'ack', sequence: 29 });
    await until(async () => expect(await disk.list()).toEqual([]));
  });

  it('also gets the packets that were under way when the new one began', async () => {
    await goLiveAndBeCut(withDisk({ speed: 20 }));
    const old = on.capture.run;
    await talk(6);
    on.server.refuseUpgrade = 0;
    await on.hello(2);
    on.capture.lag = 5;
    on.session.welcome(2, 0, 'second');
    await until(() => expect(on.capture.run).not.toBe(old));
    await until(() => expect(uploaded('first')).toHaveLength(65));
    expect(uploaded('first').map(origin)).toEqual(range(10, 75).map((n) => [old, n]));
  });
});

describe('frames that a dying socket swallowed', () => {
  it('go up too when the replay has let go of them before the return', async () => {
    await on.start(withDisk({ speed: 20 }), SHORT);
    await on.hello(1);
    on.session.welcome(1, 0, 'first');
    on.capture.record(10);
    await until(() => expect(on.session.frames).toHaveLength(10));
    on.session.say({ type: 'ack', sequence: 9 });
    await until(() => expect(on.of('uplink').at(-1)?.acked).toBe(9));
    // Taken by the socket, never acknowledged, and long gone from the ring at the goodbye.
    await talk(20);
    await until(() => expect(on.session.frames).toHaveLength(210));
    on.server.refuseUpgrade = 503;
    on.session.cut();
    await talk(6);
    on.leave();
    await until(() => expect(on.last).toEqual({ type: 'ended' }));
    const [part] = spool()?.parts ?? [];
    expect(part).toMatchObject({ duration: 260 * 20 });
    expect(on.of('uplink').at(-1)?.lost).toBe(0);
  });
});

describe('the end that crosses a close of the server', () => {
  it.each([
    [CLOSE.restarting, 100],
    [CLOSE.taken, 100],
    [1000, null],
  ] as const)('with %d keeps what was not acknowledged: %j ms', async (code, kept) => {
    await on.start(withDisk({ speed: 20 }), SHORT);
    await on.hello(1);
    on.session.welcome(1, 0, 'first');
    on.capture.record(10);
    await until(() => expect(on.session.frames).toHaveLength(10));
    on.session.say({ type: 'ack', sequence: 4 });
    await until(() => expect(on.of('uplink').at(-1)?.acked).toBe(4));
    on.session.closesAtBye = code;
    on.leave();
    await until(() => expect(on.last).toEqual({ type: 'ended' }));
    expect(spool()?.parts[0]?.duration ?? null).toBe(kept);
    expect(await disk.list()).toHaveLength(kept === null ? 0 : 1);
  });
});

describe('the end without a server', () => {
  it('puts what was said away, and a later visit brings it when asked', async () => {
    await goLiveAndBeCut(withDisk({ speed: 40 }));
    await talk(8);
    on.leave();
    await until(() => expect(on.last).toEqual({ type: 'ended' }));
    expect(await disk.list()).not.toEqual([]);
    expect(spool()?.parts).toMatchObject([{ recording: 'first', duration: 1600, left: false }]);

    const events: UplinkEvent[] = [];
    const salvage = new Salvage(
      { type: 'salvage', server: on.server.url, channel: 'live', token: 'another token' },
      { post: (event) => events.push(event), platform: withDisk({ speed: 40 }) },
    );
    salvage.start();
    await until(() =>
      expect(spool(events)?.parts).toMatchObject([
        { recording: 'first', duration: 1600, left: true },
      ]),
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(on.server.uploadsAsked).toBe(0);
    salvage.desk.ask(['first']);
    await until(() => expect(spool(events)).toMatchObject({ parts: [], upload: null }));
    expect(sequences(uploaded('first'))).toEqual(range(10, 90));
    expect(on.server.uploads[0]?.authorization).toBe('Bearer another token');
    expect(await disk.list()).toEqual([]);
    salvage.leave();
  });

  it('puts it away too when somebody else took the channel', async () => {
    await goLiveAndBeCut(withDisk({ speed: 20 }));
    await talk(3);
    on.server.greet = (session) => session.close(CLOSE.taken);
    on.server.refuseUpgrade = 0;
    await until(() => expect(on.last).toMatchObject({ type: 'refused', why: 'taken' }));
    expect(await disk.list()).toHaveLength(1);
  });
});
