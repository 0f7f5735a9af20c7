/** Icons drawn with lines and discs on a 24 px grid, in the colour of the text. */
import { css, html, LitElement, svg, type TemplateResult } from 'lit';

const DRAWINGS = {
  play: svg`<path d="M8 4.5v15l12-7.5z" fill="currentColor"/>`,
  pause: svg`<path d="M7 5h3.5v14H7zM13.5 5H17v14h-3.5z" fill="currentColor"/>`,
  warn: svg`<path d="M12 3.5 22 20.5H2zM12 10v5M12 17.2v.6" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" stroke-linecap="round"/>`,
  done: svg`<path d="m5 12.5 4.5 4.5L19 7.5" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/>`,
  microphone: svg`<path d="M12 3a3 3 0 0 1 3 3v6a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3.5" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>`,
  muted: svg`<path d="M15 9.5V6a3 3 0 0 0-6 0v1M9 11v1a3 3 0 0 0 4.5 2.6M5.5 11.5a6.5 6.5 0 0 0 10.4 5.2M18.4 12.5v-1M12 18v3.5M4 3.5l16 17" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>`,
  volume: svg`<path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/>`,
} satisfies Record<string, TemplateResult<2>>;

/** Name of a drawing. */
export type IconName = keyof typeof DRAWINGS;

/** `<line-icon name>`: always decoration, the words stand beside it. */
export class LineIcon extends LitElement {
  static override properties = { name: {} };
  static override styles = css`
    :host {
      display: inline-block;
      flex: none;
      width: 20px;
      height: 20px;
    }
    svg {
      display: block;
      width: 100%;
      height: 100%;
    }
  `;
  declare name: IconName;

  constructor() {
    super();
    this.name = 'warn';
  }

  override render(): TemplateResult {
    return html`<svg viewBox="0 0 24 24" aria-hidden="true">${DRAWINGS[this.name]}</svg>`;
  }
}

customElements.define('line-icon', LineIcon);
