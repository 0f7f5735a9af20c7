/** The loudspeaker: an audio context at the device's own rate, the playback worklet, a volume. */

import wasmUrl from '../../worklets/opus/decoder.wasm?url';
import playbackUrl from '../../worklets/playback.ts?worker&url';
import { type PlaybackCommand, type PlaybackOptions, PROCESSOR } from '../../worklets/port.ts';
import { asSpeakerError, lackOfSpeaker, SpeakerError } from './speaker-error.ts';

/** Time constant of the volume, seconds: no click when it is moved. */
const VOLUME_SMOOTHING = 0.02;
/** A browser that wants a click first leaves `resume` unanswered; so long is waited, ms. */
const RESUME_WITHIN = 400;

const fetchBytes = async (url: string): Promise<Uint8Array<ArrayBuffer>> => {
  const response = await fetch(url);
  if (!response.ok) throw new SpeakerError('files', `decoder.wasm: HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};

/** One way to the ear; made by `Speaker.open`, ended by `close`. */
export class Speaker {
  static #decoder: Promise<Uint8Array<ArrayBuffer>> | null = null;
  /** Called when `running` may have changed: an interruption, or the end of one. */
  onstatechange: (() => void) | null = null;
  readonly #context: AudioContext;
  readonly #node: AudioWorkletNode;
  readonly #gain: GainNode;

  private constructor(context: AudioContext, options: PlaybackOptions) {
    this.#context = context;
    this.#node = new AudioWorkletNode(context, PROCESSOR.playback, {
      numberOfInputs: 0,
      numberOfOutputs: 1,
      outputChannelCount: [2],
      processorOptions: options,
    });
    this.#gain = new GainNode(context);
    this.#node.connect(this.#gain).connect(context.destination);
    context.onstatechange = () => this.onstatechange?.();
  }

  /** Fetches what `open` needs, so that the click on *Listen* does not wait for the network. */
  static preload(): void {
    Speaker.#bytes().catch(() => {});
    // Only for the browser's cache, from which addModule then takes it.
    fetch(playbackUrl).catch(() => {});
  }

  /**
   * Opens the loudspeaker with a first target delay, ms. Called in a click handler, so that the
   * browser lets it sound; where it does not, `running` is false and `resume` tries again.
   *
   * @throws {SpeakerError} when the browser cannot, or a file is missing.
   */
  static async open({ target }: { readonly target: number }): Promise<Speaker> {
    const lack = lackOfSpeaker();
    if (lack !== null) throw new SpeakerError(lack);
    let context: AudioContext | null = null;
    try {
      context = new AudioContext({ latencyHint: 'interactive' });
      const [wasm] = await Promise.all([
        Speaker.#bytes(),
        context.audioWorklet.addModule(playbackUrl),
      ]);
      return new Speaker(context, { wasm, target });
    } catch (error) {
      await context?.close();
      throw asSpeakerError(error);
    }
  }

  /** Hands the worklet its end of a channel whose other end is with the network worker. */
  connect(port: MessagePort): void {
    this.#tell({ type: 'connect', port }, [port]);
  }

  /** Linear, 0 to 1. */
  get volume(): number {
    return this.#gain.gain.value;
  }

  set volume(linear: number) {
    const { gain } = this.#gain;
    const level = Math.min(1, Math.max(0, linear));
    if (this.running) gain.setTargetAtTime(level, this.#context.currentTime, VOLUME_SMOOTHING);
    else gain.value = level;
  }

  /** Seconds from the worklet to the ear, as far as the browser tells. */
  get outputLatency(): number {
    // WebKit leaves it 0; the buffer between worklet and system is then the least there is.
    return this.#context.outputLatency || this.#context.baseLatency || 0;
  }

  /** Whether the context's time goes on; false before a click, or while a call interrupts. */
  get running(): boolean {
    return this.#context.state === 'running';
  }

  /** Tries to sound; false when the browser wants a click first. */
  async resume(): Promise<boolean> {
    if (this.running) return true;
    const patience = new Promise<void>((resolve) => setTimeout(resolve, RESUME_WITHIN));
    await Promise.race([this.#context.resume().catch(() => {}), patience]);
    return this.running;
  }

  /** Ends the worklet and gives the device back. */
  async close(): Promise<void> {
    this.onstatechange = null;
    this.#tell({ type: 'close' });
    this.#node.disconnect();
    if (this.#context.state !== 'closed') await this.#context.close();
  }

  #tell(command: PlaybackCommand, transfer: Transferable[] = []): void {
    this.#node.port.postMessage(command, transfer);
  }

  static #bytes(): Promise<Uint8Array<ArrayBuffer>> {
    Speaker.#decoder ??= fetchBytes(wasmUrl).catch((error: unknown) => {
      Speaker.#decoder = null;
      throw error;
    });
    return Speaker.#decoder;
  }
}
