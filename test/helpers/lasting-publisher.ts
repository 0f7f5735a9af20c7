/**
 * A publisher in Node for long runs: real Opus at real time, which knows when each sample was
 * captured, goes on capturing while it is cut off, and comes back by itself as a studio does.
 */
import { encodeFrame } from '../../shared/frame.ts';
import { type Samples, samples } from '../../shared/time.ts';
import { measuringPackets } from './real-publisher.ts';
import { type Door, HELLO, startPublisher, type TestClient } from './service.ts';

const FRAME = 960;
const FRAME_MILLIS = 20;
const SEND_EVERY = 5;
const CLOCK_EVERY = 10_000;
const RETRY_EVERY = 250;
/** More than this after its capture a frame is part of a replay, ms. */
const PROMPT = 150;

/** The wall clock, as steady as a monotonic one. */
export const steadyNow = (): number => performance.timeOrigin + performance.now();

const sleep = (span: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, span));

type Epoch = { readonly number: number; readonly zero: number };

/** Publishes until `bye`. */
export class LastingPublisher {
  readonly #door: Door;
  readonly #packets: readonly Buffer[] = measuringPackets();
  readonly #epochs: Epoch[] = [];
  readonly #prompt = new Set<string>();
  readonly #timers: NodeJS.Timeout[] = [];
  #client: TestClient | undefined;
  #sequence = 0;
  #acked = -1;
  #held = false;
  #away = false;
  #fresh = false;
  #over = false;
  #reconnects = 0;

  private constructor(door: Door) {
    this.#door = door;
  }

  /** Goes on the air; sample 0 is captured as this resolves. */
  static async start(door: Door): Promise<LastingPublisher> {
    const publisher = new LastingPublisher(door);
    await publisher.#connect();
    publisher.#timers.push(
      setInterval(() => publisher.#sendDue(), SEND_EVERY),
      setInterval(() => publisher.#tellClock(), CLOCK_EVERY),
    );
    return publisher;
  }

  /** Packet number `sequence` of every epoch: what was published, to the bit. */
  packetOf(sequence: number): Buffer {
    return this.#packets[sequence % this.#packets.length] as Buffer;
  }

  /** Numbers of the epochs so far. */
  get epochs(): readonly number[] {
    return this.#epochs.map(({ number }) => number);
  }

  /** Frames sent in the newest epoch. */
  get sent(): number {
    return this.#sequence;
  }

  get reconnects(): number {
    return this.#reconnects;
  }

  /** UTC at which a sample was captured, ms; NaN for an epoch that is not ours. */
  capturedAt(epoch: number, timestamp: Samples): number {
    const zero = this.#epochs.findLast(({ number }) => number === epoch)?.zero ?? Number.NaN;
    return zero + timestamp / (FRAME / FRAME_MILLIS);
  }

  /** Whether a frame went out as soon as it was captured, and not in a replay. */
  wasPrompt(epoch: number, sequence: number): boolean {
    return this.#prompt.has(`${epoch} ${sequence}`);
  }

  /** Holds frames back for a time, as a dead uplink does, then sends them all. */
  async hold(span: number): Promise<void> {
    this.#held = true;
    await sleep(span);
    this.#held = false;
  }

  /** Cuts the socket for a time; what was captured meanwhile is sent afterwards. */
  async cut(span: number): Promise<void> {
    this.#away = true;
    this.#client?.close();
    await sleep(span);
    this.#away = false;
    await this.#untilConnected();
  }

  /** Comes back as a laptop does that slept: the same broadcast in a new epoch. */
  async beginEpoch(): Promise<void> {
    this.#fresh = true;
    this.#client?.close();
    await sleep(RETRY_EVERY);
    await this.#untilConnected();
  }

  /** Ends the broadcast. */
  async bye(): Promise<void> {
    this.#over = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#client?.send({ type: 'bye' });
    await this.#client?.ended();
  }

  /** Goes away without a word. */
  vanish(): void {
    this.#over = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#client?.close();
  }

  get #isConnected(): boolean {
    return this.#client !== undefined && this.#client.closed === undefined;
  }

  async #untilConnected(): Promise<void> {
    while (!this.#isConnected) await sleep(SEND_EVERY);
  }

  async #connect(): Promise<void> {
    const last = this.#epochs.at(-1);
    const resume = last && { resume: { epoch: last.number, sequence: this.#acked } };
    const hello = { ...HELLO, ...resume, ...(this.#fresh ? { fresh: true } : {}) };
    const { client, epoch, next } = await startPublisher(this.#door, hello);
    this.#fresh = false;
    if (epoch !== last?.number) {
      this.#epochs.push({ number: epoch, zero: steadyNow() - next * FRAME_MILLIS });
      this.#acked = next - 1;
    }
    this.#sequence = next;
    this.#client = client;
    this.#tellClock();
    client.socket.on('message', (message: Buffer, binary: boolean) => {
      if (binary) return;
      const said = JSON.parse(message.toString()) as { type: string; sequence: number };
      if (said.type === 'ack') this.#acked = said.sequence;
      // An hour of acknowledgements is of no use to anybody.
      client.texts.length = 0;
    });
    client.socket.once('close', () => void this.#comeBack());
  }

  async #comeBack(): Promise<void> {
    while (!this.#over) {
      await sleep(RETRY_EVERY);
      if (this.#away || this.#over) continue;
      const back = await this.#connect().then(
        () => true,
        () => false,
      );
      if (!back) continue;
      this.#reconnects += 1;
      return;
    }
  }

  #tellClock(): void {
    const epoch = this.#epochs.at(-1);
    if (epoch === undefined || !this.#isConnected) return;
    const timestamp = this.#sequence * FRAME;
    const captured = this.capturedAt(epoch.number, samples(timestamp));
    this.#client?.send({
      ...{ type: 'clock', epoch: epoch.number, timestamp },
      ...{ utc: captured, uncertainty: 1 },
    });
  }

  #sendDue(): void {
    const epoch = this.#epochs.at(-1);
    if (epoch === undefined || this.#held || !this.#isConnected) return;
    const elapsed = steadyNow() - epoch.zero;
    for (; this.#sequence < Math.floor(elapsed / FRAME_MILLIS); this.#sequence += 1) {
      const sequence = this.#sequence;
      const timestamp = samples(sequence * FRAME);
      const header = { flags: 0, rendition: 0, duration: samples(FRAME), sequence };
      const frame = { ...header, epoch: epoch.number, timestamp };
      this.#client?.send(encodeFrame(frame, this.packetOf(sequence)));
      if (elapsed - (sequence + 1) * FRAME_MILLIS > PROMPT) continue;
      this.#prompt.add(`${epoch.number} ${sequence}`);
      this.#prompt.delete(`${epoch.number} ${sequence - 1500}`);
    }
  }
}
