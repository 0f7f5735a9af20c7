/** When something has been wrong for long enough to tell a person, and well enough to say it is over. */
import { type Utc, utc } from '../../shared/time.ts';

/** What is known of one possible trouble. */
export type Watch =
  | { readonly is: 'well' }
  | { readonly is: 'suspected'; readonly since: Utc }
  /** `well` is since when it has looked well again; null while it does not. */
  | { readonly is: 'raised'; readonly since: Utc; readonly well: Utc | null };

/** How long it must be wrong before it is raised, and well before it is over, ms. */
export type Patience = { readonly raise: number; readonly clear: number };

export const WELL: Watch = { is: 'well' };

/** The watch after a look; the same object where the look changes nothing. */
export const watch = (
  state: Watch,
  { wrong, now }: { readonly wrong: boolean; readonly now: Utc },
  { raise, clear }: Patience,
): Watch => {
  if (state.is === 'raised') {
    if (wrong) return state.well === null ? state : { ...state, well: null };
    const well = state.well ?? now;
    if (now - well >= clear) return WELL;
    return state.well === null ? { ...state, well } : state;
  }
  if (!wrong) return WELL;
  const since = state.is === 'suspected' ? state.since : now;
  if (now - since >= raise) return { is: 'raised', since, well: null };
  return state.is === 'suspected' ? state : { is: 'suspected', since };
};

/** The last times at which something happened, the oldest first; three at most. */
export type Repeats = readonly Utc[];

const REPEATS = 3;
const REPEATED_WITHIN = 10_000;
/** Two happenings that are closer are one, ms. */
const APART = 1500;

/** Enters whether it happens now. */
export const repeats = (known: Repeats, happens: boolean, now: Utc): Repeats => {
  const newest = known.at(-1) ?? utc(Number.NEGATIVE_INFINITY);
  return happens && now - newest >= APART ? [...known, now].slice(-REPEATS) : known;
};

/** Whether it happened three times within ten seconds, and not longer ago than that. */
export const areRepeated = (known: Repeats, now: Utc): boolean => {
  const [oldest] = known;
  return known.length === REPEATS && oldest !== undefined && now - oldest <= REPEATED_WITHIN;
};
