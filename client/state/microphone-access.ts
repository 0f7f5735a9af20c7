/** Ways to the microphone that never surprise the host. */
import {
  listMicrophones,
  type Microphone,
  type MicrophoneChoice,
  type MicrophoneOptions,
  openMicrophone,
} from '../audio/microphone.ts';
import { microphoneTrouble } from './microphone-trouble.ts';

/**
 * Opens the microphone used last, or the system's own choice when that one lies in a drawer.
 *
 * @throws {MicrophoneError}
 */
export const openRemembered = async ({
  deviceId = '',
  ...options
}: MicrophoneOptions): Promise<Microphone> => {
  if (deviceId === '') return openMicrophone(options);
  try {
    return await openMicrophone({ ...options, deviceId });
  } catch (error) {
    if (microphoneTrouble(error) !== 'microphone-missing') throw error;
    return openMicrophone(options);
  }
};

/** The microphones the browser tells of; none where it tells nothing. */
export const knownMicrophones = async (): Promise<readonly MicrophoneChoice[]> => {
  try {
    return await listMicrophones();
  } catch {
    return [];
  }
};

/** Whether the microphone may be opened without a question; false where the browser cannot say. */
export const isMicrophoneAllowed = async (): Promise<boolean> => {
  try {
    const { state } = await navigator.permissions.query({ name: 'microphone' });
    return state === 'granted';
  } catch {
    return false;
  }
};
