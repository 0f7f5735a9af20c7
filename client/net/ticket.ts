/** What a client asks the server over HTTP around a socket: a ticket before, the reason after. */
import { type Millis, millis } from '../../shared/time.ts';
import type { Destination, Refusal } from './messages.ts';

/** The longest that a Retry-After is obeyed, ms; a server that says more is asked again then. */
const LONGEST_WAIT = 600_000;

/** What came of asking for a ticket. */
export type TicketAnswer =
  | { readonly type: 'ticket'; readonly ticket: string }
  | { readonly type: 'refused'; readonly why: Refusal; readonly sentence: string }
  /** Not now; `after` is null when the server named no time. `code` is the nearest close code. */
  | { readonly type: 'later'; readonly code: number; readonly after: Millis | null };

/** Address of a channel's resource, such as `status`. */
export const channelUrl = ({ server, channel }: Destination, resource: string): string =>
  `${server}/api/v1/channels/${encodeURIComponent(channel)}/${resource}`;

/** What a Retry-After header asks for, ms; null when it cannot be read. */
export const retryAfter = (header: string | null, now: number): Millis | null => {
  if (header === null) return null;
  const seconds = Number(header);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now;
  return Number.isFinite(wait) ? millis(Math.min(Math.max(wait, 0), LONGEST_WAIT)) : null;
};

const ticketIn = (answer: unknown): string | null =>
  typeof answer === 'object' && answer !== null && 'ticket' in answer
    ? typeof answer.ticket === 'string'
      ? answer.ticket
      : null
    : null;

/**
 * Buys a single-use ticket with an admin token or a publish key. Never rejects: a network that
 * is away is an answer too, namely 1006 and no time.
 */
export const buyTicket = async (
  destination: Destination,
  options: {
    readonly token: string;
    readonly fetch: typeof fetch;
    readonly signal: AbortSignal;
    readonly now: number;
  },
): Promise<TicketAnswer> => {
  const { token, fetch, signal, now } = options;
  try {
    const response = await fetch(channelUrl(destination, 'tickets'), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{"role":"publisher"}',
      signal,
    });
    if (response.ok) {
      const ticket = ticketIn(await response.json());
      return ticket === null
        ? {
            type: 'refused',
            why: 'protocol',
            sentence: 'The server gave a ticket nobody can read.',
          }
        : { type: 'ticket', ticket };
    }
    switch (response.status) {
      case 401:
        return {
          type: 'refused',
          why: 'token',
          sentence: 'The server does not know this token; open the studio by its full link.',
        };
      case 403:
        return {
          type: 'refused',
          why: 'token',
          sentence: `This key has no right to broadcast on ${destination.channel}.`,
        };
      case 404:
        return {
          type: 'refused',
          why: 'channel',
          sentence: `There is no channel named ${destination.channel}.`,
        };
      case 429:
        return {
          type: 'later',
          code: 4429,
          after: retryAfter(response.headers.get('retry-after'), now),
        };
      default:
        return { type: 'later', code: 1013, after: null };
    }
  } catch {
    return { type: 'later', code: 1006, after: null };
  }
};

/** Asks whether a channel exists, after a refused upgrade; null when the server cannot say. */
export const channelExists = async (
  destination: Destination,
  { fetch, signal }: { readonly fetch: typeof globalThis.fetch; readonly signal: AbortSignal },
): Promise<boolean | null> => {
  try {
    const response = await fetch(channelUrl(destination, 'status'), { signal });
    return response.ok ? true : response.status === 404 ? false : null;
  } catch {
    return null;
  }
};
