/**
 * What this browser holds of broadcasts and the server does not have yet. While the studio is on the
 * air its session brings it; before and after, a worker of its own does.
 */
import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { SpoolEvent, UplinkEvent } from '../net/messages.ts';
import { Scope } from '../scope.ts';
import { studioToken } from './preferences.ts';
import { type Say, startNetworkWorker } from './uplink-session.ts';

/** The newest word on the spool, and what a host can do about it. */
export class UnsentController implements ReactiveController {
  /** Null while nothing was ever told, which is when nothing is there. */
  spool: SpoolEvent | null = null;
  readonly #host: ReactiveControllerHost;
  readonly #channel: string;
  /** Recordings that go up without being asked for again: broadcast or pressed in this visit. */
  readonly #wanted = new Set<string>();
  #page = new Scope();
  #salvage = new Scope();
  #say: Say = () => undefined;

  constructor(host: ReactiveControllerHost, channel: string) {
    this.#host = host;
    this.#channel = channel;
    host.addController(this);
  }

  hostConnected(): void {
    this.#page = new Scope();
    this.offAir();
  }

  hostDisconnected(): void {
    this.#page.dispose();
    this.#salvage.dispose();
  }

  isWanted(recording: string): boolean {
    return this.#wanted.has(recording);
  }

  /** The studio is on the air: its session has the spool now. */
  onAir(say: Say): void {
    this.#salvage.dispose();
    this.#say = say;
    this.#ask();
  }

  /** The session has gone: what it left, and what earlier ones did, is salvaged. */
  offAir(): void {
    this.#salvage.dispose();
    this.spool = null;
    if (this.#page.disposed) return;
    this.#salvage = new Scope();
    this.#say = startNetworkWorker(this.#salvage, (event) => this.take(event));
    const { origin } = location;
    const [channel, token] = [this.#channel, studioToken()];
    this.#say({ type: 'salvage', server: origin, channel, token });
    this.#ask();
  }

  /** What a worker said of the spool; everything else is not for here. */
  take(event: UplinkEvent): void {
    if (event.type === 'lost') void protect();
    if (event.type !== 'spool') return;
    this.spool = event;
    // What was said in this visit goes up in this visit, also when its session has ended.
    for (const { recording, left } of event.parts) if (!left) this.#wanted.add(recording);
    this.#host.requestUpdate();
  }

  /** Brings the unsent part of a recording. */
  upload(recording: string): void {
    this.#wanted.add(recording);
    this.#say({ type: 'upload', recordings: [recording] });
    this.#host.requestUpdate();
  }

  /** Gives it up. */
  discard(recording: string): void {
    this.#wanted.delete(recording);
    this.#say({ type: 'discard', recording });
  }

  #ask(): void {
    if (this.#wanted.size > 0) this.#say({ type: 'upload', recordings: [...this.#wanted] });
  }
}

/** Asks the browser not to clean up what it may have to hold from now on. */
const protect = async (): Promise<void> => {
  try {
    await navigator.storage.persist();
  } catch {
    // Then it is held as long as the browser likes, which is for weeks unless the disk is full.
  }
};
