/**
 * The close codes of skywave.v1, in one table: what each means, and whether a client that was
 * closed with it should come back by itself (shared/PROTOCOL.md, Close codes).
 */

/** Close codes that the server sends; 4000 and up are private use (RFC 6455 section 7.4.2). */
export const CLOSE = {
  restarting: 1012,
  full: 1013,
  badMessage: 4400,
  refused: 4401,
  noChannel: 4404,
  tooSlow: 4408,
  taken: 4409,
  deleted: 4410,
  tooLarge: 4413,
  tooMany: 4429,
} as const;

/** One of the close codes of skywave.v1. */
export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE];

const FINAL: ReadonlySet<number> = new Set([
  CLOSE.badMessage,
  CLOSE.refused,
  CLOSE.noChannel,
  CLOSE.taken,
  CLOSE.deleted,
  CLOSE.tooLarge,
]);

/**
 * Says whether a closed client should reconnect by itself. Every code outside skywave.v1's own
 * (1006 above all: the network went away) is worth a retry.
 */
export const isWorthRetrying = (code: number): boolean => !FINAL.has(code);

/** What a peer did against the protocol; the socket that carried it is closed with `code`. */
export class ProtocolViolation extends Error {
  readonly code: CloseCode;

  /** The sentence goes out as the close reason, so it stays below 123 bytes and names no secret. */
  constructor(code: CloseCode, sentence: string) {
    super(sentence);
    this.name = 'ProtocolViolation';
    this.code = code;
  }
}
