/**
 * A listener's session: a cursor in the channel's ring, or a place in its past. There is no queue of
 * its own; what the listener has not taken is in the ring or the recording, and what it takes too
 * long for at the live edge is skipped.
 */
import type { WebSocket } from 'ws';
import { CLOSE, type CloseCode, ProtocolViolation } from '../../shared/codes.ts';
import {
  type ListenerMessage,
  parseListenerMessage,
  type ToListenerMessage,
} from '../../shared/control.ts';
import { type Millis, millis, type Utc } from '../../shared/time.ts';
import type { Channel } from './channel.ts';
import { clockOf, newsOf, presentOf, welcomeOf } from './listener-news.ts';
import type { ListenerOptions } from './listener-options.ts';
import { isLive, isYetToCome, type ListenerState, startingAt } from './listener-state.ts';
import { asMessages } from './messages.ts';
import { type LiveWish, type Place, PRIMING, Reader } from './reader.ts';
import { Session } from './session.ts';
import { Slowness } from './slowness.ts';
import { TimeShift, type Wish } from './time-shift.ts';

/** Sent and unreported media beyond which a listener is skipped to live, ms. */
const BEHIND_MOST = 4000;
/** Listeners that are further behind when late frames come go to live less this, ms. */
const LATE_MOST = millis(1000);
/** Bytes waiting in this process for one socket beyond which its cursor stands still. */
const SOCKET_MOST = 65_536;

type Hello = Extract<ListenerMessage, { type: 'hello' }>;

/** A listener's session: hello, priming, following, lagging, closed. */
export class Listener {
  readonly #channel: Channel;
  readonly #session: Session;
  readonly #options: ListenerOptions;
  readonly #slowness: Slowness;
  #state: ListenerState = { is: 'hello' };
  #latency: number | null = null;
  readonly #reader: Reader;
  #pace = millis(0);
  #wishes = 0;
  /** A place is being looked for. */
  #going = false;
  /** How much faster than it was said the past is wished for. */
  #rate = 1;

  constructor(socket: WebSocket, channel: Channel, options: ListenerOptions) {
    this.#channel = channel;
    this.#reader = new Reader(channel);
    this.#options = options;
    this.#session = new Session(socket, options);
    this.#slowness = new Slowness(options.now());
    this.#session.converse({
      binary: () => {
        throw new ProtocolViolation(CLOSE.badMessage, 'A listener sends no audio.');
      },
      text: (message) => this.#control(parseListenerMessage(message)),
      closed: () => {
        this.#state = { is: 'closed' };
        options.closed();
      },
    });
  }

  /** Id of the rendition it asked for; it gets the publisher's own until there are frames of it. */
  get wanted(): number {
    return this.welcomed ? this.#reader.wanted : 0;
  }

  /** Whether it has said hello, so that it counts and gets what the channel tells. */
  get welcomed(): boolean {
    return !['hello', 'entering', 'closed'].includes(this.#state.is);
  }

  /** Whether it hears the past. */
  get shifted(): boolean {
    return this.#state.is === 'shifted';
  }

  /** What it says it hears after the microphone, s; null before a report and while paused. */
  get latency(): number | null {
    return this.#state.is === 'paused' || !this.welcomed ? null : this.#latency;
  }

  /** Tells it something that is not audio. */
  tell(message: ToListenerMessage): void {
    if (this.welcomed) this.#session.send(message);
  }

  #tellAll(messages: readonly ToListenerMessage[]): void {
    for (const message of messages) this.tell(message);
  }

  /** Tells it what the channel tells everybody, unless it belongs to a moment yet to be heard. */
  hear(message: ToListenerMessage): void {
    if (!isYetToCome(message, this.#state)) this.tell(message);
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
    if (this.#state.is === 'shifted') return this.#pumpShifted(this.#state.shift);
    if (this.#state.is !== 'following' && this.#state.is !== 'priming') return;
    if (!this.#session.open) return;
    this.#reader.changeOver();
    const { ring, cursor, waiting } = this.#reader;
    if (cursor >= ring.head || this.#options.raw.writableLength > SOCKET_MOST) return;
    if (cursor < ring.tail) return this.#lag();
    if (!flush && waiting < this.#pace) return;
    if (this.#slowness.outstanding > this.#allowance()) return this.#lag();
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
    const verdict = this.#slowness.verdict(now);
    if (verdict !== undefined) this.#refuse(verdict);
  }

  #control(message: ListenerMessage): void {
    if (this.#state.is === 'hello' && message.type !== 'hello' && message.type !== 'ping')
      throw new ProtocolViolation(CLOSE.badMessage, 'A session begins with hello.');
    switch (message.type) {
      case 'hello':
        return this.#hello(message);
      case 'ping':
        return this.#session.pong(message);
      case 'report':
        this.#latency = message.latency;
        return this.#report(message.sequence);
      case 'pace':
        this.#pace = message.ms;
        return this.pump();
      case 'rate':
        return this.#setRate(message.rate);
      case 'pause':
      case 'seek':
        // The welcome comes first, whatever is wished for behind the hello.
        if (this.#state.is === 'entering') this.#state = { ...this.#state, wished: message };
        else if (message.type === 'seek') this.#seek(message);
        else [this.#wishes, this.#state] = [this.#wishes + 1, { is: 'paused' }];
        return;
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
    this.#pace = hello.pace ?? millis(0);
    this.#reader.wanted = hello.rendition ?? 0;
    this.#state = { is: 'entering', wished: null };
    void this.#go({ after: hello.shifted ? hello.resume : undefined, ...hello }, (place) => {
      const since = this.#options.archive()?.since ?? null;
      this.tell(welcomeOf(this.#channel, { session: this.#session.id, place, since }));
    });
  }

  #seek({ epoch, sequence, behind }: Extract<ListenerMessage, { type: 'seek' }>): void {
    const from = epoch === undefined || sequence === undefined ? undefined : { epoch, sequence };
    void this.#go({ from, behind }, ({ recovered: _, ...place }) => {
      this.tell({ type: 'place', ...place });
      if (!place.shifted) this.#tellAll(clockOf(this.#channel));
    });
  }

  /** Goes into the past when something is there, else close to live, and says where that is. */
  async #go(
    wish: Wish & LiveWish,
    tell: (place: Place & { shifted: boolean }) => void,
  ): Promise<void> {
    this.#wishes += 1;
    const wishes = this.#wishes;
    this.#going = true;
    const shift = TimeShift.to(wish, { channel: this.#channel, archive: this.#options.archive() });
    const past = await shift?.open();
    // Another wish came meanwhile, which is answered for itself.
    if (wishes !== this.#wishes || !this.#session.open) return;
    this.#going = false;
    this.#slowness.forgive(this.#options.now());
    const place = past ?? this.#reader.goLive(wish);
    const { live } = place;
    const wished = this.#state.is === 'entering' ? this.#state.wished : null;
    if (shift !== undefined && past !== undefined) this.#state = { is: 'shifted', shift };
    else this.#state = startingAt(live, this.#reader.waiting);
    tell({ ...place, shifted: past !== undefined });
    if (past === undefined) this.#isLive();
    else if (this.#rate !== 1) this.#hasten();
    if (wished !== null) this.#control(wished);
    this.pump({ flush: true });
  }

  #pumpShifted(shift: TimeShift): void {
    const { raw, now } = this.#options;
    if (!this.#session.open || raw.writableLength > SOCKET_MOST) return;
    if (this.#slowness.outstanding > BEHIND_MOST) return;
    const due = shift.due(now());
    // One that could not take it so fast hears on as it was said.
    if (shift.rate !== this.#rate) this.#setRate(shift.rate);
    this.#tellAll(newsOf(due));
    for (const frame of due.frames) this.#slowness.sent(frame);
    if (due.frames.length > 0) raw.write(asMessages(due.frames));
    if (shift.caughtUp) this.#catchUpWithLive();
  }

  /** The past has come to its end: what follows is live, or the end. */
  #catchUpWithLive(): void {
    this.#reader.restart(this.#channel.ring.head);
    this.#state = { is: 'following' };
    this.tell({ type: 'place', start: null, live: null, shifted: false });
    this.#tellAll(clockOf(this.#channel));
    this.#isLive();
  }

  #isLive(): void {
    this.#rate = 1;
    this.#tellAll(presentOf(this.#channel));
  }

  /** The wish holds in the past, also in one that is on its way; who has come to live has none. */
  #setRate(rate: number): void {
    if (isLive(this.#state) && !this.#going) return;
    this.#rate = rate;
    this.#hasten();
  }

  /** Whose past is sent at another rate from the next frame on is told so before it. */
  #hasten(): void {
    if (this.#state.is !== 'shifted') return;
    this.#state.shift.rate = this.#rate;
    this.tell({ type: 'rate', rate: this.#rate });
  }

  #report(sequence: number): void {
    if (!this.#slowness.reported(sequence, this.#options.now())) return;
    if (this.#state.is === 'priming' && sequence >= this.#state.live.sequence)
      this.#state = { is: 'following' };
    if (this.#state.is !== 'lagging') return;
    this.#state = { is: 'following' };
    if (this.#reader.waiting > PRIMING) this.#skip(this.#reader.behindLive(PRIMING), 'slow');
    this.pump({ flush: true });
  }

  /** Too slow: told so, given the live edge alone, and nothing more before a report of progress. */
  #lag(): void {
    const verdict = this.#slowness.skipped(this.#options.now());
    if (verdict !== undefined) return this.#refuse(verdict);
    this.#skip(this.#reader.ring.head - 1, 'slow');
    this.#send(this.#reader.ring.head);
    this.#state = { is: 'lagging' };
  }

  #refuse(sentence: string): void {
    this.#session.refuse(new ProtocolViolation(CLOSE.tooSlow, sentence));
  }

  #skip(to: number, reason: 'slow' | 'late'): void {
    const skipped = this.#reader.skipTo(to);
    if (skipped !== undefined) this.tell({ type: 'skipped', ...skipped, reason });
  }

  #send(to: number): void {
    const { ring, cursor } = this.#reader;
    const buffer = this.#options.bundle(ring, cursor, to);
    for (const frame of this.#reader.read(to)) this.#slowness.sent(frame);
    this.#options.raw.write(buffer);
  }

  #allowance(): number {
    return BEHIND_MOST + (this.#state.is === 'priming' ? this.#state.replay : 0);
  }
}
