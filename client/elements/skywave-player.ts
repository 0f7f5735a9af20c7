/** The player: everything a listener sees and presses, and the numbers other programs read. */
import {
  html,
  LitElement,
  nothing,
  type PropertyValues,
  type TemplateResult,
  unsafeCSS,
} from 'lit';
import { millis, secondsToMillis, utc } from '../../shared/time.ts';
import type { Texts } from '../locales/en.ts';
import { type Answer, type ChannelStatus, StatusController } from '../state/channel-status.ts';
import { ListenController } from '../state/listen-controller.ts';
import type { PlayoutStats, Position } from '../state/listen-path.ts';
import { announce } from '../state/media-session.ts';
import type { Player } from '../state/player.ts';
import { delayText, pillOf, sentenceOf } from '../state/player-words.ts';
import type { Quality, Transport } from '../state/quality.ts';
import { TextController } from '../state/text-controller.ts';
import controls from '../styles/controls.css?inline';
import looks from '../styles/player.css?inline';
import './line-icon.ts';
import './notice-bar.ts';
import './quality-choice.ts';
import './sound-visual.ts';
import './state-pill.ts';
import './time-line.ts';

/** `<skywave-player channel autoplay>`. `autoplay` tries at once and asks for a press if it must. */
export class SkywavePlayer extends LitElement {
  static override properties = { channel: {}, autoplay: { type: Boolean } };
  static override styles = [unsafeCSS(controls), unsafeCSS(looks)];
  declare channel: string;
  declare autoplay: boolean;
  readonly #text = new TextController(this);
  readonly #listen = new ListenController(this, () => this.channel);
  readonly #status = new StatusController(this, () => this.channel);
  #followed: Answer<ChannelStatus> = null;

  constructor() {
    super();
    this.channel = 'live';
    this.autoplay = false;
  }

  /** What the player is doing. */
  get state(): Player['is'] {
    return this.#listen.state.is;
  }

  /** Which way the sound comes. */
  get transport(): Transport {
    return this.#listen.transport;
  }

  /** Seconds from microphone to ear; null while unknown, or while nothing is heard. */
  get latency(): number | null {
    return this.state === 'playing' ? this.#listen.heard.latency : null;
  }

  /** The sample being heard; null while there is none, and over HLS, which knows no epochs. */
  get position(): Position | null {
    return this.#listen.heard.position;
  }

  /** Counts since Listen; what each counts over which transport, listen-path.ts says. */
  get stats(): PlayoutStats {
    return this.#listen.heard.stats;
  }

  /** What a press of Listen does. */
  listen(): void {
    this.#listen.listen();
  }

  /** What a press of Pause does. */
  pause(): void {
    this.#listen.pause();
  }

  override firstUpdated(): void {
    if (this.autoplay) this.listen();
  }

  override willUpdate(): void {
    const { answer } = this.#status;
    if (answer === this.#followed) return;
    this.#followed = answer;
    if (answer !== null && typeof answer !== 'string') this.#listen.follow(answer.state);
  }

  override updated(_changed: PropertyValues<this>): void {
    announce({
      title: this.#title,
      playing: this.state !== 'idle',
      onPlay: () => this.listen(),
      onPause: () => this.pause(),
    });
  }

  override render(): TemplateResult {
    const { t } = this.#text;
    return html`<div class="now">
      <sound-visual .feed=${this.#listen.peaks}></sound-visual>
      <div class="words">
        <h1>${this.#title}</h1>
        <div class="state">${this.#pill(t)}${this.#playing(t)}</div>
        <div class="controls">${this.#press(t)}${this.#volume(t)}</div>
        ${this.#timeLine()}
        ${this.#quality()}${this.#sentence(t)}
      </div>
    </div>`;
  }

  get #title(): string {
    return this.#status.titleOr(this.channel);
  }

  #pill(t: Texts): TemplateResult {
    const { latency } = this;
    const pill = pillOf(this.#listen.state, this.#status.answer);
    return html`<state-pill
      state=${pill}
      word=${t.words[pill]}
      detail=${latency === null ? '' : t.behind(delayText(latency))}
    ></state-pill>`;
  }

  #playing(t: Texts): TemplateResult | typeof nothing {
    const { renditions, heard, transport } = this.#listen;
    const named = renditions.find(({ name }) => name === heard.rendition);
    const shown = renditions.length === 1 ? renditions[0] : named;
    if (renditions.length === 0 || this.state === 'idle') return nothing;
    const by = t.transports[transport];
    // A browser that plays HLS by itself tells nobody which rendition it has chosen.
    const words = shown ? t.playing(shown.codec, (shown.bitrate / 1000).toFixed(0), by) : by;
    return html`<span class="quiet small num">${words}</span>`;
  }

  #quality(): TemplateResult {
    const choose = (event: CustomEvent<Quality>): void => this.#listen.choose(event.detail);
    const pin = (event: CustomEvent<string | null>): void => this.#listen.pin(event.detail);
    const { quality, renditions, pinned } = this.#listen;
    return html`<quality-choice
      .quality=${quality}
      .renditions=${renditions}
      .pinned=${pinned}
      @quality=${choose}
      @rendition=${pin}
    ></quality-choice>`;
  }

  #timeLine(): TemplateResult | typeof nothing {
    const { past, heard, state } = this.#listen;
    const span = past.span(heard, utc(Date.now()));
    if (span === null && !past.shifted) return nothing;
    const seek = ({ detail }: CustomEvent<number>): void => past.seek(secondsToMillis(detail));
    const catchUp = ({ detail }: CustomEvent<boolean>): void => past.catchUp(detail);
    const goLive = (): void => {
      if (state.is !== 'idle') return past.seek(millis(0));
      past.forget();
      this.listen();
    };
    return html`<time-line
      .span=${span}
      .shifted=${past.shifted}
      .rate=${past.canCatchUp ? past.rate : null}
      .paused=${state.is === 'idle'}
      @catchup=${catchUp}
      @behind=${seek}
      @live=${goLive}
    ></time-line>`;
  }

  #press(t: Texts): TemplateResult {
    const { is } = this.#listen.state;
    const isBlocked = is === 'blocked';
    const isListen = is === 'idle' || isBlocked;
    // One button whatever it does: another one in its place would lose the focus.
    return html`<button
      class=${isBlocked ? 'play wide' : 'play'}
      type="button"
      aria-label=${isListen ? t.listen : t.pause}
      @click=${isListen ? this.listen : this.pause}
    >
      <line-icon name=${isListen ? 'play' : 'pause'}></line-icon>${isBlocked ? t.listen : nothing}
    </button>`;
  }

  #volume(t: Texts): TemplateResult {
    const move = (event: Event): void => {
      this.#listen.setVolume(Number((event.target as HTMLInputElement).value) / 100);
    };
    return html`<label class="volume">
      <line-icon name="volume"></line-icon>
      <input
        type="range"
        style="--filled: ${Math.round(this.#listen.volume * 100)}%"
        aria-label=${t.volume}
        min="0"
        max="100"
        step="1"
        .value=${String(Math.round(this.#listen.volume * 100))}
        @input=${move}
      />
    </label>`;
  }

  #sentence(t: Texts): TemplateResult | typeof nothing {
    const { state, failure, obstacle } = this.#listen;
    if (failure !== null) return html`<notice-bar sentence=${t.failures[failure]}></notice-bar>`;
    const { sentence, trouble } = sentenceOf(state, this.#status.answer, this.#title, t);
    if (trouble) return html`<notice-bar sentence=${sentence}></notice-bar>`;
    // While it plays, what may be said is why it is not as close as was asked for.
    const why = state.is === 'playing' && obstacle !== null ? t.obstacles[obstacle] : sentence;
    return html`<p class="quiet sentence" role="status">${why}</p>`;
  }
}

customElements.define('skywave-player', SkywavePlayer);

declare global {
  interface HTMLElementTagNameMap {
    'skywave-player': SkywavePlayer;
  }
}
