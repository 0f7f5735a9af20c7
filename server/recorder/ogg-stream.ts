/** Bytes of an Ogg view, read from the journal as they are asked for, a block at a time. */
import { open } from 'node:fs/promises';
import { HEADER_BYTES } from '../../shared/frame.ts';
import type { Block } from './blocks.ts';
import { RECORD_HEADER } from './journal-record.ts';
import type { OggView } from './ogg.ts';

/** The packets in the records of a block. Throws when they are not those that were indexed. */
export const packetsOf = (records: Buffer, { payload, count }: Block): Uint8Array[] => {
  const packets: Uint8Array[] = [];
  let bytes = 0;
  for (let at = 0; packets.length < count && at + RECORD_HEADER <= records.length; ) {
    const end = at + RECORD_HEADER + records.readUInt16BE(at);
    const packet = records.subarray(at + RECORD_HEADER + HEADER_BYTES, end);
    packets.push(packet);
    bytes += packet.length;
    at = end;
  }
  if (bytes !== payload || packets.length !== count)
    throw new Error('A journal is no longer what it was when it was read.');
  return packets;
};

/** Reads the bytes of a view from `from` up to, not including, `to`. */
export async function* readOgg(
  view: OggView,
  { path, from, to }: { path: string; from: number; to: number },
): AsyncGenerator<Buffer> {
  const file = await open(path, 'r');
  try {
    for (const { index, start } of view.parts(from, to)) {
      const block = view.blockOf(index);
      let packets: Uint8Array[] = [];
      if (block !== undefined) {
        const records = Buffer.allocUnsafe(block.bytes);
        const { bytesRead } = await file.read(records, 0, block.bytes, block.offset);
        packets = packetsOf(records.subarray(0, bytesRead), block);
      }
      const part = view.part(index, packets);
      yield part.subarray(Math.max(0, from - start), Math.min(part.length, to - start));
    }
  } finally {
    await file.close();
  }
}
