/** What happened between the loss of a publisher's socket and the next welcome, for the host to hear. */
import { type Millis, millis, type Utc } from '../../shared/time.ts';
import type { Platform } from './platform.ts';

/** Frames that a rescue has counted since the beginning. */
type Counts = { readonly lost: number; readonly spooled: number };

/** On both clocks, and in which run of the media clock. */
type Moment = { readonly at: Utc; readonly wall: Utc; readonly run: number };

/** How a host came back; see `on-air` in messages. */
export type Return = Counts & { readonly outage: Millis; readonly anew: boolean };

/** Remembers when the server was lost, and what was so far lost with it. */
export class Absence {
  readonly #platform: Pick<Platform, 'now' | 'wall'>;
  #heard: Moment | null = null;
  #began: Moment | null = null;
  #before: Counts = { lost: 0, spooled: 0 };
  #recording: string | null = null;

  constructor(platform: Pick<Platform, 'now' | 'wall'>) {
    this.#platform = platform;
  }

  /** The server said something while a run of the media clock was captured. */
  heard(run: number): void {
    this.#heard = this.#moment(run);
  }

  /**
   * The socket went; only the first time counts. When capture has stood still since the server was
   * last heard, the machine slept, and has been away since then.
   */
  begin(run: number): void {
    const slept = this.#heard !== null && this.#heard.run !== run;
    this.#began ??= slept ? this.#heard : this.#moment(run);
  }

  /** The server has answered; `anew` is what to believe while it does not name a recording. */
  end(
    run: number,
    { counts, recording, anew }: { counts: Counts; recording: string | null; anew: boolean },
  ): Return {
    const known = recording !== null && this.#recording !== null;
    const told = {
      outage: this.#length(run),
      lost: counts.lost - this.#before.lost,
      spooled: counts.spooled - this.#before.spooled,
      anew: known ? recording !== this.#recording : anew,
    };
    this.#began = null;
    this.#heard = this.#moment(run);
    this.#before = counts;
    this.#recording = recording;
    return told;
  }

  #moment(run: number): Moment {
    const { now, wall } = this.#platform;
    return { at: now(), wall: wall(), run };
  }

  /** The steady clock of some browsers stands still while the machine sleeps; so does capture. */
  #length(run: number): Millis {
    if (this.#began === null) return millis(0);
    const { at, wall, run: before } = this.#began;
    const steady = this.#platform.now() - at;
    const length = run === before ? steady : Math.max(steady, this.#platform.wall() - wall);
    return millis(Math.max(0, length));
  }
}
