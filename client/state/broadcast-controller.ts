/** Runs a broadcast for the studio page: owns the microphone, the session and their ends. */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { type Millis, millis, SAMPLE_RATE } from '../../shared/time.ts';
import type { CaptureReading } from '../../worklets/port.ts';
import type { Microphone, MicrophoneChoice } from '../audio/microphone.ts';
import { isMode, type MicrophoneMode, MODES } from '../audio/microphone-mode.ts';
import type { UplinkEvent } from '../net/messages.ts';
import { Scope } from '../scope.ts';
import {
  type Broadcaster,
  type BroadcasterEvent,
  broadcaster,
  type MicrophoneTrouble,
  OFF,
} from './broadcaster.ts';
import { Feed } from './feed.ts';
import { isMicrophoneAllowed, knownMicrophones, openRemembered } from './microphone-access.ts';
import { microphoneTrouble } from './microphone-trouble.ts';
import { keepAwake, warnBeforeLeaving } from './on-air-guards.ts';
import {
  rememberedMicrophone,
  rememberedMode,
  rememberMicrophone,
  rememberMode,
  studioToken,
} from './preferences.ts';
import type { UnsentController } from './unsent-controller.ts';
import { UplinkNews } from './uplink-news.ts';
import type { UplinkKnown } from './uplink-report.ts';
import { GOODBYE, openUplink, type Say } from './uplink-session.ts';

/** The studio's controller: facts to show, and what the host can do. */
export class BroadcastController implements ReactiveController {
  readonly levels = new Feed<CaptureReading>();
  microphones: readonly MicrophoneChoice[] = [];
  deviceId = rememberedMicrophone();
  mode: MicrophoneMode = 'voice';
  muted = false;
  /** Decibels. */
  gain = 0;
  /** What the newest session has told of itself. */
  news = new UplinkNews(now);
  /** Why the last choice of a microphone or mode came to nothing; the one before is still in use. */
  refusedChange: MicrophoneTrouble | null = null;

  readonly #host: ReactiveControllerHost;
  readonly #channel: string;
  #state: Broadcaster = OFF;
  #page = new Scope();
  #armed = new Scope();
  #session = new Scope();
  #microphone: Microphone | null = null;
  #say: Say = () => undefined;
  readonly #unsent: UnsentController;
  /** The mode the open microphone's encoder was made for. */
  #encoded: MicrophoneMode = 'voice';

  constructor(host: ReactiveControllerHost, channel: string, unsent: UnsentController) {
    this.#unsent = unsent;
    this.#host = host;
    this.#channel = channel;
    const remembered = rememberedMode();
    if (isMode(remembered)) this.mode = remembered;
    host.addController(this);
  }

  get state(): Broadcaster {
    return this.#state;
  }

  /** True on the air with an encoder of another mode: that one stays until the broadcast ends. */
  get modeLater(): boolean {
    const { is } = this.#state;
    return (is === 'live' || is === 'reconnecting') && this.#encoded !== this.mode;
  }

  /** True while a microphone is open. */
  get armed(): boolean {
    return this.#microphone !== null;
  }

  /** Seconds since the broadcast began; null off the air. */
  get elapsed(): number | null {
    const state = this.#state;
    if (state.is !== 'live' && state.is !== 'reconnecting') return null;
    return (performance.now() - state.since) / 1000;
  }

  /** Length of a frame of the open microphone's encoder, ms. */
  get frame(): Millis {
    return millis((1000 * MODES[this.#encoded].rendition.frame) / SAMPLE_RATE);
  }

  get known(): UplinkKnown {
    const { bitrate } = MODES[this.#encoded].rendition;
    return {
      reading: this.news.uplink,
      unheardFor: this.news.unheardFor,
      asked: bitrate,
      frame: this.frame / 1000,
    };
  }

  hostConnected(): void {
    this.#page = new Scope();
    const relist = (): void => void this.#list();
    if (navigator.mediaDevices) this.#page.on(navigator.mediaDevices, 'devicechange', relist);
    this.#page.every(1000, () => this.#host.requestUpdate());
    relist();
    void this.#armIfAllowed();
  }

  hostDisconnected(): void {
    this.#session.dispose();
    this.#armed.dispose();
    this.#page.dispose();
    this.#microphone = null;
    this.#state = OFF;
  }

  /** Turns the microphone on, so that the meter moves. */
  arm(): void {
    this.#dispatch({ type: 'arm' });
  }

  /** Goes on the air, turning the microphone on first where it is not. */
  goLive({ takeover = false } = {}): void {
    // Within the press: a context that waits for a gesture gets it now.
    this.#wake();
    if (studioToken() === '') return this.#dispatch({ type: 'token-missing' });
    if (this.#microphone !== null && this.#encoded !== this.mode) this.arm();
    this.#dispatch({ type: 'go-live', takeover });
  }

  end(): void {
    this.#dispatch({ type: 'end' });
  }

  mute(on: boolean): void {
    this.muted = on;
    this.#microphone?.mute(on);
    this.#host.requestUpdate();
  }

  setGain(decibels: number): void {
    this.gain = decibels;
    this.#microphone?.gain(10 ** (decibels / 20));
    this.#host.requestUpdate();
  }

  /** Takes another microphone, on the air too. */
  chooseMicrophone(deviceId: string): void {
    this.deviceId = deviceId;
    rememberMicrophone(deviceId);
    void this.#change({ deviceId });
  }

  chooseMode(name: string): void {
    if (!isMode(name)) return;
    this.mode = name;
    rememberMode(name);
    void this.#change({ mode: name });
  }

  #dispatch(event: BroadcasterEvent): void {
    const before = this.#state;
    this.#state = broadcaster(before, event);
    if (this.#state === before) return;
    this.#follow(before, this.#state);
    this.#host.requestUpdate();
  }

  /** What a change of state asks for; nothing else starts or ends anything. */
  #follow(before: Broadcaster, after: Broadcaster): void {
    if (after.is === 'arming' && before.is !== 'arming') void this.#arm();
    const without = after.is === 'off' || (after.is === 'failed' && !after.armed);
    if (without) this.#armed.dispose();
    if (after.is === 'connecting' && before.is !== 'connecting') this.#connect(after.takeover);
    if (after.is === 'ready' || after.is === 'failed') this.#session.dispose();
    const ending = 'ending' in after && after.ending;
    const ended = 'ending' in before && before.ending;
    if (ending && !ended) this.#sayGoodbye();
  }

  async #arm(): Promise<void> {
    this.#armed.dispose();
    const armed = new Scope();
    this.#armed = armed;
    const mode = this.mode;
    try {
      const microphone = armed.own(
        await openRemembered({
          mode,
          deviceId: this.deviceId,
          onReading: (reading) => this.levels.push(reading),
          onLost: () => this.#dispatch({ type: 'microphone-lost' }),
        }),
      );
      if (armed.disposed) return;
      this.#encoded = mode;
      this.#adopt(microphone, armed);
      this.#dispatch({ type: 'armed' });
    } catch (error) {
      if (armed.disposed) return;
      this.#dispatch({ type: 'arm-failed', trouble: microphoneTrouble(error) });
    }
    await this.#list();
  }

  #adopt(microphone: Microphone, armed: Scope): void {
    this.#microphone = microphone;
    this.deviceId = microphone.deviceId;
    this.refusedChange = null;
    armed.add(() => {
      this.#microphone = null;
      this.levels.push(null);
    });
    microphone.mute(this.muted);
    microphone.gain(10 ** (this.gain / 20));
    // Turned on without a press, the context waits for the first one.
    for (const type of ['pointerdown', 'keydown']) armed.on(document, type, () => this.#wake());
  }

  #wake(): void {
    void this.#microphone?.context.resume().catch(() => undefined);
  }

  /** On the air the encoder stays and the source changes; off the air the microphone opens anew. */
  async #change(change: { deviceId?: string; mode?: MicrophoneMode }): Promise<void> {
    this.#host.requestUpdate();
    const microphone = this.#microphone;
    const { is } = this.#state;
    if (is === 'ready' || is === 'failed') return this.arm();
    if (microphone === null) return;
    try {
      await microphone.change(change);
      this.refusedChange = null;
      this.#dispatch({ type: 'microphone-back' });
    } catch (error) {
      this.refusedChange = microphoneTrouble(error);
    }
    this.deviceId = microphone.deviceId;
    await this.#list();
  }

  #connect(takeover: boolean): void {
    this.#session.dispose();
    this.#session = new Scope();
    this.news = new UplinkNews(now);
    warnBeforeLeaving(this.#session);
    keepAwake(this.#session);
    this.#say = openUplink(this.#session, {
      channel: this.#channel,
      token: studioToken(),
      rendition: MODES[this.#encoded].rendition,
      takeover,
      connect: (port) => this.#microphone?.connect(port),
      onEvent: (event) => this.#onEvent(event),
    });
    this.#unsent.onAir(this.#say);
    this.#session.add(() => this.#unsent.offAir());
  }

  #sayGoodbye(): void {
    this.#say({ type: 'leave' });
    this.#session.after(GOODBYE, () => this.#dispatch({ type: 'ended', at: now() }));
  }

  #onEvent(event: UplinkEvent): void {
    this.news.take(event);
    this.#unsent.take(event);
    switch (event.type) {
      case 'on-air':
      case 'ended':
        this.#dispatch({ type: event.type, at: now() });
        break;
      case 'lost':
        this.#dispatch({ type: 'lost' });
        break;
      case 'refused':
        this.#dispatch({ type: 'refused', why: event.why });
        break;
    }
    this.#host.requestUpdate();
  }

  async #list(): Promise<void> {
    this.microphones = await knownMicrophones();
    this.#host.requestUpdate();
  }

  /** A studio that was allowed the microphone before shows its level at once. */
  async #armIfAllowed(): Promise<void> {
    if ((await isMicrophoneAllowed()) && this.#state.is === 'off') this.arm();
  }
}

const now = () => millis(performance.now());
