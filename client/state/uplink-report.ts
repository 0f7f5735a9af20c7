/** The one plain sentence about the uplink that is always there. */
import type { Texts } from '../locales/en.ts';
import type { UplinkEvent } from '../net/messages.ts';
import type { Broadcaster } from './broadcaster.ts';

/** What the network worker said last of the uplink. */
export type UplinkReading = Extract<UplinkEvent, { type: 'uplink' }>;

/** What the server said last of the audience. */
export type Tally = Extract<UplinkEvent, { type: 'tally' }>;

/** A sentence, and whether a person has to look. */
export type UplinkReport = { readonly tone: 'idle' | 'ok' | 'warn'; readonly sentence: string };

/** What the page knows of the uplink; `asked` is the rendition's own bitrate, bit/s. */
export type UplinkKnown = {
  readonly reading: UplinkReading | null;
  /** How long the server has said that no sound comes, ms. */
  readonly unheardFor: number;
  readonly asked: number;
  /** Samples in a frame, as seconds. */
  readonly frame: number;
};

/** Media waiting here that deserves a word, ms; less is the ordinary second between two acks. */
const SLOW = 2500;
/** How long the server may hear nothing before the host is told, ms. */
const UNHEARD = 3000;

const kilobits = (bitrate: number): string => (bitrate / 1000).toFixed(0);

/** Puts the state of the uplink into one sentence, the worst first. */
export const uplinkReport = (
  state: Broadcaster,
  { reading, unheardFor, asked, frame }: UplinkKnown,
  { uplink }: Texts,
): UplinkReport => {
  if (state.is === 'connecting') return { tone: 'idle', sentence: uplink.connecting };
  if (state.is === 'reconnecting') return { tone: 'warn', sentence: uplink.reconnecting };
  if (state.is !== 'live') return { tone: 'idle', sentence: uplink.idle };
  if (unheardFor > UNHEARD) return { tone: 'warn', sentence: uplink.unheard };
  const bitrate = kilobits(reading?.bitrate ?? asked);
  if (reading && reading.waiting > SLOW)
    return { tone: 'warn', sentence: uplink.waiting((reading.waiting / 1000).toFixed(1)) };
  if (reading && reading.lost > 0)
    return { tone: 'warn', sentence: uplink.lost(bitrate, (reading.lost * frame).toFixed(1)) };
  if (reading && reading.bitrate < asked)
    return { tone: 'warn', sentence: uplink.reduced(bitrate, kilobits(asked)) };
  return { tone: 'ok', sentence: uplink.fine(bitrate) };
};
