/** Epochs as the store remembers them, so that no number is given out twice over restarts. */
import { epochAfter, type Store } from '../store/store.ts';
import type { EpochSource } from './seat.ts';

/** The epochs of all channels; `keep` runs what writes, and survives that it fails. */
export const storedEpochs = (
  store: Store,
  keep: (slug: string, act: () => void) => void,
): EpochSource => {
  const last = new Map(store.channels().map(({ slug, epoch }) => [slug, epoch]));
  return {
    resumable: (slug) => {
      const epoch = last.get(slug) ?? -1;
      const ended = store.broadcastOf(slug, epoch)?.ended ?? null;
      return epoch < 0 || ended !== null ? undefined : epoch;
    },
    next: (slug) => {
      const epoch = epochAfter(last.get(slug) ?? -1);
      last.set(slug, epoch);
      keep(slug, () => store.keepEpoch(slug, epoch));
      return epoch;
    },
  };
};
