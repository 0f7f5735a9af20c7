/** The server's clock as a player over HTTP learns it: the same that dates the playlists. */

/** A server that takes longer has not answered, ms. */
const ANSWER_WITHIN = 6000;
/** Asked again no sooner than this, ms. */
const ASK_EVERY = 30_000;

/** This browser's own clock, as long as it agrees with the server's; moved no further than it must. */
export class ServerClock {
  readonly #url: string;
  readonly #known: number | null;
  #askedAt = Number.NEGATIVE_INFINITY;
  #least = Number.NEGATIVE_INFINITY;
  #most = Number.POSITIVE_INFINITY;

  /** `url` answers with UTC in ISO 8601; `known` is the offset where it was learnt better, ms. */
  constructor(url: string, known: number | null = null) {
    this.#url = url;
    this.#known = known;
  }

  /** What to add to this browser's clock, ms. */
  get offset(): number {
    return this.#known ?? Math.min(Math.max(0, this.#least), this.#most);
  }

  /** Whether the server has answered, or need not be asked. */
  get isKnown(): boolean {
    return this.#known !== null || Number.isFinite(this.#least);
  }

  /** Asks the server, unless it was asked just now. Never rejects: unanswered, nothing changes. */
  async ask(signal: AbortSignal): Promise<void> {
    if (this.#known !== null || performance.now() - this.#askedAt < ASK_EVERY) return;
    this.#askedAt = performance.now();
    const within = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN)]);
    try {
      const sent = Date.now();
      const response = await fetch(this.#url, { signal: within, cache: 'no-store' });
      const answered = Date.now();
      const utc = Date.parse(await response.text());
      if (response.ok && Number.isFinite(utc)) this.enter(utc, sent, answered);
    } catch {}
  }

  /** The server said `utc` between `sent` and `answered`; all in ms of UTC. */
  enter(utc: number, sent: number, answered: number): void {
    const [least, most] = [utc - answered, utc - sent];
    // A clock was set in between: what was learnt before is void.
    const isVoid = least > this.#most || most < this.#least;
    this.#least = isVoid ? least : Math.max(this.#least, least);
    this.#most = isVoid ? most : Math.min(this.#most, most);
  }
}
