/** Which recordings a request may see. */
import type { FastifyRequest } from 'fastify';
import type { Library } from '../recorder/library.ts';
import type { Desk } from '../relay/desk.ts';
import type { Station } from '../relay/station.ts';
import type { RecordingRecord } from '../store/recordings.ts';
import type { Authorize } from './access.ts';
import { deskOf } from './channels.ts';
import { Problem } from './problem.ts';

/** What routes of recordings share. */
export type RecordingOptions = {
  readonly station: Station;
  readonly library: Library;
  readonly authorize: Authorize;
};

type OfChannel = { Params: { channel: string } };

/** The answer where there is none, or not for this request. */
export const noRecording = (): Problem =>
  new Problem(404, 'no-recording', 'There is no such recording.');

/** What caches may do: as `open` says, and nothing where the channel is private. */
export const cacheOf = (
  { station }: RecordingOptions,
  request: FastifyRequest<OfChannel>,
  open: string,
): string =>
  deskOf(station, request).settings.visibility === 'private' ? 'private, no-store' : open;

/** A channel whose recordings the request may see. @throws {Problem} 401, 404. */
export const readableDesk = (
  { station, authorize }: RecordingOptions,
  request: FastifyRequest<OfChannel>,
): Desk => {
  const desk = deskOf(station, request);
  if (desk.settings.visibility === 'private') authorize(request);
  return desk;
};

/** A recording of the channel that the request names. @throws {Problem} 401, 404. */
export const recordingIn = (
  options: RecordingOptions,
  request: FastifyRequest<OfChannel>,
  id: string | undefined,
): RecordingRecord => {
  const { channel } = readableDesk(options, request);
  const record = id === undefined ? undefined : options.library.find(id);
  if (record === undefined || record.channel !== channel.slug) throw noRecording();
  return record;
};
