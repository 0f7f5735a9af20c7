/**
 * Taps the sound of a page from outside, without any hook in the product: whatever goes into a
 * worklet node of one name, whatever comes out of one of another, is recorded beside it.
 */
import { PROCESSOR } from '../../worklets/port.ts';
import { registerTapRecorder, type TapBlock } from './tap-recorder.ts';
import { type TapMark, TapRecording } from './tap-recording.ts';

/** Which side of the product a tap is on; `element` is what media elements play. */
export type TapSide = 'capture' | 'playback' | 'element';

export type TapOptions = {
  /** Makes every AudioContext of the page run at this rate, whatever the page asks for. */
  readonly sampleRate?: number;
  /** Taps media elements, too. */
  readonly elements?: boolean;
};

type PageTap = {
  readonly side: TapSide;
  /** Chromium's own count of what did not reach the loudspeaker in time. */
  readonly context: BaseAudioContext & { readonly playbackStats?: { underrunEvents: number } };
  readonly blocks: TapBlock[];
};
type Capturable = HTMLMediaElement & { captureStream(): MediaStream };
type TappedWindow = { measuringTaps?: PageTap[] };
type Installation = {
  readonly recorder: string;
  readonly into: string;
  readonly outOf: string;
  readonly sampleRate: number | null;
  readonly elements: boolean;
};

/**
 * Runs in the page before its own scripts. It is sent as text, so it uses nothing from outside
 * itself.
 */
const tapPage = ({ recorder, into, outOf, sampleRate, elements }: Installation): void => {
  if (typeof AudioWorkletNode === 'undefined') return;
  // 15 minutes: more than any test, and less than would hurt the browser.
  const MOST_BLOCKS = 9000;
  const taps: PageTap[] = [];
  (window as TappedWindow).measuringTaps = taps;
  const recorderOf = new WeakMap<AudioNode, { side: TapSide; tap: AudioNode }>();
  const { connect, disconnect } = AudioNode.prototype as {
    connect: (...to: unknown[]) => unknown;
    disconnect: (...from: unknown[]) => void;
  };

  const source = URL.createObjectURL(new Blob([recorder], { type: 'text/javascript' }));
  const ready = new WeakMap<AudioWorklet, Promise<void>>();
  const addModule = AudioWorklet.prototype.addModule;
  AudioWorklet.prototype.addModule = async function (this: AudioWorklet, ...module) {
    // The recorder is there first, so that a tap can be made in the moment the product's node is.
    if (!ready.has(this)) ready.set(this, addModule.call(this, source));
    await ready.get(this);
    await addModule.apply(this, module);
  };

  const record = (context: BaseAudioContext, side: TapSide): AudioNode => {
    const tap = new Original(context, 'measuring-tap', {
      numberOfInputs: 1,
      numberOfOutputs: 1,
      channelCount: 1,
      channelCountMode: 'explicit',
    });
    const blocks: TapBlock[] = [];
    taps.push({ side, context, blocks });
    tap.port.onmessage = (message: MessageEvent<TapBlock>) => {
      blocks.push(message.data);
      if (blocks.length > MOST_BLOCKS) blocks.shift();
    };
    // Only what leads to the destination is sure to run; nothing of it is heard.
    const nothing = new GainNode(context, { gain: 0 });
    connect.call(tap, nothing);
    connect.call(nothing, context.destination);
    return tap;
  };

  const Original = AudioWorkletNode;
  window.AudioWorkletNode = class AudioWorkletNode extends Original {
    constructor(context: BaseAudioContext, name: string, options?: AudioWorkletNodeOptions) {
      super(context, name, options);
      if (name !== into && name !== outOf) return;
      const side = name === into ? 'capture' : 'playback';
      const tap = record(context, side);
      recorderOf.set(this, { side, tap });
      if (side === 'playback') connect.call(this, tap);
    }
  };
  AudioNode.prototype.connect = function (this: AudioNode, ...to: unknown[]) {
    const other = to[0] instanceof AudioNode ? recorderOf.get(to[0]) : undefined;
    if (other?.side === 'capture') connect.call(this, other.tap, to[1] ?? 0);
    return connect.apply(this, to);
  } as typeof AudioNode.prototype.connect;
  AudioNode.prototype.disconnect = function (this: AudioNode, ...from: unknown[]) {
    disconnect.apply(this, from);
    const other = from[0] instanceof AudioNode ? recorderOf.get(from[0]) : undefined;
    if (other?.side === 'capture') disconnect.call(this, other.tap);
    // The product let go of everything, the tap has not.
    const own = recorderOf.get(this);
    if (own?.side === 'playback') connect.call(this, own.tap);
  } as typeof AudioNode.prototype.disconnect;

  const { play, captureStream } = HTMLMediaElement.prototype as unknown as Capturable;
  // Chromium gives an element's sound to the newest capture only: product and tap share one.
  const captures = new WeakMap<HTMLMediaElement, MediaStream>();
  const capture = (element: HTMLMediaElement): MediaStream => {
    const stream = captures.get(element) ?? captureStream.call(element);
    captures.set(element, stream);
    return stream;
  };
  const tapped = new WeakSet<HTMLMediaElement>();
  const tapElement = async (element: HTMLMediaElement): Promise<void> => {
    const context = new AudioContext();
    await context.audioWorklet.addModule(source);
    const tap = record(context, 'element');
    const stream = capture(element);
    const joined = new WeakSet<MediaStreamTrack>();
    const join = (): void => {
      for (const track of stream.getAudioTracks()) {
        if (joined.has(track)) continue;
        joined.add(track);
        const from = context.createMediaStreamSource(new MediaStream([track]));
        connect.call(from, tap);
      }
    };
    stream.addEventListener('addtrack', join);
    join();
  };
  if (elements) {
    (HTMLMediaElement.prototype as Capturable).captureStream = function (this: HTMLMediaElement) {
      return capture(this);
    };
    HTMLMediaElement.prototype.play = function (this: HTMLMediaElement) {
      if (!tapped.has(this)) void tapElement(this);
      tapped.add(this);
      return play.call(this);
    };
  }

  if (sampleRate === null) return;
  const forced = sampleRate;
  const Context = AudioContext;
  window.AudioContext = class AudioContext extends Context {
    constructor(options: AudioContextOptions = {}) {
      super({ ...options, sampleRate: forced });
    }
  };
};

/** A page or browser that can run something before a page's own scripts. */
export type TapTarget = {
  addInitScript: (act: typeof tapPage, argument: Installation) => Promise<unknown>;
};

/** Installs the taps in every page that `target` opens from now on. */
export const installAudioTaps = async (
  target: TapTarget,
  { sampleRate, elements = false }: TapOptions = {},
): Promise<void> => {
  await target.addInitScript(tapPage, {
    recorder: `(${registerTapRecorder.toString()})()`,
    into: PROCESSOR.capture,
    outOf: PROCESSOR.playback,
    sampleRate: sampleRate ?? null,
    elements,
  });
};

type CollectedTap = {
  readonly rate: number;
  readonly firstFrame: number;
  readonly pcm: string;
  readonly marks: readonly TapMark[];
  readonly missed: number;
  readonly underruns: number;
};

/** Runs in the page: the recordings of one side, their samples in base64. */
const collect = (side: TapSide): CollectedTap[] =>
  ((window as TappedWindow).measuringTaps ?? [])
    .filter((tap) => tap.side === side && tap.blocks.length > 0)
    .map(({ context, blocks }) => {
      const frame = blocks[0]!.frame;
      const last = blocks.at(-1)!;
      // What the context skipped stays silence, so that the index goes on telling the time.
      const pcm = new Float32Array(last.frame + last.samples.length - frame);
      for (const block of blocks) pcm.set(block.samples, block.frame - frame);
      const bytes = new Uint8Array(pcm.buffer);
      let text = '';
      for (let at = 0; at < bytes.length; at += 0x8000)
        text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
      return {
        rate: context.sampleRate,
        firstFrame: frame,
        pcm: btoa(text),
        marks: blocks.map(({ markFrame, markWall, spread }) => ({
          frame: markFrame - frame,
          wall: markWall,
          spread,
        })),
        missed: blocks.slice(1).reduce((sum, block) => sum + block.missed, 0),
        underruns: context.playbackStats?.underrunEvents ?? Number.NaN,
      };
    });

/** A page in which taps were installed. */
export type TappedPage = {
  evaluate: (act: typeof collect, side: TapSide) => Promise<CollectedTap[]>;
};

/**
 * Fetches what was recorded on one side of a page, one recording for each node the page has made,
 * in the order they were made. The taps go on.
 */
export const readTaps = async (page: TappedPage, side: TapSide): Promise<TapRecording[]> =>
  (await page.evaluate(collect, side)).map(({ pcm, ...tap }) => {
    const bytes = new Uint8Array(Buffer.from(pcm, 'base64'));
    return new TapRecording({ ...tap, pcm: new Float32Array(bytes.buffer) });
  });
