/**
 * The page's end of the microphone: permission, device and processing. The audio itself never comes
 * here; the capture worklet encodes it and hands packets to the network worker.
 */
import { samples } from '../../shared/time.ts';
import captureUrl from '../../worklets/capture.ts?worker&url';
import wasmUrl from '../../worklets/opus/codec.wasm?url';
import {
  type CaptureCommand,
  type CaptureOptions,
  type CaptureReading,
  PROCESSOR,
} from '../../worklets/port.ts';
import { asMicrophoneError, MicrophoneError } from './microphone-error.ts';
import { type MicrophoneMode, MODES, trackConstraints } from './microphone-mode.ts';

/**
 * Of ten. In an AudioWorklet 7 costs two thirds of what 10 does (README, Measured), which leaves
 * room on a telephone; from 8 on the gain is in stereo at bitrates below those of our modes.
 */
const COMPLEXITY = 7;
/** How long the worklet may take to say that it lives; a suspended context may not let it, ms. */
const PATIENCE = 3000;

/** What `openMicrophone` needs to know. */
export type MicrophoneOptions = {
  /** From `listMicrophones`; the system's default without it. */
  readonly deviceId?: string;
  readonly mode: MicrophoneMode;
  /** About 20 times a second, until `close`. */
  readonly onReading: (reading: CaptureReading) => void;
  /** The device went away; the capture clock goes on with silence until `change`. */
  readonly onLost: () => void;
};

/** A microphone one can choose. */
export type MicrophoneChoice = { readonly deviceId: string; readonly label: string };

type Source = {
  readonly stream: MediaStream;
  readonly track: MediaStreamTrack;
  readonly node: MediaStreamAudioSourceNode;
};

/** Lists the audio inputs; empty until the page was once allowed to use one. */
export const listMicrophones = async (): Promise<MicrophoneChoice[]> => {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices
    .filter(({ kind, deviceId }) => kind === 'audioinput' && deviceId !== '')
    .map(({ deviceId, label }) => ({ deviceId, label }));
};

/**
 * Asks for the microphone and starts the capture worklet on it. Best called from a click, because
 * browsers let a context start only then.
 *
 * @throws {MicrophoneError}
 */
export const openMicrophone = async (options: MicrophoneOptions): Promise<Microphone> => {
  demandSupport();
  const stream = await openStream(options.deviceId, options.mode);
  const context = new AudioContext({ latencyHint: 'interactive' });
  try {
    const node = await startWorklet(context, options.mode);
    return new Microphone(context, node, stream, options);
  } catch (error) {
    stopTracks(stream);
    await context.close();
    throw asMicrophoneError(error);
  }
};

/** An open microphone; `close` gives the device back. */
export class Microphone {
  readonly context: AudioContext;
  readonly #node: AudioWorkletNode;
  readonly #onLost: () => void;
  readonly #listeners = new AbortController();
  #source: Source;
  #deviceId: string | undefined;
  #mode: MicrophoneMode;
  #changes = 0;

  /** Only `openMicrophone` calls this; the node has been heard from. */
  constructor(
    context: AudioContext,
    node: AudioWorkletNode,
    stream: MediaStream,
    { deviceId, mode, onReading, onLost }: MicrophoneOptions,
  ) {
    this.context = context;
    this.#node = node;
    this.#onLost = onLost;
    this.#deviceId = deviceId;
    this.#mode = mode;
    node.port.onmessage = ({ data }: MessageEvent<CaptureReading>) => onReading(data);
    this.#source = this.#attach(stream);
    // A telephone call interrupts the context on iOS, and nobody else wakes it up afterwards.
    const { signal } = this.#listeners;
    context.addEventListener('statechange', () => this.#wake(), { signal });
    document.addEventListener('visibilitychange', () => this.#wake(), { signal });
  }

  /** Of the device in use, as the browser names it. */
  get deviceId(): string {
    return this.#source.track.getSettings().deviceId ?? '';
  }

  get label(): string {
    return this.#source.track.label;
  }

  /** Seconds between the air and the worklet, as far as the browser knows it; 0 when unknown. */
  get inputLatency(): number {
    const settings: MediaTrackSettings & { readonly latency?: number } =
      this.#source.track.getSettings();
    return settings.latency ?? 0;
  }

  /** Transfers a port to the worklet; its other end is with the network worker. */
  connect(port: MessagePort): void {
    this.#command({ type: 'connect', port }, [port]);
  }

  /** Sends silence instead; time and meters go on. */
  mute(on: boolean): void {
    this.#command({ type: 'mute', on });
  }

  /** Linear, 1 leaves the sound as it is, at most 100. */
  gain(linear: number): void {
    this.#command({ type: 'gain', linear });
  }

  /**
   * Goes over to another device or mode while the worklet and its media clock run on. The encoder
   * stays as it was made, channels included: a mode changes what the browser does to the sound. The
   * old device is kept when the new one cannot be had; of several calls at once the last one wins.
   *
   * @throws {MicrophoneError}
   */
  async change({ deviceId, mode }: Partial<Pick<MicrophoneOptions, 'deviceId' | 'mode'>>) {
    this.#changes += 1;
    const change = this.#changes;
    const wanted = { deviceId: deviceId ?? this.#deviceId, mode: mode ?? this.#mode };
    const stream = await openStream(wanted.deviceId, wanted.mode);
    if (change !== this.#changes) return stopTracks(stream);
    this.#detach();
    this.#deviceId = wanted.deviceId;
    this.#mode = wanted.mode;
    this.#source = this.#attach(stream);
  }

  /** Stops capture and releases the device. */
  async close(): Promise<void> {
    this.#changes += 1;
    this.#listeners.abort();
    this.#command({ type: 'close' });
    this.#detach();
    this.#node.disconnect();
    this.#node.port.close();
    if (this.context.state !== 'closed') await this.context.close();
  }

  #attach(stream: MediaStream): Source {
    const [track] = stream.getAudioTracks();
    if (track === undefined) throw new MicrophoneError('none');
    const node = this.context.createMediaStreamSource(stream);
    node.connect(this.#node);
    track.onended = () => this.#onLost();
    this.#wake();
    return { stream, track, node };
  }

  #detach(): void {
    const { stream, track, node } = this.#source;
    track.onended = null;
    node.disconnect();
    stopTracks(stream);
  }

  #wake(): void {
    const { state } = this.context;
    // Refused without a click, or in the middle of a call; the next change of state tries again.
    if (state !== 'running' && state !== 'closed') this.context.resume().catch(() => {});
  }

  #command(command: CaptureCommand, transfer: Transferable[] = []): void {
    this.#node.port.postMessage(command, transfer);
  }
}

const demandSupport = (): void => {
  if (!globalThis.isSecureContext || navigator.mediaDevices?.getUserMedia === undefined)
    throw new MicrophoneError('insecure');
  if (globalThis.AudioWorkletNode === undefined || globalThis.WebAssembly === undefined)
    throw new MicrophoneError('no-worklet');
};

const openStream = async (
  deviceId: string | undefined,
  mode: MicrophoneMode,
): Promise<MediaStream> => {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: trackConstraints(mode, deviceId) });
  } catch (error) {
    throw asMicrophoneError(error);
  }
};

const startWorklet = async (
  context: AudioContext,
  mode: MicrophoneMode,
): Promise<AudioWorkletNode> => {
  const [wasm] = await Promise.all([fetchCodec(), addWorklet(context)]);
  const { application, rendition } = MODES[mode];
  const { channels, bitrate, fec } = rendition;
  const frame = samples(rendition.frame);
  const node = new AudioWorkletNode(context, PROCESSOR.capture, {
    numberOfOutputs: 1,
    channelCount: channels,
    // The browser mixes what the device has to what the encoder takes.
    channelCountMode: 'explicit',
    processorOptions: {
      wasm,
      channels,
      application,
      bitrate,
      complexity: COMPLEXITY,
      fec,
      frame,
    } satisfies CaptureOptions,
  });
  // The output is silent; without a way to the destination some browsers never run the node.
  node.connect(context.destination);
  await firstSign(node);
  return node;
};

const addWorklet = async (context: AudioContext): Promise<void> => {
  try {
    await context.audioWorklet.addModule(captureUrl);
  } catch (error) {
    // Its AbortError is not that of a microphone in use.
    throw new MicrophoneError('unknown', `the capture worklet did not load: ${String(error)}`);
  }
};

const fetchCodec = async (): Promise<Uint8Array<ArrayBuffer>> => {
  const response = await fetch(wasmUrl);
  if (!response.ok) throw new MicrophoneError('unknown', `codec.wasm: HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};

/** Waits for the worklet's first reading, which its constructor posts. */
const firstSign = (node: AudioWorkletNode): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, PATIENCE);
    node.port.onmessage = () => {
      clearTimeout(timer);
      resolve();
    };
    node.onprocessorerror = () => {
      clearTimeout(timer);
      reject(new MicrophoneError('unknown', 'the capture worklet failed to start'));
    };
  });

const stopTracks = (stream: MediaStream): void => {
  for (const track of stream.getTracks()) track.stop();
};
