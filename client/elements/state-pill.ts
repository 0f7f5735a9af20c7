/** The state pill: a shape and a word, never colour alone. */
import { css, html, LitElement, nothing, svg, type TemplateResult } from 'lit';

const arc = svg`<path class="turns" d="M6 1.5a4.5 4.5 0 1 1-4.5 4.5" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>`;

const SHAPES = {
  off: svg`<circle cx="6" cy="6" r="4.5" fill="none" stroke="currentColor" stroke-width="1.5"/>`,
  ready: svg`<circle cx="6" cy="6" r="4.75" fill="none" stroke="currentColor" stroke-width="1.5"/><circle cx="6" cy="6" r="2" fill="currentColor"/>`,
  connecting: arc,
  'on-air': svg`<circle cx="6" cy="6" r="5.5" fill="currentColor"/>`,
  reconnecting: arc,
  buffering: svg`<g class="fills" fill="currentColor"><rect x="0.5" y="4" width="2.5" height="4"/><rect x="4.75" y="4" width="2.5" height="4"/><rect x="9" y="4" width="2.5" height="4"/></g>`,
  stalled: svg`<rect x="1.75" y="1.75" width="8.5" height="8.5" fill="none" stroke="currentColor" stroke-width="2"/>`,
  offline: svg`<path d="M1.5 6h9" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>`,
  ended: svg`<rect x="1" y="1" width="10" height="10" fill="currentColor"/>`,
} satisfies Record<string, TemplateResult<2>>;

/** A state that has a shape and a word. */
export type PillState = keyof typeof SHAPES;

/**
 * `<state-pill state word detail>` with role status. `detail` (the delay) is shown but not
 * announced, because it changes every second; `still` takes the live region away, for lists.
 */
export class StatePill extends LitElement {
  static override properties = {
    state: { reflect: true },
    word: {},
    detail: {},
    still: { type: Boolean },
  };
  static override styles = css`
    :host {
      display: inline-block;
      max-width: 100%;
      vertical-align: middle;
    }
    .pill {
      display: inline-flex;
      align-items: center;
      height: 28px;
      max-width: 100%;
      padding: 0 12px;
      border: 1px solid var(--line);
      border-radius: var(--radius-3);
      color: var(--quiet);
      font: 600 var(--type-1) / 1 var(--font);
      font-variant-numeric: tabular-nums;
      white-space: nowrap;
      transition:
        color var(--motion),
        border-color var(--motion);
    }
    svg {
      flex: none;
      width: 12px;
      height: 12px;
      margin-right: 8px;
    }
    .detail {
      font-weight: 400;
      overflow: hidden;
      text-overflow: ellipsis;
      line-height: 20px;
      white-space: pre;
    }
    :host([state='ready']) .pill,
    :host([state='connecting']) .pill,
    :host([state='buffering']) .pill {
      color: var(--text);
    }
    :host([state='on-air']) .pill {
      border-color: var(--live);
      color: var(--live);
    }
    :host([state='reconnecting']) .pill,
    :host([state='stalled']) .pill {
      border-color: var(--warn);
      color: var(--warn);
    }
    @media (prefers-reduced-motion: no-preference) {
      .turns {
        transform-origin: 6px 6px;
        animation: turn 1.2s linear infinite;
      }
      .fills rect {
        animation: fill 1.2s ease-in-out infinite;
      }
      .fills rect:nth-child(2) {
        animation-delay: 0.15s;
      }
      .fills rect:nth-child(3) {
        animation-delay: 0.3s;
      }
    }
    @keyframes turn {
      to {
        transform: rotate(1turn);
      }
    }
    @keyframes fill {
      50% {
        opacity: 0.25;
      }
    }
  `;
  declare state: PillState;
  declare word: string;
  declare detail: string;
  declare still: boolean;

  constructor() {
    super();
    this.state = 'off';
    this.word = '';
    this.detail = '';
    this.still = false;
  }

  override render(): TemplateResult {
    const shape = html`<svg viewBox="0 0 12 12" aria-hidden="true">${SHAPES[this.state]}</svg>`;
    const detail = this.detail
      ? html`<span class="detail" aria-live="off">${this.detail}</span>`
      : nothing;
    return html`<span class="pill" role=${this.still ? nothing : 'status'}>${shape}${this.word}${detail}</span>`;
  }
}

customElements.define('state-pill', StatePill);
