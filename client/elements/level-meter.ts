/** The stereo level meter of the studio: RMS bars, peak lines that hold, a scale in dBFS. */
import { css, html, LitElement, nothing, type TemplateResult, unsafeCSS } from 'lit';
import type { CaptureReading } from '../../worklets/port.ts';
import { type Feed, FeedController } from '../state/feed.ts';
import { Ballistics, FLOOR, HOT, levelText, position, signed } from '../state/meter-scale.ts';
import controls from '../styles/controls.css?inline';
import { DrawingController, type Sheet } from './drawing.ts';

const MARKS = [-48, -36, -24, -18, -12, -6, 0];
const BAR = 20;
const GAP = 4;

/** `<level-meter .feed label clipword cliphint .speak>`; the clip lamp latches until it is pressed. */
export class LevelMeter extends LitElement {
  static override properties = {
    feed: { attribute: false },
    speak: { attribute: false },
    label: {},
    clipword: {},
    cliphint: {},
    clipped: { state: true },
  };
  static override styles = [
    unsafeCSS(controls),
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 4px;
        align-items: start;
      }
      canvas {
        display: block;
        width: 100%;
        height: 72px;
      }
      .lamp {
        height: 44px;
        min-width: 48px;
        padding: 0 8px;
        border: 1px solid var(--line);
        border-radius: 0;
        background: transparent;
        color: var(--quiet);
        font: 400 var(--type-1) / 1 var(--font);
      }
      .lamp:disabled {
        opacity: 1;
      }
      .lamp:enabled {
        border-color: var(--warn);
        background: var(--warn);
        color: var(--ground);
        font-weight: 600;
      }
    `,
  ];
  declare feed: Feed<CaptureReading> | null;
  /** Says two levels (null: silence) in words, for the value text. */
  declare speak: (left: string | null, right: string | null) => string;
  declare label: string;
  declare clipword: string;
  declare cliphint: string;
  declare clipped: boolean;
  readonly #drawing = new DrawingController(this, (sheet) => this.#draw(sheet));
  readonly #channels = [new Ballistics(), new Ballistics()] as const;
  #last = 0;
  #spoken = 0;

  constructor() {
    super();
    this.feed = null;
    new FeedController(
      this,
      () => this.feed,
      (reading) => this.#enter(reading),
    );
    this.speak = () => '';
    this.label = '';
    this.clipword = '';
    this.cliphint = '';
    this.clipped = false;
  }

  override render(): TemplateResult {
    return html`<canvas
        role="meter"
        aria-label=${this.label}
        aria-valuemin=${FLOOR}
        aria-valuemax="0"
        aria-valuenow=${FLOOR}
      ></canvas>
      <button
        class="lamp"
        type="button"
        ?disabled=${!this.clipped}
        title=${this.clipped ? this.cliphint : nothing}
        @click=${this.#reset}
      >
        ${this.clipword}
      </button>`;
  }

  #reset(): void {
    this.clipped = false;
  }

  #enter(reading: CaptureReading | null): void {
    const now = performance.now();
    const elapsed = Math.min(now - this.#last, 200);
    this.#last = now;
    this.#channels.forEach((channel, index) => {
      const rms = reading?.rms[index] ?? reading?.rms[0] ?? FLOOR;
      const peak = reading?.peak[index] ?? reading?.peak[0] ?? FLOOR;
      channel.enter(rms, peak, elapsed);
    });
    if (reading?.clipped) this.clipped = true;
    if (now - this.#spoken >= 1000) this.#say(now);
    this.#drawing.ask();
  }

  /** Once a second, past the template: a reading must not render the element. */
  #say(now: number): void {
    this.#spoken = now;
    const canvas = this.renderRoot.querySelector('canvas');
    const [left, right] = this.#channels;
    canvas?.setAttribute('aria-valuenow', Math.max(left.rms, right.rms).toFixed(0));
    canvas?.setAttribute('aria-valuetext', this.speak(levelText(left.rms), levelText(right.rms)));
  }

  #draw(sheet: Sheet): void {
    this.#channels.forEach((channel, index) => {
      drawBar(sheet, channel, index * (BAR + GAP));
    });
    drawScale(sheet, 2 * BAR + 2 * GAP);
  }
}

const drawBar = (sheet: Sheet, channel: Ballistics, top: number): void => {
  const { pen, width, colour } = sheet;
  const [end, hot] = [width * position(channel.rms), width * position(HOT)];
  pen.fillStyle = colour('--raised');
  pen.fillRect(0, top, width, BAR);
  pen.fillStyle = colour('--ok');
  pen.fillRect(0, top, Math.min(end, hot), BAR);
  pen.fillStyle = colour('--warn');
  if (end > hot) pen.fillRect(hot, top, end - hot, BAR);
  if (channel.peak <= FLOOR) return;
  pen.fillStyle = colour(channel.peak > -1 ? '--warn' : '--text');
  pen.fillRect(Math.max(width * position(channel.peak) - 2, 0), top, 2, BAR);
};

const drawScale = (sheet: Sheet, top: number): void => {
  const { pen, width, colour } = sheet;
  pen.font = `13px ${colour('--font')}`;
  pen.textBaseline = 'top';
  for (const mark of MARKS) {
    const x = Math.round(width * position(mark));
    // A narrow screen has no room for the marks of the quiet end.
    if (mark < -24 && width < 480 && mark !== -36) continue;
    pen.fillStyle = colour('--line');
    pen.fillRect(Math.min(x, width - 1), top, 1, 4);
    pen.fillStyle = colour('--quiet');
    pen.textAlign = mark === 0 ? 'right' : 'center';
    pen.fillText(mark === 0 && width >= 480 ? '0 dBFS' : signed(mark, 0), x, top + 8);
  }
};

customElements.define('level-meter', LevelMeter);
