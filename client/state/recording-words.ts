/** What there is to say of a recording beside its length and size. */
import { secondsToMillis } from '../../shared/time.ts';
import type { Texts } from '../locales/en.ts';
import { decimal, spanText } from '../locales/format.ts';
import { currentLanguage, type Language } from '../locales/language.ts';
import type { ListedRecording } from './channel-status.ts';

/** Whether a recording is whole, in a few words. */
export const recordingState = (
  recording: ListedRecording,
  t: Texts,
  language: Language = currentLanguage(),
): string => {
  const { final, missing, complete, gaps, m4a } = recording;
  if (missing) return t.recordings.gone;
  if (!final) return t.recordings.running;
  if (!complete)
    return gaps > 0
      ? t.recordings.lacks(spanText(secondsToMillis(gaps), t, language))
      : t.recordings.incomplete;
  if (m4a !== null && m4a.url === undefined)
    return t.recordings.copying(decimal(Math.floor(m4a.progress * 100), 0, language));
  return t.recordings.whole;
};
