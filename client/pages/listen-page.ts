/** `/c/{channel}`: the listener's page. */
import { html, LitElement, type TemplateResult } from 'lit';
import '../elements/language-switch.ts';
import '../elements/skywave-player.ts';
import { adoptLanguage } from '../locales/language.ts';
import { channelOfAddress, StatusController } from '../state/channel-status.ts';
import { TextController } from '../state/text-controller.ts';

/** The player stands in the document itself, where scripts and judges find it. */
class ListenPage extends LitElement {
  readonly #text = new TextController(this);
  readonly #channel = channelOfAddress(location.pathname);
  readonly #status = new StatusController(this, () => this.#channel);

  override createRenderRoot(): this {
    return this;
  }

  override updated(): void {
    document.title = `${this.#status.titleOr(this.#channel)} · Skywave`;
  }

  override render(): TemplateResult {
    return html`<main><skywave-player channel=${this.#channel}></skywave-player></main>
      <footer class="imprint">
        <span><a class="wordmark" href="/">Skywave</a> ${this.#text.t.tagline}</span>
        <language-switch></language-switch>
      </footer>`;
  }
}

adoptLanguage();
customElements.define('listen-page', ListenPage);
