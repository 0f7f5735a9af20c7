/** Single-use tickets: what a browser shows at a WebSocket upgrade, where it can send no header. */
import { randomBytes } from 'node:crypto';
import type { Utc } from '../../shared/time.ts';

/** The two kinds of session, and who watches the server's events. */
export type Role = 'publisher' | 'listener' | 'watcher';

/** Who a session belongs to: the admin, or (later) a key. */
export type Principal = string;

type Ticket = {
  readonly channel: string;
  readonly role: Role;
  readonly principal: Principal;
  readonly expires: number;
};

/** How long a ticket is good, ms. */
export const TICKET_LIFETIME = 30_000;

const OUTSTANDING = 100_000;

/** Tickets given out and not yet used; the oldest give way when there are too many. */
export class Tickets {
  readonly #outstanding = new Map<string, Ticket>();

  /** Makes a ticket of 128 random bits, bound to a channel and a role. */
  issue(
    channel: string,
    { role, principal, now }: { role: Role; principal: Principal; now: Utc },
  ): string {
    for (const [name, ticket] of this.#outstanding) {
      if (ticket.expires > now && this.#outstanding.size < OUTSTANDING) break;
      this.#outstanding.delete(name);
    }
    const name = randomBytes(16).toString('base64url');
    this.#outstanding.set(name, { channel, role, principal, expires: now + TICKET_LIFETIME });
    return name;
  }

  /** Consumes a ticket. Returns whose it was, or undefined when it does not open this door now. */
  redeem(
    name: string,
    { channel, role, now }: { channel: string; role: Role; now: Utc },
  ): Principal | undefined {
    const ticket = this.#outstanding.get(name);
    if (ticket === undefined) return undefined;
    this.#outstanding.delete(name);
    const fits = ticket.channel === channel && ticket.role === role && ticket.expires > now;
    return fits ? ticket.principal : undefined;
  }
}
