/** Pings and what they tell: the server's clock, the round trip, and that the server is there. */
import { ServerClock } from '../../shared/clock.ts';
import type { ToPublisherMessage } from '../../shared/control.ts';
import { type Millis, millis, type Utc, utc } from '../../shared/time.ts';
import type { Platform, PlatformScope } from './platform.ts';

/** Nothing received for so long: the socket is dead, ms. */
const DEAD_AFTER = 15_000;
const LIVENESS_EVERY = 1000;
const PING_EVERY = 5000;
/** The first pings of a socket follow each other quickly, so that the clocks are soon known, ms. */
const QUICK_PINGS = 4;
const QUICK_PING_EVERY = 200;
/** The wall clock and the steady one may part by so much from one look to the next, ms. */
const JUMP = 250;
/** After a jump the server has so long to be heard: the machine may have slept, ms. */
const PROVE_WITHIN = 3000;

type Pong = Extract<ToPublisherMessage, { type: 'pong' }>;

/** Beats on one socket after another; the clock survives the sockets it was learnt on. */
export class Heartbeat {
  readonly clock = new ServerClock();
  readonly #now: () => Utc;
  readonly #wall: () => Utc;
  #apart: number;
  #heardAt: Utc;
  #pings = 0;
  #pongs = 0;
  #roundTrip: Millis | null = null;

  constructor({ now, wall }: Pick<Platform, 'now' | 'wall'>) {
    this.#now = now;
    this.#wall = wall;
    this.#apart = wall() - now();
    this.#heardAt = now();
  }

  /** Round trip of the newest ping, ms; null before the first pong. */
  get roundTrip(): Millis | null {
    return this.#roundTrip;
  }

  /** Pings sent first thing and then regularly, until `scope` goes; `dead` when nothing is heard. */
  begin(
    scope: PlatformScope,
    { send, dead }: { send: (ping: { type: 'ping'; id: number; sent: Utc }) => void; dead(): void },
  ): void {
    const ping = () => {
      this.#pings += 1;
      send({ type: 'ping', id: this.#pings, sent: this.#now() });
    };
    const quickly = () => {
      this.#pongs = 0;
      for (let quick = 1; quick < QUICK_PINGS; quick += 1)
        scope.after(quick * QUICK_PING_EVERY, ping);
      ping();
    };
    this.#heardAt = this.#now();
    this.#jumped();
    scope.every(PING_EVERY, ping);
    scope.every(LIVENESS_EVERY, () => {
      if (this.#now() - this.#heardAt >= DEAD_AFTER) return dead();
      if (!this.#jumped()) return;
      const asked = this.#now();
      quickly();
      scope.after(PROVE_WITHIN, () => {
        if (this.#heardAt < asked) dead();
      });
    });
    quickly();
  }

  /**
   * Whether the wall clock has gone another way than the steady one: it was set, or the machine
   * slept, in which some browsers' steady clock stands still. Nobody can tell which, so what was
   * learnt of the server's clock is forgotten and the socket has to prove itself.
   */
  #jumped(): boolean {
    const apart = this.#wall() - this.#now();
    const jumped = Math.abs(apart - this.#apart) > JUMP;
    this.#apart = apart;
    if (jumped) this.clock.forget();
    return jumped;
  }

  /** Something, anything, was received. */
  heard(): void {
    this.#heardAt = this.#now();
  }

  /** Enters the answer to a ping; returns how many this socket has brought. */
  answered({ sent, received, replied }: Pong): number {
    // Our clock counts whole milliseconds: what was back within the same one took no time at all,
    // and is not to be thrown away because the server's clock is finer.
    const answered = utc(Math.max(this.#heardAt, sent + (replied - received)));
    this.clock.enter(sent, received, replied, answered);
    this.#roundTrip = millis(answered - sent - (replied - received));
    this.#pongs += 1;
    return this.#pongs;
  }
}
