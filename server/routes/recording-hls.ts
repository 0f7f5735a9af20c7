/** Finished recordings as HLS, below `/c/{channel}/recordings/{id}/`. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { initSegment } from '../packager/fmp4.ts';
import { COPY, LEAD_UNITS } from '../recorder/aac-copy.ts';
import { CopyFile } from '../recorder/copy-file.ts';
import { segmentUnits, type Vod, vodPlaylist, vodSegment } from '../recorder/vod.ts';
import type { RecordingRecord } from '../store/recordings.ts';
import { FOR_EVER, MEDIA_TYPE, sendBytes } from './bytes.ts';
import { Problem } from './problem.ts';
import { cacheOf, type RecordingOptions, recordingIn } from './recording-access.ts';

type OfPart = { Params: { channel: string; id: string; file: string } };

/** Copies whose tables are kept in memory; one of an hour takes 1.4 MB. */
const KEPT = 4;

const SEGMENT = /^(\d{1,15})-(\d{1,9})\.m4s$/;

const absent = (): Problem =>
  new Problem(404, 'nothing-to-play', 'There is nothing to play here now.', 5);

/** Registers the playlist, the initialisation segment and the segments. */
export const registerRecordingHls = (app: FastifyInstance, options: RecordingOptions): void => {
  const { library } = options;
  const files = new Map<string, Promise<CopyFile>>();

  const copyOf = async ({ id, copied }: RecordingRecord): Promise<CopyFile> => {
    if (copied === null) throw absent();
    const key = `${id} ${copied}`;
    const file = files.get(key) ?? CopyFile.read(library.journals.copyOf(id));
    files.delete(key);
    files.set(key, file);
    if (files.size > KEPT) files.delete(files.keys().next().value ?? '');
    return file.catch(() => {
      files.delete(key);
      throw absent();
    });
  };

  const segment = async (record: RecordingRecord, vod: Vod, number: number): Promise<Buffer> => {
    const span = segmentUnits(vod, number);
    if (span === undefined) throw absent();
    const file = await copyOf(record);
    const units = await file.units(span.from + LEAD_UNITS, span.to + LEAD_UNITS);
    return vodSegment(number, { units, chapters: file.chapters });
  };

  app.get<OfPart>('/c/:channel/recordings/:id/:file', async (request, reply) => {
    const { id, file } = request.params;
    const record = recordingIn(options, request, id);
    const { count } = await copyOf(record);
    const version = record.copied ?? 0;
    const vod = { version, units: count - LEAD_UNITS, started: record.started };
    const send = (bytes: Buffer, type: string, open = FOR_EVER): FastifyReply =>
      sendBytes(request, reply, { bytes, type, cache: cacheOf(options, request, open) });
    if (file === 'index.m3u8')
      return send(Buffer.from(vodPlaylist(vod)), MEDIA_TYPE.m3u8, 'no-cache');
    if (file === `${version}.mp4`) return send(initSegment(COPY), MEDIA_TYPE.mp4);
    const [, of, number] = SEGMENT.exec(file) ?? [];
    if (Number(of) !== version) throw absent();
    return send(await segment(record, vod, Number(number)), MEDIA_TYPE.m4s);
  });
};
