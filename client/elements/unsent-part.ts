/** A part of a broadcast that only this browser has: what it is, and two presses. */
import { css, html, LitElement, type TemplateResult, unsafeCSS } from 'lit';
import controls from '../styles/controls.css?inline';
import './notice-bar.ts';

/**
 * `<unsent-part sentence question upload discard keep>`; says `upload`, or `discard` after it has
 * asked, because nothing brings that back.
 */
export class UnsentPart extends LitElement {
  static override properties = {
    sentence: {},
    question: {},
    upload: {},
    discard: {},
    keep: {},
    asking: { state: true },
  };
  static override styles = [
    unsafeCSS(controls),
    css`
      :host {
        display: block;
      }
      .presses {
        display: flex;
        flex-wrap: wrap;
        gap: 12px;
      }
    `,
  ];
  declare sentence: string;
  declare question: string;
  declare upload: string;
  declare discard: string;
  declare keep: string;
  declare asking: boolean;

  constructor() {
    super();
    this.sentence = '';
    this.question = '';
    this.upload = '';
    this.discard = '';
    this.keep = '';
    this.asking = false;
  }

  override render(): TemplateResult {
    return html`<notice-bar sentence=${this.asking ? this.question : this.sentence}>
      <div class="presses">
        ${
          this.asking
            ? [
                this.#button(this.discard, () => this.#say('discard')),
                this.#button(this.keep, () => void this.#ask(false)),
              ]
            : [
                this.#button(this.upload, () => this.#say('upload')),
                this.#button(this.discard, () => void this.#ask(true)),
              ]
        }
      </div>
    </notice-bar>`;
  }

  #button(word: string, press: () => void): TemplateResult {
    return html`<button class="button" type="button" @click=${press}>${word}</button>`;
  }

  /** The keyboard stays where it can go on: on Keep while asked, on Delete after. */
  async #ask(asking: boolean): Promise<void> {
    this.asking = asking;
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLButtonElement>('button:last-child')?.focus();
  }

  #say(what: 'upload' | 'discard'): void {
    this.dispatchEvent(new Event(what));
  }
}

customElements.define('unsent-part', UnsentPart);
