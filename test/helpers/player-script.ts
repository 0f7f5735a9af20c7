/** What runs in a player's page; it is sent as text, so it uses nothing from outside itself. */

/** Where a player stood at a moment. */
export type PlayerSample = {
  /** ms UTC. */
  readonly wall: number;
  /** Of the media element, s. */
  readonly position: number;
  /** UTC of capture of what plays, by the player's account, ms; null while it does not know. */
  readonly date: number | null;
  /** Speed at which it plays; 0 where the player holds it. */
  readonly rate: number;
  /** Buffered beyond the position, s. */
  readonly ahead: number;
};

export type PlayerEvent = {
  readonly wall: number;
  /** Of the media element, or `fatal`, or `error` of the player that it gets over. */
  readonly name: string;
  readonly detail: string;
};

export type PlayerSettings = {
  /** Passed to the player as they are. */
  readonly config?: object;
  /** Leads the sound through a worklet node that a tap may record. */
  readonly tap?: boolean;
};

type Listener = (first: unknown, second: unknown) => void;
type HlsRetry = {
  readonly maxNumRetry: number;
  shouldRetry?: (
    retry: HlsRetry,
    tried: number,
    isTimeout: boolean,
    answer: { readonly code: number } | undefined,
    would: boolean,
  ) => boolean;
};
type HlsPolicy = { readonly default?: { readonly errorRetry: HlsRetry } };
type HlsLike = {
  readonly playingDate: Date | null;
  on: (event: string, listener: Listener) => void;
  loadSource: (url: string) => void;
  attachMedia: (element: HTMLMediaElement) => void;
};
type ShakaLike = {
  attach: (element: HTMLMediaElement) => Promise<void>;
  configure: (config: object) => void;
  load: (url: string) => Promise<void>;
  getPlayheadTimeAsDate: () => Date | null;
  addEventListener: (event: string, listener: Listener) => void;
};
type DashLike = {
  initialize: (element: HTMLMediaElement, url: string, play: boolean) => void;
  updateSettings: (config: object) => void;
  timeAsUTC: () => number;
  on: (event: string, listener: Listener) => void;
};
type PlayerWindow = {
  playerLog: { samples: PlayerSample[]; events: PlayerEvent[] };
  Hls: { new (config: object): HlsLike; Events: { ERROR: string } };
  shaka: { Player: new () => ShakaLike; polyfill: { installAll: () => void } };
  dashjs: { MediaPlayer: () => { create: () => DashLike } };
};

/** Runs in the page: starts the player and the log, and waits for `playing`. */
export const startPlayer = async ({
  player,
  url,
  settings: { config = {}, tap = false },
}: {
  player: string;
  url: string;
  settings: PlayerSettings;
}): Promise<void> => {
  const SAMPLE_EVERY = 200;
  const STARTS_WITHIN = 15_000;
  const page = window as unknown as PlayerWindow;
  const log = { samples: [] as PlayerSample[], events: [] as PlayerEvent[] };
  page.playerLog = log;
  const element = document.querySelector('audio') as HTMLAudioElement;
  const note = (name: string, detail = ''): void => {
    log.events.push({ wall: Date.now(), name, detail });
  };
  for (const name of ['playing', 'waiting', 'seeking', 'seeked', 'pause', 'ended', 'ratechange'])
    element.addEventListener(name, () => note(name, element.currentTime.toFixed(3)));
  element.addEventListener('error', () => note('fatal', element.error?.message ?? ''));

  if (tap) {
    const context = new AudioContext({ sampleRate: 48_000, latencyHint: 'interactive' });
    await context.audioWorklet.addModule('/pass-through.js');
    const node = new AudioWorkletNode(context, 'skywave-playback', { outputChannelCount: [2] });
    context.createMediaElementSource(element).connect(node).connect(context.destination);
    await context.resume();
  }

  let dateOf: () => number | null = () => null;
  const started = new Promise<void>((resolve, reject) => {
    element.addEventListener('playing', () => resolve(), { once: true });
    setTimeout(
      () => reject(new Error(`${player} did not begin: ${JSON.stringify(log.events)}`)),
      STARTS_WITHIN,
    );
  });
  if (player === 'hls.js') {
    const policies = Object.values(config as Record<string, HlsPolicy | undefined>);
    // Functions cannot be sent into a page. A refused connection has status 0, which is final
    // for hls.js; here it is the restart of a server.
    for (const policy of policies)
      if (policy?.default !== undefined)
        policy.default.errorRetry.shouldRetry = (retry, tried, _isTimeout, answer, would) =>
          would || (answer?.code === 0 && tried < retry.maxNumRetry);
    const hls = new page.Hls(config);
    hls.on(page.Hls.Events.ERROR, (_event, problem) => {
      const { fatal, details, error } = problem as {
        fatal: boolean;
        details: string;
        error?: Error;
      };
      note(fatal ? 'fatal' : 'error', `${details} ${error?.message ?? ''}`);
    });
    hls.loadSource(url);
    hls.attachMedia(element);
    dateOf = () => hls.playingDate?.getTime() ?? null;
  } else if (player === 'shaka') {
    page.shaka.polyfill.installAll();
    const shaka = new page.shaka.Player();
    await shaka.attach(element);
    shaka.configure(config);
    shaka.addEventListener('error', (event) => {
      const { detail } = event as { detail: { severity: number; code: number; data: unknown } };
      note(detail.severity === 2 ? 'fatal' : 'error', `${detail.code} ${String(detail.data)}`);
    });
    await shaka.load(url).catch((error: { code?: number; data?: unknown }) => {
      throw new Error(`Shaka does not load ${url}: ${error.code} ${String(error.data)}`);
    });
    dateOf = () => shaka.getPlayheadTimeAsDate()?.getTime() ?? null;
  } else {
    const dash = page.dashjs.MediaPlayer().create();
    dash.updateSettings(config);
    dash.on('error', (event) => note('fatal', JSON.stringify((event as { error: unknown }).error)));
    dash.initialize(element, url, true);
    dateOf = () => dash.timeAsUTC() * 1000;
  }
  setInterval(() => {
    const { currentTime: position, playbackRate: rate, buffered } = element;
    let ahead = 0;
    for (let index = 0; index < buffered.length; index += 1)
      if (buffered.start(index) <= position + 0.1) ahead = buffered.end(index) - position;
    let date: number | null = null;
    try {
      date = dateOf();
    } catch {
      // The player is not ready to tell.
    }
    if (!element.paused) log.samples.push({ wall: Date.now(), position, date, rate, ahead });
  }, SAMPLE_EVERY);
  const play = (): void => {
    element.play().catch((error: Error) => note('error', error.message));
  };
  // dash.js begins by itself, and had better: of a start before it listens it never learns, and then
  // does not reload its manifest.
  if (player !== 'dash.js') play();
  element.addEventListener('canplay', play, { once: true });
  await started;
};
