/** The catalog as a ladder: which of its renditions is wanted, by a person or by the network. */
import type { Catalog } from '../../shared/catalog.ts';
import type { Utc } from '../../shared/time.ts';
import type { PlayoutReading } from '../../worklets/port.ts';
import { RenditionChoice } from './rendition-choice.ts';

/** A skip is told by the server and then seen in the playout: within so long it is one, ms. */
const ONE_SKIP = 3000;

/** Knows what is on offer, the best first, and what is wanted of it. */
export class RenditionLadder {
  readonly #choice = new RenditionChoice();
  /** Ids in the catalog, the best first; the publisher's own encoding before there is a catalog. */
  #ids: readonly number[] = [0];
  #pinned: number | null = null;
  #jumped = false;
  #skips = 0;
  #skippedFrames = 0;
  #skippedAt: Utc | null = null;

  /** Id of the rendition to play. */
  get wanted(): number {
    if (this.#pinned !== null && this.#ids.includes(this.#pinned)) return this.#pinned;
    return this.#ids[this.#choice.step] ?? 0;
  }

  offer(catalog: Catalog): void {
    const best = [...catalog].sort((a, b) => b.bitrate - a.bitrate || a.id - b.id);
    this.#ids = best.length === 0 ? [0] : best.map(({ id }) => id);
    this.#choice.offer(this.#ids.length);
  }

  /** A person's own choice; null leaves it to the network. */
  pin(rendition: number | null): void {
    this.#pinned = rendition;
    this.#choice.interrupt();
  }

  /** What came before says nothing of what comes. */
  interrupt(): void {
    this.#choice.interrupt();
  }

  /** The server has skipped this listener. */
  jumped(): void {
    this.#jumped = true;
  }

  /** Enters what the playout says of itself; a pinned rendition stays whatever it says. */
  judge({ received, concealed, skipped, target }: PlayoutReading, at: Utc): void {
    const jumped = this.#jumped || skipped > this.#skippedFrames;
    this.#jumped = false;
    this.#skippedFrames = skipped;
    if (jumped && (this.#skippedAt === null || at - this.#skippedAt >= ONE_SKIP)) {
      this.#skips += 1;
      this.#skippedAt = at;
    }
    if (this.#pinned !== null) return;
    this.#choice.judge({ at, received, concealed, skips: this.#skips, target });
  }
}
