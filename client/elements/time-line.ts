/** Where in the broadcast one hears, and the ways back and forth. */
import { css, html, LitElement, nothing, type TemplateResult, unsafeCSS } from 'lit';
import type { Texts } from '../locales/en.ts';
import { clockText, decimal } from '../locales/format.ts';
import { CATCH_UP, type PastSpan } from '../state/past.ts';
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
 * `<time-line .span .shifted .rate .paused>`; says `behind` with the seconds behind live that are
 * wished for as `detail`, `live`, and `catchup` with whether to. `rate` is how fast the past is
 * heard, null where that cannot be chosen. While one drags, the slider is the listener's.
 */
export class TimeLine extends LitElement {
  static override properties = {
    span: { attribute: false },
    shifted: { attribute: false },
    rate: { attribute: false },
    paused: { attribute: false },
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
      .ways {
        display: flex;
        flex-wrap: wrap;
        gap: var(--space-2);
      }
      .button[aria-pressed='true'] {
        border-color: var(--accent);
        color: var(--accent);
      }
    `,
  ];
  declare span: PastSpan | null;
  declare shifted: boolean;
  declare rate: number | null;
  declare paused: boolean;
  declare dragged: number | null;
  readonly #text = new TextController(this);
  #focused = false;
  #waiting: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.span = null;
    this.shifted = false;
    this.rate = null;
    this.paused = false;
    this.dragged = null;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#letGo();
  }

  /** At live the ways to it are gone: who stood on one by keyboard stands on the slider. */
  override willUpdate(): void {
    this.#focused = this.renderRoot.contains(this.shadowRoot?.activeElement ?? null);
  }

  override updated(): void {
    if (this.#focused && this.shadowRoot?.activeElement === null)
      this.renderRoot.querySelector('input')?.focus();
  }

  override render(): TemplateResult {
    const { t } = this.#text;
    const ways = this.shifted ? this.#ways(t) : nothing;
    if (this.span === null)
      return html`<div class="below"><span>${this.paused ? t.paused : nothing}</span>${ways}</div>`;
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
      <div class="below"><div class="num">${words}${this.#progress(t, behind)}</div>${ways}</div>`;
  }

  /** The ways to live: at once, or bit by bit. */
  #ways(t: Texts): TemplateResult {
    const { rate } = this;
    const on = rate !== null && rate !== 1;
    return html`<span class="ways">
      ${
        rate === null
          ? nothing
          : html`<button
              class="button"
              type="button"
              aria-pressed=${on}
              @click=${() => this.#say('catchup', !on)}
            >
              ${t.catchUp(decimal(CATCH_UP, 2))}
            </button>`
      }
      <button class="button" type="button" @click=${() => this.#say('live', null)}>${t.goToLive}</button>
    </span>`;
  }

  #progress(t: Texts, behind: number): TemplateResult | typeof nothing {
    const { rate } = this;
    if (rate === null || rate === 1) return nothing;
    return html`<div>${t.catchingUp(clockText(Math.ceil(behind / (rate - 1))))}</div>`;
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

  #say(type: string, detail: number | boolean | null): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

customElements.define('time-line', TimeLine);
