/** Which language a page speaks: the root's `lang` attribute says so, and is the only place. */
import { rememberedLanguage, rememberLanguage } from '../state/preferences.ts';
import { en, type Texts } from './en.ts';
import { ko } from './ko.ts';

/** A language there is a catalogue for. */
export type Language = 'en' | 'ko';

/** The catalogues. */
export const CATALOGUES: Readonly<Record<Language, Texts>> = { en, ko };

/** What each language calls itself. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', ko: '한국어' };

/** Event on the document after `lang` has changed. */
export const LANGUAGE_CHANGED = 'skywave-language';

const isLanguage = (name: string): name is Language => Object.hasOwn(CATALOGUES, name);

/** The first wanted language (`ko-KR` counts as `ko`) there is a catalogue for, else English. */
export const chooseLanguage = (wanted: readonly string[]): Language => {
  for (const tag of wanted) {
    const [name] = tag.toLowerCase().split('-');
    if (name !== undefined && isLanguage(name)) return name;
  }
  return 'en';
};

/** Sets `lang` from what was chosen here before, else from the browser's languages. */
export const adoptLanguage = (): void => {
  const remembered = rememberedLanguage();
  document.documentElement.lang = chooseLanguage([
    ...(remembered === null ? [] : [remembered]),
    ...navigator.languages,
  ]);
};

/** Speaks another language from now on, and at the next visit. */
export const switchLanguage = (language: Language): void => {
  document.documentElement.lang = language;
  rememberLanguage(language);
  document.dispatchEvent(new Event(LANGUAGE_CHANGED));
};

export const currentLanguage = (): Language => chooseLanguage([document.documentElement.lang]);
