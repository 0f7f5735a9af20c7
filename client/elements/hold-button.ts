/**
 * A press that must not happen by accident: held for 600 ms it acts at once; a plain click or the
 * keyboard ask for a confirmation first.
 */
import { css, html, LitElement, type TemplateResult, unsafeCSS } from 'lit';
import { Scope } from '../scope.ts';
import controls from '../styles/controls.css?inline';

/** How long a press counts as meant, ms. */
export const HOLD = 600;

/** `<hold-button word question keep hint>`; says `confirm` when the press is meant. */
export class HoldButton extends LitElement {
  static override properties = {
    word: {},
    question: {},
    keep: {},
    hint: {},
    asking: { type: Boolean, reflect: true },
    holding: { state: true },
  };
  static override styles = [
    unsafeCSS(controls),
    css`
      :host {
        display: block;
        --hold: ${unsafeCSS(HOLD)}ms;
      }
      .hold {
        position: relative;
        width: 100%;
        min-height: 48px;
        padding: 0 24px;
        border-color: var(--live);
        font-weight: 600;
        overflow: hidden;
        user-select: none;
        -webkit-user-select: none;
        -webkit-touch-callout: none;
      }
      .hold::before {
        content: '';
        position: absolute;
        inset: 0;
        background: var(--live);
        opacity: 0.35;
        transform: scaleX(0);
        transform-origin: left;
      }
      .hold.held::before {
        transform: scaleX(1);
        transition: transform var(--hold) linear;
      }
      .hold span {
        position: relative;
      }
      .ask {
        display: flex;
        flex-wrap: wrap;
        gap: 12px;
        align-items: center;
        justify-content: flex-end;
      }
      .ask .button {
        min-height: 48px;
      }
      .end {
        border-color: var(--live);
        font-weight: 600;
      }
      @media (max-width: 760px) {
        :host([asking]) {
          flex: 1 1 100%;
        }
        .ask .button {
          flex: 1;
        }
        .ask p {
          flex: 1 1 100%;
        }
      }
    `,
  ];
  declare word: string;
  declare question: string;
  declare keep: string;
  declare hint: string;
  declare asking: boolean;
  declare holding: boolean;
  #hold = new Scope();

  constructor() {
    super();
    this.word = '';
    this.question = '';
    this.keep = '';
    this.hint = '';
    this.asking = false;
    this.holding = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#release();
    this.asking = false;
  }

  override render(): TemplateResult {
    return this.asking ? this.#confirmation() : this.#button();
  }

  #button(): TemplateResult {
    return html`<button
      class="button hold ${this.holding ? 'held' : ''}"
      type="button"
      title=${this.hint}
      @pointerdown=${this.#press}
      @pointerup=${this.#release}
      @pointerleave=${this.#release}
      @pointercancel=${this.#release}
      @contextmenu=${(event: Event) => event.preventDefault()}
      @click=${this.#ask}
    >
      <span>${this.word}</span>
    </button>`;
  }

  #confirmation(): TemplateResult {
    return html`<div class="ask" role="group" aria-labelledby="question" @keydown=${this.#onKey}>
      <p id="question" role="alert">${this.question}</p>
      <button class="button" type="button" @click=${this.#stay}>${this.keep}</button>
      <button class="button end" type="button" @click=${this.#confirm}>${this.word}</button>
    </div>`;
  }

  #press(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#release();
    this.holding = true;
    this.#hold = new Scope();
    this.#hold.after(HOLD, () => {
      this.#release();
      this.#meant();
    });
  }

  #release(): void {
    this.#hold.dispose();
    this.holding = false;
  }

  async #ask(): Promise<void> {
    this.asking = true;
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>('.end')?.focus();
  }

  async #stay(): Promise<void> {
    this.asking = false;
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>('.hold')?.focus();
  }

  /** The second half of a double click is not a second thought. */
  #confirm(event: MouseEvent): void {
    if (event.detail > 1) return;
    this.asking = false;
    this.#meant();
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key === 'Escape') void this.#stay();
    // An Enter key held down confirms nothing.
    if (event.repeat) event.preventDefault();
  }

  #meant(): void {
    this.dispatchEvent(new CustomEvent('confirm'));
  }
}

customElements.define('hold-button', HoldButton);
