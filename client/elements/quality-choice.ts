/** How close to live, and in which encoding: two choices of the listener's. */
import { css, html, LitElement, nothing, type TemplateResult, unsafeCSS } from 'lit';
import { type OfferedRendition, QUALITIES, type Quality } from '../state/quality.ts';
import { TextController } from '../state/text-controller.ts';
import controls from '../styles/controls.css?inline';
import './segmented-choice.ts';

/**
 * `<quality-choice .quality .renditions .pinned>`; says `quality` with one of the qualities, and
 * `rendition` with a name, or null for automatic, as `detail`.
 */
export class QualityChoice extends LitElement {
  static override properties = {
    quality: { attribute: false },
    renditions: { attribute: false },
    pinned: { attribute: false },
  };
  static override styles = [
    unsafeCSS(controls),
    css`
      :host {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-3) var(--space-5);
        align-items: center;
      }
      segmented-choice {
        font-size: var(--type-1);
      }
      label {
        display: flex;
        gap: var(--space-3);
        align-items: center;
        font-size: var(--type-1);
        color: var(--quiet);
      }
      .field {
        grid-template-columns: auto minmax(0, 1fr);
        gap: var(--space-3);
        align-items: center;
      }
      .field > select {
        width: auto;
        font-size: var(--type-1);
      }
      @container (max-width: 560px) {
        segmented-choice,
        .field {
          flex: 1 1 100%;
        }
        .field > select {
          width: 100%;
        }
      }
    `,
  ];
  declare quality: Quality;
  declare renditions: readonly OfferedRendition[];
  declare pinned: string | null;
  readonly #text = new TextController(this);

  constructor() {
    super();
    this.quality = 'closest';
    this.renditions = [];
    this.pinned = null;
  }

  override render(): TemplateResult {
    const { t } = this.#text;
    const choices = QUALITIES.map((value) => ({ value, word: t.qualities[value] }));
    const choose = (event: CustomEvent<Quality>): void => this.#say('quality', event.detail);
    return html`<segmented-choice
        label=${t.closeness}
        value=${this.quality}
        .choices=${choices}
        @choose=${choose}
      ></segmented-choice>
      ${this.renditions.length > 1 ? this.#renditions() : nothing}`;
  }

  #renditions(): TemplateResult {
    const { t } = this.#text;
    const pick = (event: Event): void =>
      this.#say('rendition', (event.target as HTMLSelectElement).value || null);
    return html`<div class="field">
      <label for="rendition">${t.rendition}</label>
      <select id="rendition" @change=${pick}>
        <option value="" ?selected=${this.pinned === null}>${t.automatic}</option>
        ${this.renditions.map(
          ({ name, codec, bitrate }) =>
            html`<option value=${name} ?selected=${this.pinned === name}>
              ${t.renditionOf(codec, (bitrate / 1000).toFixed(0))}
            </option>`,
        )}
      </select>
    </div>`;
  }

  #say(type: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

customElements.define('quality-choice', QualityChoice);
