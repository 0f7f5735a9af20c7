/** Audio frames as WebSocket messages, several in one buffer for one write (RFC 6455 section 5.2). */
import type { Frame } from '../../shared/frame.ts';

const FINAL_BINARY = 0x82;
const SHORT = 126;

/**
 * Each frame as one unmasked binary message, one after the other in one buffer: a server may put
 * several messages into one TCP write, and one write a listener is what fan-out costs.
 */
export const asMessages = (frames: readonly Frame[]): Buffer => {
  let length = 0;
  for (const { bytes } of frames) length += bytes.length + (bytes.length < SHORT ? 2 : 4);
  const buffer = Buffer.allocUnsafe(length);
  let at = 0;
  for (const { bytes } of frames) {
    buffer[at] = FINAL_BINARY;
    if (bytes.length < SHORT) buffer[at + 1] = bytes.length;
    else {
      buffer[at + 1] = SHORT;
      buffer.writeUInt16BE(bytes.length, at + 2);
    }
    at += bytes.length < SHORT ? 2 : 4;
    buffer.set(bytes, at);
    at += bytes.length;
  }
  return buffer;
};
