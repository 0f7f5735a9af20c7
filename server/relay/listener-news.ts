/** What a listener is told beside the sound: of the channel as it is now, and of what is due in the past. */
import type { ToListenerMessage } from '../../shared/control.ts';
import type { Channel } from './channel.ts';
import type { Due } from './time-shift.ts';

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
