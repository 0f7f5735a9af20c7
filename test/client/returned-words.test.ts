import { describe, expect, it } from 'vitest';
import { en } from '../../client/locales/en.ts';
import { momentText, spanText } from '../../client/locales/format.ts';
import { ko } from '../../client/locales/ko.ts';
import { millis, utc } from '../../shared/time.ts';

describe('a span', () => {
  it.each([
    [6240, '6.2 s', '6.2초'],
    [59_949, '59.9 s', '59.9초'],
    [59_950, '1 min 0 s', '1분 0초'],
    [432_000, '7 min 12 s', '7분 12초'],
    [3_599_700, '1 h 0 min', '1시간 0분'],
    [3_900_000, '1 h 5 min', '1시간 5분'],
  ])('of %d ms is read in both languages', (span, english, korean) => {
    expect(spanText(millis(span), en, 'en')).toBe(english);
    expect(spanText(millis(span), ko, 'ko')).toBe(korean);
  });
});

describe('a moment', () => {
  const moment = new Date(2026, 10, 22, 14, 5).getTime();

  it('of today is its time of day', () => {
    const now = new Date(2026, 10, 22, 18, 0).getTime();
    expect(momentText(utc(moment), { now, language: 'en' })).toBe('14:05');
  });

  it('of another day names the day', () => {
    const now = new Date(2026, 10, 23, 0, 10).getTime();
    expect(momentText(utc(moment), { now, language: 'en' })).toBe('Nov 22, 14:05');
    expect(momentText(utc(moment), { now, language: 'ko' })).toContain('22일');
  });
});

describe('the sentence of a return', () => {
  it('says plainly what is lost and what is not', () => {
    expect(en.back.whole('6.2 s')).toBe('Back after 6.2 s; nothing was lost.');
    expect(en.back.missing('12.0 s', '3.1 s')).toBe('Back after 12.0 s; 3.1 s are missing.');
  });
});
