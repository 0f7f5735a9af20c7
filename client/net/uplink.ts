/**
 * The publisher's session: gives captured packets their SEQUENCE, keeps the last two minutes for
 * REPLAY, and hands them to the socket as fast as it takes them (shared/PROTOCOL.md, Behaviour).
 *
 * Everything goes through the ring, and the socket is fed from one cursor: frames captured before
 * the welcome, a replay and a congested uplink are all the same case, namely a cursor behind the
 * head. So nothing is reordered, and nothing waits anywhere but in the ring.
 */
import { CLOSE, ProtocolViolation } from '../../shared/codes.ts';
import { parseToPublisherMessage, type ToPublisherMessage } from '../../shared/control.ts';
import { encodeFrame, frameEnd } from '../../shared/frame.ts';
import { Ring } from '../../shared/ring.ts';
import { millis, millisToSamples, secondsToMillis } from '../../shared/time.ts';
import type { CapturedMessage, CapturedPacket, EncoderCommand } from '../../worklets/port.ts';
import { Connection } from './connection.ts';
import type { ConnectionEvent, NetworkCommand, UplinkEvent } from './messages.ts';
import { fromWall, type Platform, PlatformScope } from './platform.ts';
import { UplinkPressure } from './pressure.ts';
import { type HeldFrame, Runs } from './runs.ts';

const KEPT = millisToSamples(secondsToMillis(120));
const REPORT_EVERY = 1000;
const CLOCK_EVERY = 10_000;
/** A socket that was full is looked at again after so long, ms. */
const DRAIN_EVERY = 20;
/** A longer backlog than this waits for the clock, at most so long: its age must be known first. */
const LONG_BACKLOG = 2000;
const CLOCK_WITHIN = 1000;
/** The browser's UTC counts whole milliseconds. */
const CLOCK_STEP = 1;
/** What the worklet had under way when it was told to stop arrives within this, ms. */
const STOP_GRACE = 40;
/** A goodbye waits so long for an answer when there is nothing left to send, ms. */
const LEAVE_WITHIN = 2000;
/** And so long, over every reconnect, while something that was said is still here, ms. */
const SEND_WITHIN = 60_000;
const LOOK_EVERY = 250;
/** Pongs after which a clock message is worth sending: the first, and a filter half full. */
const CLOCK_AT_PONGS = [1, 4];

/** One broadcast of one publisher. */
export class Uplink {
  readonly #command: Extract<NetworkCommand, { type: 'publish' }>;
  readonly #post: (event: UplinkEvent) => void;
  readonly #platform: Platform;
  readonly #scope: PlatformScope;
  readonly #ring = new Ring<HeldFrame>({ duration: KEPT });
  readonly #runs = new Runs(this.#ring);
  readonly #pressure: UplinkPressure;
  readonly #connection: Connection<ToPublisherMessage>;
  #welcomed = false;
  #everWelcomed = false;
  /** The socket gets no frame yet, because their age cannot be told yet. */
  #awaitsClock = false;
  #clockDue = false;
  #drainTimer = false;
  /** The run is all sent; a new socket comes for the next one. */
  #turning = false;
  #lostAt: number | null = null;
  #lostBefore = 0;
  /** Leaving: the ring's index that is still to be sent up to. */
  #end: number | null = null;
  #leaving = false;

  constructor(
    command: Extract<NetworkCommand, { type: 'publish' }>,
    options: { readonly post: (event: UplinkEvent) => void; readonly platform: Platform },
  ) {
    this.#command = command;
    this.#post = options.post;
    this.#platform = options.platform;
    this.#scope = new PlatformScope(options.platform);
    this.#pressure = new UplinkPressure(command.rendition);
    this.#connection = new Connection<ToPublisherMessage>({
      destination: command,
      role: 'publisher',
      token: command.token,
      parse: parseToPublisherMessage,
      post: (event) => this.#connectionSaid(event),
      platform: options.platform,
      session: {
        opened: () => this.#hello(),
        control: (message) => this.#heard(message),
        frame: () => {
          throw new ProtocolViolation(CLOSE.badMessage, 'A publisher is sent no frames.');
        },
        answered: (pongs) => this.#answered(pongs),
        closed: (clean) => this.#closed(clean),
      },
    });
  }

  /** Starts the media clock and the first try at once; what is said before the welcome is kept. */
  start(): void {
    const { port } = this.#command;
    this.#scope.add(() => port.close());
    port.onmessage = ({ data }: MessageEvent<CapturedMessage>) => this.#captured(data);
    this.#tell({ type: 'start', run: this.#runs.newest.run });
    this.#scope.every(REPORT_EVERY, () => this.#report());
    this.#scope.every(CLOCK_EVERY, () => this.#sendClock());
    this.#connection.start();
  }

  /** Stops capture, sends what is in the ring, be it after a reconnect, says goodbye and closes. */
  leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#tell({ type: 'stop' });
    this.#scope.after(STOP_GRACE, () => {
      this.#end = this.#ring.head;
      this.#drain();
    });
    const deadline = this.#platform.now() + SEND_WITHIN;
    this.#scope.after(LEAVE_WITHIN, () => this.#giveUp(deadline));
  }

  /** Nothing that was said is dropped at the end while there is hope of sending it. */
  #giveUp(deadline: number): void {
    if (this.#runs.due === undefined || this.#platform.now() >= deadline) this.#goodbye();
    else this.#scope.after(LOOK_EVERY, () => this.#giveUp(deadline));
  }

  /** The network is said to be back. */
  hurry(): void {
    this.#connection.hurry();
  }

  #tell(command: EncoderCommand): void {
    this.#command.port.postMessage(command);
  }

  #captured(packet: CapturedPacket): void {
    const captured = fromWall(this.#platform, packet.captured);
    if (!this.#runs.push({ ...packet, captured })) return;
    // Without a welcome nothing waits in the socket, which says nothing of the network.
    const { now } = this.#platform;
    if (this.#welcomed && this.#pressure.observe(this.#connection.buffered, now()))
      this.#tell({ type: 'bitrate', bitrate: this.#pressure.bitrate });
    this.#drain();
  }

  #hello(): void {
    const { rendition, takeover } = this.#command;
    const { resume, fresh } = this.#runs.resumption();
    this.#connection.send({
      type: 'hello',
      role: 'publisher',
      rendition,
      ...(resume === null ? {} : { resume }),
      ...(fresh ? { fresh } : {}),
      // Once on the air, another publisher is no longer pushed aside unasked.
      ...(takeover && !this.#everWelcomed ? { takeover } : {}),
    });
  }

  #heard(message: ToPublisherMessage): void {
    if (message.type === 'welcome') this.#welcome(message.epoch, message.next);
    else if (message.type === 'ack') this.#acknowledged(message.sequence);
    else if (message.type === 'tally')
      this.#post({ type: 'tally', live: message.live, listeners: message.listeners });
  }

  #acknowledged(sequence: number): void {
    const first = this.#runs.sending.acked < 0;
    this.#runs.acknowledge(sequence);
    // The first one is the proof of being on the air, and does not wait for the next second.
    if (first) this.#report();
  }

  #welcome(epoch: number, next: number): void {
    if (this.#runs.welcome(epoch, next) === 'anew')
      this.#tell({ type: 'start', run: this.#runs.newest.run });
    this.#welcomed = true;
    this.#everWelcomed = true;
    this.#clockDue = true;
    this.#pressure.reset();
    const outage = this.#lostAt === null ? 0 : this.#platform.now() - this.#lostAt;
    const lost = this.#runs.lost - this.#lostBefore;
    this.#lostAt = null;
    this.#lostBefore = this.#runs.lost;
    this.#post({ type: 'on-air', epoch, outage: millis(Math.max(0, outage)), lost });
    this.#awaitsClock = !this.#connection.clock.known && this.#runs.backlog > LONG_BACKLOG;
    if (this.#awaitsClock)
      this.#scope.after(CLOCK_WITHIN, () => {
        this.#awaitsClock = false;
        this.#drain();
      });
    this.#drain();
  }

  #answered(pongs: number): void {
    this.#awaitsClock = false;
    if (CLOCK_AT_PONGS.includes(pongs)) this.#sendClock();
    this.#drain();
  }

  /** Hands frames to the socket, in order, until it is full or there are none. */
  #drain(): void {
    if (!this.#welcomed || this.#awaitsClock || this.#turning) return;
    if (this.#clockDue) this.#sendClock();
    const { epoch } = this.#runs.sending;
    for (let frame = this.#runs.due; frame !== undefined; frame = this.#runs.due) {
      if (epoch === null || frame.epoch !== this.#runs.sending.run) {
        this.#turning = true;
        this.#connection.restart();
        return;
      }
      if (!this.#pressure.admits(this.#connection.buffered)) {
        this.#drainLater();
        return;
      }
      this.#connection.sendFrame(encodeFrame({ ...frame, epoch }, frame.packet));
      this.#runs.advance(frame);
    }
    if (this.#end !== null) this.#goodbye();
  }

  #drainLater(): void {
    if (this.#drainTimer) return;
    this.#drainTimer = true;
    this.#scope.after(DRAIN_EVERY, () => {
      this.#drainTimer = false;
      this.#drain();
    });
  }

  #closed(clean: boolean): void {
    if (this.#turning && clean) this.#runs.finish();
    this.#turning = false;
    this.#welcomed = false;
    this.#awaitsClock = false;
    this.#lostAt ??= this.#platform.now();
  }

  /** One point of the media clock: the end of the newest packet, and the server's UTC of it. */
  #sendClock(): void {
    const { clock } = this.#connection;
    const frame = this.#runs.newestOfSending;
    const { epoch } = this.#runs.sending;
    this.#clockDue = true;
    if (!this.#welcomed || this.#turning || epoch === null || !clock.known || !frame) return;
    this.#clockDue = false;
    this.#connection.send({
      type: 'clock',
      epoch,
      timestamp: frameEnd(frame),
      utc: clock.toServer(frame.captured),
      uncertainty: millis(clock.uncertainty + CLOCK_STEP),
    });
  }

  #report(): void {
    this.#post({
      type: 'uplink',
      acked: this.#runs.sending.acked,
      waiting: this.#runs.unacknowledged,
      lost: this.#runs.lost,
      bitrate: this.#pressure.bitrate,
      roundTrip: this.#connection.roundTrip,
    });
  }

  #connectionSaid(event: ConnectionEvent): void {
    this.#post(event);
    if (event.type !== 'refused') return;
    this.#tell({ type: 'stop' });
    this.#scope.dispose();
    if (this.#leaving) this.#post({ type: 'ended' });
  }

  #goodbye(): void {
    if (this.#scope.disposed) return;
    this.#connection.send({ type: 'bye', reason: 'ended' });
    this.#scope.dispose();
    void this.#connection.close().then(() => this.#post({ type: 'ended' }));
  }
}
