/** Why there is no microphone, and what a person can do about it. */

/** Each has its own sentence on the page. */
export type MicrophoneErrorCode =
  | 'insecure' // not HTTPS, nor localhost
  | 'no-worklet' // the browser is too old
  | 'denied'
  | 'none' // no such device
  | 'busy' // held by another program, or by the system
  | 'unknown';

const SENTENCES: Record<MicrophoneErrorCode, string> = {
  insecure:
    'Browsers give a microphone only to secure pages; open this page by https:// or on localhost.',
  'no-worklet': 'This browser is too old to broadcast from; update it, or use a current one.',
  denied:
    'The browser does not let this page use the microphone; allow it beside the address and try again.',
  none: 'There is no such microphone; plug one in, or choose another.',
  busy: 'The microphone is in use by another program; close that one, or choose another microphone.',
  unknown: 'The microphone could not be opened; plug it in again, or reload the page.',
};

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

/** There is no microphone; the message is a sentence that says what to do. */
export class MicrophoneError extends Error {
  readonly code: MicrophoneErrorCode;

  /** `reason`, where there is one, is for a technician and goes in brackets after the sentence. */
  constructor(code: MicrophoneErrorCode, reason = '') {
    super(reason === '' ? SENTENCES[code] : `${SENTENCES[code]} (${reason})`);
    this.name = 'MicrophoneError';
    this.code = code;
  }
}

/** Translates what `getUserMedia`, `addModule` or a node threw. */
export const asMicrophoneError = (error: unknown): MicrophoneError => {
  if (error instanceof MicrophoneError) return error;
  const { name = '', message = '' } = error instanceof Error ? error : {};
  const code = CODES[name] ?? 'unknown';
  return new MicrophoneError(code, code === 'unknown' ? message : '');
};
