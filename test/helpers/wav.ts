/** WAV files of 16-bit PCM, the form in which Chromium takes a microphone from a file. */

/** Sound as read from a WAV file. */
export type Wav = {
  readonly rate: number;
  /** One array a channel, all of one length, within ±1. */
  readonly channels: readonly Float32Array<ArrayBuffer>[];
};

const HEADER = 44;
const FULL_SCALE = 32_768;

/** Encodes channels of one length, within ±1; what lies beyond is clipped. */
export const encodeWav = ({ rate, channels }: Wav): Uint8Array<ArrayBuffer> => {
  const length = channels[0]?.length ?? 0;
  if (length === 0 || channels.some((channel) => channel.length !== length))
    throw new RangeError('A WAV file has at least one channel, and all are equally long.');
  const frameBytes = channels.length * 2;
  const bytes = new Uint8Array(HEADER + length * frameBytes);
  const view = new DataView(bytes.buffer);
  const name = (at: number, text: string): void => bytes.set(new TextEncoder().encode(text), at);
  name(0, 'RIFF');
  view.setUint32(4, bytes.length - 8, true);
  name(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels.length, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * frameBytes, true);
  view.setUint16(32, frameBytes, true);
  view.setUint16(34, 16, true);
  name(36, 'data');
  view.setUint32(40, length * frameBytes, true);
  for (const [channel, wave] of channels.entries()) {
    for (let index = 0; index < length; index += 1) {
      const level = Math.round(wave[index]! * FULL_SCALE);
      const clipped = Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, level));
      view.setInt16(HEADER + index * frameBytes + channel * 2, clipped, true);
    }
  }
  return bytes;
};

/** Decodes a WAV file of 16-bit PCM, whatever other parts lie between its header and the sound. */
export const decodeWav = (bytes: Uint8Array): Wav => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const nameAt = (at: number): string =>
    String.fromCharCode(...bytes.subarray(at, Math.min(at + 4, bytes.length)));
  if (nameAt(0) !== 'RIFF' || nameAt(8) !== 'WAVE') throw new Error('This is no WAV file.');
  let [count, rate] = [0, 0];
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [name, size] = [nameAt(at), view.getUint32(at + 4, true)];
    const body = at + 8;
    if (name === 'fmt ') {
      const [format, bits] = [view.getUint16(body, true), view.getUint16(body + 14, true)];
      // 0xfffe is the extensible form that many programs write for plain PCM too.
      if ((format !== 1 && format !== 0xfffe) || bits !== 16)
        throw new Error(`Only 16-bit PCM is read here; this is format ${format}, ${bits} bits.`);
      count = view.getUint16(body + 2, true);
      rate = view.getUint32(body + 4, true);
    } else if (name === 'data') {
      // A file that is still being written, or was piped, has a size that is too large.
      const length = Math.floor(Math.min(size, bytes.length - body) / (2 * count));
      const channels = Array.from({ length: count }, (_, channel) =>
        Float32Array.from(
          { length },
          (__, index) => view.getInt16(body + 2 * (index * count + channel), true) / FULL_SCALE,
        ),
      );
      return { rate, channels };
    }
    at = body + size + (size % 2);
  }
  throw new Error('This WAV file has no sound in it.');
};
