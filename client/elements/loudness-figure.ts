/** The loudness as a numeral that a person can read: smoothed, four times a second. */
import { css, html, LitElement, type TemplateResult } from 'lit';
import type { CaptureReading } from '../../worklets/port.ts';
import { type Feed, FeedController } from '../state/feed.ts';
import { signed } from '../state/meter-scale.ts';

const PERIOD = 250;

/** `<loudness-figure .feed>`: momentary loudness, LUFS; a dash while there is silence. */
export class LoudnessFigure extends LitElement {
  static override properties = { feed: { attribute: false }, text: { state: true } };
  static override styles = css`
    :host {
      display: inline-block;
      min-width: 5ch;
      font-variant-numeric: tabular-nums;
    }
  `;
  declare feed: Feed<CaptureReading> | null;
  declare text: string;
  #shownAt = 0;

  constructor() {
    super();
    this.feed = null;
    this.text = '–';
    new FeedController(
      this,
      () => this.feed,
      (reading) => this.#enter(reading),
    );
  }

  override render(): TemplateResult {
    return html`${this.text}`;
  }

  #enter(reading: CaptureReading | null): void {
    const now = performance.now();
    if (reading !== null && now - this.#shownAt < PERIOD) return;
    this.#shownAt = now;
    const loudness = reading?.loudness ?? Number.NEGATIVE_INFINITY;
    this.text = Number.isFinite(loudness) ? signed(loudness, 1) : '–';
  }
}

customElements.define('loudness-figure', LoudnessFigure);
