/** Turns the pieces of a stretch into sound without a seam, whatever the packets are. */
import opus from '@discordjs/opus';
import { MAX_PACKET_BYTES, opusDuration } from '../../shared/opus.ts';
import { SAMPLE_RATE, type Samples } from '../../shared/time.ts';

/**
 * Concealment fades from 60 to 100 ms: libopus 1.3.1 would become louder after that in CELT modes.
 */
const FADE_FROM = 2880;
const FADE_TO = 4800;
/** How sound ends when silence follows: 5 ms. */
const EDGE = 240;
/** How sound begins after silence: 40 ms. */
const RAMP = 1920;

const NOTHING = Buffer.alloc(0);

/** What a frame came to: interleaved stereo, and whether its packet could be decoded. */
export type Decoded = { readonly pcm: Int16Array; readonly intact: boolean };

/** Decodes to interleaved stereo; mono sounds in both channels. */
export class PieceDecoder {
  #decoder = new opus.OpusEncoder(SAMPLE_RATE, 2);
  /** What libopus makes up for frames that are missing, and how much of it was used. */
  #made = new Int16Array(0);
  #used = 0;
  #rampLeft = 0;
  #sounding = false;

  /** Decodes a frame's packet, or conceals when it is corrupt. */
  frame(packet: Uint8Array, duration: Samples): Decoded {
    const pcm = this.#decode(packet, duration);
    if (pcm === undefined) return { pcm: this.#conceal(duration), intact: false };
    this.#used = 0;
    this.#sounding = true;
    this.#ramp(pcm);
    return { pcm, intact: true };
  }

  /** Silence; sound before it fades away within 5 ms. */
  silence(duration: Samples): Int16Array {
    const pcm = new Int16Array(2 * duration);
    if (this.#sounding) {
      const edge = Math.min(EDGE, duration);
      pcm.set(this.#conceal(edge as Samples));
      for (let index = 0; index < edge; index += 1) {
        const gain = 1 - (index + 1) / (edge + 1);
        pcm[2 * index]! *= gain;
        pcm[2 * index + 1]! *= gain;
      }
    }
    this.#hush();
    return pcm;
  }

  /** The next piece has nothing to do with the last. */
  reset(): void {
    this.#decoder = new opus.OpusEncoder(SAMPLE_RATE, 2);
    this.#used = 0;
    this.#rampLeft = 0;
    this.#sounding = false;
  }

  /** The output has come down to zero. */
  #hush(): void {
    this.#sounding = false;
    this.#used = 0;
    this.#rampLeft = RAMP;
  }

  #decode(packet: Uint8Array, duration: number): Int16Array | undefined {
    // An empty packet would be taken for a loss.
    if (packet.length > MAX_PACKET_BYTES || opusDuration(packet) !== duration) return undefined;
    try {
      const bytes = Buffer.from(packet.buffer, packet.byteOffset, packet.length);
      const pcm = asSamples(this.#decoder.decode(bytes));
      return pcm.length === 2 * duration ? pcm : undefined;
    } catch {
      return undefined;
    }
  }

  /** Continues what was heard last, for 100 ms of missing sound at most; then silence. */
  #conceal(duration: number): Int16Array {
    const pcm = new Int16Array(2 * duration);
    if (!this.#sounding) return pcm;
    if (this.#used === 0) this.#made = this.#makeUp();
    for (let index = 0; index < duration && this.#used < FADE_TO; index += 1) {
      const gain = Math.min(1, (FADE_TO - this.#used) / (FADE_TO - FADE_FROM));
      pcm[2 * index] = gain * (this.#made[2 * this.#used] ?? 0);
      pcm[2 * index + 1] = gain * (this.#made[2 * this.#used + 1] ?? 0);
      this.#used += 1;
    }
    this.#ramp(pcm);
    if (this.#used < FADE_TO) return pcm;
    // A decoder that failed for so long may be broken, and nothing of its state is heard any more.
    this.reset();
    this.#hush();
    return pcm;
  }

  #makeUp(): Int16Array<ArrayBuffer> {
    try {
      return asSamples(this.#decoder.decode(NOTHING));
    } catch {
      return new Int16Array(0);
    }
  }

  #ramp(pcm: Int16Array): void {
    for (let index = 0; this.#rampLeft > 0 && 2 * index < pcm.length; index += 1) {
      const gain = 1 - this.#rampLeft / RAMP;
      pcm[2 * index]! *= gain;
      pcm[2 * index + 1]! *= gain;
      this.#rampLeft -= 1;
    }
  }
}

const asSamples = (bytes: Buffer): Int16Array<ArrayBuffer> => {
  if (bytes.byteOffset % 2 === 0)
    return new Int16Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / 2);
  const copy = new Uint8Array(bytes);
  return new Int16Array(copy.buffer);
};
