/** Whether a frame follows from the one before it: sequence, timestamp and pace, in one place. */
import { CLOSE, ProtocolViolation } from '../../shared/codes.ts';
import { FLAG, type Frame } from '../../shared/frame.ts';
import type { Utc } from '../../shared/time.ts';
import type { Epoch } from './channel.ts';
import { MAX_LEAD, MediaPace } from './media-pace.ts';

const malformed = (sentence: string): ProtocolViolation =>
  new ProtocolViolation(CLOSE.badMessage, sentence);

/**
 * Checks that a frame is the next one of an epoch, or a later one after losses.
 *
 * @throws {ProtocolViolation} 4400 for a sequence or timestamp that goes back or does not fit the
 *   other; 4429 when media time runs ahead of what the clock allows.
 */
export const checkOrder = (epoch: Epoch, frame: Frame, now: Utc): void => {
  if (frame.rendition !== 0)
    throw malformed(`A publisher sends rendition 0; this frame says ${frame.rendition}.`);
  if (frame.duration !== epoch.rendition.frame)
    throw malformed(`Hello said frames of ${epoch.rendition.frame}; this has ${frame.duration}.`);
  if (frame.sequence < epoch.next)
    throw malformed(`Sequence ${frame.sequence} goes back; ${epoch.next} is next.`);
  if (epoch.end !== null) {
    const lost = (frame.sequence - epoch.next) * frame.duration;
    const hole = frame.timestamp - epoch.end - lost;
    if (hole < 0) throw malformed(`Timestamp ${frame.timestamp} is too early for its sequence.`);
    if (hole > 0 && (frame.flags & FLAG.discontinuity) === 0 && lost === 0)
      throw malformed(`Timestamp ${frame.timestamp} jumps, without the flag that says so.`);
  }
  epoch.pace ??= new MediaPace(frame.timestamp, now);
  const lead = epoch.pace.enter(frame.timestamp, now);
  if (lead > MAX_LEAD)
    throw new ProtocolViolation(
      CLOSE.tooMany,
      `Media time runs ${Math.round(lead)} ms ahead; ${MAX_LEAD} ms are allowed.`,
    );
};
