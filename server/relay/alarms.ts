/** What is wrong and needs a person: each trouble begins once, ends once, and is in the log. */
import type { FastifyBaseLogger } from 'fastify';
import type { AlarmKind } from '../../shared/control.ts';
import type { Utc } from '../../shared/time.ts';
import type { News } from './event-ring.ts';
import type { Now } from './session.ts';

/** A trouble, from its beginning to its end. */
export type Alarm = {
  readonly kind: AlarmKind;
  /** Null: it concerns the whole server. */
  readonly channel: string | null;
  /** A sentence with the numbers in it, without paths or secrets: it goes to admins over HTTP. */
  readonly detail: string;
  readonly since: Utc;
  /** Null while it stands. */
  readonly until: Utc | null;
};

/**
 * Says that there is a trouble of a kind, in a sentence, or with null that there is none (any more).
 * To be called as often as one likes: what is known already changes nothing. Never throws.
 */
export type RaiseAlarm = (kind: AlarmKind, detail: string | null) => void;

/** What the register of alarms is made of. */
export type AlarmsOptions = {
  readonly log: Pick<FastifyBaseLogger, 'info' | 'warn'>;
  readonly now: Now;
  /** Hears of every beginning and every end. */
  readonly tell: (alarm: Alarm) => void;
};

/** The alarms that stand: at most one of a kind for each channel and for the server. */
export class Alarms {
  readonly #options: AlarmsOptions;
  readonly #standing = new Map<string, Alarm>();

  constructor(options: AlarmsOptions) {
    this.#options = options;
  }

  /** What a part of the server calls about a channel, or with null about the whole server. */
  raiser(channel: string | null): RaiseAlarm {
    return (kind, detail) => {
      // A slug has no space in it.
      const name = `${channel ?? ''} ${kind}`;
      const known = this.#standing.get(name);
      if (detail === null) {
        if (known !== undefined) this.#end(name, known);
      } else if (known === undefined) this.#begin(name, { kind, channel, detail });
    };
  }

  /** Those of a channel and of the whole server; without a channel all of them. */
  standing(channel?: string): Alarm[] {
    return [...this.#standing.values()].filter(
      (alarm) => channel === undefined || alarm.channel === null || alarm.channel === channel,
    );
  }

  /** A channel is no more: what stood of it is over. */
  forget(channel: string): void {
    for (const [name, alarm] of this.#standing)
      if (alarm.channel === channel) this.#end(name, alarm);
  }

  #begin(name: string, trouble: Omit<Alarm, 'since' | 'until'>): void {
    const { log, now, tell } = this.#options;
    const alarm = { ...trouble, since: now(), until: null };
    this.#standing.set(name, alarm);
    log.warn({ alarm: alarm.kind, channel: alarm.channel }, alarm.detail);
    tell(alarm);
  }

  #end(name: string, alarm: Alarm): void {
    const { log, now, tell } = this.#options;
    this.#standing.delete(name);
    const until = now();
    const lasted = ((until - alarm.since) / 1000).toFixed(1);
    log.info({ alarm: alarm.kind, channel: alarm.channel }, `It is over after ${lasted} s.`);
    tell({ ...alarm, until });
  }
}

const utcText = (at: Utc): string => new Date(at).toISOString();

/** An alarm as those who watch are told of it. */
export const alarmNews = ({ kind, channel, detail, since, until }: Alarm): News => ({
  kind: 'alarm',
  body: {
    channel,
    kind,
    detail,
    since: utcText(since),
    until: until === null ? null : utcText(until),
  },
});
