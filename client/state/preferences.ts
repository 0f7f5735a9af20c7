/** What a browser remembers between visits; a browser that forbids it just forgets. */
import { QUALITIES, type Quality } from './quality.ts';

const PREFIX = 'skywave.';

const read = (storage: 'localStorage' | 'sessionStorage', key: string): string | null => {
  try {
    return globalThis[storage].getItem(PREFIX + key);
  } catch {
    return null;
  }
};

const write = (storage: 'localStorage' | 'sessionStorage', key: string, value: string): void => {
  try {
    globalThis[storage].setItem(PREFIX + key, value);
  } catch {
    // Private windows and full disks: the page works without a memory.
  }
};

const numberBetween = (text: string | null, least: number, most: number): number | null => {
  const value = text === null ? Number.NaN : Number(text);
  return value >= least && value <= most ? value : null;
};

/** Volume of the player, 0 to 1; 1 on the first visit. */
export const rememberedVolume = (): number =>
  numberBetween(read('localStorage', 'volume'), 0, 1) ?? 1;

export const rememberVolume = (volume: number): void =>
  write('localStorage', 'volume', volume.toFixed(2));

/** Target delay the playout last needed with this server, ms; 100 on the first visit. */
export const rememberedTarget = (): number =>
  numberBetween(read('localStorage', 'target'), 40, 1000) ?? 100;

export const rememberTarget = (target: number): void =>
  write('localStorage', 'target', target.toFixed(0));

/** How close to live somebody wanted to be last; as close as can be on the first visit. */
export const rememberedQuality = (): Quality => {
  const remembered = read('localStorage', 'quality');
  return QUALITIES.find((quality) => quality === remembered) ?? 'closest';
};

export const rememberQuality = (quality: Quality): void =>
  write('localStorage', 'quality', quality);

/** Id of the microphone used last; empty for the system's own choice. */
export const rememberedMicrophone = (): string => read('localStorage', 'microphone') ?? '';

export const rememberMicrophone = (deviceId: string): void =>
  write('localStorage', 'microphone', deviceId);

/** Name of the sound mode used last, or null. */
export const rememberedMode = (): string | null => read('localStorage', 'mode');

export const rememberMode = (mode: string): void => write('localStorage', 'mode', mode);

/** Language chosen on a page, or null while the browser's own holds. */
export const rememberedLanguage = (): string | null => read('localStorage', 'language');

export const rememberLanguage = (language: string): void =>
  write('localStorage', 'language', language);

/**
 * The token of the address's fragment (`#token=…`), kept for the session so that a reload without
 * fragment works; empty when there never was one. It never becomes part of a request's address.
 */
export const studioToken = (): string => {
  const given = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
  if (given !== '') write('sessionStorage', 'token', given);
  return given !== '' ? given : (read('sessionStorage', 'token') ?? '');
};
