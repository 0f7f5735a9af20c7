/**
 * The listener's session: hands frames on to the playback worklet untouched, remembers the RESUME
 * POINT, tells the server what it played, and tells the page how far behind the microphone it is
 * (shared/PROTOCOL.md, Behaviour).
 */
import type { Catalog } from '../../shared/catalog.ts';
import {
  type FrameId,
  parseToListenerMessage,
  type ToListenerMessage,
} from '../../shared/control.ts';
import { decodeFrame, type FrameHeader } from '../../shared/frame.ts';
import type { Millis, Utc } from '../../shared/time.ts';
import type { DownlinkMessage, PlayoutReading } from '../../worklets/port.ts';
import { Burst } from './burst.ts';
import { CapturePoints } from './capture-points.ts';
import { CatchUp } from './catch-up.ts';
import { Connection } from './connection.ts';
import type { ConnectionEvent, DownlinkEvent, HeardAt, NetworkCommand } from './messages.ts';
import { fromWall, type Platform, PlatformScope } from './platform.ts';
import { reportOf } from './playout-report.ts';
import { beforeHeard, RecentFrames } from './recent-frames.ts';
import { RenditionLadder } from './rendition-ladder.ts';

const REPORT_EVERY = 1000;
/** A reading older than this says nothing of what is buffered now, ms. */
const READING_HOLDS = 1500;

type Welcome = Extract<ToListenerMessage, { type: 'welcome' }>;

/** One listener, for as long as the page wants to hear. */
export class Downlink {
  readonly #port: MessagePort;
  readonly #post: (event: DownlinkEvent) => void;
  readonly #platform: Platform;
  readonly #scope: PlatformScope;
  readonly #connection: Connection<ToListenerMessage>;
  readonly #points = new CapturePoints();
  readonly #burst = new Burst();
  /** Ends the reports of one socket. */
  #reports: PlatformScope | null = null;
  /** Newest frame received: where to resume. */
  #newest: FrameId | null = null;
  /** Frames up to here are priming or replay. */
  #primedTo: FrameId | null = null;
  #reading: PlayoutReading | null = null;
  #readAt: Utc;
  #outputLatency = 0;
  readonly #ladder = new RenditionLadder();
  /** Rendition last asked for, and that of the newest frame; the publisher's own to begin with. */
  #asked = 0;
  #rendition = 0;
  #isLive = false;
  /** Where a pause ended, until the server has said that it goes on there. */
  #from: HeardAt | null;
  #shifted = false;
  readonly #catchUp: CatchUp;
  readonly #recent = new RecentFrames();

  constructor(
    command: Extract<NetworkCommand, { type: 'listen' }>,
    options: { readonly post: (event: DownlinkEvent) => void; readonly platform: Platform },
  ) {
    this.#port = command.port;
    this.#from = command.from ?? null;
    this.#post = options.post;
    this.#platform = options.platform;
    this.#readAt = options.platform.now();
    this.#scope = new PlatformScope(options.platform);
    this.#connection = new Connection<ToListenerMessage>({
      destination: command,
      role: 'listener',
      parse: parseToListenerMessage,
      post: (event) => this.#connectionSaid(event),
      platform: options.platform,
      session: {
        opened: () => this.#hello(),
        control: (message) => this.#heard(message),
        frame: (bytes) => this.#received(bytes),
        answered: () => {},
        closed: () => {
          this.#reports?.dispose();
          this.#ladder.interrupt();
        },
      },
    });
    this.#catchUp = new CatchUp({
      ask: (rate) => this.#connection.send({ type: 'rate', rate }),
      play: (rate) => this.#tell({ type: 'rate', rate }),
    });
  }

  /** Begins the first try. */
  start(): void {
    this.#scope.add(() => this.#port.close());
    this.#scope.add(() => this.#reports?.dispose());
    this.#port.onmessage = ({ data }: MessageEvent<PlayoutReading>) => this.#played(data);
    this.#connection.start();
  }

  /** Closes the socket and hears no more. */
  leave(): void {
    this.#scope.dispose();
    void this.#connection.close();
  }

  /** Seconds from the worklet's output to the ear. */
  set outputLatency(latency: number) {
    this.#outputLatency = latency;
  }

  /** Pins a rendition by its id; null goes by what the network carries. */
  select(rendition: number | null): void {
    this.#ladder.pin(rendition);
    this.#ask();
  }

  /** Goes so far behind live. */
  seek(behind: Millis): void {
    this.#connection.send({ type: 'seek', behind });
  }

  /** Hears the past so much faster; the server says from which frame on. */
  setRate(rate: number): void {
    this.#catchUp.wish(rate);
  }

  /** The network is said to be back. */
  hurry(): void {
    this.#connection.hurry();
  }

  #hello(): void {
    this.#connection.send({
      type: 'hello',
      role: 'listener',
      ...(this.#asked === 0 ? {} : { rendition: this.#asked }),
      ...this.#resumePoint(),
    });
  }

  #resumePoint(): { readonly resume?: FrameId; readonly shifted?: boolean } {
    if (this.#from !== null) return { resume: beforeHeard(this.#from), shifted: true };
    if (this.#newest === null) return {};
    return { resume: this.#newest, ...(this.#shifted ? { shifted: true } : {}) };
  }

  #heard(message: ToListenerMessage): void {
    switch (message.type) {
      case 'welcome':
        this.#welcome(message);
        break;
      case 'place':
        this.#place(message);
        break;
      case 'rate':
        this.#catchUp.runs(message.rate);
        this.#post(message);
        break;
      case 'clock':
        this.#points.learn(message);
        break;
      case 'metadata':
        this.#post({ type: 'metadata', metadata: message });
        break;
      case 'catalog':
        this.#offer(message.catalog);
        this.#post({ type: 'catalog', catalog: message.catalog });
        break;
      case 'skipped':
        this.#ladder.jumped();
        this.#burst.expect();
        this.#tell({ type: 'flush' });
        this.#post({ type: 'skipped', reason: message.reason });
        break;
      case 'state':
        this.#isLive = message.is === 'live';
        if (!this.#isLive) this.#ladder.interrupt();
        // What comes after a shorter silence tells how late frames can be, and how much to hold.
        if (message.is !== 'live' && message.is !== 'holding') {
          this.#burst.expect();
          this.#tell({ type: 'pause' });
        }
        this.#post({ type: 'state', is: message.is });
        break;
    }
  }

  #welcome({ catalog, start, live, recovered, shifted, since, clock }: Welcome): void {
    const from = this.#from?.timestamp;
    this.#from = null;
    this.#primedTo = live;
    if (clock !== null) this.#points.learn(clock);
    if (from !== undefined && recovered) this.#tell({ type: 'rejoin', from });
    else if (!recovered && this.#newest !== null && start !== null) this.#tell({ type: 'rejoin' });
    this.#isLive = start !== null;
    this.#shifted = shifted;
    this.#offer(catalog);
    this.#post({ type: 'welcome', catalog, onAir: start !== null, shifted, since });
    this.#catchUp.welcomed(shifted);
  }

  /** What follows comes from another place, or has become live. */
  #place({ start, live, shifted }: Extract<ToListenerMessage, { type: 'place' }>): void {
    if (start !== null) {
      this.#primedTo = live;
      this.#ladder.jumped();
      this.#tell({ type: 'rejoin' });
    }
    this.#shifted = shifted;
    this.#post({ type: 'place', shifted });
    this.#catchUp.placed(shifted);
  }

  #offer(catalog: Catalog): void {
    this.#ladder.offer(catalog);
    this.#ask();
  }

  /** The server goes on with the next frame in the other encoding: same sequence, same timestamps. */
  #ask(): void {
    const { wanted } = this.#ladder;
    if (wanted === this.#asked) return;
    this.#asked = wanted;
    this.#connection.send({ type: 'select', rendition: wanted });
  }

  #received(bytes: Uint8Array<ArrayBuffer>): void {
    const frame = decodeFrame(bytes);
    const inBurst = this.#burst.holds(frame, this.#platform.now());
    const live = !inBurst && !this.#isPriming(frame);
    this.#newest = { epoch: frame.epoch, sequence: frame.sequence };
    this.#recent.enter(frame);
    this.#rendition = frame.rendition;
    this.#port.postMessage({ type: 'frame', bytes, live } satisfies DownlinkMessage, [
      bytes.buffer,
    ]);
    if (this.#reports === null || this.#reports.disposed) this.#beginReports();
  }

  #isPriming({ epoch, sequence }: FrameHeader): boolean {
    const to = this.#primedTo;
    return to !== null && (epoch < to.epoch || (epoch === to.epoch && sequence <= to.sequence));
  }

  #beginReports(): void {
    this.#reports = new PlatformScope(this.#platform);
    this.#reports.every(REPORT_EVERY, () => this.#report());
    this.#report();
  }

  #report(): void {
    if (this.#newest === null) return;
    const reading = this.#reading;
    const current = reading !== null && this.#platform.now() - this.#readAt < READING_HOLDS;
    const latency = current ? this.#latency(reading) : null;
    this.#connection.send(reportOf(this.#newest.sequence, reading, { current, latency }));
    // What a broadcaster's silence does to the playout says nothing of this listener's network.
    if (!current || !this.#isLive || this.#shifted) return;
    this.#ladder.judge(reading, this.#platform.now());
    this.#ask();
  }

  #played(reading: PlayoutReading): void {
    this.#reading = reading;
    this.#readAt = this.#platform.now();
    const { clock } = this.#connection;
    this.#post({
      type: 'playout',
      reading,
      latency: this.#latency(reading),
      rendition: this.#rendition,
      clockOffset: clock.known ? clock.toServer(this.#readAt) - this.#platform.wall() : null,
      at: this.#recent.find(reading),
    });
  }

  /** Seconds from microphone to ear of the sample that the reading names. */
  #latency({ phase, epoch, timestamp, at }: PlayoutReading): number | null {
    const { clock } = this.#connection;
    const captured = this.#points.captureOf(epoch, timestamp);
    if (phase === 'priming' || captured === null || !clock.known) return null;
    const behind = clock.toServer(fromWall(this.#platform, at)) - captured;
    return behind / 1000 + this.#outputLatency;
  }

  #tell(message: DownlinkMessage): void {
    this.#port.postMessage(message);
  }

  #connectionSaid(event: ConnectionEvent): void {
    this.#post(event);
    if (event.type === 'refused') this.#scope.dispose();
  }
}
