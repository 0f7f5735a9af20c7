/** Makes AAC copies of finished recordings, one after the other, and knows how far they are. */
import type { FastifyBaseLogger } from 'fastify';

/** A finished recording rests so long before it is copied, ms: late pieces may still come. */
const REST = 5000;

/** Where a copy stands; `progress` is from 0 to 1. */
export type CopyState = {
  readonly state: 'waiting' | 'making' | 'failed';
  readonly progress: number;
};

/** How one copy is made; false when there is no encoder here. */
export type MakeCopy = (
  id: string,
  options: { readonly progress: (share: number) => void; readonly signal: AbortSignal },
) => Promise<boolean>;

/** The queue of copies. */
export class Copies {
  readonly #make: MakeCopy;
  readonly #log: FastifyBaseLogger;
  readonly #states = new Map<string, CopyState>();
  readonly #rests = new Map<string, NodeJS.Timeout>();
  readonly #closing = new AbortController();
  #running: { readonly id: string; readonly stop: () => Promise<void> } | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(make: MakeCopy, { log }: { log: FastifyBaseLogger }) {
    this.#make = make;
    this.#log = log;
  }

  /** Where the copy of a recording stands; undefined when none is asked for. */
  stateOf(id: string): CopyState | undefined {
    return this.#states.get(id);
  }

  /** Asks for a copy, after a rest that begins anew each time. */
  later(id: string): void {
    if (this.#closing.signal.aborted) return;
    clearTimeout(this.#rests.get(id));
    this.#rests.set(
      id,
      setTimeout(() => {
        this.#rests.delete(id);
        void this.want(id);
      }, REST),
    );
  }

  /** Asks for a copy; resolves when it was made, or cannot be. */
  want(id: string): Promise<void> {
    if (this.#states.get(id)?.state === 'waiting') return this.#work;
    this.#states.set(id, { state: 'waiting', progress: 0 });
    this.#work = this.#work.then(() => this.#run(id));
    return this.#work;
  }

  /** For a recording that is to go: resolves when nothing of its copy is written any more. */
  async drop(id: string): Promise<void> {
    clearTimeout(this.#rests.get(id));
    this.#rests.delete(id);
    if (this.#running?.id === id) await this.#running.stop();
    if (this.#states.get(id)?.state === 'failed') this.#states.delete(id);
  }

  async close(): Promise<void> {
    for (const timer of this.#rests.values()) clearTimeout(timer);
    this.#closing.abort();
    await this.#work;
  }

  async #run(id: string): Promise<void> {
    const dropped = new AbortController();
    const signal = AbortSignal.any([this.#closing.signal, dropped.signal]);
    if (signal.aborted) return;
    const progress = (share: number): void => {
      this.#states.set(id, { state: 'making', progress: Math.round(share * 100) / 100 });
    };
    progress(0);
    try {
      const making = this.#make(id, { progress, signal });
      const stop = async (): Promise<void> => {
        dropped.abort();
        await making.catch(() => {});
      };
      this.#running = { id, stop };
      await making;
      this.#states.delete(id);
    } catch (error) {
      this.#log.error({ recording: id, error: String(error) }, 'A copy could not be made.');
      this.#states.set(id, { state: 'failed', progress: 0 });
    } finally {
      this.#running = undefined;
    }
  }
}
