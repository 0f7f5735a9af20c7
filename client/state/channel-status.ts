/** What the server's API says of channels, for the pages that are not connected to one. */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import * as v from 'valibot';
import { CHANNEL_STATES } from '../../shared/control.ts';
import { Scope } from '../scope.ts';

const stateSchema = v.picklist(CHANNEL_STATES);

const listedSchema = v.object({ slug: v.string(), title: v.string(), state: stateSchema });

const statusSchema = v.object({
  ...listedSchema.entries,
  since: v.nullish(v.string()),
  listeners: v.optional(v.object({ total: v.number() })),
});

const recordingSchema = v.object({
  id: v.string(),
  startedAt: v.string(),
  duration: v.number(),
  bytes: v.number(),
  gaps: v.number(),
  complete: v.boolean(),
  final: v.boolean(),
  missing: v.boolean(),
  opus: v.string(),
  m4a: v.nullable(v.object({ progress: v.number(), url: v.optional(v.string()) })),
});

const recordingsSchema = v.object({ items: v.array(recordingSchema) });

const channelsSchema = v.object({ items: v.array(listedSchema) });

/** What `GET …/status` says of one channel. */
export type ChannelStatus = v.InferOutput<typeof statusSchema>;

/** One channel of `GET /api/v1/channels`. */
export type ListedChannel = v.InferOutput<typeof channelsSchema>['items'][number];

/** One recording of `GET …/recordings`: seconds, bytes. */
export type ListedRecording = v.InferOutput<typeof recordingSchema>;

/** An answer of the API: null before the first, then the newest, or why there is none. */
export type Answer<T> = T | 'missing' | 'unreachable' | null;

const fetchAnswer = async <T>(
  path: string,
  schema: v.GenericSchema<unknown, T>,
  signal: AbortSignal,
): Promise<Answer<T>> => {
  try {
    const response = await fetch(path, { signal, headers: { accept: 'application/json' } });
    if (response.status === 404) return 'missing';
    if (!response.ok) return 'unreachable';
    const parsed = v.safeParse(schema, await response.json());
    return parsed.success ? parsed.output : 'unreachable';
  } catch {
    return 'unreachable';
  }
};

const PERIOD = 5000;

/** Asks the API every five seconds while the page can be seen. */
class PollController<T> implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #path: () => string;
  readonly #schema: v.GenericSchema<unknown, T>;
  #scope = new Scope();
  answer: Answer<T> = null;
  /** The last good answer; a server that is away takes nothing back. */
  known: T | null = null;

  constructor(
    host: ReactiveControllerHost,
    path: () => string,
    schema: v.GenericSchema<unknown, T>,
  ) {
    this.#host = host;
    this.#path = path;
    this.#schema = schema;
    host.addController(this);
  }

  hostConnected(): void {
    this.#scope = new Scope();
    const scope = this.#scope;
    const aborter = new AbortController();
    scope.add(() => aborter.abort());
    const ask = async (): Promise<void> => {
      if (document.hidden) return;
      const answer = await fetchAnswer(this.#path(), this.#schema, aborter.signal);
      if (scope.disposed) return;
      this.answer = answer;
      if (typeof answer !== 'string' && answer !== null) this.known = answer;
      this.#host.requestUpdate();
    };
    const askNow = (): void => void ask();
    scope.every(PERIOD, askNow);
    scope.on(document, 'visibilitychange', askNow);
    askNow();
  }

  hostDisconnected(): void {
    this.#scope.dispose();
  }
}

/** Follows the status of one channel. */
export class StatusController extends PollController<ChannelStatus> {
  constructor(host: ReactiveControllerHost, channel: () => string) {
    super(host, () => `/api/v1/channels/${encodeURIComponent(channel())}/status`, statusSchema);
  }

  /** The title as last known, or the channel's own name while it never was. */
  titleOr(channel: string): string {
    return this.known?.title || channel;
  }
}

/** Follows the list of channels. */
export class ChannelsController extends PollController<{ items: ListedChannel[] }> {
  constructor(host: ReactiveControllerHost) {
    super(host, () => '/api/v1/channels', channelsSchema);
  }
}

/** Follows the newest recordings of one channel. */
export class RecordingsController extends PollController<{ items: ListedRecording[] }> {
  constructor(host: ReactiveControllerHost, channel: () => string) {
    const path = () => `/api/v1/channels/${encodeURIComponent(channel())}/recordings?limit=3`;
    super(host, path, recordingsSchema);
  }
}

/** The channel an address names (`/studio/{channel}`, `/c/{channel}`), else the default one. */
export const channelOfAddress = (path: string): string => {
  const [, , name] = path.split('/');
  try {
    return name ? decodeURIComponent(name) : 'live';
  } catch {
    return 'live';
  }
};
