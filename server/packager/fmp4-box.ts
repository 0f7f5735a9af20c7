/** Bytes of ISO base media file format boxes (ISO/IEC 14496-12 section 4.2), big-endian. */

const TWO_TO_32 = 0x1_0000_0000;

/** Length of a box's size and type, bytes. */
export const BOX_HEADER_BYTES = 8;

/** Eight-bit numbers. */
export const u8 = (...values: readonly number[]): Buffer => Buffer.from(values);

/** Sixteen-bit numbers. */
export const u16 = (...values: readonly number[]): Buffer =>
  Buffer.from(values.flatMap((value) => [(value >> 8) & 0xff, value & 0xff]));

/** Thirty-two-bit numbers, unsigned. */
export const u32 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.allocUnsafe(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
};

/** A box of a four-letter type around its content. */
export const box = (type: string, ...content: readonly Buffer[]): Buffer => {
  const length = content.reduce((sum, part) => sum + part.length, BOX_HEADER_BYTES);
  return Buffer.concat([u32(length), Buffer.from(type), ...content]);
};

/** A box with a version byte (0) and 24 bits of flags. */
export const fullBox = (type: string, flags: number, ...content: readonly Buffer[]): Buffer =>
  box(type, u32(flags), ...content);

/** Writes boxes one after the other into one allocation whose length is known beforehand. */
export class BoxWriter {
  readonly bytes: Buffer;
  #offset = 0;

  constructor(length: number) {
    this.bytes = Buffer.allocUnsafe(length);
  }

  /** Size and type of a box of `length` bytes, its header included. */
  begin(type: string, length: number): this {
    this.u32(length);
    this.#offset += this.bytes.write(type, this.#offset, 'latin1');
    return this;
  }

  u32(value: number): this {
    this.#offset = this.bytes.writeUInt32BE(value, this.#offset);
    return this;
  }

  /** An unsigned number of 64 bits, exact up to 2^53. */
  u64(value: number): this {
    return this.u32(Math.floor(value / TWO_TO_32)).u32(value % TWO_TO_32);
  }

  copy(content: Uint8Array): this {
    this.bytes.set(content, this.#offset);
    this.#offset += content.length;
    return this;
  }
}
