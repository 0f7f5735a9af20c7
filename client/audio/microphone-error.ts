/** Why there is no microphone, and what a person can do about it. */

/** Each has its own sentence in the catalogues (state/microphone-trouble.ts). */
export type MicrophoneErrorCode =
  | 'insecure' // not HTTPS, nor localhost
  | 'no-worklet' // the browser is too old
  | 'denied'
  | 'none' // no such device
  | 'busy' // held by another program, or by the system
  | 'unknown';

/** The names under which `getUserMedia` fails (Media Capture and Streams, section 10.2). */
const CODES: Readonly<Record<string, MicrophoneErrorCode>> = {
  NotAllowedError: 'denied',
  PermissionDeniedError: 'denied',
  SecurityError: 'denied',
  NotFoundError: 'none',
  DevicesNotFoundError: 'none',
  OverconstrainedError: 'none',
  NotReadableError: 'busy',
  TrackStartError: 'busy',
  AbortError: 'busy',
};

/** There is no microphone; the message is for a technician, the code has the host's sentence. */
export class MicrophoneError extends Error {
  readonly code: MicrophoneErrorCode;

  constructor(code: MicrophoneErrorCode, reason = '') {
    super(reason === '' ? `no microphone: ${code}` : `no microphone: ${code} (${reason})`);
    this.name = 'MicrophoneError';
    this.code = code;
  }
}

/** Translates what `getUserMedia`, `addModule` or a node threw. */
export const asMicrophoneError = (error: unknown): MicrophoneError => {
  if (error instanceof MicrophoneError) return error;
  const { name = '', message = '' } = error instanceof Error ? error : {};
  return new MicrophoneError(CODES[name] ?? 'unknown', message);
};
