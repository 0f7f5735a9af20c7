/**
 * A listener's session: a cursor in the channel's ring. There is no queue of its own; what the
 * listener has not taken is in the ring, and what it takes too long for is skipped.
 */
import type { Socket } from 'node:net';
import type { FastifyBaseLogger } from 'fastify';
import type { WebSocket } from 'ws';
import { CLOSE, type CloseCode, ProtocolViolation } from '../../shared/codes.ts';
import {
  type FrameId,
  type ListenerMessage,
  parseListenerMessage,
  type ToListenerMessage,
} from '../../shared/control.ts';
import { type Frame, frameEnd } from '../../shared/frame.ts';
import type { Ring } from '../../shared/ring.ts';
import {
  type Millis,
  millis,
  millisToSamples,
  samplesToMillis,
  type Utc,
} from '../../shared/time.ts';
import type { Channel } from './channel.ts';
import { Progress } from './progress.ts';
import { Reader } from './reader.ts';
import { type Now, Session } from './session.ts';

/** Sent and unreported media beyond which a listener is skipped to live, ms. */
const BEHIND_MOST = 4000;
/** No progress for so long while frames are owed closes the session, ms. */
const PROGRESS_WITHIN = 10_000;
/** So many skips within so long close the session. */
const SKIPS_MOST = 3;
const SKIPS_WITHIN = 30_000;
/** Media sent at once so that a listener can start: a little more than the usual first target, ms. */
const PRIMING = millis(300);
/** Listeners that are further behind when late frames come go to live less this, ms. */
const LATE_MOST = millis(1000);
/** Bytes waiting in this process for one socket beyond which its cursor stands still. */
const SOCKET_MOST = 65_536;

type Hello = Extract<ListenerMessage, { type: 'hello' }>;

type State =
  | { readonly is: 'hello' }
  /** Frames up to `live` are priming or replay; they are owed in one go and not held against it. */
  | { readonly is: 'priming'; readonly live: FrameId; readonly replay: Millis }
  | { readonly is: 'following' }
  | { readonly is: 'lagging' }
  | { readonly is: 'paused' }
  | { readonly is: 'closed' };

const startingAt = (live: Frame | undefined, replay: Millis): State =>
  live === undefined ? { is: 'following' } : { is: 'priming', live, replay };

/** What a listener session is made of. */
export type ListenerOptions = {
  readonly id: string;
  readonly log: FastifyBaseLogger;
  readonly now: Now;
  /** The TCP or TLS socket under the WebSocket. */
  readonly raw: Socket;
  /** Frames of a ring from one index to another (excluded) as one buffer of messages. */
  readonly bundle: (ring: Ring<Frame>, from: number, to: number) => Buffer;
  readonly closed: (listener: Listener) => void;
};

/** A listener's session: hello, priming, following, lagging, closed. */
export class Listener {
  readonly #channel: Channel;
  readonly #session: Session;
  readonly #options: ListenerOptions;
  readonly #progress = new Progress();
  #state: State = { is: 'hello' };
  #latency: number | null = null;
  readonly #reader: Reader;
  #pace = millis(0);
  #progressed: Utc;
  #skips: Utc[] = [];

  constructor(socket: WebSocket, channel: Channel, options: ListenerOptions) {
    this.#channel = channel;
    this.#reader = new Reader(channel);
    this.#options = options;
    this.#session = new Session(socket, options);
    this.#progressed = options.now();
    this.#session.converse({
      binary: () => {
        throw new ProtocolViolation(CLOSE.badMessage, 'A listener sends no audio.');
      },
      text: (message) => this.#control(parseListenerMessage(message)),
      closed: () => {
        this.#state = { is: 'closed' };
        options.closed(this);
      },
    });
  }

  /** Id of the rendition it asked for; it gets the publisher's own until there are frames of it. */
  get wanted(): number {
    return this.welcomed ? this.#reader.wanted : 0;
  }

  /** Whether it has said hello, so that it counts and gets what the channel tells. */
  get welcomed(): boolean {
    return this.#state.is !== 'hello' && this.#state.is !== 'closed';
  }

  /** What it says it hears after the microphone, s; null before a report and while paused. */
  get latency(): number | null {
    return this.#state.is === 'paused' || !this.welcomed ? null : this.#latency;
  }

  /** Tells it something that is not audio. */
  tell(message: ToListenerMessage): void {
    if (this.welcomed) this.#session.send(message);
  }

  /** Closes for a reason that is not the peer's. */
  dismiss(code: CloseCode, sentence: string): void {
    this.#session.close(code, sentence);
  }

  /** Announces a restart, then closes so that the client comes back. */
  goAway(after: Millis): void {
    this.tell({ type: 'goaway', after });
    this.#session.close(CLOSE.restarting, 'The server restarts.');
  }

  /** Sends what the cursor has not passed; with `flush` also less than the pace asks for. */
  pump({ flush = false } = {}): void {
    if (this.#state.is !== 'following' && this.#state.is !== 'priming') return;
    if (!this.#session.open) return;
    this.#reader.changeOver();
    const { ring, cursor, waiting } = this.#reader;
    if (cursor >= ring.head || this.#options.raw.writableLength > SOCKET_MOST) return;
    if (cursor < ring.tail) return this.#lag();
    if (!flush && waiting < this.#pace) return;
    if (samplesToMillis(this.#progress.outstanding) > this.#allowance()) return this.#lag();
    this.#send(ring.head);
  }

  /** Late frames came in a burst: one that is too far behind goes on close to live. */
  catchUp(): void {
    if (this.#state.is !== 'following' || this.#reader.waiting <= LATE_MOST) return;
    this.#skip(this.#reader.behindLive(LATE_MOST), 'late');
  }

  /** Lets time pass: judges by what the listener itself reports. */
  tick(now: Utc): void {
    if (!this.welcomed || this.#state.is === 'paused') return;
    if (this.#progress.outstanding === 0) this.#progressed = now;
    else if (now - this.#progressed > PROGRESS_WITHIN)
      this.#session.refuse(
        new ProtocolViolation(CLOSE.tooSlow, `No report of progress for ${PROGRESS_WITHIN} ms.`),
      );
  }

  #control(message: ListenerMessage): void {
    if (this.#state.is === 'hello' && message.type !== 'hello' && message.type !== 'ping')
      throw new ProtocolViolation(CLOSE.badMessage, 'A session begins with hello.');
    switch (message.type) {
      case 'hello':
        return this.#hello(message);
      case 'ping': {
        const received = this.#options.now();
        const pong = { ...message, type: 'pong', received, replied: this.#options.now() } as const;
        return this.#session.send(pong satisfies ToListenerMessage);
      }
      case 'report':
        this.#latency = message.latency;
        return this.#report(message.sequence);
      case 'pace':
        this.#pace = message.ms;
        return this.pump();
      case 'pause':
        if (this.welcomed) this.#state = { is: 'paused' };
        return;
      case 'seek':
        return this.#seek(message);
      case 'select':
        if (this.#channel.renditions.some(({ id }) => id === message.rendition))
          this.#reader.wanted = message.rendition;
        return;
      case 'goaway':
        return;
    }
  }

  #hello(hello: Hello): void {
    if (this.#state.is !== 'hello')
      throw new ProtocolViolation(CLOSE.badMessage, 'A session says hello once.');
    this.#session.greeted();
    const channel = this.#channel;
    const live = channel.onAir ? channel.ring.newest : undefined;
    const recovered = live !== undefined && this.#resume(hello);
    if (!recovered)
      this.#reader.restart(
        live === undefined ? channel.ring.head : this.#reader.behindLive(hello.behind ?? PRIMING),
      );
    this.#pace = hello.pace ?? millis(0);
    this.#reader.wanted = hello.rendition ?? 0;
    this.#progressed = this.#options.now();
    this.#state = startingAt(live, this.#reader.waiting);
    this.tell({
      type: 'welcome',
      session: this.#session.id,
      catalog: channel.renditions,
      start: live === undefined ? null : this.#start(live),
      live: live === undefined ? null : { epoch: live.epoch, sequence: live.sequence },
      recovered,
      clock: channel.clockPoint,
    });
    this.tell({ type: 'state', is: channel.state });
    if (channel.nowPlaying !== null) this.tell(channel.nowPlaying);
    this.pump({ flush: true });
  }

  /** Puts the cursor behind the last frame the listener had, where the ring still goes on from it. */
  #resume({ resume }: Hello): boolean {
    if (resume === undefined) return false;
    const { ring } = this.#channel;
    const index = ring.find(resume.epoch, resume.sequence);
    const frame = ring.at(index);
    if (frame?.epoch !== resume.epoch || frame.sequence !== resume.sequence) return false;
    this.#reader.restart(index + 1);
    return true;
  }

  #start(live: Frame): Extract<ToListenerMessage, { type: 'welcome' }>['start'] {
    const first = this.#reader.ring.at(this.#reader.cursor);
    if (first === undefined)
      return { epoch: live.epoch, sequence: live.sequence + 1, timestamp: frameEnd(live) };
    return { epoch: first.epoch, sequence: first.sequence, timestamp: first.timestamp };
  }

  #report(sequence: number): void {
    if (!this.#progress.reported(sequence)) return;
    this.#progressed = this.#options.now();
    if (this.#state.is === 'priming' && sequence >= this.#state.live.sequence)
      this.#state = { is: 'following' };
    if (this.#state.is !== 'lagging') return;
    this.#state = { is: 'following' };
    if (this.#reader.waiting > PRIMING) this.#skip(this.#reader.behindLive(PRIMING), 'slow');
    this.pump({ flush: true });
  }

  #seek(message: Extract<ListenerMessage, { type: 'seek' }>): void {
    if (!this.welcomed) return;
    const { ring } = this.#channel;
    const { epoch, sequence, behind } = message;
    this.#reader.restart(
      epoch !== undefined && sequence !== undefined
        ? ring.find(epoch, sequence)
        : ring.behindNewest(millisToSamples(behind ?? PRIMING)),
    );
    this.#state = startingAt(ring.newest, this.#reader.waiting);
    this.#progressed = this.#options.now();
    this.pump({ flush: true });
  }

  /** Too slow: told so, given the live edge alone, and nothing more before a report of progress. */
  #lag(): void {
    const now = this.#options.now();
    this.#skips = [...this.#skips.filter((at) => now - at < SKIPS_WITHIN), now];
    if (this.#skips.length >= SKIPS_MOST)
      return this.#session.refuse(
        new ProtocolViolation(CLOSE.tooSlow, `Skipped ${SKIPS_MOST} times in ${SKIPS_WITHIN} ms.`),
      );
    this.#skip(this.#reader.ring.head - 1, 'slow');
    this.#send(this.#reader.ring.head);
    this.#state = { is: 'lagging' };
  }

  #skip(to: number, reason: 'slow' | 'late'): void {
    const { ring, cursor } = this.#reader;
    const from = ring.at(Math.max(cursor, ring.tail));
    const target = ring.at(to);
    this.#reader.moveTo(to);
    if (from === undefined || target === undefined) return;
    this.tell({
      type: 'skipped',
      from: { epoch: from.epoch, sequence: from.sequence },
      to: { epoch: target.epoch, sequence: target.sequence },
      reason,
    });
  }

  #send(to: number): void {
    const { ring, cursor } = this.#reader;
    const buffer = this.#options.bundle(ring, cursor, to);
    for (const frame of this.#reader.read(to)) this.#progress.sent(frame);
    this.#options.raw.write(buffer);
  }

  #allowance(): number {
    return BEHIND_MOST + (this.#state.is === 'priming' ? this.#state.replay : 0);
  }
}
