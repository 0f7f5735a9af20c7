/** Gives out the epochs of all channels, none of them twice, also across restarts. */
import { epochAfter, type Store } from '../store/store.ts';
import type { EpochSource } from './seat.ts';

/** What an epoch source asks of others. */
export type EpochSourceOptions = {
  /** Writes to the database; says so when that fails. */
  readonly keep: (slug: string, act: () => void) => void;
  readonly lacking: EpochSource['lacking'];
};

/** Makes the source of a store's epochs. */
export const epochSource = (store: Store, { keep, lacking }: EpochSourceOptions): EpochSource => {
  const last = new Map(store.channels().map(({ slug, epoch }) => [slug, epoch]));
  /** Channels of which nobody knows whether the last epoch was the last. */
  const unsure = new Set(store.epochsLost > 0 ? last.keys() : []);
  return {
    resumable: (slug) => {
      const epoch = last.get(slug) ?? -1;
      const ended = store.broadcastOf(slug, epoch)?.ended ?? null;
      return epoch < 0 || ended !== null ? undefined : epoch;
    },
    next: (slug) => {
      const lost = unsure.delete(slug) ? store.epochsLost : 0;
      const epoch = epochAfter((last.get(slug) ?? -1) + lost);
      last.set(slug, epoch);
      keep(slug, () => store.keepEpoch(slug, epoch));
      return epoch;
    },
    lacking,
  };
};
