/**
 * A host who is offline for ten minutes and goes on speaking, with the real limits: two minutes of
 * replay, ninety seconds of grace. What was spooled makes the old recording whole, and what is said
 * after the return is another broadcast's.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DiskFolder } from '../client/disk-folder.ts';
import { startChaosProxy } from '../helpers/chaos-proxy.ts';
import { KnownPackets, recordedIn } from '../helpers/known-packets.ts';
import { startLiveService } from '../helpers/live-service.ts';
import { untilTrue } from '../helpers/patience.ts';
import { RecordingClient } from '../helpers/recording-client.ts';
import { ReturningPublisher } from '../helpers/returning-publisher.ts';
import { type Claim, judge } from './verdict.ts';

const SEED = 20_261_123;
const TALK = 5000;
const UPLOADED_WITHIN = 120_000;

/** Offline for `minutes`. */
export const run = async ({ minutes = 10 }: { minutes?: number } = {}): Promise<void> => {
  const known = new KnownPackets({ seed: SEED });
  const service = await startLiveService();
  const proxy = await startChaosProxy(service.port, { seed: SEED });
  const folder = await DiskFolder.make();
  const token = new URL(service.studio).hash.replace('#token=', '');
  const recordings = new RecordingClient(() => ({
    base: `http://127.0.0.1:${service.port}`,
    token,
  }));
  const publisher = new ReturningPublisher(
    { server: `http://127.0.0.1:${proxy.port}`, token },
    { packets: known.packets, openFolder: folder.open },
  );
  const claims: Claim[] = [];
  const claim = (name: string, value: number): void => {
    claims.push({ name, value, most: 0, unit: '' });
  };
  try {
    await untilTrue(() => publisher.acked > 0);
    await sleep(TALK);
    proxy.cut();
    await sleep(minutes * 60_000);
    proxy.restore();
    const returned = performance.now();
    await untilTrue(() => publisher.epochs.length === 2);
    const back = publisher.events.findLast((event) => event.type === 'on-air');
    await sleep(TALK);
    await untilTrue(async () => (await folder.list()).length === 0, UPLOADED_WITHIN);
    const took = performance.now() - returned;
    await publisher.finish();
    await recordings.final();
    const items = (await recordings.list()).reverse();
    process.stdout.write(
      `  seed ${SEED}; back after ${((back?.outage ?? 0) / 1000).toFixed(1)} s, ` +
        `${back?.spooled} frames by upload, all up ${(took / 1000).toFixed(1)} s after the line ` +
        `came back; ${items.length} recordings\n`,
    );
    claim('frames lost, as the studio says', back?.lost ?? 1);
    // One recording for each broadcast: the first may hold all there is.
    const wanted = items.length === 1 ? [publisher.captured] : publisher.runs.map((r) => r.count);
    claim('recordings besides those of the broadcasts', Math.abs(items.length - wanted.length));
    let first = 0;
    for (const [index, item] of items.entries()) {
      const { packets } = recordedIn(await recordings.fileOf(item));
      const count = wanted[index] ?? 0;
      const wrong = packets.filter(
        (packet, at) => known.numberOf(packet) !== (first + at) % known.packets.length,
      ).length;
      const name = `recording ${index + 1}, ${(count / 50).toFixed(1)} s`;
      claim(`${name}: packets too few or many`, Math.abs(packets.length - count));
      claim(`${name}: packets not the published ones`, wrong);
      claim(`${name}: not called complete`, item.complete === true ? 0 : 1);
      first += count;
    }
  } finally {
    publisher.end();
    await proxy.close();
    await service.stop();
    await folder.dispose();
  }
  judge(claims);
};
