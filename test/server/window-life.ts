/** A service that is restarted on its data, with a clock that can be set on. */
import { rm } from 'node:fs/promises';
import { expect } from 'vitest';
import type { Config } from '../../server/config.ts';
import { encodeFrame } from '../../shared/frame.ts';
import { samples, type Utc, utc } from '../../shared/time.ts';
import { listed, mediaTextOf } from '../helpers/hls-text.ts';
import { measuringPackets } from '../helpers/real-publisher.ts';
import {
  startPublisher,
  startService,
  type TestClient,
  type TestService,
} from '../helpers/service.ts';

const FRAME = 960;
/** A transcoder's child takes seconds to start on a machine that does much else, ms. */
const PATIENCE = 40_000;
const packets = measuringPackets();

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

/** Media playlists of three renditions, of each kind one. */
export const FILES = ['aac128/index.m3u8', 'aac64/ts.m3u8', 'opus/index.m3u8'];

/** A broadcast that has begun, with six seconds of sound. */
export type Begun = {
  readonly client: TestClient;
  readonly epoch: number;
  /** Path below which its media playlists lie. */
  readonly media: string;
  /** When its frame 0 was captured. */
  readonly begun: number;
};

/** One set of data, over the lives of its service. */
export class WindowLife {
  service!: TestService;
  /** How far the service's clock is ahead of the machine's, ms. */
  ahead = 0;

  private constructor() {}

  static async open(overrides: Partial<Config> = {}): Promise<WindowLife> {
    const life = new WindowLife();
    life.service = await startService({ record: false, ...overrides }, { now: () => life.now });
    return life;
  }

  async close(): Promise<void> {
    await this.service.stop();
    await rm(this.service.data, { recursive: true, force: true });
  }

  get now(): Utc {
    return utc(performance.timeOrigin + performance.now() + this.ahead);
  }

  async restart(overrides: Partial<Config> = {}): Promise<void> {
    const { data } = this.service;
    await this.service.shutDown();
    this.service = await startService(
      { record: false, ...overrides },
      { data, now: () => this.now },
    );
  }

  get(path: string): Promise<Response> {
    return fetch(this.service.base + path);
  }

  /** Asks until the answer is 200 and the claim holds of its text. */
  async until(path: string, claim: (text: string) => boolean): Promise<string> {
    for (const deadline = Date.now() + PATIENCE; ; await sleep(50)) {
      const answer = await this.get(path);
      const text = await answer.text();
      if (answer.status === 200 && claim(text)) return text;
      if (Date.now() > deadline) throw new Error(`${path}: ${answer.status} ${text}`);
    }
  }

  /** Waits for a segment after `sequence`; returns the playlist that has it. */
  untilAfter(sequence: number, path: string): Promise<string> {
    return this.until(path, (text) => newestIn(text) > sequence);
  }

  /** Changes settings of the channel `live`. */
  set(settings: { readonly continuous?: boolean; readonly warm?: boolean }): void {
    const desk = this.service.station.desk('live');
    if (desk === undefined) throw new Error('There is no channel.');
    this.service.station.update(desk, settings);
  }

  /** Where the media playlists of what is on lie. */
  async media(): Promise<string> {
    const main = await this.until('/c/live/hls/index.m3u8', (text) => text.includes('aac128'));
    return `/c/live${/\.\.(\/media\/[^/]+)\//.exec(main)?.[1]}`;
  }

  /** What keeps a channel from being let go cold, without waiting for anything. */
  async ask(): Promise<void> {
    await this.get('/c/live/media/none/opus/init.mp4');
  }

  async begin(): Promise<Begun> {
    const { client, epoch } = await startPublisher(this.service);
    const begun = this.now - 6000;
    // A channel that is not kept warm makes nothing of what came before somebody asked.
    await this.ask();
    send(client, epoch, { from: 0, to: 300, begun });
    const media = await this.media();
    for (const file of ['opus/index.m3u8', 'aac64/ts.m3u8'])
      await this.until(`${media}/${file}`, (text) => text.includes('#EXTINF'));
    return { client, epoch, media, begun };
  }

  /** The playlists of FILES. */
  textsOf(media: string): Promise<string[]> {
    return Promise.all(
      FILES.map(async (file) => {
        const answer = await this.get(`${media}/${file}`);
        expect(answer.status).toBe(200);
        return answer.text();
      }),
    );
  }
}

/** Sequence of the newest segment that a playlist lists; 0 without one. */
export const newestIn = (text: string): number => listed(mediaTextOf(text)).at(-1)?.sequence ?? 0;

/** Sends so many frames at once, as after an outage; frame 0 was captured at `begun`. */
export const send = (
  client: TestClient,
  epoch: number,
  { from, to, begun }: { from: number; to: number; begun: number },
) => {
  const captured = { timestamp: from * FRAME, utc: begun + from * 20 };
  client.send({ type: 'clock', epoch, ...captured, uncertainty: 1 });
  for (let sequence = from; sequence < to; sequence += 1)
    client.send(
      encodeFrame(
        {
          flags: 0,
          rendition: 0,
          duration: samples(FRAME),
          sequence,
          epoch,
          timestamp: samples(sequence * FRAME),
        },
        packets[sequence % packets.length] as Buffer,
      ),
    );
};
