/** The trust boundary: a publisher's session. What passes here is believed everywhere else. */
import type { FastifyBaseLogger } from 'fastify';
import type { WebSocket } from 'ws';
import { CLOSE, type CloseCode, ProtocolViolation } from '../../shared/codes.ts';
import {
  type ClockPoint,
  MAX_CONTROL_BYTES,
  type PublisherMessage,
  parsePublisherMessage,
  type ToPublisherMessage,
} from '../../shared/control.ts';
import { decodeFrame, type Frame, MAX_FRAME_BYTES } from '../../shared/frame.ts';
import { type Millis, millis, samples } from '../../shared/time.ts';
import type { Principal } from '../auth/tickets.ts';
import type { Alarm } from './alarms.ts';
import type { Channel, Epoch } from './channel.ts';
import { checkOrder } from './frame-order.ts';
import { MAX_LEAD, MediaPace } from './media-pace.ts';
import type { Hello, Seat } from './seat.ts';
import { type Now, Session } from './session.ts';
import type { Vitals } from './vitals.ts';

/** How often the client should ping, ms. */
export const PING_EVERY = millis(5000);

/** A goodbye waits so long for the disk, so that the last acknowledgement says all, ms. */
const SETTLE_WITHIN = 1000;

/** A clock map further off than a full replay ring is no measurement, ms. */
const CLOCK_WITHIN = 125_000;

type State =
  | { readonly is: 'hello' }
  | { readonly is: 'live'; readonly epoch: Epoch; acked: number }
  | { readonly is: 'closing' };

/** What a session has to know of its channel's recorder. */
export type RecorderView = {
  /** Whether what is said now is recorded. */
  readonly recording: boolean;
  /** Id under which frames of an epoch are recorded; null when they are not. */
  idOf(epoch: number): string | null;
  /** Newest sequence of an epoch that is on disk, -1 before any; undefined: nothing is recorded. */
  durable(epoch: number): number | undefined;
  /** Resolves when the recording of the last broadcast that ended is final. */
  readonly settled: Promise<void>;
};

/** What a publisher session is made of. */
export type PublisherOptions = {
  readonly id: string;
  readonly principal: Principal;
  readonly log: FastifyBaseLogger;
  readonly now: Now;
  readonly seat: Seat;
  /** What is measured of the channel at this moment. */
  readonly vitals: Pick<Vitals, 'listeners' | 'loudness' | 'aac' | 'damaged'>;
  /** What needs a person on this channel now. */
  readonly alarms: () => readonly Pick<Alarm, 'kind'>[];
  readonly keepClock: (point: ClockPoint) => void;
  readonly recorder: RecorderView;
};

/** A publisher's session: hello, live, closing. */
export class Publisher {
  readonly principal: Principal;
  readonly #channel: Channel;
  readonly #session: Session;
  readonly #options: PublisherOptions;
  #state: State = { is: 'hello' };
  #superseded = 0;
  #heard = false;

  constructor(socket: WebSocket, channel: Channel, options: PublisherOptions) {
    this.principal = options.principal;
    this.#channel = channel;
    this.#options = options;
    this.#session = new Session(socket, options);
    const second = setInterval(() => this.#everySecond(), 1000);
    this.#session.converse({
      binary: (message) => this.#frame(message),
      text: (message) => this.#control(parsePublisherMessage(message)),
      closed: () => {
        clearInterval(second);
        options.seat.leave(this);
        this.#state = { is: 'closing' };
      },
    });
  }

  /** Frames that came after another session had taken the seat. */
  get droppedFrames(): number {
    return this.#superseded;
  }

  /** Whether it has sent a frame: before that, nobody can have relied on it. */
  get heard(): boolean {
    return this.#heard;
  }

  supersede(sentence: string): void {
    this.#state = { is: 'closing' };
    this.#session.close(CLOSE.taken, sentence);
  }

  /** More of what it sent is on disk. The first time is the proof of being on the air. */
  kept(): void {
    if (this.#state.is === 'live' && this.#state.acked < 0) this.#acknowledge(this.#state);
  }

  /** Closes for a reason that is not the peer's. */
  dismiss(code: CloseCode, sentence: string): void {
    this.#session.close(code, sentence);
  }

  /** Announces a restart, then closes so that the client comes back. */
  goAway(after: Millis): void {
    this.#send({ type: 'goaway', after });
    this.#session.close(CLOSE.restarting, 'The server restarts.');
  }

  #frame(message: Buffer): void {
    const frame = decodeFrame(message);
    const state = this.#state;
    if (state.is === 'hello')
      throw new ProtocolViolation(CLOSE.badMessage, 'A session begins with hello.');
    if (state.is === 'closing' || frame.epoch !== state.epoch.id) return this.#drop(frame);
    if (this.#isOver(state.epoch)) return;
    const now = this.#options.now();
    checkOrder(state.epoch, frame, now);
    this.#channel.push(frame, now);
    this.#heard = true;
    if (state.acked < 0) this.#acknowledge(state);
  }

  /** Whether the grace has passed while this socket stayed open: it has to begin anew. */
  #isOver(epoch: Epoch): boolean {
    if (this.#channel.epoch === epoch) return false;
    this.#state = { is: 'closing' };
    this.#options.seat.leave(this);
    this.#session.close(CLOSE.restarting, 'The broadcast has ended; another may begin.');
    return true;
  }

  #drop(frame: Frame): void {
    if (this.#state.is === 'live' && frame.epoch > this.#state.epoch.id)
      throw new ProtocolViolation(CLOSE.badMessage, `Epoch ${frame.epoch} was never given out.`);
    this.#superseded += 1;
  }

  #control(message: PublisherMessage): void {
    if (this.#state.is === 'hello' && message.type !== 'hello' && message.type !== 'ping')
      throw new ProtocolViolation(CLOSE.badMessage, 'A session begins with hello.');
    switch (message.type) {
      case 'hello':
        return this.#hello(message);
      case 'ping':
        return this.#session.pong(message);
      case 'clock':
        return this.#clock(message);
      case 'metadata':
        return this.#metadata(message);
      case 'bye':
        return this.#bye();
      case 'goaway':
        return;
    }
  }

  #hello(hello: Hello): void {
    if (this.#state.is !== 'hello')
      throw new ProtocolViolation(CLOSE.badMessage, 'A session says hello once.');
    this.#session.greeted();
    const epoch = this.#options.seat.take(this, hello);
    this.#state = { is: 'live', epoch, acked: -1 };
    this.#send({
      type: 'welcome',
      session: this.#session.id,
      epoch: epoch.id,
      next: epoch.next,
      limits: { frame: MAX_FRAME_BYTES, control: MAX_CONTROL_BYTES, lead: MAX_LEAD },
      ping: PING_EVERY,
      recording: this.#options.recorder.idOf(epoch.id),
    });
    this.#tally();
  }

  #clock({ type: _, ...point }: Extract<PublisherMessage, { type: 'clock' }>): void {
    if (this.#state.is !== 'live' || point.epoch !== this.#state.epoch.id) return;
    const { epoch } = this.#state;
    const age = this.#options.now() - point.utc;
    if (Math.abs(age) > CLOCK_WITHIN) return;
    // Only the first one: a backlog from before the first connection is not running ahead.
    if (!epoch.clocked && age > 0) epoch.pace = new MediaPace(point.timestamp, point.utc);
    epoch.clocked = true;
    this.#channel.clock(point);
    this.#options.keepClock(point);
  }

  #metadata(message: Extract<PublisherMessage, { type: 'metadata' }>): void {
    if (this.#state.is !== 'live') return;
    const { epoch } = this.#state;
    const at = message.at ?? { epoch: epoch.id, timestamp: epoch.end ?? samples(0) };
    this.#channel.metadata({ ...message, at });
  }

  #bye(): void {
    const state = this.#state;
    if (this.#options.seat.holds(this)) this.#channel.bye(this.#options.now());
    this.#state = { is: 'closing' };
    const late = setTimeout(() => farewell(), SETTLE_WITHIN);
    const farewell = (): void => {
      clearTimeout(late);
      if (state.is === 'live') this.#acknowledge(state);
      this.#session.close(1000, 'The broadcast has ended.');
    };
    void this.#options.recorder.settled.then(farewell);
  }

  #everySecond(): void {
    if (this.#state.is !== 'live' || this.#isOver(this.#state.epoch)) return;
    this.#acknowledge(this.#state);
    this.#tally();
  }

  /** Tells what cannot be lost any more: what is on disk or, without a recording, in the ring. */
  #acknowledge(state: Extract<State, { is: 'live' }>): void {
    const held = state.epoch.next - 1;
    const sequence = Math.min(held, this.#options.recorder.durable(state.epoch.id) ?? held);
    if (sequence <= state.acked) return;
    state.acked = sequence;
    this.#send({ type: 'ack', sequence });
  }

  #tally(): void {
    const { vitals } = this.#options;
    this.#send({
      type: 'tally',
      live: this.#channel.onAir,
      listeners: vitals.listeners.total,
      recording: this.#options.recorder.recording,
      loudness: vitals.loudness,
      aac: vitals.aac,
      damaged: vitals.damaged,
      // One disk may fail for the channel and for everybody.
      alarms: [...new Set(this.#options.alarms().map(({ kind }) => kind))],
    });
  }

  #send(message: ToPublisherMessage): void {
    this.#session.send(message);
  }
}
