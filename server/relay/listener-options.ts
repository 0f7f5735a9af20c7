import type { Socket } from 'node:net';
import type { FastifyBaseLogger } from 'fastify';
import type { Frame } from '../../shared/frame.ts';
import type { Ring } from '../../shared/ring.ts';
import type { Now } from './session.ts';
import type { Archive } from './time-shift.ts';

/** What a listener session is made of. */
export type ListenerOptions = {
  readonly id: string;
  readonly log: FastifyBaseLogger;
  readonly now: Now;
  /** The TCP or TLS socket under the WebSocket. */
  readonly raw: Socket;
  /** Frames of a ring from one index to another (excluded) as one buffer of messages. */
  readonly bundle: (ring: Ring<Frame>, from: number, to: number) => Buffer;
  /** The recording of the broadcast that is on; null when there is none. */
  readonly archive: () => Archive | null;
  readonly closed: () => void;
};
