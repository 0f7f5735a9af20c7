/** What a listener is told beside the sound: of the channel as it is now, and of what is due in the past. */
import type { ToListenerMessage } from '../../shared/control.ts';
import type { Utc } from '../../shared/time.ts';
import type { Channel } from './channel.ts';
import type { Place } from './reader.ts';
import type { Due } from './time-shift.ts';

type Welcomed = {
  readonly session: string;
  readonly place: Place & { readonly shifted: boolean };
  /** Since when the broadcast can be heard again; null when it cannot. */
  readonly since: Utc | null;
};

/** The answer to its hello. */
export const welcomeOf = (
  { renditions, clockPoint }: Channel,
  { session, place, since }: Welcomed,
): ToListenerMessage => ({
  type: 'welcome',
  ...{ session, catalog: renditions, ...place, since, clock: clockPoint },
});

/** The clock of now, which who was in the past may have missed. */
export const clockOf = ({ clockPoint }: Channel): readonly ToListenerMessage[] =>
  clockPoint === null ? [] : [{ type: 'clock', ...clockPoint }];

/** State and title of now. */
export const presentOf = ({ state, nowPlaying }: Channel): readonly ToListenerMessage[] => [
  { type: 'state', is: state },
  ...(nowPlaying === null ? [] : [nowPlaying]),
];

/** What belongs to frames that are due, before them. */
export const newsOf = ({ clock, titles }: Due): readonly ToListenerMessage[] => [
  ...(clock === null ? [] : [{ type: 'clock', ...clock } as const]),
  ...titles,
];
