/** A plain reader of Ogg files for tests, written from RFC 3533 apart from the code under test. */

/** One page as it stands in the file. */
export type ReadPage = {
  readonly type: number;
  readonly granule: bigint;
  readonly serial: number;
  readonly number: number;
  readonly crc: number;
};

/** A file taken apart. */
export type ReadOgg = { readonly pages: readonly ReadPage[]; readonly packets: readonly Buffer[] };

/** Takes a file apart into pages and packets; throws where it is no sequence of pages. */
export const readOggFile = (file: Buffer): ReadOgg => {
  const pages: ReadPage[] = [];
  const packets: Buffer[] = [];
  let open: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    if (file.toString('latin1', at, at + 4) !== 'OggS') throw new Error(`No page at ${at}.`);
    const segments = file[at + 26] ?? 0;
    pages.push({
      type: file[at + 5] ?? 0,
      granule: file.readBigInt64LE(at + 6),
      serial: file.readUInt32LE(at + 14),
      number: file.readUInt32LE(at + 18),
      crc: file.readUInt32LE(at + 22),
    });
    let body = at + 27 + segments;
    for (let segment = 0; segment < segments; segment += 1) {
      const length = file[at + 27 + segment] ?? 0;
      open.push(file.subarray(body, body + length));
      body += length;
      if (length === 255) continue;
      packets.push(Buffer.concat(open));
      open = [];
    }
    at = body;
  }
  if (open.length > 0) throw new Error('The last packet has no end.');
  return { pages, packets };
};
