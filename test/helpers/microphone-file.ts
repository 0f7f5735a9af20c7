import { writeFile } from 'node:fs/promises';
import { IDENTITIES, measuringSignal } from './measuring-signal.ts';
import { encodeWav } from './wav.ts';

/**
 * Chromium's pretended microphone runs at this rate. A file at another rate is converted, and then
 * each turn of the loop has a gap of 4.6 ms; at this rate the loop has no seam.
 */
const MICROPHONE_RATE = 44_100;

/** Writes the measuring signal as a file for `launchChromium`, and returns its path. */
export const writeMicrophone = async (path: string): Promise<string> => {
  const signal = measuringSignal(IDENTITIES, MICROPHONE_RATE);
  await writeFile(path, encodeWav({ rate: MICROPHONE_RATE, channels: [signal] }));
  return path;
};
