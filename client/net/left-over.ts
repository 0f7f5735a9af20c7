/** What an earlier visit left in a spool's folder, file by file: one that is broken stops no other. */
import type { Millis } from '../../shared/time.ts';
import { isGone, type PrivateFolder } from './private-files.ts';
import type { Range } from './range.ts';
import { frameLength, type Place, readSegmentName, recordsIn } from './segment.ts';

/** A file of whole records. */
export type LeftOver = Place &
  Range & { readonly name: string; readonly bytes: number; readonly frame: Millis };

/**
 * Reads a file by its name; null for one that is no segment, has gone, or held nothing and was
 * deleted. One that the browser cannot read, or not delete, is left where it is: `unreadable`.
 */
export const readLeftOver = async (
  folder: PrivateFolder,
  name: string,
): Promise<LeftOver | 'unreadable' | null> => {
  const told = readSegmentName(name);
  if (told === null) return null;
  try {
    const bytes = await folder.read(name);
    const records = recordsIn(bytes);
    const [first] = records;
    if (first !== undefined) {
      const to = told.from + records.length;
      return { ...told, name, to, bytes: bytes.length, frame: frameLength(first) };
    }
    // Nothing of it reached the disk, or what did is no frame.
    await folder.remove(name);
    return null;
  } catch (error) {
    return isGone(error) ? null : 'unreadable';
  }
};
