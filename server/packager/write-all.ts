/** All of some bytes into a file, which may take fewer at a time. */
import type { FileHandle } from 'node:fs/promises';

/** Writes where a position is, or else where the last write ended. Rejects with the system's error. */
export const writeAll = async (
  file: FileHandle,
  bytes: Buffer,
  position: number | null = null,
): Promise<void> => {
  for (let at = 0; at < bytes.length; ) {
    const place = position === null ? null : position + at;
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, place);
    at += bytesWritten;
  }
};
