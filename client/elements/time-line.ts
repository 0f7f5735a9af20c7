/** Where in the broadcast one hears, and the ways back and forth. */
import { css, html, LitElement, nothing, type TemplateResult, unsafeCSS } from 'lit';
import { clockText } from '../locales/format.ts';
import type { PastSpan } from '../state/past.ts';
import { TextController } from '../state/text-controller.ts';
import controls from '../styles/controls.css?inline';
import './line-icon.ts';

/** What one press goes back or on, s. */
const STEP = 30;
/** Keys move the slider step by step: where they have come to counts after so long, ms. */
const SETTLED = 400;
/** So long the slider stays where it was put, until what is heard has followed, ms. */
const FOLLOWED = 1500;

/**
 * `<time-line .span .shifted>`; says `behind` with the seconds behind live that are wished for as
 * `detail`, and `live`. While one drags, the slider is the listener's.
 */
export class TimeLine extends LitElement {
  static override properties = {
    span: { attribute: false },
    shifted: { attribute: false },
    dragged: { state: true },
  };
  static override styles = [
    unsafeCSS(controls),
    css`
      :host {
        display: grid;
        gap: var(--space-2);
      }
      .row {
        display: grid;
        grid-template-columns: auto minmax(0, 1fr) auto;
        gap: var(--space-3);
        align-items: center;
      }
      .below {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2) var(--space-4);
        align-items: center;
        justify-content: space-between;
        min-height: 36px;
        font-size: var(--type-1);
        color: var(--quiet);
      }
    `,
  ];
  declare span: PastSpan | null;
  declare shifted: boolean;
  declare dragged: number | null;
  readonly #text = new TextController(this);
  #waiting: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.span = null;
    this.shifted = false;
    this.dragged = null;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#letGo();
  }

  override render(): TemplateResult {
    const { t } = this.#text;
    const live = this.shifted
      ? html`<button class="button" type="button" @click=${() => this.#say('live', null)}>${t.goToLive}</button>`
      : nothing;
    if (this.span === null) return html`<div class="below"><span>${t.paused}</span>${live}</div>`;
    const { length, behind } = this.span;
    const place = this.dragged ?? Math.max(0, length - behind);
    const words = t.placeOf(clockText(place), clockText(length));
    return html`<div class="row">
        ${this.#step(t.stepBack(STEP), '−', behind + STEP, behind + STEP > length)}
        <input
          type="range"
          aria-label=${t.place}
          aria-valuetext=${words}
          style="--filled: ${length > 0 ? Math.round((place / length) * 100) : 100}%"
          min="0"
          max=${Math.ceil(length)}
          step="1"
          .value=${String(Math.round(place))}
          @input=${this.#drag}
          @change=${this.#drop}
        />
        ${this.#step(t.stepOn(STEP), '+', Math.max(0, behind - STEP), !this.shifted)}
      </div>
      <div class="below"><span class="num">${words}</span>${live}</div>`;
  }

  #step(label: string, sign: string, behind: number, disabled: boolean): TemplateResult {
    return html`<button
      class="button num"
      type="button"
      aria-label=${label}
      ?disabled=${disabled}
      @click=${() => this.#say('behind', behind)}
    >
      ${sign}${STEP}
    </button>`;
  }

  #drag(event: Event): void {
    this.dragged = Number((event.target as HTMLInputElement).value);
  }

  #drop(): void {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => {
      if (this.span !== null && this.dragged !== null)
        this.#say('behind', Math.max(0, this.span.length - this.dragged));
      this.#waiting = setTimeout(() => this.#letGo(), FOLLOWED);
    }, SETTLED);
  }

  #letGo(): void {
    clearTimeout(this.#waiting);
    this.dragged = null;
  }

  #say(type: string, detail: number | null): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

customElements.define('time-line', TimeLine);
