/**
 * The loudspeaker end of the frame path, on the audio thread: frames in, quanta out. What to play
 * when is the playout's business; this joins it to the two ports and the clocks.
 */
import { decodeFrame } from '../shared/frame.ts';
import { millis, samples, secondsToMillis, utc } from '../shared/time.ts';
import { OpusDecoder } from './opus-codec.ts';
import { Playout } from './playout.ts';
import {
  type DownlinkMessage,
  type PlaybackCommand,
  type PlaybackOptions,
  type PlayoutReading,
  PROCESSOR,
} from './port.ts';
import { WallAnchor } from './wall-anchor.ts';

const READINGS_PER_SECOND = 10;
/** 20 ms of silence, CELT full band stereo (RFC 6716 section 3.1). */
const SILENCE = new Uint8Array([0xfc, 0xff, 0xfe]);
const WARM_UP_FRAMES = 8;
/**
 * A new context's time jumps ahead of the wall clock (by 30 to 180 ms in Chromium) while the
 * device's buffers fill; arrivals told by it say nothing of the network for so long, ms.
 */
const UNSETTLED = 500;

type Writable<T> = { -readonly [Field in keyof T]: T[Field] };

/** Plays one channel in stereo, at the device's rate, from whatever frames have come. */
class PlaybackProcessor extends AudioWorkletProcessor {
  readonly #playout: Playout;
  readonly #anchor = new WallAnchor();
  /** The one reading, written anew each time: `process` allocates nothing itself. */
  readonly #reading: Writable<PlayoutReading> = {
    type: 'playout',
    phase: 'priming',
    epoch: 0,
    timestamp: samples(0),
    at: utc(0),
    sequence: 0,
    buffered: 0,
    target: 0,
    concealed: 0,
    recovered: 0,
    skipped: 0,
    received: 0,
    replaced: 0,
    peak: 0,
  };
  #network: MessagePort | null = null;
  #closed = false;
  #malformed = 0;
  #sinceReading = 0;
  #peak = 0;
  /** Context time of the first quantum; not a number before it, and then nothing is settled. */
  #began = Number.NaN;

  /** Compiles and warms up the decoder here, before the first quantum is due. */
  constructor({ processorOptions }: { readonly processorOptions: PlaybackOptions }) {
    super();
    const module = new WebAssembly.Module(processorOptions.wasm);
    const warm = new OpusDecoder(module, { channels: 2 });
    for (let frame = 0; frame < WARM_UP_FRAMES; frame += 1) warm.decode(SILENCE);
    this.#playout = new Playout({
      createDecoder: () => new OpusDecoder(module, { channels: 2 }),
      deviceRate: sampleRate,
      target: millis(processorOptions.target),
    });
    this.port.onmessage = ({ data }: MessageEvent<PlaybackCommand>) => this.#obey(data);
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    if (this.#closed) return false;
    const left = outputs[0]?.[0];
    if (left === undefined) return true;
    const right = outputs[0]?.[1] ?? left;
    const now = contextNow();
    if (Number.isNaN(this.#began)) this.#began = now;
    this.#anchor.observe(now, Date.now());
    this.#playout.pull(left, right, now);
    this.#meter(left, right);
    this.#sinceReading += left.length;
    if (this.#sinceReading >= sampleRate / READINGS_PER_SECOND) this.#postReading(now);
    return true;
  }

  #meter(left: Float32Array, right: Float32Array): void {
    for (let index = 0; index < left.length; index += 1) {
      const level = Math.max(Math.abs(left[index] as number), Math.abs(right[index] as number));
      if (level > this.#peak) this.#peak = level;
    }
  }

  /**
   * Tells where playing has got to. `at` names the moment at which the first sample of this quantum
   * would leave the worklet if quanta were evenly paced. They are not: a device callback asks for
   * several in a burst, so `Date.now()` alone would scatter by a whole device buffer. The anchor
   * takes the smallest difference of wall and context time, which belongs to the last quantum of
   * the least delayed burst, and all moments lie on one line through that.
   */
  #postReading(now: number): void {
    this.#sinceReading = 0;
    const { position, newest } = this.#playout;
    if (position.epoch < 0 || newest < 0) return;
    const reading = this.#reading;
    reading.phase = this.#playout.phase;
    reading.epoch = position.epoch;
    reading.timestamp = position.timestamp;
    reading.at = utc(now + this.#anchor.base);
    reading.sequence = newest;
    reading.buffered = this.#playout.buffered;
    reading.target = this.#playout.target;
    reading.concealed = this.#playout.concealed;
    reading.recovered = this.#playout.recovered;
    reading.skipped = this.#playout.skipped + this.#malformed;
    reading.received = this.#playout.received;
    reading.replaced = this.#playout.replaced;
    reading.peak = this.#peak;
    this.#peak = 0;
    this.#network?.postMessage(reading);
  }

  #obey(command: PlaybackCommand): void {
    if (command.type === 'connect') this.#connect(command.port);
    else if (command.type === 'close') this.#close();
  }

  #connect(port: MessagePort): void {
    this.#network?.close();
    this.#network = port;
    port.onmessage = ({ data }: MessageEvent<DownlinkMessage>) => this.#take(data);
  }

  #take(message: DownlinkMessage): void {
    if (message.type === 'frame') this.#push(message.bytes, message.live);
    else if (message.type === 'pause') this.#playout.pause();
    else if (message.type === 'flush') this.#playout.flush();
    else if (message.type === 'rejoin') this.#playout.rejoin(message.from);
    else if (message.type === 'rate') this.#playout.setRate(message.rate, contextNow());
  }

  #push(bytes: Uint8Array, live: boolean): void {
    try {
      const now = contextNow();
      const settled = now - this.#began >= UNSETTLED;
      this.#playout.push(decodeFrame(bytes), { live: live && settled, now });
    } catch {
      this.#malformed += 1;
    }
  }

  #close(): void {
    this.#closed = true;
    this.#network?.close();
    this.port.close();
  }
}

/** The device's own clock, which is the playout's: that of the quantum now due. */
const contextNow = () => secondsToMillis(currentFrame / sampleRate);

registerProcessor(PROCESSOR.playback, PlaybackProcessor);
