/**
 * Where the blocks of a broadcast stand in time: one after the other, with the holes between them
 * kept. Within an epoch the media clock says how long a hole is; between two epochs the clock maps
 * do, taken next to the hole, because over hours crystals drift by seconds.
 */
import { captureUtc } from '../../shared/clock.ts';
import type { ClockPoint } from '../../shared/control.ts';
import { opusDuration } from '../../shared/opus.ts';
import { millis, millisToSamples, type Samples, samples } from '../../shared/time.ts';
import { type Block, blockEnd } from './blocks.ts';

/** After a frame flagged DTX so much without frames is silence: 400 ms (PROTOCOL.md). */
const DTX_SILENCE = 19_200;

/** A hole between two epochs is at most this, ms: no clock map makes a file of years. */
const LONGEST_TURN = 86_400_000;

/** What is known of an epoch besides its frames. */
export type EpochNotes = {
  readonly first: ClockPoint | null;
  readonly last: ClockPoint | null;
  /** Last sequence of the epoch, where its publisher has said it. */
  readonly until: number | null;
};

/** A block in its place. */
export type Placed = {
  readonly block: Block;
  /** Position of its first sample, counted from the first sample of the recording. */
  readonly at: Samples;
  /** Time without frames before it. */
  readonly hole: Samples;
};

/** Sequences that were counted and are not there, both ends included. */
export type Missing = { readonly epoch: number; readonly from: number; readonly to: number };

/** All blocks of a broadcast in their places. */
export type Timeline = {
  readonly placed: readonly Placed[];
  readonly duration: Samples;
  /** Time in which something was said, or could have been, and is not here. */
  readonly gaps: Samples;
  readonly missing: readonly Missing[];
};

/** Duration of one coded frame in packets like this one. */
export const codedDuration = (toc: number): Samples => opusDuration(Uint8Array.of(toc & 0xfc));

const turnOf = (before: Block, block: Block, notes: ReadonlyMap<number, EpochNotes>): Samples => {
  const [left, right] = [notes.get(before.epoch)?.last, notes.get(block.epoch)?.first];
  if (!left || !right) return samples(0);
  const span = captureUtc(right, block.timestamp) - captureUtc(left, blockEnd(before));
  const length = millisToSamples(millis(Math.min(Math.max(0, span), LONGEST_TURN)));
  // Concealment comes in whole frames of what was before.
  const frame = codedDuration(before.toc);
  return samples(Math.round(length / frame) * frame);
};

/** Places the blocks of a broadcast, which come by epoch and sequence. */
export const timelineOf = (
  blocks: readonly Block[],
  notes: ReadonlyMap<number, EpochNotes>,
): Timeline => {
  const placed: Placed[] = [];
  const missing: Missing[] = [];
  let [end, gaps] = [0, 0];
  const lacks = (epoch: number, from: number, to: number): void => {
    if (from <= to) missing.push({ epoch, from, to });
  };
  const tail = ({ epoch, sequence, count }: Block): void =>
    lacks(epoch, sequence + count, notes.get(epoch)?.until ?? -1);
  let before: Block | undefined;
  for (const block of blocks) {
    let hole = samples(0);
    if (before === undefined || before.epoch !== block.epoch) {
      if (before !== undefined) {
        tail(before);
        hole = turnOf(before, block, notes);
        gaps += hole;
      }
      lacks(block.epoch, 0, block.sequence - 1);
    } else {
      hole = samples(block.timestamp - blockEnd(before));
      if (!before.dtx || hole > DTX_SILENCE) {
        gaps += hole;
        lacks(block.epoch, before.sequence + before.count, block.sequence - 1);
      }
    }
    placed.push({ block, at: samples(end + hole), hole });
    end += hole + block.count * block.duration;
    before = block;
  }
  if (before !== undefined) tail(before);
  const there = new Set(blocks.map(({ epoch }) => epoch));
  for (const [epoch, { until }] of notes) if (!there.has(epoch)) lacks(epoch, 0, until ?? -1);
  return { placed, duration: samples(end), gaps: samples(gaps), missing };
};

/** Position of a sample of an epoch in the recording; null when nothing of the epoch is there. */
export const positionOf = (
  { placed }: Timeline,
  { epoch, timestamp }: { epoch: number; timestamp: Samples },
): Samples | null => {
  const own = placed.filter(({ block }) => block.epoch === epoch);
  const place = own.findLast(({ block }) => block.timestamp <= timestamp) ?? own[0];
  if (place === undefined) return null;
  const into = Math.max(0, timestamp - place.block.timestamp);
  return samples(place.at + into);
};
