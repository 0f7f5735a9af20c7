/** The quiet switch of languages in a page's last line. */
import { css, html, LitElement, type TemplateResult, unsafeCSS } from 'lit';
import {
  currentLanguage,
  LANGUAGE_NAMES,
  type Language,
  switchLanguage,
} from '../locales/language.ts';
import { TextController } from '../state/text-controller.ts';
import controls from '../styles/controls.css?inline';

/** `<language-switch>`: each language by its own name, the current one pressed. */
export class LanguageSwitch extends LitElement {
  static override styles = [
    unsafeCSS(controls),
    css`
      div {
        display: flex;
        gap: 4px;
        margin-inline: -8px;
      }
      button {
        min-height: 32px;
        padding: 0 8px;
        border: 0;
        border-radius: var(--radius-1);
        background: transparent;
        color: var(--quiet);
        font-size: var(--type-1);
      }
      button:hover,
      button[aria-pressed='true'] {
        color: var(--text);
      }
    `,
  ];
  readonly #text = new TextController(this);

  override render(): TemplateResult {
    const names = Object.entries(LANGUAGE_NAMES) as [Language, string][];
    return html`<div role="group" aria-label=${this.#text.t.language}>
      ${names.map(([language, name]) => this.#button(language, name))}
    </div>`;
  }

  #button(language: Language, name: string): TemplateResult {
    const pressed = language === currentLanguage() ? 'true' : 'false';
    return html`<button
      type="button"
      lang=${language}
      aria-pressed=${pressed}
      @click=${() => switchLanguage(language)}
    >
      ${name}
    </button>`;
  }
}

customElements.define('language-switch', LanguageSwitch);
