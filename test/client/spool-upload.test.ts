import { truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Spool } from '../../client/net/spool.ts';
import { SpoolUpload } from '../../client/net/spool-upload.ts';
import { encodeFrame } from '../../shared/frame.ts';
import { samples, utc } from '../../shared/time.ts';
import { DiskFolder } from './disk-folder.ts';
import { FRAME, range, until } from './publishing.ts';
import { quickPlatform } from './quick-platform.ts';
import { SmallServer } from './small-server.ts';

const platform = quickPlatform({ speed: 20 });
const COUNT = 500;
const BYTES = 1400;

let server: SmallServer;
let disk: DiskFolder;
let spool: Spool;
let upload: SpoolUpload;
let calm: () => boolean;

/** Seven hundred kilobytes of frames that are owed. */
beforeEach(async () => {
  server = await SmallServer.open();
  disk = await DiskFolder.make();
  spool = new Spool(disk.open(), platform);
  for (const sequence of range(0, COUNT)) {
    const timestamp = samples(sequence * FRAME);
    const header = { flags: 0, rendition: 0, duration: samples(FRAME), epoch: 1, timestamp };
    const packet = new Uint8Array(BYTES);
    packet[0] = 0xfc;
    const frame = { ...header, sequence, packet, captured: utc(0) };
    spool.keep(encodeFrame(frame, packet), frame, {
      recording: 'r',
      epoch: 1,
      begun: utc(0),
    });
  }
  spool.owe(1, { from: 0, to: COUNT });
  spool.confirm(1, COUNT);
  await spool.settle();
  calm = () => true;
  upload = new SpoolUpload(spool, {
    server: server.url,
    token: 'a token',
    calm: () => calm(),
    platform,
  });
});

afterEach(async () => {
  upload.dispose();
  await server.close();
  await disk.dispose();
});

const arrived = (): number[] =>
  server.uploads.flatMap(({ frames }) => frames.map(({ sequence }) => sequence));

describe('an upload', () => {
  it('goes in slices of a quarter of a megabyte, in order, and tells how far it is', async () => {
    const shares: number[] = [];
    upload.look();
    await until(() => {
      const progress = upload.progress;
      if (progress !== null) shares.push(progress.sent / progress.whole);
      expect(arrived()).toHaveLength(COUNT);
    });
    expect(arrived()).toEqual(range(0, COUNT));
    for (const { frames } of server.uploads)
      expect(frames.length * (BYTES + 18)).toBeLessThanOrEqual(256 * 1024);
    expect(server.uploads.every(({ last }) => last === COUNT - 1)).toBe(true);
    expect(shares).toEqual(shares.toSorted((one, other) => one - other));
    await until(() => expect(upload.progress).toBeNull());
    await until(async () => expect(await disk.list()).toEqual([]));
  });

  it('waits while anything live waits', async () => {
    calm = () => false;
    upload.look();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(server.uploadsAsked).toBe(0);
    calm = () => true;
    await until(() => expect(arrived()).toHaveLength(COUNT));
  });

  it('takes smaller slices on a line where live frames begin to wait', async () => {
    server.uploadDelay = 100;
    // Calm before every request, and in the middle of the first no longer.
    let disturbed = false;
    calm = () => {
      if (server.uploadsAsked !== 1 || disturbed) return true;
      disturbed = true;
      return false;
    };
    upload.look();
    await until(() => expect(arrived()).toHaveLength(COUNT));
    expect(server.uploads[0]?.frames.length).toBeLessThanOrEqual((128 * 1024) / (BYTES + 18));
    expect(arrived()).toEqual(range(0, COUNT));
  });

  it('takes smaller slices on a line too thin for an answer in time', async () => {
    upload = new SpoolUpload(spool, {
      server: server.url,
      token: 'a token',
      calm: () => true,
      platform: quickPlatform({ speed: 100 }),
    });
    server.uploadDelay = 2000;
    upload.look();
    await until(() => expect(server.uploadsAsked).toBeGreaterThan(1));
    server.uploadDelay = 0;
    await until(() => expect(arrived()).toEqual(range(0, COUNT)));
    expect(server.uploads[0]?.frames.length).toBeLessThanOrEqual((128 * 1024) / (BYTES + 18));
  });

  it.each([503, 429, 500])('comes back after HTTP %d', async (status) => {
    server.uploadStatus = status;
    upload.look();
    await until(() => expect(server.uploadsAsked).toBeGreaterThan(2));
    expect(upload.trouble).toBeNull();
    server.uploadStatus = 200;
    await until(() => expect(arrived()).toEqual(range(0, COUNT)));
  });

  it.each([
    [400, 'refused'],
    [404, 'refused'],
    [409, 'refused'],
    [401, 'token'],
    [403, 'token'],
  ] as const)('is not tried again after HTTP %d until somebody asks', async (status, trouble) => {
    server.uploadStatus = status;
    upload.look();
    await until(() => expect(upload.trouble).toBe(trouble));
    upload.look();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(server.uploadsAsked).toBe(1);
    expect(spool.parts).toHaveLength(1);
    server.uploadStatus = 200;
    upload.ask('r');
    await until(() => expect(arrived()).toEqual(range(0, COUNT)));
    expect(upload.trouble).toBeNull();
  });

  it('keeps a file that cannot be read, says so, and brings it when asked again', async () => {
    const [name = ''] = await disk.list();
    const repair = await disk.spoil(name);
    upload.look();
    await until(() => expect(upload.trouble).toBe('failed'));
    await until(() => expect(upload.progress).toBeNull());
    expect(server.uploadsAsked).toBe(0);
    expect(spool.parts).toMatchObject([{ recording: 'r', duration: COUNT * 20 }]);
    await repair();
    upload.ask('r');
    await until(() => expect(arrived()).toEqual(range(0, COUNT)));
    await until(async () => expect(await disk.list()).toEqual([]));
  });

  it('keeps a file that has become shorter than what is owed of it', async () => {
    const [name = ''] = await disk.list();
    await truncate(join(disk.path, name), 100 * 1024);
    upload.look();
    await until(() => expect(upload.trouble).toBe('failed'));
    expect(await disk.list()).toEqual([name]);
    expect(spool.parts).toMatchObject([{ duration: COUNT * 20 }]);
  });

  it('has nothing to bring of a file that has gone', async () => {
    const [name = ''] = await disk.list();
    await disk.remove(name);
    upload.look();
    await until(() => expect(spool.parts).toEqual([]));
    await until(() => expect(upload.progress).toBeNull());
    expect([upload.trouble, server.uploadsAsked]).toEqual([null, 0]);
  });

  it('makes the slices smaller when the server finds them too large', async () => {
    server.uploadMost = 40 * 1024;
    upload.look();
    await until(() => expect(arrived()).toEqual(range(0, COUNT)));
  });
});
