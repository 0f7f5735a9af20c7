/** Where AAC cannot be made: node-av is optional, or has no encoder here. */

/** What the log says of it. */
export const NO_ENCODER =
  'There is no AAC encoder here (node-av is optional): HLS and DASH in Opus only.';

/** Whether node-av is installed; whether it works, the first child finds out. */
export const isInstalled = (): boolean => {
  try {
    return import.meta.resolve('node-av/lib') !== '';
  } catch {
    return false;
  }
};
