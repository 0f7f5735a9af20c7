/** What a channel's programmes are called, and the secret part of their addresses. */
import { createHmac, randomBytes } from 'node:crypto';
import { samples } from '../../shared/time.ts';
import type { Grid } from './track.ts';
import type { PackagerMemory } from './track-reserve.ts';

/** Of a continuous channel's programme; others have the name of their broadcast. */
export const CONTINUOUS = 'continuous';

/** With these lengths addresses are as they were when there were no others. */
const FIRST_GRID: Grid = { part: samples(15_360), segment: samples(184_320) };

/** Makes a channel's secrets from a key that outlives restarts. */
export class ProgrammeSecrets {
  readonly #memory: Pick<PackagerMemory, 'keepSecret'>;
  readonly #grid: Grid;
  #key: string;

  constructor(grid: Grid, memory: Pick<PackagerMemory, 'secret' | 'keepSecret'>) {
    this.#memory = memory;
    this.#grid = grid;
    this.#key = memory.secret ?? this.turn();
  }

  /**
   * The secret of a programme. Segments are numbered by their length, so that with another length
   * the same number would soon be another sound.
   */
  of(name: string): string {
    const { part, segment } = this.#grid;
    const isFirst = part === FIRST_GRID.part && segment === FIRST_GRID.segment;
    const text = isFirst ? name : `${name} ${part}/${segment}`;
    return createHmac('sha256', this.#key).update(text).digest('base64url').slice(0, 22);
  }

  /** From here on every name has another secret. Returns the new key. */
  turn(): string {
    this.#key = randomBytes(24).toString('base64url');
    this.#memory.keepSecret(this.#key);
    return this.#key;
  }
}
