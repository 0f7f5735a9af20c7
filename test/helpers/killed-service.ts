/** A service that is killed on the air, and what its disk holds at that moment. */
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LiveService } from './live-service.ts';
import type { ReturningPublisher } from './returning-publisher.ts';

/** All that the journals of a data folder hold. */
const journaled = async (data: string): Promise<Buffer> => {
  const folder = join(data, 'recordings');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.journal'));
  return Buffer.concat(await Promise.all(names.map((name) => readFile(join(folder, name)))));
};

/** Kills it with -9, and counts the frames it had acknowledged and those of them on the disk. */
export const killOnAir = async (
  { child }: LiveService,
  {
    data,
    publisher,
    packets,
  }: { data: string; publisher: ReturningPublisher; packets: readonly Buffer[] },
): Promise<{ readonly acknowledged: number; readonly held: number }> => {
  child.kill('SIGKILL');
  await once(child, 'exit');
  const acknowledged = publisher.acked + 1;
  const kept = await journaled(data);
  const held = packets.slice(0, acknowledged).filter((packet) => kept.includes(packet)).length;
  return { acknowledged, held };
};
