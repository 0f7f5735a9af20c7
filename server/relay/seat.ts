/** Who may publish on a channel: one at a time, and what a returning one gets back. */
import type { Rendition } from '../../shared/catalog.ts';
import { CLOSE, ProtocolViolation } from '../../shared/codes.ts';
import type { PublisherMessage } from '../../shared/control.ts';
import type { Principal } from '../auth/tickets.ts';
import type { Channel, Epoch } from './channel.ts';

/** A publisher's session as its channel's seat sees it. */
export interface Holder {
  readonly principal: Principal;
  /** Whether it has sent a frame. */
  readonly heard: boolean;
  /** Another session has the seat now; this one closes with 4409. */
  supersede(sentence: string): void;
}

/** What a publisher asks for. */
export type Hello = Extract<PublisherMessage, { type: 'hello' }>;

/** Gives out epochs that were never used on a channel, also across restarts. */
export type EpochSource = {
  /** The one that may still be resumed, because its broadcast has not ended; else undefined. */
  resumable(slug: string): number | undefined;
  /** Gives out the next one and keeps it before returning. */
  next(slug: string): number;
  /** First sequence of an epoch that its recording lacks; undefined when it has no recording. */
  lacking(slug: string, epoch: number): number | undefined;
};

const sameRendition = (one: Rendition, other: Rendition): boolean =>
  one.channels === other.channels && one.frame === other.frame;

/** The one seat before a channel's microphone. */
export class Seat {
  readonly #channel: Channel;
  readonly #epochs: EpochSource;
  #holder: Holder | undefined;

  constructor(channel: Channel, { epochs }: { epochs: EpochSource }) {
    this.#channel = channel;
    this.#epochs = epochs;
  }

  get taken(): boolean {
    return this.#holder !== undefined;
  }

  /**
   * Takes the seat, in the epoch that the publisher goes on in.
   *
   * @throws {ProtocolViolation} 4409 when somebody else has it and no take-over was asked for.
   */
  take(holder: Holder, hello: Hello): Epoch {
    const current = this.#holder;
    const epoch = this.#channel.epoch;
    const resumes = hello.resume !== undefined && hello.resume.epoch === this.#currentEpoch();
    if (current !== undefined) {
      // A seat whose welcome was lost on the way is no other publisher's.
      const own = current.principal === holder.principal && (resumes || !current.heard);
      if (!own && hello.takeover !== true)
        throw new ProtocolViolation(CLOSE.taken, 'Somebody else is on the air on this channel.');
      current.supersede(
        own ? 'A newer connection of this studio goes on.' : 'Another studio took over.',
      );
    }
    this.#holder = holder;
    if (!resumes || hello.fresh === true || hello.resume === undefined)
      return this.#channel.begin(this.#epochs.next(this.#channel.slug), hello.rendition);
    if (epoch !== undefined && sameRendition(epoch.rendition, hello.rendition)) return epoch;
    if (epoch !== undefined)
      return this.#channel.begin(this.#epochs.next(this.#channel.slug), hello.rendition);
    // The server was restarted in the middle: its recording knows how far it had got, or else the
    // publisher does.
    const { resume } = hello;
    const next = this.#epochs.lacking(this.#channel.slug, resume.epoch) ?? resume.sequence + 1;
    return this.#channel.begin(resume.epoch, hello.rendition, next);
  }

  /** Leaves the seat, where this session still has it. */
  leave(holder: Holder): void {
    if (this.#holder === holder) this.#holder = undefined;
  }

  holds(holder: Holder): boolean {
    return this.#holder === holder;
  }

  /**
   * The epoch that may be resumed: one that was given out, be it without a frame yet, or that of
   * before a restart; none of a broadcast that has ended.
   */
  #currentEpoch(): number | undefined {
    const { epoch, state, slug } = this.#channel;
    if (epoch !== undefined) return epoch.id;
    return state === 'ended' ? undefined : this.#epochs.resumable(slug);
  }
}
