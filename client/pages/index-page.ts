/** `/`: who is on the air now. */
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import '../elements/language-switch.ts';
import '../elements/notice-bar.ts';
import '../elements/state-pill.ts';
import type { Texts } from '../locales/en.ts';
import { adoptLanguage } from '../locales/language.ts';
import { ChannelsController, type ListedChannel } from '../state/channel-status.ts';
import { PILL_OF_CHANNEL } from '../state/player-words.ts';
import { TextController } from '../state/text-controller.ts';

const isOff = ({ state }: ListedChannel): boolean => state === 'idle' || state === 'ended';

class IndexPage extends LitElement {
  readonly #text = new TextController(this);
  readonly #channels = new ChannelsController(this);

  override createRenderRoot(): this {
    return this;
  }

  override render(): TemplateResult {
    const { t } = this.#text;
    return html`<main>
        <h1>${t.onAirNow}</h1>
        ${this.#lists(t)}
      </main>
      <footer class="imprint">
        <span><a class="wordmark" href="/">Skywave</a> ${t.tagline}</span>
        <language-switch></language-switch>
      </footer>`;
  }

  #lists(t: Texts): TemplateResult {
    const { answer } = this.#channels;
    if (answer === null) return html`<p class="quiet">${t.listening}</p>`;
    if (typeof answer === 'string')
      return html`<notice-bar sentence=${t.listUnreachable}></notice-bar>`;
    const { items } = answer;
    if (items.length === 0) return html`<p class="quiet">${t.noChannels}</p>`;
    const off = items.filter(isOff);
    const on = items.filter((channel) => !isOff(channel));
    return html`${
      on.length === 0
        ? html`<p class="quiet">${t.nobodyOnAir}</p>`
        : html`<ul class="on-air">${on.map((channel) => this.#row(channel, t))}</ul>`
    }
    ${
      off.length === 0
        ? nothing
        : html`<section>
            <h2>${t.offAirChannels}</h2>
            <ul>${off.map((channel) => this.#row(channel, t))}</ul>
          </section>`
    }`;
  }

  #row({ slug, title, state }: ListedChannel, t: Texts): TemplateResult {
    const pill = PILL_OF_CHANNEL[state];
    return html`<li>
      <a href="/c/${encodeURIComponent(slug)}">
        <span>${title || slug}</span>
        <state-pill still state=${pill} word=${t.words[pill]}></state-pill>
      </a>
    </li>`;
  }
}

adoptLanguage();
customElements.define('index-page', IndexPage);
