/**
 * What crosses between the audio thread and the rest of the browser. Packets cross, never PCM.
 *
 * Each worklet node has two ports: its own (`node.port`) to the page, and one transferred in with
 * `connect`, whose other end is in the network worker, so that a busy page delays no packet.
 */
import type { Samples, Utc } from '../shared/time.ts';

/** Names under which the two processors are registered. */
export const PROCESSOR = { capture: 'skywave-capture', playback: 'skywave-playback' } as const;

/** What the encoder is told at the start, and again when the uplink is under pressure. */
export type CaptureOptions = {
  /** Bytes of the wasm module with encoder and decoder (fetch is not available in the worklet). */
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly channels: 1 | 2;
  /** `voip` for voice (SILK and hybrid, in-band FEC), `audio` for music. */
  readonly application: 'voip' | 'audio';
  /** Bit/s. */
  readonly bitrate: number;
  readonly complexity: number;
  readonly fec: boolean;
  /** Frame length, samples: 960 unless there is a reason. */
  readonly frame: Samples;
};

/** Page to capture worklet. */
export type CaptureCommand =
  | { readonly type: 'connect'; readonly port: MessagePort }
  | { readonly type: 'mute'; readonly on: boolean }
  | { readonly type: 'gain'; readonly linear: number }
  | { readonly type: 'close' };

/**
 * Capture worklet to page, about 20 times a second from the moment the node exists. Levels and voice
 * are those of the microphone after its gain, muted or not.
 */
export type CaptureReading = {
  readonly type: 'reading';
  /** Per channel, dBFS since the last reading; -Infinity for digital silence. */
  readonly rms: readonly number[];
  readonly peak: readonly number[];
  /** Momentary loudness, LUFS over 400 ms (EBU R 128); -Infinity below the absolute gate. */
  readonly loudness: number;
  readonly clipped: boolean;
  readonly voice: boolean;
  /** Quanta the context lost since the node began: left out, or late for good by the wall clock. */
  readonly missed: number;
  /** Mean time of an encode here, ms, timed when the node was made and anew after each run. */
  readonly encode: number;
};

/** Network worker to capture worklet. */
export type EncoderCommand =
  /** Begins a run of the media clock: the next sample captured has timestamp 0. */
  | { readonly type: 'start'; readonly run: number }
  | { readonly type: 'stop' }
  | { readonly type: 'bitrate'; readonly bitrate: number };

/** Capture worklet to network worker. */
export type CapturedPacket = {
  readonly type: 'packet';
  /** Which run of the media clock; grows by one when the context stood still. */
  readonly run: number;
  readonly flags: number;
  readonly duration: Samples;
  readonly timestamp: Samples;
  /** Browser's UTC at which the sample after the packet's last would have been captured. */
  readonly captured: Utc;
  readonly packet: Uint8Array<ArrayBuffer>;
};

/** Everything the capture worklet says to the network worker. */
export type CapturedMessage = CapturedPacket;

/** What the playback worklet is made with. */
export type PlaybackOptions = {
  /** Bytes of the decoder-only wasm module. */
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** Target delay to begin with, ms: the last one used with this server. */
  readonly target: number;
};

/** Page to playback worklet. */
export type PlaybackCommand =
  | { readonly type: 'connect'; readonly port: MessagePort }
  | { readonly type: 'close' };

/** Network worker to playback worklet. */
export type DownlinkMessage =
  /** One whole frame as received. `live` is false for priming and replay, whose time of arrival says nothing of the network. */
  | { readonly type: 'frame'; readonly bytes: Uint8Array<ArrayBuffer>; readonly live: boolean }
  /** The channel holds, fills or has ended: what comes next is no measure of the network. */
  | { readonly type: 'pause' }
  /** What follows comes so much faster than it was said, and is to be played as fast; 1 as it was. */
  | { readonly type: 'rate'; readonly rate: number }
  /** The server skipped, or the listener joined anew: play from the next frame on. */
  | { readonly type: 'flush' }
  /**
   * What came before is over: even an older epoch may come now. With `from`, playing begins at that
   * very sample of it.
   */
  | { readonly type: 'rejoin'; readonly from?: Samples };

/** Playback worklet to network worker, every 100 ms while there is anything to play. */
export type PlayoutReading = {
  readonly type: 'playout';
  readonly phase: 'priming' | 'playing' | 'starved';
  readonly epoch: number;
  /** Sample leaving the worklet at `at`. */
  readonly timestamp: Samples;
  /** Browser's UTC. */
  readonly at: Utc;
  /** Newest sequence received in `epoch`. */
  readonly sequence: number;
  /** Media in hand beyond `timestamp`, and the delay aimed at, ms. */
  readonly buffered: number;
  readonly target: number;
  /** Frames, since the node began. */
  readonly concealed: number;
  readonly recovered: number;
  readonly skipped: number;
  readonly received: number;
  /** Decoders replaced because they trapped. */
  readonly replaced: number;
  /** Peak of what left the worklet since the last reading, linear. */
  readonly peak: number;
};
