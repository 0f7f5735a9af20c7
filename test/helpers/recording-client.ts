/** A person with a program: publishes real packets, ends, and looks at what was recorded. */

import { readOggFile } from './ogg-reader.ts';
import { frameOf, realPackets } from './opus-frames.ts';
import type { Door, TestClient } from './service.ts';

/** Packets of the frames that a test publishes; a frame's is that of its sequence. */
export const PACKETS = realPackets(300);

/** A recording as the list has it. */
export type Item = { id: string; [field: string]: unknown };

/** An answer of the API. */
export type Answer = {
  status: number;
  body: { items?: Item[]; next?: string; code?: string; [field: string]: unknown };
};

/** The frame of a sequence, as bytes. */
export const bytesOf = (sequence: number, epoch: number): Uint8Array =>
  frameOf(PACKETS[sequence % PACKETS.length] as Buffer, { sequence, epoch }).bytes;

/** Publishes frames from one sequence up to, not including, another. */
export const send = (client: TestClient, epoch: number, from: number, to: number): void => {
  for (let sequence = from; sequence < to; sequence += 1) client.send(bytesOf(sequence, epoch));
};

/** Waits until a sequence is acknowledged. */
export const acked = (client: TestClient, sequence: number): Promise<unknown> =>
  client.until(() =>
    client.texts.find((text) => text.type === 'ack' && text.sequence === sequence),
  );

/** What a test asks of a service's recordings. */
export class RecordingClient {
  readonly #service: () => Door;

  constructor(service: () => Door) {
    this.#service = service;
  }

  async call(
    path: string,
    {
      method = 'GET',
      token = this.#service().token,
      body,
    }: { method?: string; token?: string | null; body?: Uint8Array<ArrayBuffer> } = {},
  ): Promise<Answer> {
    const answer = await fetch(`${this.#service().base}/api/v1${path}`, {
      method,
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text === '' ? {} : JSON.parse(text) };
  }

  /** Changes settings of the channel. */
  async change(settings: object): Promise<void> {
    await fetch(`${this.#service().base}/api/v1/channels/live`, {
      method: 'PATCH',
      headers: {
        authorization: `Bearer ${this.#service().token}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(settings),
    });
  }

  async list(query = ''): Promise<Item[]> {
    return (await this.call(`/channels/live/recordings${query}`, { token: null })).body.items ?? [];
  }

  /** The newest recording once it is final, 20 s at most. */
  async final(): Promise<Item> {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
      const [item] = await this.list();
      if (item?.final === true) return item;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('The recording is never final.');
  }

  /** Says goodbye, and waits for the recording. */
  async finished(client: TestClient): Promise<Item> {
    client.send({ type: 'bye' });
    await client.ended();
    return this.final();
  }

  urlOf({ id }: Item): string {
    return `${this.#service().base}/c/live/recordings/${id}.opus`;
  }

  async fileOf(item: Item): Promise<Buffer> {
    const answer = await fetch(this.urlOf(item));
    if (answer.status !== 200) throw new Error(`The file answers ${answer.status}.`);
    return Buffer.from(await answer.arrayBuffer());
  }

  /** The Opus packets of a recording, without the two headers. */
  async packetsOf(item: Item): Promise<readonly Buffer[]> {
    return readOggFile(await this.fileOf(item)).packets.slice(2);
  }
}
