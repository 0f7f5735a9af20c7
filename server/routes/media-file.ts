/** Segments and their parts over HTTP: those there are, the one that comes next, one that grows. */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DiskBusy } from '../packager/file-turns.ts';
import type { Output } from '../packager/output.ts';
import type { Stored } from '../packager/segment-store.ts';
import { CURRENT, FOR_EVER, MEDIA_TYPE, sendBytes } from './bytes.ts';
import { absent, Problem, tooLate } from './problem.ts';
import { whileThere } from './while-there.ts';

/** Of a file's name: segment, part or nothing of that kind. */
const FILE = /^(\d{1,12})(?:\.(\d{1,3}))?\.(m4s|ts)$/;

/** Segments that players may count beyond the end, and what those are. */
const PAST_END_MOST = 2;
const NOTHING = Buffer.alloc(0);

/** Sends the part or segment that a file's name says; the one that comes next is waited for. */
export const sendMedia = async (
  request: FastifyRequest,
  reply: FastifyReply,
  { output, file }: { readonly output: Output; readonly file: string },
): Promise<FastifyReply> => {
  const [, name, part, extension] = FILE.exec(file) ?? [];
  if (name === undefined) throw absent();
  const kind = extension === 'ts' ? 'ts' : 'm4s';
  const { store } = output.window;
  const find = async (): Promise<Buffer | undefined> => {
    try {
      if (kind === 'ts') return part === undefined ? await store.ts(name) : undefined;
      return await (part === undefined ? store.media(name) : store.part(name, Number(part)));
    } catch (error) {
      if (error instanceof DiskBusy)
        throw new Problem(503, 'disk-busy', 'The disk cannot keep up now.', 1);
      throw error;
    }
  };
  let bytes = await find();
  if (bytes === undefined && kind === 'm4s' && isComing(output, name)) {
    const grows = part === undefined && request.method === 'GET';
    // Headers say that it can be kept for ever: they are not sent before there is something.
    const first = grows ? () => store.part(name, 0) : find;
    bytes = await waitFor(request, { output, name, find: first });
    if (bytes !== undefined && grows)
      return reply
        .header('cache-control', FOR_EVER)
        .type(MEDIA_TYPE.m4s)
        .send(Readable.from(growing(request, { output, name }), { objectMode: false }));
    if (bytes === undefined && isComing(output, name)) throw tooLate();
  }
  if (bytes === undefined && kind === 'm4s' && part === undefined && isPastEnd(output, name))
    return reply.header('cache-control', CURRENT).type(MEDIA_TYPE.m4s).send(NOTHING);
  if (bytes === undefined) throw absent();
  return sendBytes(request, reply, { bytes, type: MEDIA_TYPE[kind], cache: FOR_EVER });
};

/**
 * Whether a segment is one that a player of the manifest counts by the clock before it learns of the
 * end, which it does within a segment's time. For a 404 it would give up; for nothing it waits.
 */
const isPastEnd = ({ window }: Output, name: string): boolean => {
  const past = Number(name) - (window.segments.at(-1)?.sequence ?? Number.POSITIVE_INFINITY);
  return window.ended && past > 0 && past <= PAST_END_MOST;
};

/** Whether a segment grows or comes next. */
const isComing = ({ window }: Output, name: string): boolean => {
  const newest = window.segments.at(-1);
  if (window.ended || newest === undefined) return false;
  return (newest.name === name && !newest.complete) || Number(name) === newest.sequence + 1;
};

const step = (request: FastifyRequest, output: Output): Promise<boolean> => {
  const { promise, cancel } = output.grown();
  return whileThere(request, promise, cancel);
};

const waitFor = async (
  request: FastifyRequest,
  {
    output,
    name,
    find,
  }: {
    output: Output;
    name: string;
    find: () => Stored;
  },
): Promise<Buffer | undefined> => {
  for (;;) {
    const bytes = await find();
    if (bytes !== undefined || !isComing(output, name)) return bytes;
    if (!(await step(request, output))) return find();
  }
};

/**
 * A segment as it grows, part by part: chunked transfer for low-latency DASH. Where it stops short,
 * the answer breaks off, so that no cache takes it for all of the segment.
 */
async function* growing(
  request: FastifyRequest,
  { output, name }: { output: Output; name: string },
): AsyncGenerator<Buffer> {
  const { store } = output.window;
  let sent = 0;
  for (let index = 0; ; ) {
    const bytes = await store.part(name, index);
    if (bytes !== undefined) {
      yield bytes;
      sent += bytes.length;
      index += 1;
    } else if (!isComing(output, name)) break;
    else if (!(await step(request, output))) throw tooLate();
  }
  // Parts are kept for some seconds; the rest of a segment that was sent slowly is in the whole.
  const whole = await store.media(name);
  if (whole === undefined) throw absent();
  if (whole.length > sent) yield whole.subarray(sent);
}
