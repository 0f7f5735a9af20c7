/** The quiet picture of the player: arcs from a mast, on which the sound travels outwards. */
import { css, html, LitElement, type TemplateResult } from 'lit';
import { type Feed, FeedController } from '../state/feed.ts';
import { DrawingController, type Sheet, wantsStillness } from './drawing.ts';

const ARCS = 11;
/** Weight at rest, of an arc nobody sends on. */
const REST = 0.36;

/** `<sound-visual .feed>`: linear peaks, about ten a second; stands still when motion is unwanted. */
export class SoundVisual extends LitElement {
  static override properties = { feed: { attribute: false } };
  static override styles = css`
    :host {
      display: block;
      aspect-ratio: 1;
      border: 1px solid var(--line);
      border-radius: var(--radius-2);
      background: var(--surface);
      overflow: hidden;
    }
    canvas {
      display: block;
      width: 100%;
      height: 100%;
    }
  `;
  declare feed: Feed<number> | null;
  readonly #drawing = new DrawingController(this, (sheet) => this.#draw(sheet));
  /** What each arc carries, 0 to 1, the innermost first; `#shown` follows it softly. */
  readonly #carried = new Float32Array(ARCS);
  readonly #shown = new Float32Array(ARCS);

  constructor() {
    super();
    this.feed = null;
    new FeedController(
      this,
      () => this.feed,
      (peak) => this.#enter(peak),
    );
  }

  override render(): TemplateResult {
    return html`<canvas aria-hidden="true"></canvas>`;
  }

  #enter(peak: number | null): void {
    if (wantsStillness()) return;
    this.#carried.copyWithin(1, 0);
    // The square root brings a quiet voice and loud music closer together.
    this.#carried[0] = peak === null ? 0 : Math.sqrt(Math.min(peak, 1));
    if (peak === null) this.#carried.fill(0);
    this.#drawing.ask();
  }

  #draw({ pen, width, height, colour }: Sheet): void {
    const [x, y, step] = [width / 2, height * 0.9, (height * 0.78) / ARCS];
    let moving = false;
    pen.lineCap = 'round';
    pen.strokeStyle = colour('--accent');
    for (let arc = 0; arc < ARCS; arc += 1) {
      const goal = this.#carried[arc] ?? 0;
      const shown = (this.#shown[arc] ?? 0) * 0.86 + goal * 0.14;
      this.#shown[arc] = shown;
      moving ||= Math.abs(goal - shown) > 0.01;
      const far = 1 - arc / (ARCS + 2);
      pen.globalAlpha = Math.min((REST + shown * 0.9) * far, 1);
      pen.lineWidth = 1.5 + shown * 2.5;
      pen.beginPath();
      pen.arc(x, y, step * (arc + 1.4), Math.PI * 1.14, Math.PI * 1.86);
      pen.stroke();
    }
    pen.globalAlpha = 1;
    pen.fillStyle = colour('--text');
    pen.beginPath();
    pen.arc(x, y, Math.max(height / 44, 3), 0, 2 * Math.PI);
    pen.fill();
    if (moving) this.#drawing.ask();
  }
}

customElements.define('sound-visual', SoundVisual);
