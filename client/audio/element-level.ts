/**
 * How loud a media element plays. Chromium lets a page look at the sound from beside, so that
 * nothing of it can break; elsewhere it has to be led through Web Audio, and depends on that from
 * then on. WebKit stops Web Audio on a locked phone, so there it is left alone.
 */
import { Scope } from '../scope.ts';

/** What of an element not every browser has; `getStartDate` is WebKit's own. */
type Element = HTMLAudioElement & { captureStream?(): MediaStream; getStartDate?(): Date };

/** Samples looked at: at 48 kHz more than lies between two looks, a tenth of a second. */
const LOOKED_AT = 8192;

/** Where the sound is looked at, from the first time it plays on. */
type View = {
  readonly context: AudioContext;
  readonly analyser: AnalyserNode;
  /** From beside; null where the sound is led through. */
  readonly stream: MediaStream | null;
};

/** Looks at one element as long as its page lives: what is once led through Web Audio stays there. */
export class ElementLevel {
  /** Called when the sound stops because Web Audio does, and when it goes on. */
  onstatechange: ((sounds: boolean) => void) | null = null;
  readonly #element: Element;
  readonly #scope = new Scope();
  readonly #samples = new Float32Array(LOOKED_AT);
  #view: View | null = null;
  #track: MediaStreamTrack | null = null;
  #source: AudioNode | null = null;

  constructor(element: HTMLAudioElement) {
    this.#element = element;
    if (this.#element.getStartDate !== undefined || !globalThis.AudioContext) return;
    this.#scope.on(element, 'playing', () => void this.#join());
    this.#scope.on(document, 'visibilitychange', () => void this.resume());
  }

  /** Largest sample of the last moment, linear, before the volume; null while none is known. */
  get peak(): number | null {
    if (this.#view?.context.state !== 'running' || this.#source === null) return null;
    this.#view.analyser.getFloatTimeDomainData(this.#samples);
    let peak = 0;
    for (const sample of this.#samples) peak = Math.max(peak, Math.abs(sample));
    if (this.#view.stream !== null) return peak;
    // What is led through has had the element's volume.
    return this.#element.volume > 0 ? peak / this.#element.volume : null;
  }

  /** Lets the sound go on after an interruption, where the browser does without a press. */
  async resume(): Promise<void> {
    await this.#view?.context.resume().catch(() => {});
  }

  close(): void {
    this.#scope.dispose();
    this.#element.pause();
  }

  /** The element plays; after a change of its source the sound comes from another track. */
  async #join(): Promise<void> {
    const view = this.#view ?? this.#open();
    await this.resume();
    // Sound is not made to depend on a context that does not run.
    if (this.#scope.disposed || view.context.state !== 'running') return;
    if (view.stream === null) this.#leadThrough(view);
    else this.#lookAt(view, view.stream);
  }

  #open(): View {
    const beside = this.#element.captureStream !== undefined;
    // From beside nothing goes out, so no device is opened.
    const options = beside ? ({ sinkId: { type: 'none' } } as AudioContextOptions) : {};
    const context = new AudioContext(options);
    this.#scope.add(() => void context.close());
    const analyser = new AnalyserNode(context, { fftSize: LOOKED_AT });
    const stream = this.#element.captureStream?.() ?? null;
    if (stream !== null) this.#scope.on(stream, 'addtrack', () => void this.#join());
    this.#view = { context, analyser, stream };
    if (!beside) context.onstatechange = () => void this.#interrupted(context);
    return this.#view;
  }

  #leadThrough({ context, analyser }: View): void {
    if (this.#source !== null) return;
    this.#source = context.createMediaElementSource(this.#element);
    this.#source.connect(analyser).connect(context.destination);
  }

  #lookAt({ context, analyser }: View, stream: MediaStream): void {
    const track = stream.getAudioTracks().at(-1);
    if (track === undefined || track === this.#track) return;
    this.#source?.disconnect();
    // Chromium leaves the track of an earlier source in the stream, silent and alive.
    this.#track?.stop();
    if (this.#track !== null) stream.removeTrack(this.#track);
    this.#track = track;
    this.#source = context.createMediaStreamSource(new MediaStream([track]));
    this.#source.connect(analyser);
  }

  async #interrupted(context: AudioContext): Promise<void> {
    if (this.#source === null || context.state === 'closed') return;
    if (context.state !== 'running') await this.resume();
    this.onstatechange?.(context.state === 'running');
  }
}
