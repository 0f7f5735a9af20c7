import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { utc } from '../../shared/time.ts';
import { frameOf } from '../helpers/opus-frames.ts';
import {
  type Answer,
  acked,
  bytesOf,
  type Item,
  PACKETS,
  RecordingClient,
  send,
} from '../helpers/recording-client.ts';
import { startPublisher, startService, type TestService } from '../helpers/service.ts';

let service: TestService;
let shift = 0;
const desk = new RecordingClient(() => service);
beforeEach(async () => {
  shift = 0;
  service = await startService({}, { now: () => utc(Date.now() + shift) });
});
afterEach(() => service.stop());

/** Frames of an epoch as the body of a PUT. */
const bodyOf = (epoch: number, sequences: readonly number[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    Buffer.concat(
      sequences.flatMap((sequence) => {
        const bytes = bytesOf(sequence, epoch);
        return [Buffer.of(bytes.length >> 8, bytes.length & 255), bytes];
      }),
    ),
  );
const span = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, at) => from + at);

describe('frames that come late', () => {
  const put = (id: string, body: Uint8Array<ArrayBuffer>, query = ''): Promise<Answer> =>
    desk.call(`/recordings/${id}/frames${query}`, { method: 'PUT', body });

  const holed = async (): Promise<{ item: Item; epoch: number }> => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 50);
    send(client, epoch, 90, 120);
    return { item: await desk.finished(client), epoch };
  };

  it('make the recording whole, wherever they belong', async () => {
    const { item, epoch } = await holed();
    expect(item).toMatchObject({ complete: false, gaps: 0.8, duration: 2.4 });
    const some = await put(item.id, bodyOf(epoch, span(40, 70)), `?epoch=${epoch}&last=129`);
    expect(some.body).toEqual({
      accepted: 20,
      repeated: 10,
      complete: false,
      missing: [
        { epoch, from: 70, to: 89 },
        { epoch, from: 120, to: 129 },
      ],
    });
    const rest = await put(item.id, bodyOf(epoch, span(70, 130)));
    expect(rest.body).toEqual({ accepted: 30, repeated: 30, complete: true, missing: [] });
    expect(await desk.list()).toMatchObject([
      { complete: true, gaps: 0, duration: 2.6, final: true },
    ]);
    expect(await desk.packetsOf(item)).toEqual(PACKETS.slice(0, 130));
  });

  it('come also while the broadcast is on', async () => {
    const { client, epoch } = await startPublisher(service);
    send(client, epoch, 0, 20);
    send(client, epoch, 40, 60);
    await acked(client, 59);
    const [item] = await desk.list();
    const answer = await put(String(item?.id), bodyOf(epoch, span(20, 40)));
    expect(answer.body).toMatchObject({ accepted: 20, missing: [] });
    send(client, epoch, 60, 70);
    expect(await desk.packetsOf(await desk.finished(client))).toEqual(PACKETS.slice(0, 70));
  });

  it('are refused where they are foreign, corrupt, misplaced or too late; what was good stays', async () => {
    const { item, epoch } = await holed();
    const good = bodyOf(epoch, [50]);
    const after = (bad: Uint8Array): Uint8Array<ArrayBuffer> =>
      new Uint8Array(Buffer.concat([good, bad]));
    const misplaced = frameOf(PACKETS[0] as Buffer, { sequence: 60, epoch, timestamp: 0 }).bytes;
    const future = frameOf(PACKETS[0] as Buffer, {
      ...{ sequence: 9_000_000, epoch, timestamp: 9_000_000 * 960 },
    }).bytes;
    const lead = ({ length }: Uint8Array): Buffer => Buffer.of(length >> 8, length & 255);
    const cases: [string, Uint8Array, string][] = [
      ['foreign', bodyOf(epoch + 7, [0]), 'foreign-frame'],
      ['short', Buffer.of(0, 3, 1, 2, 3), 'corrupt-frame'],
      ['long', Buffer.of(255, 255, 1, 2, 3), 'corrupt-frame'],
      ['cut', good.subarray(0, 30), 'corrupt-frame'],
      ['garbage', Buffer.concat([Buffer.of(0, 40), Buffer.alloc(40, 9)]), 'corrupt-frame'],
      ['misplaced', Buffer.concat([lead(misplaced), misplaced]), 'misfit-frame'],
      ['future', Buffer.concat([lead(future), future]), 'future-frame'],
    ];
    for (const [name, bad, code] of cases) {
      const answer = await put(item.id, after(bad));
      expect([name, answer.status, answer.body.code]).toEqual([name, 400, code]);
      expect(Number(answer.body.accepted) + Number(answer.body.repeated)).toBe(1);
      expect(answer.body.missing).toEqual([{ epoch, from: 51, to: 89 }]);
    }
    shift = 6.9 * 86_400_000;
    expect((await put(item.id, good)).status).toBe(200);
    shift = 7.1 * 86_400_000;
    expect((await put(item.id, good)).status).toBe(410);
  });

  it('need the right to publish', async () => {
    const { item } = await holed();
    const target = `/recordings/${item.id}/frames`;
    const body = bodyOf(0, [50]);
    expect((await desk.call(target, { method: 'PUT', token: null, body })).status).toBe(401);
    expect((await desk.call(target, { method: 'PUT', token: 'wrong', body })).status).toBe(401);
    expect((await desk.call(target, { token: null })).status).toBe(401);
    expect(
      (await desk.call(`/recordings/${randomUUID()}/frames`, { method: 'PUT', body })).status,
    ).toBe(404);
  });
});
