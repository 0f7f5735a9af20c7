/** A canvas in an element: sharp on every screen, drawn at most once a frame, in the page's colours. */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { Scope } from '../scope.ts';

/** What a drawing gets: CSS pixels, and the colours of the theme. */
export type Sheet = {
  readonly pen: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  /** The value of a custom property, such as `--line`. */
  readonly colour: (property: string) => string;
};

/** True when the person asked for less motion. */
export const wantsStillness = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Draws the host's first canvas when asked, and after changes of size and theme. */
export class DrawingController implements ReactiveController {
  readonly #host: ReactiveControllerHost & HTMLElement;
  readonly #draw: (sheet: Sheet) => void;
  #scope = new Scope();
  #asked = 0;

  constructor(host: ReactiveControllerHost & HTMLElement, draw: (sheet: Sheet) => void) {
    this.#host = host;
    this.#draw = draw;
    host.addController(this);
  }

  hostConnected(): void {
    this.#scope = new Scope();
    const redraw = (): void => this.ask();
    const resized = new ResizeObserver(redraw);
    resized.observe(this.#host);
    this.#scope.add(() => resized.disconnect());
    const themed = new MutationObserver(redraw);
    themed.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    this.#scope.add(() => themed.disconnect());
    this.#scope.on(matchMedia('(prefers-color-scheme: light)'), 'change', redraw);
    this.#scope.add(() => {
      cancelAnimationFrame(this.#asked);
      this.#asked = 0;
    });
  }

  hostUpdated(): void {
    this.ask();
  }

  hostDisconnected(): void {
    this.#scope.dispose();
  }

  /** Draws before the next frame; asking twice is asking once. */
  ask(): void {
    if (this.#asked !== 0 || this.#scope.disposed) return;
    this.#asked = requestAnimationFrame(() => {
      this.#asked = 0;
      this.#drawNow();
    });
  }

  #drawNow(): void {
    const canvas = this.#host.shadowRoot?.querySelector('canvas');
    const pen = canvas?.getContext('2d');
    if (!canvas || !pen) return;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (width === 0 || height === 0) return;
    const scale = devicePixelRatio;
    const [across, down] = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== across || canvas.height !== down) {
      canvas.width = across;
      canvas.height = down;
    }
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(this.#host);
    const colour = (property: string): string => style.getPropertyValue(property).trim();
    this.#draw({ pen, width, height, colour });
  }
}
