/** Titles in HLS: one EXT-X-DATERANGE each, valid until the next begins (RFC 8216bis 4.4.5.1). */
import type { Utc } from '../../shared/time.ts';
import type { TimedMetadata } from './track.ts';

/** A title with the UTC of the sample from which on it holds. */
export type DatedTitle = TimedMetadata & { readonly utc: Utc };

const CLASS = 'skywave.title';

/**
 * Writes any text as a quoted string of an attribute list. That form has no escape: quotation marks
 * become typographic ones, control characters and line ends become spaces, and `{$` is parted,
 * because `{$name}` is a reference to a variable and an undefined one fails the whole playlist.
 */
export const quoted = (text: string): string => {
  const line = text
    .toWellFormed()
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/(?<=^|[\s([{])"/gu, '\u201c')
    .replaceAll('"', '\u201d')
    .replaceAll('{$', '{ $');
  return `"${line}"`;
};

const quotedUrl = (url: string): string => quoted(url.replaceAll('"', '%22'));

/**
 * The titles that a window beginning at `start` still shows: of several from the same sample the
 * last, and none whose successor holds from the start on.
 */
export const titlesSince = (titles: readonly DatedTitle[], start: Utc): readonly DatedTitle[] =>
  titles.filter((title, index) => {
    const next = titles[index + 1];
    return next === undefined || (next.at !== title.at && next.utc > start);
  });

/** Renders one title; its ID is its track time, which is never reused. */
export const dateRange = ({ at, utc, title, artist, artwork, url }: DatedTitle): string => {
  const attributes = [
    `ID="title-${at}"`,
    `CLASS="${CLASS}"`,
    `START-DATE="${new Date(utc).toISOString()}"`,
    'END-ON-NEXT=YES',
    `X-TITLE=${quoted(title)}`,
  ];
  if (artist !== null) attributes.push(`X-ARTIST=${quoted(artist)}`);
  if (artwork !== null) attributes.push(`X-ARTWORK=${quotedUrl(artwork)}`);
  if (url !== null) attributes.push(`X-URL=${quotedUrl(url)}`);
  return `#EXT-X-DATERANGE:${attributes.join(',')}`;
};
