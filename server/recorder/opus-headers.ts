/** The two packets every Ogg Opus stream begins with (RFC 7845 section 5). */
import { SAMPLE_RATE, type Samples, samplesToMillis } from '../../shared/time.ts';

/** A title and where it begins. */
export type Chapter = { readonly at: Samples; readonly name: string };

/** What is written about a recording into it. */
export type OpusComments = {
  readonly title: string;
  /** ISO 8601. */
  readonly date: string;
  readonly chapters: readonly Chapter[];
};

/** Chapters have three digits. */
const MOST_CHAPTERS = 1000;

const VENDOR = 'Skywave';

/** The identification header: channel mapping family 0, no gain. */
export const opusHead = ({
  channels,
  preSkip,
}: {
  channels: 1 | 2;
  preSkip: Samples;
}): Uint8Array => {
  const head = Buffer.alloc(19);
  head.write('OpusHead', 'latin1');
  head[8] = 1;
  head[9] = channels;
  head.writeUInt16LE(preSkip, 10);
  head.writeUInt32LE(SAMPLE_RATE, 12);
  return head;
};

const stamp = (at: Samples): string => {
  const whole = Math.round(samplesToMillis(at));
  const two = (count: number): string => String(Math.floor(count)).padStart(2, '0');
  const fraction = String(whole % 1000).padStart(3, '0');
  return `${two(whole / 3_600_000)}:${two((whole / 60_000) % 60)}:${two((whole / 1000) % 60)}.${fraction}`;
};

const counted = (bytes: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes]);
};

/** The comment header, chapters as the CHAPTER extension of Vorbis comments. */
export const opusTags = ({ title, date, chapters }: OpusComments): Uint8Array => {
  const comments = [`TITLE=${title}`, `DATE=${date}`];
  for (const [index, { at, name }] of chapters.slice(0, MOST_CHAPTERS).entries()) {
    const key = `CHAPTER${String(index).padStart(3, '0')}`;
    comments.push(`${key}=${stamp(at)}`, `${key}NAME=${name}`);
  }
  const count = Buffer.alloc(4);
  count.writeUInt32LE(comments.length);
  return Buffer.concat([
    Buffer.from('OpusTags', 'latin1'),
    counted(Buffer.from(VENDOR)),
    count,
    ...comments.map((comment) => counted(Buffer.from(comment))),
  ]);
};
