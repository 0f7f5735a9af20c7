/** Listeners on the socket that keep no frame, only how long each was on its way. */
import { WebSocket } from 'ws';
import { SUBPROTOCOL } from '../../shared/control.ts';
import { decodeFrame } from '../../shared/frame.ts';
import { samples } from '../../shared/time.ts';
import { type LastingPublisher, steadyNow } from './lasting-publisher.ts';
import { reportOf } from './service.ts';

const REPORT_EVERY = 1000;
const RETRY_AFTER = 250;

/** What a listener has noticed since it was last asked. */
export type ListenerNotes = {
  /** Capture of a frame's last sample to its arrival, ms; frames of a replay are not among them. */
  readonly delays: readonly number[];
  readonly frames: number;
};

/** Listens until closed, and comes back by itself. */
export class DelayListener {
  readonly #url: string;
  readonly #publisher: LastingPublisher;
  readonly #reports: NodeJS.Timeout;
  #socket: WebSocket;
  #delays: number[] = [];
  #frames = 0;
  #newest = -1;
  #lost = 0;
  #last: { epoch: number; sequence: number } | undefined;
  #returns = 0;
  #closed = false;

  /** `base` is that of a service; the channel is `live`. */
  constructor(base: string, publisher: LastingPublisher) {
    this.#url = `${base.replace('http', 'ws')}/api/v1/channels/live/listen`;
    this.#publisher = publisher;
    this.#socket = this.#open();
    this.#reports = setInterval(() => {
      if (this.#newest >= 0 && this.#socket.readyState === WebSocket.OPEN)
        this.#socket.send(JSON.stringify(reportOf(this.#newest)));
    }, REPORT_EVERY);
  }

  /** Times it had to come back, and frames of an epoch that it never got. */
  get returns(): number {
    return this.#returns;
  }

  get lost(): number {
    return this.#lost;
  }

  /** Hands out what gathered and forgets it. */
  take(): ListenerNotes {
    const notes = { delays: this.#delays, frames: this.#frames };
    this.#delays = [];
    this.#frames = 0;
    return notes;
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#reports);
    this.#socket.terminate();
  }

  #open(): WebSocket {
    const socket = new WebSocket(this.#url, SUBPROTOCOL);
    socket.on('open', () => socket.send(JSON.stringify({ type: 'hello', role: 'listener' })));
    socket.on('message', (message: Buffer, binary: boolean) => {
      if (binary) this.#hear(message);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#closed) return;
      this.#returns += 1;
      setTimeout(() => {
        if (!this.#closed) this.#socket = this.#open();
      }, RETRY_AFTER);
    });
    return socket;
  }

  #hear(message: Buffer): void {
    const arrived = steadyNow();
    const { epoch, sequence, timestamp, duration } = decodeFrame(message);
    if (this.#last?.epoch === epoch) this.#lost += Math.max(0, sequence - this.#last.sequence - 1);
    this.#last = { epoch, sequence };
    this.#frames += 1;
    this.#newest = sequence;
    if (!this.#publisher.wasPrompt(epoch, sequence)) return;
    this.#delays.push(arrived - this.#publisher.capturedAt(epoch, samples(timestamp + duration)));
  }
}
