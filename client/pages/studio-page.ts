/** `/studio/{channel}`: the broadcaster's page. It composes; what happens is the controller's. */
import { html, LitElement, nothing, type TemplateResult } from 'lit';
import '../elements/copy-field.ts';
import '../elements/language-switch.ts';
import '../elements/level-history.ts';
import '../elements/level-meter.ts';
import '../elements/loudness-figure.ts';
import '../elements/notice-bar.ts';
import '../elements/state-pill.ts';
import '../elements/voice-light.ts';
import type { Texts } from '../locales/en.ts';
import { clockText } from '../locales/format.ts';
import { adoptLanguage } from '../locales/language.ts';
import { BroadcastController } from '../state/broadcast-controller.ts';
import { type Notice, noticesOf, remarksOf, studioPill } from '../state/broadcaster-words.ts';
import {
  channelOfAddress,
  RecordingsController,
  StatusController,
} from '../state/channel-status.ts';
import { signed } from '../state/meter-scale.ts';
import { MuteKeyController } from '../state/mute-key-controller.ts';
import { TextController } from '../state/text-controller.ts';
import { UnsentController } from '../state/unsent-controller.ts';
import { pressBar } from './studio-bar.ts';
import { recordingsPanel } from './studio-recordings.ts';
import { soundPanel } from './studio-sound.ts';
import { unsentLines } from './studio-unsent.ts';

/** Loudness to aim at, LUFS. */
const TARGET = '−16';

class StudioPage extends LitElement {
  readonly #text = new TextController(this);
  readonly #channel = channelOfAddress(location.pathname);
  readonly #status = new StatusController(this, () => this.#channel);
  readonly #recordings = new RecordingsController(this, () => this.#channel);
  readonly #unsent = new UnsentController(this, this.#channel);
  readonly #desk = new BroadcastController(this, this.#channel, this.#unsent);

  constructor() {
    super();
    new MuteKeyController(this, () => this.#desk.mute(!this.#desk.muted));
  }

  override createRenderRoot(): this {
    return this;
  }

  override updated(): void {
    document.title = this.#text.t.studioOf(this.#status.titleOr(this.#channel));
  }

  override render(): TemplateResult {
    const { t } = this.#text;
    return html`<main>
        <header>${this.#name(t)}${this.#facts(t)}</header>
        ${this.#notices(t)}${unsentLines(this.#desk, this.#unsent, t)}${this.#levels(t)}
        <div class="columns">${soundPanel(this.#desk, t)}${this.#share(t)}</div>
        ${recordingsPanel(this.#recordings, t)}
      </main>
      <footer class="imprint">
        <span><a class="wordmark" href="/">Skywave</a> ${t.tagline}</span>
        <language-switch></language-switch>
      </footer>
      ${pressBar(this.#desk, t)}`;
  }

  #name(t: Texts): TemplateResult {
    const { state, elapsed } = this.#desk;
    const pill = studioPill(state);
    const ended = state.is === 'ready' && state.ended !== null ? state.ended / 1000 : null;
    const shown = elapsed ?? ended;
    return html`<div>
      <div class="name">
        <h1>${this.#status.titleOr(this.#channel)}</h1>
        <state-pill state=${pill} word=${t.words[pill]}></state-pill>
      </div>
      <div class="clock num ${elapsed === null ? 'resting' : ''}" role="timer" aria-label=${t.elapsed}>
        ${clockText(shown ?? 0)}
      </div>
    </div>`;
  }

  #facts(t: Texts): TemplateResult {
    const { elapsed, news, levels } = this.#desk;
    const { tally, uplink } = news;
    const listeners = elapsed === null ? null : (tally?.listeners ?? null);
    const roundTrip = elapsed === null ? null : (uplink?.roundTrip ?? null);
    const integrated = elapsed === null ? null : (tally?.loudness?.integrated ?? null);
    return html`<dl class="facts num">
      <div>
        <dt>${t.listeners(listeners ?? 0)}</dt>
        <dd>${listeners ?? '–'}</dd>
      </div>
      ${
        roundTrip === null
          ? nothing
          : html`<div>
              <dt>${t.roundTrip}</dt>
              <dd>${t.millis(roundTrip.toFixed(0))}</dd>
            </div>`
      }
      <div>
        <dt>${t.loudness(TARGET)}</dt>
        <dd><loudness-figure .feed=${levels}></loudness-figure></dd>
      </div>
      ${
        integrated === null
          ? nothing
          : html`<div>
              <dt>${t.loudnessAtServer}</dt>
              <dd>${signed(integrated, 1)}</dd>
            </div>`
      }
    </dl>`;
  }

  #notices(t: Texts): TemplateResult | typeof nothing {
    const { state, muted, refusedChange, news } = this.#desk;
    const notices = noticesOf(state, { muted, refusedChange, tally: news.tally }, t);
    if (notices.length === 0) return nothing;
    return html`<div class="notices">${notices.map((notice) => this.#notice(notice, t))}</div>`;
  }

  #notice({ sentence, remedy }: Notice, t: Texts): TemplateResult {
    const remedies = {
      'take-over': { word: t.takeOver, press: () => this.#desk.goLive({ takeover: true }) },
      arm: { word: t.tryAgain, press: () => this.#desk.arm() },
    };
    const press = remedy === null ? null : remedies[remedy];
    return html`<notice-bar sentence=${sentence}>
      ${
        press === null
          ? nothing
          : html`<button class="button" type="button" @click=${press.press}>${press.word}</button>`
      }
    </notice-bar>`;
  }

  #levels(t: Texts): TemplateResult {
    const { levels, state } = this.#desk;
    const speak = (left: string | null, right: string | null): string =>
      t.levelText(left ?? t.levelSilent, right ?? t.levelSilent);
    return html`<section class="sounds" aria-label=${t.level}>
      <level-meter
        .feed=${levels}
        .speak=${speak}
        label=${t.level}
        clipword=${t.clipped}
        cliphint=${t.clippedReset}
      ></level-meter>
      <level-history .feed=${levels} label=${t.history}></level-history>
      ${this.#asleep(state.is, t)}${this.#remarks(t)}
    </section>`;
  }

  /** What the server says of the sound that is no trouble of the host's. */
  #remarks(t: Texts): TemplateResult {
    // Not another status: the pill alone is that.
    return html`<div aria-live="polite">
      ${remarksOf(this.#desk.news.tally, t).map((remark) => html`<p class="quiet small">${remark}</p>`)}
    </div>`;
  }

  /** Under the meter: who speaks, or how the meter is woken. */
  #asleep(is: BroadcastController['state']['is'], t: Texts): TemplateResult {
    if (is === 'arming') return html`<p class="quiet small">${t.turningOn}</p>`;
    if (this.#desk.armed)
      return html`<voice-light
        .feed=${this.#desk.levels}
        yes=${t.voiceHeard}
        no=${t.voiceNone}
      ></voice-light>`;
    return html`<div class="asleep">
      <button class="button" type="button" @click=${() => this.#desk.arm()}>${t.turnOn}</button>
      <span class="quiet small">${t.meterOff}</span>
    </div>`;
  }

  #share(t: Texts): TemplateResult {
    return html`<section aria-labelledby="share">
      <h2 id="share">${t.share}</h2>
      <copy-field
        label=${t.sharePage}
        value=${`${location.origin}/c/${encodeURIComponent(this.#channel)}`}
        word=${t.copy}
        done=${t.copied}
        name=${t.copyNamed(t.sharePage)}
      ></copy-field>
      <p class="quiet small">${t.shareSentence}</p>
    </section>`;
  }
}

adoptLanguage();
customElements.define('studio-page', StudioPage);
