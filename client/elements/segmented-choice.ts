/** One of a few: buttons side by side, the pressed one is the choice. */
import { css, html, LitElement, type TemplateResult, unsafeCSS } from 'lit';
import controls from '../styles/controls.css?inline';

/** One thing to choose. */
export type Choice = { readonly value: string; readonly word: string };

/** `<segmented-choice label .choices value>`; says `choose` with the value as `detail`. */
export class SegmentedChoice extends LitElement {
  static override properties = {
    label: {},
    value: {},
    choices: { attribute: false },
    disabled: { type: Boolean },
  };
  static override styles = [
    unsafeCSS(controls),
    css`
      :host {
        display: block;
      }
      div {
        display: inline-grid;
        grid-auto-flow: column;
        grid-auto-columns: 1fr;
        border: 1px solid var(--line);
        border-radius: var(--radius-1);
      }
      button {
        min-height: 38px;
        padding: 0 16px;
        border: 0;
        background: transparent;
        color: var(--quiet);
        white-space: nowrap;
      }
      button:first-child {
        border-radius: 5px 0 0 5px;
      }
      button:last-child {
        border-radius: 0 5px 5px 0;
      }
      button + button {
        border-left: 1px solid var(--line);
      }
      button:hover:not(:disabled) {
        color: var(--text);
      }
      button[aria-pressed='true'] {
        background: var(--raised);
        color: var(--text);
        font-weight: 600;
      }
      @media (max-width: 480px) {
        div {
          display: grid;
        }
        button {
          padding: 0 8px;
        }
      }
    `,
  ];
  declare label: string;
  declare value: string;
  declare choices: readonly Choice[];
  declare disabled: boolean;

  constructor() {
    super();
    this.label = '';
    this.value = '';
    this.choices = [];
    this.disabled = false;
  }

  override render(): TemplateResult {
    return html`<div role="group" aria-label=${this.label}>
      ${this.choices.map(({ value, word }) => this.#button(value, word))}
    </div>`;
  }

  #button(value: string, word: string): TemplateResult {
    const pressed = value === this.value ? 'true' : 'false';
    const press = (): void => {
      this.dispatchEvent(new CustomEvent('choose', { detail: value }));
    };
    return html`<button type="button" aria-pressed=${pressed} ?disabled=${this.disabled} @click=${press}>
      ${word}
    </button>`;
  }
}

customElements.define('segmented-choice', SegmentedChoice);
