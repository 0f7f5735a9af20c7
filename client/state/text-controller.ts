/** Gives an element its texts, and renders it anew when the language changes. */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Texts } from '../locales/en.ts';
import { CATALOGUES, currentLanguage, LANGUAGE_CHANGED } from '../locales/language.ts';
import { Scope } from '../scope.ts';

/** The catalogue of the page's language as `t`. */
export class TextController implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  #scope = new Scope();

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  get t(): Texts {
    return CATALOGUES[currentLanguage()];
  }

  hostConnected(): void {
    this.#scope = new Scope();
    this.#scope.on(document, LANGUAGE_CHANGED, () => this.#host.requestUpdate());
  }

  hostDisconnected(): void {
    this.#scope.dispose();
  }
}
