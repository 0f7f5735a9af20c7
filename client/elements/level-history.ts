/** The last 30 seconds of peaks, the newest on the right: a mute or a pause shows as a gap. */
import { css, html, LitElement, type TemplateResult } from 'lit';
import type { CaptureReading } from '../../worklets/port.ts';
import { type Feed, FeedController } from '../state/feed.ts';
import { position } from '../state/meter-scale.ts';
import { DrawingController, type Sheet } from './drawing.ts';

const SECONDS = 30;
const COLUMNS = 300;
const COLUMN = (SECONDS * 1000) / COLUMNS;

/** `<level-history .feed label>`. */
export class LevelHistory extends LitElement {
  static override properties = { feed: { attribute: false }, label: {} };
  static override styles = css`
    :host {
      display: block;
    }
    canvas {
      display: block;
      width: 100%;
      height: 72px;
    }
  `;
  declare feed: Feed<CaptureReading> | null;
  declare label: string;
  readonly #drawing = new DrawingController(this, (sheet) => this.#draw(sheet));
  /** Heights 0 to 1; `#head` is the column being filled. */
  readonly #columns = new Float32Array(COLUMNS);
  #head = 0;
  #begun = 0;

  constructor() {
    super();
    this.feed = null;
    new FeedController(
      this,
      () => this.feed,
      (reading) => this.#enter(reading),
    );
    this.label = '';
  }

  override render(): TemplateResult {
    return html`<canvas role="img" aria-label=${this.label}></canvas>`;
  }

  #enter(reading: CaptureReading | null): void {
    const now = performance.now();
    // After a long sleep of the tab there is nothing to show but the gap.
    if (now - this.#begun > SECONDS * 1000) this.#begun = now - SECONDS * 1000;
    while (now - this.#begun >= COLUMN) {
      this.#begun += COLUMN;
      this.#head = (this.#head + 1) % COLUMNS;
      this.#columns[this.#head] = 0;
    }
    const peak = Math.max(...(reading?.peak ?? []), Number.NEGATIVE_INFINITY);
    this.#columns[this.#head] = Math.max(this.#columns[this.#head] ?? 0, position(peak));
    this.#drawing.ask();
  }

  #draw({ pen, width, height, colour }: Sheet): void {
    // Whole pixels only, so that nothing shimmers while it moves.
    const pitch = Math.max(Math.floor((width + 1) / COLUMNS), 3);
    const shown = Math.min(COLUMNS, Math.floor(width / pitch) + 1);
    const middle = height / 2;
    pen.fillStyle = colour('--line');
    pen.fillRect(0, middle - 0.5, width, 1);
    pen.fillStyle = colour('--quiet');
    for (let age = 0; age < shown; age += 1) {
      const value = this.#columns[(this.#head - age + COLUMNS) % COLUMNS] ?? 0;
      const tall = Math.round(value * (middle - 2));
      if (tall > 0) pen.fillRect(width - (age + 1) * pitch, middle - tall, pitch - 1, 2 * tall);
    }
  }
}

customElements.define('level-history', LevelHistory);
