import { describe, expect, it } from 'vitest';
import { en } from '../../client/locales/en.ts';
import { CATALOGUES, chooseLanguage } from '../../client/locales/language.ts';

type Leaf = { readonly path: string; readonly text: string; readonly parameters: number };

const GIVEN = ['⟨a⟩', '⟨b⟩', '⟨c⟩'];

/** Every text of a catalogue; functions are asked with marks that must come back. */
const leavesOf = (branch: object, path = ''): Leaf[] =>
  Object.entries(branch).flatMap(([key, value]: [string, unknown]): Leaf[] => {
    const here = `${path}${key}`;
    if (typeof value === 'string') return [{ path: here, text: value, parameters: 0 }];
    if (typeof value === 'function')
      return [{ path: here, text: String(value(...GIVEN)), parameters: value.length }];
    return leavesOf(value as object, `${here}.`);
  });

/** Texts in which a parameter decides between forms and is not itself shown. */
const FORMS = new Set(['listeners']);

describe('the catalogues', () => {
  for (const [language, catalogue] of Object.entries(CATALOGUES)) {
    const leaves = leavesOf(catalogue);

    it(`${language} has the keys of the English one and no others`, () => {
      expect(leaves.map(({ path }) => path).sort()).toEqual(
        leavesOf(en)
          .map(({ path }) => path)
          .sort(),
      );
    });

    it(`${language} leaves no text empty`, () => {
      expect(leaves.filter(({ text }) => text.trim() === '')).toEqual([]);
    });

    it(`${language} shows everything it is given, where English does`, () => {
      const marks = (text: string): string[] => GIVEN.filter((mark) => text.includes(mark));
      const english = new Map(leavesOf(en).map(({ path, text }) => [path, marks(text)]));
      for (const { path, text } of leaves)
        if (!FORMS.has(path)) expect([path, marks(text)]).toEqual([path, english.get(path)]);
    });
  }

  it('keeps the names of controls that judges press', () => {
    expect([en.goLive, en.endBroadcast, en.mute, en.microphone]).toEqual([
      'Go live',
      'End broadcast',
      'Mute',
      'Microphone',
    ]);
    expect([en.listen, en.pause, en.volume]).toEqual(['Listen', 'Pause', 'Volume']);
    expect(Object.values(en.words)).toEqual([
      'Off',
      'Ready',
      'Connecting',
      'On air',
      'Reconnecting',
      'Buffering',
      'Stalled',
      'Offline',
      'Ended',
    ]);
  });

  it('follows the first language of the browser that there is', () => {
    expect(chooseLanguage(['ko-KR', 'en'])).toBe('ko');
    expect(chooseLanguage(['de', 'ko', 'en'])).toBe('ko');
    expect(chooseLanguage(['en-GB', 'ko'])).toBe('en');
    expect(chooseLanguage(['fr', 'constructor'])).toBe('en');
    expect(chooseLanguage([])).toBe('en');
  });
});
