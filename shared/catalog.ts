/** The catalog: which encodings of a channel's audio there are. */
import * as v from 'valibot';
import { FRAME_DURATIONS } from './frame.ts';

/** One encoding of the audio, as its publisher (or a transcoder) announces it. */
export const renditionSchema = v.object({
  codec: v.literal('opus'),
  channels: v.picklist([1, 2]),
  /** Bit/s. */
  bitrate: v.pipe(v.number(), v.integer(), v.minValue(6000), v.maxValue(510_000)),
  /** Samples in each frame. */
  frame: v.pipe(
    v.number(),
    v.check((length) => FRAME_DURATIONS.includes(length)),
  ),
  fec: v.boolean(),
  dtx: v.boolean(),
});

/** What a listener may choose from; a frame's `rendition` byte is an `id` of this list. */
export const catalogSchema = v.pipe(
  v.array(
    v.object({
      id: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(255)),
      ...renditionSchema.entries,
    }),
  ),
  v.maxLength(32),
);

/** One encoding of the audio. */
export type Rendition = v.InferOutput<typeof renditionSchema>;

/** All encodings of a channel's audio; empty before its first broadcast. */
export type Catalog = v.InferOutput<typeof catalogSchema>;
