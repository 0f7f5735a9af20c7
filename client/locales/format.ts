/** Numbers, spans and moments as a language writes them. */
import type { Millis, Utc } from '../../shared/time.ts';
import type { Texts } from './en.ts';
import { currentLanguage, type Language } from './language.ts';

/** A number with just so many digits after the point. */
export const decimal = (
  value: number,
  digits: number,
  language: Language = currentLanguage(),
): string =>
  new Intl.NumberFormat(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);

/** `6.2 s`, `7 min 12 s` or `1 h 5 min`. */
export const spanText = (
  span: Millis,
  { seconds, minutes, hours }: Texts,
  language: Language = currentLanguage(),
): string => {
  const whole = Math.round(span / 1000);
  if (span < 59_950) return seconds(decimal(span / 1000, 1, language));
  const text = (count: number): string => decimal(Math.floor(count), 0, language);
  if (whole < 3600) return minutes(text(whole / 60), text(whole % 60));
  return hours(text(whole / 3600), text((whole % 3600) / 60));
};

/** The time of day, behind the date when that is not today's. */
export const momentText = (
  moment: Utc,
  { now = Date.now(), language = currentLanguage() }: { now?: number; language?: Language } = {},
): string => {
  const sameDay = new Date(moment).toDateString() === new Date(now).toDateString();
  const day = sameDay ? {} : ({ month: 'short', day: 'numeric' } as const);
  const time = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  return new Intl.DateTimeFormat(language, { ...day, ...time }).format(moment);
};

/** Seconds as `0:07`, `12:34` or `1:12:47`. */
export const clockText = (seconds: number): string => {
  const whole = Math.max(Math.floor(seconds), 0);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const two = (count: number): string => String(count).padStart(2, '0');
  const head = hours > 0 ? `${hours}:${two(minutes)}` : `${minutes}`;
  return `${head}:${two(whole % 60)}`;
};
