/** From what the microphone's opening threw to the sentence the studio shows. */
import { asMicrophoneError, type MicrophoneErrorCode } from '../audio/microphone-error.ts';
import type { MicrophoneTrouble } from './broadcaster.ts';

const TROUBLES: Readonly<Record<MicrophoneErrorCode, MicrophoneTrouble>> = {
  denied: 'microphone-denied',
  none: 'microphone-missing',
  busy: 'microphone-busy',
  insecure: 'insecure',
  'no-worklet': 'unsupported',
  unknown: 'microphone-failed',
};

/** Names the trouble in the words of the studio's catalogue. */
export const microphoneTrouble = (error: unknown): MicrophoneTrouble =>
  TROUBLES[asMicrophoneError(error).code];
