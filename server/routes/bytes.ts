/** Bytes that never change, over HTTP: types, caching, ranges (RFC 9110 section 14). */
import type { OutgoingHttpHeader } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Rendered } from '../packager/render-cache.ts';
import { chooseEncoding } from './accept-encoding.ts';

/** Media types of what is served. */
export const MEDIA_TYPE = {
  m3u8: 'application/vnd.apple.mpegurl',
  mpd: 'application/dash+xml',
  mp4: 'audio/mp4',
  m4s: 'audio/mp4',
  ts: 'video/mp2t',
  opus: 'audio/ogg; codecs=opus',
} as const;

/** For what has a name that is never used again. */
export const FOR_EVER = 'public, max-age=31536000, immutable';
/** For what is as it is now. */
export const CURRENT = 'public, max-age=1';

const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

/** First and last byte asked for; 'whole' where the range is not one we serve, null for 416. */
export const rangeOf = (
  header: string | undefined,
  length: number,
): [number, number] | 'whole' | null => {
  const match = RANGE.exec(header ?? '');
  if (match === null) return 'whole';
  const [, from = '', to = ''] = match;
  if (from === '' && to === '') return 'whole';
  if (from === '') return Number(to) === 0 ? null : [Math.max(0, length - Number(to)), length - 1];
  if (Number(from) >= length || (to !== '' && Number(to) < Number(from))) return null;
  return [Number(from), to === '' ? length - 1 : Math.min(Number(to), length - 1)];
};

/** Whether an If-None-Match names the text that would be sent (RFC 9110 13.1.2: weak comparison). */
export const isKnown = (header: string | undefined, etag: string): boolean => {
  const strong = (tag: string): string => tag.trim().replace(/^W\//, '');
  const tags = (header ?? '').split(',').map(strong);
  return tags.includes('*') || tags.includes(strong(etag));
};

/** Sends bytes, or the one range of them that was asked for. */
export const sendBytes = (
  request: FastifyRequest,
  reply: FastifyReply,
  { bytes, type, cache }: { bytes: Buffer; type: string; cache: string },
): FastifyReply => {
  reply.header('accept-ranges', 'bytes').header('cache-control', cache).type(type);
  // These bytes have no validator, so the condition of an If-Range never holds (RFC 9110 13.1.5).
  const { range: asked, 'if-range': condition } = request.headers;
  const isRanged = request.method === 'GET' && condition === undefined;
  const range = rangeOf(isRanged ? asked : undefined, bytes.length);
  if (range === 'whole') return reply.send(bytes);
  if (range === null)
    return reply
      .status(416)
      .header('cache-control', 'no-store')
      .header('content-range', `bytes */${bytes.length}`)
      .send();
  const [first, last] = range;
  return reply
    .status(206)
    .header('content-range', `bytes ${first}-${last}/${bytes.length}`)
    .send(bytes.subarray(first, last + 1));
};

/** Longer bodies are not copied to stand in one string with their head. */
const COPIED_MOST = 4096;

/**
 * Prepares the sending of a text that was rendered and compressed once for everybody. What a client
 * accepts is found out here, before it waits: when a part comes to a thousand who waited for it,
 * the last of them gets it as much later as each answer takes. So the answer goes out past
 * Fastify's pipeline, and a short one with its head in one write.
 */
export const renderedSender = (
  request: FastifyRequest,
  reply: FastifyReply,
  { type, cache }: { readonly type: string; readonly cache: string },
): ((rendered: Rendered) => FastifyReply) => {
  const known = request.headers['if-none-match'];
  const encoding = chooseEncoding(request.headers['accept-encoding']);
  // Not set on the reply, which may still become an error.
  const manners = { 'cache-control': cache, vary: 'Accept-Encoding', 'content-type': type };
  const coding = encoding === 'identity' ? {} : { 'content-encoding': encoding };
  const head = Object.entries({ ...reply.getHeaders(), ...manners, ...coding }).flat();
  return (rendered) => {
    const { etag } = rendered;
    if (isKnown(known, etag))
      return reply
        .headers({ ...manners, etag })
        .status(304)
        .send();
    const { bytes, latin1 } = rendered.in(encoding);
    const fields = [...head, 'etag', etag, 'date', reply.dated, 'content-length', bytes.length];
    reply.hijack();
    reply.raw.writeHead(200, fields as OutgoingHttpHeader[]);
    if (bytes.length > COPIED_MOST) reply.raw.end(bytes);
    else reply.raw.end(latin1, 'latin1');
    return reply;
  };
};

/** Sends such a text at once. */
export const sendRendered = (
  request: FastifyRequest,
  reply: FastifyReply,
  { rendered, ...manner }: { rendered: Rendered; type: string; cache: string },
): FastifyReply => renderedSender(request, reply, manner)(rendered);
