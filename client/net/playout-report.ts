/** What a listener reports of its playout, within the bounds of shared/control.ts. */
import type { ListenerMessage } from '../../shared/control.ts';
import { type Millis, millis } from '../../shared/time.ts';
import type { PlayoutReading } from '../../worklets/port.ts';

/** Longest span and largest latency that a report may carry, ms. */
const MOST_SPAN = 86_400_000;

const span = (ms: number): Millis => millis(Math.min(Math.max(0, ms), MOST_SPAN));

/** A report; `current` says whether the reading still tells what is buffered now. */
export const reportOf = (
  sequence: number,
  reading: PlayoutReading | null,
  { current, latency }: { readonly current: boolean; readonly latency: number | null },
): Extract<ListenerMessage, { type: 'report' }> => ({
  type: 'report',
  sequence,
  buffered: current ? span(reading?.buffered ?? 0) : millis(0),
  target: span(reading?.target ?? 0),
  concealed: reading?.concealed ?? 0,
  skipped: reading?.skipped ?? 0,
  latency,
});
