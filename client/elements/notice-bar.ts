/** Trouble: an amber line with an icon and a sentence that says what to do. */
import { css, html, LitElement, type TemplateResult } from 'lit';
import './line-icon.ts';

/** `<notice-bar sentence>`, announced at once; what can be pressed goes into its slot. */
export class NoticeBar extends LitElement {
  static override properties = { sentence: {} };
  static override styles = css`
    :host {
      display: flex;
      flex-wrap: wrap;
      gap: 12px 16px;
      align-items: center;
      justify-content: space-between;
      padding: 12px 16px;
      border: 1px solid var(--warn);
      border-radius: var(--radius-1);
    }
    div {
      display: grid;
      grid-template-columns: 20px minmax(0, 1fr);
      gap: 12px;
      flex: 1 1 260px;
    }
    line-icon {
      margin-top: 2px;
      color: var(--warn);
    }
  `;
  declare sentence: string;

  constructor() {
    super();
    this.sentence = '';
  }

  override render(): TemplateResult {
    return html`<div role="alert"><line-icon name="warn"></line-icon><span>${this.sentence}</span></div><slot></slot>`;
  }
}

customElements.define('notice-bar', NoticeBar);
