/** Voice, Music and Raw: what the browser does to the sound, and how it is encoded. */
import type { Rendition } from '../../shared/catalog.ts';

/**
 * `voice` is for people: one channel, the browser takes echo and noise away and evens the level out.
 * `music` leaves the sound alone, in stereo. `raw` is for a mixing desk or an interface: it also
 * asks the device for nothing, neither channels nor rate, has the system's own voice processing
 * switched off where the browser can, and spends twice the bits, so that what is encoded anew for
 * HLS loses nothing twice.
 */
export type MicrophoneMode = 'voice' | 'music' | 'raw';

type Mode = {
  readonly application: 'voip' | 'audio';
  /** What the publisher's hello announces. */
  readonly rendition: Rendition;
};

const FRAME = 960;

const opus = (channels: 1 | 2, bitrate: number, fec: boolean): Rendition => ({
  codec: 'opus',
  channels,
  bitrate,
  frame: FRAME,
  fec,
  dtx: false,
});

/** How each mode is encoded. */
export const MODES: Readonly<Record<MicrophoneMode, Mode>> = {
  voice: { application: 'voip', rendition: opus(1, 64_000, true) },
  music: { application: 'audio', rendition: opus(2, 128_000, false) },
  raw: { application: 'audio', rendition: opus(2, 256_000, false) },
};

/** What to ask `getUserMedia` for. */
export const trackConstraints = (
  mode: MicrophoneMode,
  deviceId?: string,
): MediaTrackConstraints => {
  const processed = mode === 'voice';
  return {
    ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
    ...(mode === 'raw' ? { voiceIsolation: false } : {}),
    ...(mode === 'raw' ? {} : { channelCount: { ideal: MODES[mode].rendition.channels } }),
    echoCancellation: processed,
    noiseSuppression: processed,
    autoGainControl: processed,
  };
};

/** Whether a name, perhaps remembered from an older version, is that of a mode. */
export const isMode = (name: string | null): name is MicrophoneMode =>
  name !== null && Object.hasOwn(MODES, name);
