/** What the transcoder and its child say to each other. */
import type { Samples } from '../../shared/time.ts';
import type { Block } from './meters.ts';

/** AAC encoders of FFmpeg that may make the ladder; either may take over from the other. */
export type AacName = 'libfdk_aac' | 'aac';

/** One AAC rendition, always stereo. */
export type LadderStep = {
  /** Part of URLs. */
  readonly name: string;
  /** Bit/s. */
  readonly bitrate: number;
};

/** One Opus rendition for listeners with little bandwidth, with the channels of its source. */
export type LowRate = {
  readonly name: string;
  /** Its id in the catalog, which is the rendition byte of its frames. */
  readonly id: number;
  /** Bit/s. */
  readonly bitrate: number;
};

/** A frame of a low-rate rendition: the source's place on the media clock, another packet. */
export type LowRateFrame = {
  /** Track time of the source's frame. */
  readonly at: Samples;
  /** Id of the rendition in the catalog. */
  readonly rendition: number;
  readonly sequence: number;
  readonly timestamp: Samples;
  readonly epoch: number;
  readonly duration: Samples;
  readonly packet: Uint8Array;
};

/** A piece of the sound on its way to the child (server/packager/track.ts), or the stretch's end. */
export type Feed =
  | {
      readonly kind: 'frame';
      readonly at: Samples;
      readonly duration: Samples;
      readonly sequence: number;
      readonly timestamp: Samples;
      readonly epoch: number;
      readonly packet: Uint8Array;
    }
  | { readonly kind: 'silence'; readonly at: Samples; readonly duration: Samples }
  | { readonly kind: 'discontinuity'; readonly at: Samples; readonly duration: Samples }
  | { readonly kind: 'end'; readonly at: Samples; readonly duration: Samples };

/** One access unit of each rendition, in the order of the ladder. */
export type LadderUnit = { readonly at: Samples; readonly bytes: readonly Uint8Array[] };

/** From the parent. `begin` comes once and first. */
export type ToChild =
  | {
      readonly kind: 'begin';
      readonly ladder: readonly LadderStep[];
      readonly lowRates: readonly LowRate[];
      /** Units before this track time are not wanted: what is fed of them is pre-roll. */
      readonly from: Samples;
    }
  | { readonly kind: 'lowRates'; readonly lowRates: readonly LowRate[] }
  | { readonly kind: 'feed'; readonly pieces: readonly Feed[] };

/** What one `feed` came to. */
export type Outcome = {
  readonly kind: 'outcome';
  /** Everything before this track time was taken. */
  readonly until: Samples;
  readonly units: readonly LadderUnit[];
  readonly frames: readonly LowRateFrame[];
  readonly blocks: readonly Block[];
  /** Track times of frames that could not be decoded and were concealed. */
  readonly corrupt: readonly Samples[];
};

/** From the child. `ready` comes once and first. */
export type FromChild = { readonly kind: 'ready'; readonly aac: AacName | null } | Outcome;
