import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { utc } from '../../shared/time.ts';
import { acked, RecordingClient, send } from '../helpers/recording-client.ts';
import { startPublisher, startService, type TestService } from '../helpers/service.ts';

let service: TestService;
const desk = new RecordingClient(() => service);
/** How far the server's clock has been set ahead, so that eight seconds may come at once, ms. */
let ahead = 0;
beforeEach(async () => {
  ahead = 0;
  service = await startService({}, { now: () => utc(Date.now() + ahead) });
});
afterEach(() => service.stop());

it('a recording as HLS needs nothing but its copy: chapters come without the journal', async () => {
  const { client, epoch } = await startPublisher(service);
  send(client, epoch, 0, 100);
  await acked(client, 99);
  ahead = 6000;
  send(client, epoch, 100, 400);
  client.send({ type: 'metadata', title: 'First', at: { epoch, timestamp: 0 } });
  // In the second segment, at a sample that is no whole number of 100 ns.
  client.send({ type: 'metadata', title: '둘째', at: { epoch, timestamp: 300_001 } });
  const { id } = await desk.finished(client);
  await service.library.copies.want(id);
  const index = `${service.base}/c/live/recordings/${id}/index.m3u8`;
  const playlist = await (await fetch(index)).text();
  await rm(join(service.data, 'recordings', `${id}.journal`));
  const segments = await Promise.all(
    (playlist.match(/^[^#\n]+\.m4s$/gm) ?? []).map(async (name) =>
      Buffer.from(await (await fetch(index.replace('index.m3u8', name))).arrayBuffer()),
    ),
  );
  const told = segments.map((bytes) => ['First', '둘째'].filter((title) => bytes.includes(title)));
  expect(told).toEqual([['First'], ['둘째']]);
  // The event message (ISO/IEC 23009-1 section 5.10.3.3) is dated to the sample.
  const message = segments[1] ?? Buffer.alloc(0);
  const from = message.indexOf('emsg') + 8;
  expect(message.readUInt32BE(from)).toBe(48_000);
  expect(message.readBigUInt64BE(from + 4)).toBe(300_001n);
});
