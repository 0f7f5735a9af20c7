/** One direction of one connection through the chaos proxy. */
import type { Socket } from 'node:net';
import { type Millis, millis } from '../../shared/time.ts';
import { Arrivals, type NetworkProfile } from './network-profile.ts';

/** What is under way at most; beyond it the sender is made to wait, as TCP does. */
const MOST_UNDER_WAY = 1 << 20;

type Piece = { readonly bytes: Uint8Array; readonly due: Millis };

const now = (): Millis => millis(performance.now());

/** Carries bytes from one socket to another, late and in order. */
export class ProxyLane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #arrivals: Arrivals;
  readonly #queue: Piece[] = [];
  #underWay = 0;
  #timer: NodeJS.Timeout | undefined;
  #isShut = false;
  #hasEnded = false;
  /** Bytes delivered. */
  delivered = 0;

  constructor(
    from: Socket,
    to: Socket,
    { profile, seed, shut }: { profile: NetworkProfile; seed: number; shut: boolean },
  ) {
    this.#from = from;
    this.#to = to;
    this.#arrivals = new Arrivals(profile, seed, now());
    from.on('data', (bytes) => this.#accept(bytes as Uint8Array));
    from.on('end', () => {
      this.#hasEnded = true;
      this.#deliver();
    });
    to.on('drain', () => this.#deliver());
    if (shut) this.shut();
  }

  /** Pieces that a stall has held. */
  get held(): number {
    return this.#arrivals.held;
  }

  shape(profile: NetworkProfile): void {
    this.#arrivals.shape(profile, now());
  }

  /** Delivers nothing and reads nothing more; what is under way stays so. */
  shut(): void {
    this.#isShut = true;
    clearTimeout(this.#timer);
    this.#from.pause();
  }

  /** Goes on where `shut` stopped. */
  open(): void {
    this.#isShut = false;
    this.#deliver();
  }

  /** Forgets what is under way. The sockets belong to the proxy. */
  dispose(): void {
    clearTimeout(this.#timer);
    this.#isShut = true;
    this.#queue.length = 0;
  }

  #accept(bytes: Uint8Array): void {
    this.#queue.push({ bytes, due: this.#arrivals.arrivalOf(bytes.length, now()) });
    this.#underWay += bytes.length;
    if (this.#underWay >= MOST_UNDER_WAY) this.#from.pause();
    if (this.#queue.length === 1) this.#deliver();
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    if (this.#isShut || this.#to.destroyed) return;
    for (let piece = this.#queue[0]; piece !== undefined; piece = this.#queue[0]) {
      const wait = piece.due - now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#deliver(), wait);
        return;
      }
      if (this.#to.writableNeedDrain) return;
      this.#queue.shift();
      this.#underWay -= piece.bytes.length;
      this.delivered += piece.bytes.length;
      this.#to.write(piece.bytes);
      if (this.#underWay < MOST_UNDER_WAY / 2) this.#from.resume();
    }
    if (this.#hasEnded) this.#to.end();
    else this.#from.resume();
  }
}
