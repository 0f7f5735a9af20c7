/** When a socket that does not come, or does not stay, is given up for another way of the sound. */
import { Scope } from '../scope.ts';

/** Without a welcome for so long HTTP is asked; where that works, the socket has as long again, ms. */
const WELCOME_WITHIN = 4000;
/** So many losses in a row, and HTTP is asked at once. */
const LOSSES = 2;
/** A welcome that lasted so long ends the row, ms. */
const STEADY_AFTER = 5000;

/**
 * A server that restarts answers neither socket nor HTTP: nothing but waiting helps. Where HTTP
 * works and a socket is lost after that, something in between lets no socket through.
 */
export class SocketPatience {
  readonly #httpWorks: () => Promise<boolean>;
  readonly #hurry: () => void;
  readonly #giveUp: () => void;
  /** The wait for a welcome, or for its lasting; each has its own. */
  #phase = new Scope();
  #losses = 0;
  /** HTTP answered since the last socket that stayed. */
  #known = false;
  #asking = false;
  #over = false;

  constructor(options: {
    readonly httpWorks: () => Promise<boolean>;
    /** Lets a socket that backs off try at once. */
    readonly hurry: () => void;
    /** Called once at most. */
    readonly giveUp: () => void;
  }) {
    this.#httpWorks = options.httpWorks;
    this.#hurry = options.hurry;
    this.#giveUp = options.giveUp;
    this.#await();
  }

  welcomed(): void {
    if (this.#over) return;
    this.#renew().after(STEADY_AFTER, () => {
      this.#losses = 0;
      this.#known = false;
    });
  }

  lost(): void {
    if (this.#over) return;
    this.#losses += 1;
    if (this.#known) return this.#end();
    this.#await();
    if (this.#losses >= LOSSES) void this.#ask();
  }

  /** The server has spoken, or nobody listens any more. */
  close(): void {
    this.#over = true;
    this.#phase.dispose();
  }

  #await(): void {
    this.#renew().after(WELCOME_WITHIN, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const phase = this.#phase;
    const works = await this.#httpWorks();
    this.#asking = false;
    if (this.#over) return;
    // A socket that was lost or welcomed meanwhile has begun a wait of its own.
    const current = phase === this.#phase;
    if (!works) return current ? this.#await() : undefined;
    this.#known = true;
    if (!current) return;
    this.#hurry();
    this.#renew().after(WELCOME_WITHIN, () => this.#end());
  }

  #renew(): Scope {
    this.#phase.dispose();
    this.#phase = new Scope();
    return this.#phase;
  }

  #end(): void {
    this.close();
    this.#giveUp();
  }
}
