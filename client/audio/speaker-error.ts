/** Why frames cannot be played here; each has its own sentence on the page. */

/** What stands between this page and a loudspeaker fed by a worklet. */
export type SpeakerErrorCode =
  | 'insecure' // not HTTPS, nor localhost: browsers have no AudioWorklet there
  | 'browser' // no AudioWorklet, no WebAssembly, no worker: too old
  | 'files' // the decoder or the worklet could not be fetched
  | 'device'; // the browser could not start the sound

/** There is no loudspeaker; the message is for a technician, the code has the listener's sentence. */
export class SpeakerError extends Error {
  readonly code: SpeakerErrorCode;

  constructor(code: SpeakerErrorCode, reason = '') {
    super(reason === '' ? `no loudspeaker: ${code}` : `no loudspeaker: ${code} (${reason})`);
    this.name = 'SpeakerError';
    this.code = code;
  }
}

/** What always keeps this browser from playing frames itself; null when nothing does. */
export const lackOfSpeaker = (): SpeakerErrorCode | null => {
  if (!globalThis.isSecureContext) return 'insecure';
  const needed = [
    globalThis.AudioContext,
    globalThis.AudioWorkletNode,
    globalThis.Worker,
    globalThis.WebSocket,
    globalThis.WebAssembly,
  ];
  return needed.includes(undefined as never) ? 'browser' : null;
};

/** Translates what `fetch`, `addModule` or a node threw: a file that did not come has a name of its own. */
export const asSpeakerError = (error: unknown): SpeakerError => {
  if (error instanceof SpeakerError) return error;
  const { name = '', message = '' } = error instanceof Error ? error : {};
  // `fetch` rejects with a TypeError, `addModule` with an AbortError.
  const missing = name === 'TypeError' || name === 'AbortError';
  return new SpeakerError(missing ? 'files' : 'device', message);
};
