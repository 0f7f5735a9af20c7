/** The body of `PUT …/frames`: frames one behind the other, each preceded by its length as u16. */
import { ProtocolViolation } from '../../shared/codes.ts';
import { decodeFrame, type Frame, HEADER_BYTES, MAX_FRAME_BYTES } from '../../shared/frame.ts';

const LENGTH_BYTES = 2;

/** A body that is not as it should be; what came before it is good. */
export class BadBody extends Error {}

/** Takes frames out of consecutive pieces of a body; holds less than a frame itself. */
export class FrameBody {
  #held: Buffer = Buffer.alloc(0);

  /** The frames that a piece completes. @throws {BadBody} at the first that is none. */
  *read(piece: Uint8Array): Generator<Frame> {
    const buffer = Buffer.concat([this.#held, piece]);
    let at = 0;
    while (buffer.length - at >= LENGTH_BYTES) {
      const length = buffer.readUInt16BE(at);
      if (length <= HEADER_BYTES || length > MAX_FRAME_BYTES)
        throw new BadBody(
          `A frame has ${HEADER_BYTES + 1} to ${MAX_FRAME_BYTES} bytes; this one says ${length}.`,
        );
      const end = at + LENGTH_BYTES + length;
      if (end > buffer.length) break;
      yield frameOf(buffer.subarray(at + LENGTH_BYTES, end));
      at = end;
    }
    this.#held = buffer.subarray(at);
  }

  /** Says that there is no more. @throws {BadBody} in the middle of a frame. */
  finish(): void {
    if (this.#held.length > 0) throw new BadBody('The body ends in the middle of a frame.');
  }
}

const frameOf = (bytes: Uint8Array): Frame => {
  try {
    const frame = decodeFrame(bytes);
    if (frame.rendition === 0) return frame;
  } catch (error) {
    if (error instanceof ProtocolViolation) throw new BadBody(error.message);
    throw error;
  }
  throw new BadBody('Only frames of rendition 0 are recorded.');
};
