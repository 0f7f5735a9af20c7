/** An Opus decoder as the playout sees it (worklets/opus-codec.ts); any call may trap. */
export interface Decoder {
  /** Interleaved stereo of the last call, up to 5760 samples a channel. */
  readonly pcm: Int16Array;
  /** Decodes a packet; returns samples a channel, or a negative error. */
  decode(packet: Uint8Array): number;
  /** Recovers the frame before `packet` from the redundancy in it; returns as `decode`. */
  decodeFec(packet: Uint8Array, duration: number): number;
  /** Conceals a lost frame; returns as `decode`. */
  conceal(duration: number): number;
  reset(): void;
}

const NOTHING = new Int16Array(0);
const FAILED = -1;

/**
 * A decoder that may break: one that traps or refuses is replaced at once by a new one, and the call
 * returns false. Says nothing of the sound in between; the caller fills it.
 */
export class DisposableDecoder {
  readonly #create: () => Decoder;
  #decoder: Decoder | undefined;
  #replaced = 0;

  constructor(create: () => Decoder) {
    this.#create = create;
    this.#decoder = this.#fresh();
  }

  /** Decoders thrown away so far. */
  get replaced(): number {
    return this.#replaced;
  }

  /** Interleaved stereo of the last call that returned true. */
  get pcm(): Int16Array {
    return this.#decoder?.pcm ?? NOTHING;
  }

  decode(packet: Uint8Array, duration: number): boolean {
    let length = FAILED;
    try {
      length = this.#decoder?.decode(packet) ?? FAILED;
    } catch {}
    return this.#judge(length, duration);
  }

  decodeFec(packet: Uint8Array, duration: number): boolean {
    let length = FAILED;
    try {
      length = this.#decoder?.decodeFec(packet, duration) ?? FAILED;
    } catch {}
    return this.#judge(length, duration);
  }

  conceal(duration: number): boolean {
    let length = FAILED;
    try {
      length = this.#decoder?.conceal(duration) ?? FAILED;
    } catch {}
    return this.#judge(length, duration);
  }

  reset(): void {
    try {
      this.#decoder?.reset();
    } catch {
      this.#replace();
    }
  }

  #judge(length: number, duration: number): boolean {
    if (length === duration) return true;
    this.#replace();
    return false;
  }

  #replace(): void {
    this.#replaced += 1;
    this.#decoder = this.#fresh();
  }

  #fresh(): Decoder | undefined {
    try {
      return this.#create();
    } catch {
      return undefined;
    }
  }
}
