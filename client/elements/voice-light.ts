/** Whether somebody speaks: a light and words; a pause for breath does not put it out. */
import { css, html, LitElement, type TemplateResult } from 'lit';
import type { CaptureReading } from '../../worklets/port.ts';
import { Scope } from '../scope.ts';
import { type Feed, FeedController } from '../state/feed.ts';

const AFTERGLOW = 1200;

/** `<voice-light .feed yes no>`. */
export class VoiceLight extends LitElement {
  static override properties = {
    feed: { attribute: false },
    yes: {},
    no: {},
    lit: { state: true },
  };
  static override styles = css`
    :host {
      display: flex;
      gap: 8px;
      align-items: center;
      color: var(--quiet);
      font-size: var(--type-1);
      line-height: 20px;
    }
    i {
      width: 8px;
      height: 8px;
      margin: 2px;
      border-radius: 50%;
      box-shadow: inset 0 0 0 1.5px var(--quiet);
    }
    i.lit {
      background: var(--ok);
      box-shadow: none;
    }
  `;
  declare feed: Feed<CaptureReading> | null;
  declare yes: string;
  declare no: string;
  declare lit: boolean;
  #glow = new Scope();

  constructor() {
    super();
    this.feed = null;
    this.yes = '';
    this.no = '';
    this.lit = false;
    new FeedController(
      this,
      () => this.feed,
      (reading) => this.#enter(reading),
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#glow.dispose();
  }

  override render(): TemplateResult {
    return html`<i class=${this.lit ? 'lit' : ''}></i><span>${this.lit ? this.yes : this.no}</span>`;
  }

  #enter(reading: CaptureReading | null): void {
    if (!reading?.voice) return;
    this.lit = true;
    this.#glow.dispose();
    this.#glow = new Scope();
    this.#glow.after(AFTERGLOW, () => {
      this.lit = false;
    });
  }
}

customElements.define('voice-light', VoiceLight);
