/** A link to pass on: shown, selectable, and copied by one press. */
import { css, html, LitElement, type TemplateResult, unsafeCSS } from 'lit';
import { Scope } from '../scope.ts';
import controls from '../styles/controls.css?inline';
import './line-icon.ts';

/** `<copy-field label value word done name>`: the words of the button before and after, and its full name. */
export class CopyField extends LitElement {
  static override properties = {
    label: {},
    value: {},
    word: {},
    done: {},
    name: {},
    copied: { state: true },
  };
  static override styles = [
    unsafeCSS(controls),
    css`
      :host {
        display: block;
      }
      .line {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 8px;
      }
      .button {
        min-width: 88px;
      }
      line-icon {
        width: 16px;
        height: 16px;
        color: var(--ok);
      }
    `,
  ];
  declare label: string;
  declare value: string;
  declare word: string;
  declare done: string;
  declare name: string;
  declare copied: boolean;
  #scope = new Scope();

  constructor() {
    super();
    this.label = '';
    this.value = '';
    this.word = '';
    this.done = '';
    this.name = '';
    this.copied = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#scope.dispose();
  }

  override render(): TemplateResult {
    const face = this.copied
      ? html`<line-icon name="done"></line-icon>${this.done}`
      : html`${this.word}`;
    return html`<div class="field">
      <label for="value">${this.label}</label>
      <div class="line">
        <div class="field">
          <input id="value" type="text" readonly .value=${this.value} @focus=${this.#selectAll} />
        </div>
        <button class="button" type="button" aria-label=${this.copied ? this.done : this.name} @click=${this.#copy}>
          ${face}
        </button>
      </div>
    </div>`;
  }

  get #input(): HTMLInputElement | null {
    return this.renderRoot.querySelector('input');
  }

  #selectAll(): void {
    this.#input?.select();
  }

  async #copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.value);
    } catch {
      // Insecure pages have no clipboard; the text is selected instead, ready for the keyboard.
      this.#input?.focus();
      return;
    }
    this.copied = true;
    this.#scope.dispose();
    this.#scope = new Scope();
    this.#scope.after(2000, () => {
      this.copied = false;
    });
  }
}

customElements.define('copy-field', CopyField);
