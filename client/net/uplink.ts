/**
 * The publisher's session: gives captured packets their SEQUENCE, keeps the last two minutes for
 * REPLAY, and hands them to the socket as fast as it takes them (shared/PROTOCOL.md, Behaviour).
 * Everything goes through the ring, and the socket is fed from one cursor: frames captured before
 * the welcome, a replay and a congested uplink are all the same case, namely a cursor behind the
 * head. So nothing is reordered, and nothing waits anywhere but in the ring.
 */
import { CLOSE, ProtocolViolation } from '../../shared/codes.ts';
import { parseToPublisherMessage, type ToPublisherMessage } from '../../shared/control.ts';
import { encodeFrame } from '../../shared/frame.ts';
import { Ring } from '../../shared/ring.ts';
import { millisToSamples } from '../../shared/time.ts';
import type { CapturedMessage, CapturedPacket, EncoderCommand } from '../../worklets/port.ts';
import { Absence } from './absence.ts';
import { ClockReport } from './clock-report.ts';
import { Connection } from './connection.ts';
import { farewell } from './farewell.ts';
import type { NetworkCommand, UplinkEvent, UplinkRefusal } from './messages.ts';
import { fromWall, type Platform, PlatformScope, within } from './platform.ts';
import { UplinkPressure } from './pressure.ts';
import { Rescue } from './rescue.ts';
import { type HeldFrame, Runs } from './runs.ts';
import { claimName, SpoolDesk } from './spool-desk.ts';

const REPORT_EVERY = 1000;
/** A disk that hangs keeps no broadcast from ending, ms. */
const PUT_AWAY_WITHIN = 2000;
/** While more than this waits to be sent, nothing is uploaded besides, ms. */
const CALM_BACKLOG = 500;
const CLOCK_EVERY = 10_000;
/** A socket that was full is looked at again after so long, ms. */
const DRAIN_EVERY = 20;
/** A long backlog waits so long at most until its age can be told, ms. */
const CLOCK_WITHIN = 1000;
/** Pongs after which a clock message is worth sending: the first, and a filter half full. */
const CLOCK_AT_PONGS = [1, 4];
type Welcome = Extract<ToPublisherMessage, { type: 'welcome' }>;

/** One broadcast of one publisher. */
export class Uplink {
  /** What could not be sent, here and of earlier visits. */
  readonly desk: SpoolDesk;
  readonly #command: Extract<NetworkCommand, { type: 'publish' }>;
  readonly #post: (event: UplinkEvent) => void;
  readonly #platform: Platform;
  readonly #scope: PlatformScope;
  readonly #runs: Runs;
  readonly #rescue: Rescue;
  readonly #pressure: UplinkPressure;
  readonly #connection: Connection<ToPublisherMessage>;
  readonly #clock: ClockReport;
  #welcomed = false;
  #everWelcomed = false;
  /** The socket gets no frame yet, because their age cannot be told yet. */
  #awaitsClock = false;
  #drainTimer = false;
  /** The run is all sent; a new socket comes for the next one. */
  #turning = false;
  readonly #absence: Absence;
  #leaving = false;
  /** Leaving, and the last packet has been captured. */
  #allSaid = false;

  constructor(
    command: Extract<NetworkCommand, { type: 'publish' }>,
    options: { readonly post: (event: UplinkEvent) => void; readonly platform: Platform },
  ) {
    this.#command = command;
    this.#post = options.post;
    this.#platform = options.platform;
    this.#scope = new PlatformScope(options.platform);
    this.#pressure = new UplinkPressure(command.rendition);
    const ring = new Ring<HeldFrame>({ duration: millisToSamples(command.replay.kept) });
    this.#runs = new Runs(ring);
    this.#absence = new Absence(options.platform);
    this.desk = new SpoolDesk(command, {
      calm: () => this.#calm,
      platform: options.platform,
      post: this.#post,
    });
    const { spool } = this.desk;
    this.#rescue = new Rescue(ring, this.#runs, { spool, after: command.replay.spoolAfter });
    this.#connection = new Connection<ToPublisherMessage>({
      destination: command,
      role: 'publisher',
      token: command.token,
      parse: parseToPublisherMessage,
      post: (event) =>
        event.type === 'refused'
          ? void this.#refused(event.why, event.sentence)
          : this.#post(event),
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
    this.#clock = new ClockReport(
      this.#runs,
      this.#connection,
      () => this.#welcomed && !this.#turning,
    );
  }

  /** Starts the media clock and the first try at once; what is said before the welcome is kept. */
  start(): void {
    const { port } = this.#command;
    this.#scope.add(() => port.close());
    port.onmessage = ({ data }: MessageEvent<CapturedMessage>) => this.#captured(data);
    this.#tell({ type: 'start', run: this.#runs.newest.run });
    this.#scope.every(REPORT_EVERY, () => this.#report());
    this.#scope.every(CLOCK_EVERY, () => this.#clock.send());
    void this.#claim();
  }

  /** Two tabs on the air with one channel would throw each other out for ever. */
  async #claim(): Promise<void> {
    const { takeover } = this.#command;
    const release = await this.#platform.claim(claimName(this.#command), { steal: takeover });
    if (release === null) return this.#refused('other-tab', 'Another tab is on the air.');
    this.#scope.add(release);
    if (!this.#scope.disposed) this.#connection.start();
  }

  /** Stops capture, sends what is in the ring, be it after a reconnect, says goodbye and closes. */
  leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#tell({ type: 'stop' });
    farewell(this.#scope, {
      stopped: () => {
        this.#allSaid = true;
        this.#drain();
      },
      isDue: () => this.#runs.due !== undefined,
      over: () => void this.#goodbye(),
    });
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
    if (this.#welcomed && this.#pressure.observe(this.#connection.buffered, this.#platform.now()))
      this.#tell({ type: 'bitrate', bitrate: this.#pressure.bitrate });
    this.#rescue.look();
    this.#drain();
  }

  /** Hardly anything live waits, here or in the socket. */
  get #calm(): boolean {
    if (!this.#welcomed || this.#runs.backlog > CALM_BACKLOG) return false;
    return this.#pressure.calm(this.#connection.buffered);
  }

  #hello(): void {
    const { rendition, takeover } = this.#command;
    this.#connection.send({
      type: 'hello',
      role: 'publisher',
      rendition,
      ...this.#runs.resumption(),
      // Once on the air, another publisher is no longer pushed aside unasked.
      ...(takeover && !this.#everWelcomed ? { takeover } : {}),
    });
  }

  #heard(message: ToPublisherMessage): void {
    if (message.type === 'welcome') this.#welcome(message);
    else if (message.type === 'ack') this.#acknowledged(message.sequence);
    else if (message.type === 'tally') {
      this.#absence.heard(this.#runs.newest.run);
      const { recording: _, ...tally } = message;
      this.#post(tally);
    }
  }

  #acknowledged(sequence: number): void {
    const first = this.#runs.sending.acked < 0;
    this.#runs.acknowledge(sequence);
    this.#rescue.confirmed(this.#runs.sending);
    // The first one is the proof of being on the air, and does not wait for the next second.
    if (first) this.#report();
  }

  #welcome({ epoch, next, recording = null }: Welcome): void {
    this.#rescue.belongs(recording, this.#platform.wall());
    // What the server will not take any more over the socket still belongs to the old recording.
    if (this.#runs.sending.epoch !== epoch) this.#rescue.keepAll();
    const run = this.#runs.welcome(epoch, next, recording);
    if (run === 'anew') this.#tell({ type: 'start', run: this.#runs.newest.run });
    this.#rescue.confirmed(this.#runs.sending);
    this.#welcomed = true;
    this.#everWelcomed = true;
    this.#clock.due = true;
    this.#pressure.reset();
    const told = { counts: this.#rescue.counts, recording, anew: run === 'anew' };
    this.#post({ type: 'on-air', epoch, ...this.#absence.end(this.#runs.newest.run, told) });
    this.#awaitsClock = this.#clock.comesFirst;
    if (this.#awaitsClock)
      this.#scope.after(CLOCK_WITHIN, () => {
        this.#awaitsClock = false;
        this.#drain();
      });
    this.#drain();
  }

  #answered(pongs: number): void {
    this.#awaitsClock = false;
    if (CLOCK_AT_PONGS.includes(pongs)) this.#clock.send();
    this.#drain();
  }

  /** Hands frames to the socket, in order, until it is full or there are none. */
  #drain(): void {
    if (!this.#welcomed || this.#awaitsClock || this.#turning) return;
    this.#clock.look();
    const { epoch } = this.#runs.sending;
    for (let frame = this.#runs.due; frame !== undefined; frame = this.#runs.due) {
      if (epoch === null || frame.epoch !== this.#runs.sending.run) {
        this.#turning = true;
        this.#connection.restart();
        return;
      }
      if (!this.#pressure.admits(this.#connection.buffered)) return this.#drainLater();
      if (!this.#connection.sendFrame(encodeFrame({ ...frame, epoch }, frame.packet))) return;
      this.#runs.advance(frame);
    }
    if (this.#allSaid) void this.#goodbye();
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
    // The server has read everything up to the end of the run, or of the broadcast.
    const sent = this.#turning || (this.#allSaid && this.#runs.due === undefined);
    if (clean && sent) this.#rescue.confirmed(this.#runs.finish());
    this.#turning = false;
    this.#welcomed = false;
    this.#awaitsClock = false;
    this.#absence.begin(this.#runs.newest.run);
  }

  #report(): void {
    this.#post({
      type: 'uplink',
      acked: this.#runs.sending.acked,
      waiting: this.#runs.unacknowledged,
      lost: this.#rescue.counts.lost,
      bitrate: this.#pressure.bitrate,
      roundTrip: this.#connection.roundTrip,
    });
    this.desk.look();
  }

  async #refused(why: UplinkRefusal, sentence: string): Promise<void> {
    this.#tell({ type: 'stop' });
    this.#scope.dispose();
    await this.#putAway();
    this.#post({ type: 'refused', why, sentence });
    if (this.#leaving) this.#post({ type: 'ended' });
  }

  async #goodbye(): Promise<void> {
    if (this.#scope.disposed) return;
    this.#connection.send({ type: 'bye', reason: 'ended' });
    this.#scope.dispose();
    await this.#connection.close();
    await this.#putAway();
    this.#post({ type: 'ended' });
  }

  /** The page ends this thread when it hears of the end, so what is not sent is on the disk first. */
  async #putAway(): Promise<void> {
    this.desk.upload.dispose();
    await within(this.#platform, PUT_AWAY_WITHIN, this.#rescue.end());
    this.desk.look();
  }
}
