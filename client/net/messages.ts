/** What crosses between a page and its network worker, which owns the socket. */
import type { Catalog, Rendition } from '../../shared/catalog.ts';
import type { ChannelStateName, FrameId, Loudness, Metadata } from '../../shared/control.ts';
import type { Millis, Samples, Utc } from '../../shared/time.ts';
import type { PlayoutReading } from '../../worklets/port.ts';

/** Where a session goes to: the page's own server and one of its channels. */
export type Destination = {
  /** `https://radio.example`, without a slash at the end. */
  readonly server: string;
  readonly channel: string;
};

/** A sample that was heard, and the frame it belongs to. */
export type HeardAt = FrameId & { readonly timestamp: Samples };

/** Page to network worker. */
export type NetworkCommand =
  | (Destination & {
      readonly type: 'publish';
      /** Admin token or publish key; a single-use ticket is bought with it for every try. */
      readonly token: string;
      readonly rendition: Rendition;
      readonly takeover: boolean;
      readonly replay: ReplayLimits;
      /** The other end is with the capture worklet. */
      readonly port: MessagePort;
    })
  /** No broadcast: what earlier ones left in this browser is told, and uploaded when asked for. */
  | (Destination & { readonly type: 'salvage'; readonly token: string })
  | (Destination & {
      readonly type: 'listen';
      /** The other end is with the playback worklet. */
      readonly port: MessagePort;
      /** Where to go on, in a broadcast that can be heard again; live without it. */
      readonly from?: HeardAt;
    })
  /** Goes so far behind live, ms; 0 is live. */
  | { readonly type: 'seek'; readonly behind: Millis }
  /** Hears the past so much faster than it was said, until it has come to live; 1 as it was said. */
  | { readonly type: 'rate'; readonly rate: number }
  /** The unsent parts of these recordings go up, beside whatever else happens. */
  | { readonly type: 'upload'; readonly recordings: readonly string[] }
  /** The unsent part of this recording is given up. */
  | { readonly type: 'discard'; readonly recording: string }
  /** A listener's rendition, by its id in the catalog; null goes by what the network carries. */
  | { readonly type: 'select'; readonly rendition: number | null }
  /** The network works: a try that backs off comes at once. */
  | { readonly type: 'hurry' }
  /** Latency of the output device, seconds: part of the delay a person hears. */
  | { readonly type: 'output'; readonly latency: number }
  /** Says goodbye (a publisher: the broadcast is over) and closes. */
  | { readonly type: 'leave' };

/** How long what was said is kept for going over the socket after all. */
export type ReplayLimits = {
  readonly kept: Millis;
  /** From so much unacknowledged media on, it is also written to the browser's private files. */
  readonly spoolAfter: Millis;
};

/** Why the server will not have us; each has its own sentence on the page. */
export type Refusal =
  | 'token' // the admin token or key is wrong
  | 'channel' // no such channel
  | 'taken' // somebody else is on the air, or took over
  | 'protocol' // this client broke a rule, or is too old for the server
  | 'deleted';

/** A publisher may also be in its own way: another tab of this browser is on the air. */
export type UplinkRefusal = Refusal | 'other-tab';

/** Network worker to page, both roles. */
export type ConnectionEvent =
  | { readonly type: 'connecting' }
  /** The socket went away; the next try comes in `retryIn` ms. */
  | { readonly type: 'lost'; readonly code: number; readonly retryIn: Millis }
  | { readonly type: 'refused'; readonly why: Refusal; readonly sentence: string };

/** Why nothing can be kept in the browser's private files, or not be brought from there. */
export type SpoolTrouble =
  | 'unsupported' // this browser, or this window of it, has no private files
  | 'full'
  | 'failed' // the disk, or the browser's database of it
  | 'unreadable' // a file of an earlier visit; everything else works
  | 'refused' // the server does not take it
  | 'token'; // the token has no right to it

/** What is here of one recording and not with the server. */
export type UnsentPart = {
  readonly recording: string;
  /** When the broadcast began here, by the wall clock. */
  readonly begun: Utc;
  readonly duration: Millis;
  /** An earlier visit left it: it goes up when somebody asks for it. */
  readonly left: boolean;
};

/** What the spool holds and how far its upload is; told when it changes. */
export type SpoolEvent = {
  readonly type: 'spool';
  readonly parts: readonly UnsentPart[];
  /** Bytes, since there was last nothing to upload; null while nothing goes up. */
  readonly upload: { readonly sent: number; readonly whole: number } | null;
  readonly trouble: SpoolTrouble | null;
};

/** Network worker to the studio page. */
export type UplinkEvent =
  | ConnectionEvent
  | { readonly type: 'refused'; readonly why: UplinkRefusal; readonly sentence: string }
  | SpoolEvent
  /**
   * The server answered; `outage` is how long there was none, ms. Of what was said meanwhile `lost`
   * frames could not be kept and `spooled` go to the recording by upload. With `anew` the broadcast
   * had ended meanwhile and this is another.
   */
  | {
      readonly type: 'on-air';
      readonly epoch: number;
      readonly outage: Millis;
      readonly lost: number;
      readonly spooled: number;
      readonly anew: boolean;
    }
  /** Every second: what the server has said and what waits here. */
  | {
      readonly type: 'uplink';
      readonly acked: number;
      /** Frames not yet acknowledged, ms of media. */
      readonly waiting: Millis;
      /** Frames that could not be kept for replay, since going live. */
      readonly lost: number;
      /** Bit/s the encoder is asked for now. */
      readonly bitrate: number;
      readonly roundTrip: Millis | null;
    }
  | {
      readonly type: 'tally';
      readonly live: boolean;
      readonly listeners: number;
      /** As the server hears it. */
      readonly loudness: Loudness | null;
      /** Whether the server can make AAC; null while it does not know. */
      readonly aac: boolean | null;
      /** Frames that came to the server damaged and were concealed. */
      readonly damaged: number;
      /** Kinds of trouble that need a person; some may be of a newer server than this page. */
      readonly alarms: readonly string[];
    }
  | { readonly type: 'ended' };

/** Network worker to the listener page. */
export type DownlinkEvent =
  | ConnectionEvent
  | {
      readonly type: 'welcome';
      readonly catalog: Catalog;
      readonly onAir: boolean;
      /** Whether what comes is the past. */
      readonly shifted: boolean;
      /** How far back one can go, the server's UTC; null where nothing is recorded. */
      readonly since: Utc | null;
    }
  | { readonly type: 'catalog'; readonly catalog: Catalog }
  | { readonly type: 'state'; readonly is: ChannelStateName }
  | { readonly type: 'metadata'; readonly metadata: Metadata }
  /** About ten times a second while there is something to play. */
  | {
      readonly type: 'playout';
      readonly reading: PlayoutReading;
      /** Seconds from microphone to ear, output latency included; null until clocks are known. */
      readonly latency: number | null;
      /** Id in the catalog of the newest frame received. */
      readonly rendition: number;
      /** The server's clock less this browser's, ms; null before the first pong. */
      readonly clockOffset: number | null;
      /** The sample being heard, as a place to go on from; null when its frame is forgotten. */
      readonly at: HeardAt | null;
    }
  /** What comes from now on is the past, or live. */
  | { readonly type: 'place'; readonly shifted: boolean }
  /** What comes from now on comes so much faster than it was said; a place begins at 1. */
  | { readonly type: 'rate'; readonly rate: number }
  | { readonly type: 'skipped'; readonly reason: string };
