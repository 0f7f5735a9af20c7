/** How the studio says that the host was away and is back. */
import { type Millis, millis } from '../../shared/time.ts';
import type { Texts } from '../locales/en.ts';
import { momentText, spanText } from '../locales/format.ts';
import type { Returned } from './uplink-news.ts';

/** A sentence, and whether something is missing. */
export type ReturnedReport = { readonly tone: 'ok' | 'warn'; readonly sentence: string };

/** Puts an outage that is over into words; `frame` is the length of a frame, ms. */
export const returnedReport = (
  { outage, lost, spooled, anew, at }: Returned,
  frame: Millis,
  t: Texts,
): ReturnedReport => {
  const { back } = t;
  const away = spanText(outage, t);
  const missing = spanText(millis(lost * frame), t);
  const parts = [lost > 0 ? back.missing(away, missing) : back.whole(away)];
  if (anew) parts.push(back.anew);
  if (spooled > 0) parts.push(back.uploading(spanText(millis(spooled * frame), t)));
  return {
    tone: lost > 0 ? 'warn' : 'ok',
    sentence: `${momentText(at)} · ${parts.join(' ')}`,
  };
};
