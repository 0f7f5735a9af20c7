/** ID3v2.4 tags that carry a title through HLS and DASH (id3.org, id3v2.4.0-structure and -frames). */
import type { TimedMetadata } from './track.ts';

/** 28 bits in four bytes of seven, so that no length looks like an MPEG sync word. */
const syncsafe = (length: number): Buffer =>
  Buffer.of((length >> 21) & 127, (length >> 14) & 127, (length >> 7) & 127, length & 127);

const frame = (id: string, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from(id), syncsafe(content.length), Buffer.of(0, 0), content]);

/** Texts in UTF-8 (encoding 3), each ended by a NUL, which therefore cannot be part of one. */
const textFrame = (id: string, ...texts: readonly string[]): Buffer =>
  frame(id, Buffer.from(`\x03${texts.map((text) => `${text.replaceAll('\0', '')}\0`).join('')}`));

/** URLs are ISO 8859-1 to the frame's end, so all but printable ASCII is percent-encoded. */
const linkFrame = (url: string): Buffer => {
  const ascii = url.toWellFormed().replace(/[^\x21-\x7e]/gu, encodeURIComponent);
  return frame('WXXX', Buffer.from(`\x03\0${ascii}`));
};

/**
 * One tag with TIT2, and where known TPE1, WXXX (`url`) and TXXX `artwork` (`artwork`), all UTF-8.
 * Lone surrogates become U+FFFD.
 */
export const id3Tag = (metadata: TimedMetadata): Buffer => {
  const { title, artist, url, artwork } = metadata;
  const frames = [textFrame('TIT2', title)];
  if (artist !== null) frames.push(textFrame('TPE1', artist));
  if (url !== null) frames.push(linkFrame(url));
  if (artwork !== null) frames.push(textFrame('TXXX', 'artwork', artwork));
  const length = frames.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([Buffer.from('ID3\x04\0\0'), syncsafe(length), ...frames]);
};
