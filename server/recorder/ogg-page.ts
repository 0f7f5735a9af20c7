/** Ogg pages (RFC 3533 section 6): what goes onto one, and its bytes. */
import { SAMPLE_RATE, type Samples } from '../../shared/time.ts';

/** Bits of a page's header type. */
export const PAGE = { continued: 1, first: 2, last: 4 } as const;

/** Bytes of a page's header before its lacing values. */
export const PAGE_HEADER = 27;

/** Lacing values a page can have. */
export const MOST_LACING = 255;

/** What is on a page already. */
export type PageFill = { readonly frames: number; readonly lacing: number };

/** Nothing yet. */
export const EMPTY_FILL: PageFill = { frames: 0, lacing: 0 };

/** Number of lacing values of a packet of so many bytes. */
export const lacingCount = (packet: number): number => Math.floor(packet / 255) + 1;

/** Whether another frame fits on a page, which holds a second at most: longer ones make players wait. */
export const fits = ({ frames, lacing }: PageFill, packet: number, duration: Samples): boolean =>
  (frames + 1) * duration <= SAMPLE_RATE && lacing + lacingCount(packet) <= MOST_LACING;

/** The page on which a frame goes: this one, or the next one when it does not fit. */
export const filledWith = (fill: PageFill, packet: number, duration: Samples): PageFill => {
  const { frames, lacing } = fits(fill, packet, duration) ? fill : EMPTY_FILL;
  return { frames: frames + 1, lacing: lacing + lacingCount(packet) };
};

const POLYNOMIAL = 0x04c1_1db7;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte << 24;
  for (let bit = 0; bit < 8; bit += 1)
    remainder = (remainder << 1) ^ (remainder < 0 ? POLYNOMIAL : 0);
  return remainder >>> 0;
});

/** The checksum of a page whose checksum field is 0: CRC-32 without reflection or inversion. */
const checksum = (page: Uint8Array): number => {
  let remainder = 0;
  for (let at = 0; at < page.length; at += 1)
    remainder = (remainder << 8) ^ (TABLE[(remainder >>> 24) ^ (page[at] ?? 0)] ?? 0);
  return remainder >>> 0;
};

/** What stands in a page's header. */
export type PageHeader = {
  readonly type: number;
  /** Samples decoded when all packets that end on this page are; -1 when none ends here. */
  readonly granule: number;
  readonly serial: number;
  readonly number: number;
  readonly lacing: Uint8Array;
};

/** Writes a page. */
export const pageOf = (header: PageHeader, payload: Uint8Array): Buffer => {
  const { lacing } = header;
  const page = Buffer.alloc(PAGE_HEADER + lacing.length + payload.length);
  page.write('OggS', 0, 'latin1');
  page[5] = header.type;
  page.writeBigInt64LE(BigInt(header.granule), 6);
  page.writeUInt32LE(header.serial, 14);
  page.writeUInt32LE(header.number, 18);
  page[26] = lacing.length;
  page.set(lacing, PAGE_HEADER);
  page.set(payload, PAGE_HEADER + lacing.length);
  page.writeUInt32LE(checksum(page), 22);
  return page;
};

/** Lacing values of one packet. */
export const lacingOf = (bytes: number): Uint8Array => {
  const values = new Uint8Array(lacingCount(bytes)).fill(255);
  values[values.length - 1] = bytes % 255;
  return values;
};
