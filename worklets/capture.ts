/**
 * The microphone end of the frame path, on the audio thread: quanta in, packets out. Everything
 * that thinks is in the parts; this only joins them and speaks with the page and the network worker.
 */
import { FLAG } from '../shared/frame.ts';
import { samples, utc } from '../shared/time.ts';
import { ChannelMix, PIECE } from './channel-mix.ts';
import { FrameEncoder } from './frame-encoder.ts';
import { Framer } from './framer.ts';
import { Loudness } from './loudness.ts';
import { MediaClock } from './media-clock.ts';
import { Meter } from './meter.ts';
import {
  type CaptureCommand,
  type CapturedPacket,
  type CaptureOptions,
  type CaptureReading,
  type EncoderCommand,
  PROCESSOR,
} from './port.ts';
import { VoiceActivity } from './voice-activity.ts';

const READINGS_PER_SECOND = 20;
/** Length of a quantum as Web Audio has it; readings count missed time in it. */
const QUANTUM = 128;
const NO_INPUT: readonly Float32Array[] = [];
const MAX_GAIN = 100;

/**
 * Encodes between `start` and `stop`, meters always. Meters and voice follow the gain but not mute,
 * so that the page can tell a person who talks while muted. The two messages it posts are all that
 * it allocates while it runs.
 */
class CaptureProcessor extends AudioWorkletProcessor {
  readonly #options: CaptureOptions;
  readonly #encoder: FrameEncoder;
  readonly #clock = new MediaClock({ rate: sampleRate });
  readonly #framer: Framer;
  readonly #mix: ChannelMix;
  readonly #muting: ChannelMix;
  readonly #meter: Meter;
  readonly #loudness: Loudness;
  readonly #voice = new VoiceActivity({ rate: sampleRate });
  #uplink: MessagePort | null = null;
  #encoding = false;
  #talking = false;
  #closed = false;
  #quantum = QUANTUM;
  #sinceReading = 0;

  /** Compiles the codec and warms it up here, before the first quantum is due. */
  constructor({ processorOptions }: { readonly processorOptions: CaptureOptions }) {
    super();
    const { channels, frame } = processorOptions;
    this.#options = processorOptions;
    this.#encoder = new FrameEncoder(
      new WebAssembly.Module(processorOptions.wasm),
      processorOptions,
      { now: Date.now },
    );
    this.#framer = new Framer({ rate: sampleRate, channels, frame });
    this.#mix = new ChannelMix({ channels });
    this.#muting = new ChannelMix({ channels });
    this.#meter = new Meter({ channels });
    this.#loudness = new Loudness({ rate: sampleRate, channels });
    this.port.onmessage = ({ data }: MessageEvent<CaptureCommand>) => this.#obey(data);
    this.#postReading();
  }

  process(inputs: Float32Array[][]): boolean {
    if (this.#closed) return false;
    const input = inputs[0] ?? NO_INPUT;
    // A source that is not connected has no channels; time goes on at the pace it had.
    this.#quantum = input[0]?.length ?? this.#quantum;
    this.#keepTime();
    for (let from = 0; from < this.#quantum; from += PIECE)
      this.#capture(input, from, Math.min(PIECE, this.#quantum - from));
    this.#sinceReading += this.#quantum;
    if (this.#sinceReading >= sampleRate / READINGS_PER_SECOND) this.#postReading();
    return true;
  }

  #keepTime(): void {
    const tick = this.#clock.tick(currentFrame, this.#quantum, utc(Date.now()));
    if (tick === 'new run') {
      this.#framer.restart();
      this.#encoder.reset();
      this.#talking = false;
    } else if (tick === 'hole' && this.#encoding) this.#bridge(this.#clock.missing);
  }

  /** Pads a hole of device frames to whole frames, of which the empty ones never go out. */
  #bridge(missing: number): void {
    const passedOver = this.#clock.skippable(missing);
    let left = missing - passedOver;
    while (left > 0) {
      left -= this.#framer.writeHole(left);
      if (this.#framer.full) this.#finishFrame();
    }
    this.#clock.skip(passedOver);
  }

  #capture(input: readonly Float32Array[], from: number, count: number): void {
    this.#mix.mix(input, from, count);
    this.#meter.write(this.#mix.output, count);
    this.#loudness.write(this.#mix.output, count);
    this.#voice.write(this.#mix.output, count);
    this.#muting.mix(this.#mix.output, 0, count);
    let at = 0;
    while (this.#encoding && at < count) {
      at += this.#framer.write(this.#muting.output, at, count);
      if (this.#framer.full) this.#finishFrame();
    }
  }

  #finishFrame(): void {
    const { frame } = this.#options;
    const packet = this.#framer.hollow ? null : this.#encoder.encode(this.#framer.pcm);
    this.#framer.clear();
    if (packet === null || packet.length === 0) this.#clock.drop(frame);
    else this.#postPacket(packet);
  }

  #postPacket(view: Uint8Array): void {
    const { frame, application } = this.#options;
    const { run, timestamp } = this.#clock;
    const talkspurt = application === 'voip' && this.#voice.active && !this.#talking;
    this.#talking = this.#voice.active;
    const packet = new Uint8Array(view);
    const message: CapturedPacket = {
      type: 'packet',
      run,
      flags:
        this.#encoder.flagsOf(packet) |
        (this.#clock.take(frame) ? FLAG.discontinuity : 0) |
        (talkspurt ? FLAG.talkspurt : 0),
      duration: frame,
      timestamp,
      captured: this.#clock.captured(samples(timestamp + frame)),
      packet,
    };
    this.#uplink?.postMessage(message, [packet.buffer]);
  }

  #postReading(): void {
    const { output } = this.#mix;
    const reading: CaptureReading = {
      type: 'reading',
      rms: output.map((_, channel) => this.#meter.rms(channel)),
      peak: output.map((_, channel) => this.#meter.peak(channel)),
      loudness: this.#loudness.momentary,
      clipped: this.#meter.clipped,
      voice: this.#voice.active,
      missed: Math.round(this.#clock.missed / QUANTUM),
      encode: this.#encoder.meanTime,
    };
    this.port.postMessage(reading);
    this.#meter.reset();
    this.#sinceReading = 0;
  }

  #obey(command: CaptureCommand): void {
    if (command.type === 'connect') this.#connect(command.port);
    else if (command.type === 'mute') this.#muting.gain = command.on ? 0 : 1;
    else if (command.type === 'gain' && Number.isFinite(command.linear))
      this.#mix.gain = Math.min(MAX_GAIN, Math.max(0, command.linear));
    else if (command.type === 'close') this.#close();
  }

  #connect(port: MessagePort): void {
    this.#uplink?.close();
    this.#encoding = false;
    this.#uplink = port;
    port.onmessage = ({ data }: MessageEvent<EncoderCommand>) => this.#encode(data);
  }

  #encode(command: EncoderCommand): void {
    if (command.type === 'bitrate') this.#encoder.bitrate = command.bitrate;
    else this.#encoding = command.type === 'start';
    if (command.type === 'start') this.#clock.start(command.run);
    // Now nothing waits for this thread, and the engine has compiled the codec for speed.
    if (command.type === 'stop') this.#encoder.time();
  }

  #close(): void {
    this.#closed = true;
    this.#encoding = false;
    this.#uplink?.close();
    this.port.close();
  }
}

registerProcessor(PROCESSOR.capture, CaptureProcessor);
