/**
 * Loudness by EBU R 128 in two halves. The child, which has the samples, measures blocks of 100 ms;
 * the parent makes readings of them. So a child that dies takes no integrated loudness with it.
 */
import { ABSOLUTE_GATE, KWeighting, loudnessOf } from '../../shared/loudness-filter.ts';
import { SAMPLE_RATE, type Samples, samples } from '../../shared/time.ts';
import { TruePeak } from './true-peak.ts';

/** Length of a block: 100 ms. Blocks begin at its multiples in track time. */
export const BLOCK = samples(SAMPLE_RATE / 10);

/** Blocks of the momentary (400 ms) and the short-term (3 s) loudness. */
const MOMENTARY = 4;
const SHORT_TERM = 30;
const SECOND = 10;
const MOST_BINS = 1000;
const BINS_PER_LU = 10;
/** LU below the loudness of all that passes the absolute gate. */
const RELATIVE_GATE = 10;
const FULL_SCALE = 32_768;

/** What 100 ms of sound measure. */
export type Block = {
  /** Track time of its first sample. */
  readonly at: Samples;
  /** Mean square after K-weighting, summed over both channels. */
  readonly power: number;
  /** Greatest magnitude between the samples, 1 is full scale. */
  readonly peak: number;
};

/** Loudness of a programme at one moment; -Infinity where there is none. */
export type LoudnessReading = {
  /** Track time up to which it holds. */
  readonly at: Samples;
  /** Of the last 400 ms, LUFS. */
  readonly momentary: number;
  /** Of the last 3 s, LUFS. */
  readonly shortTerm: number;
  /** Of all since the programme began, gated, LUFS. */
  readonly integrated: number;
  /** Highest true peak since the programme began, dBTP. */
  readonly truePeak: number;
  /** Highest true peak of the last second, dBTP. */
  readonly peak: number;
  /** Track time since when nothing was above the threshold; null while there is sound. */
  readonly silentSince: Samples | null;
};

/** Whether both channels are the same from one sample to another. */
const isMono = (pcm: Int16Array, from: number, to: number): boolean => {
  for (let at = 2 * from; at < 2 * to; at += 2) if (pcm[at] !== pcm[at + 1]) return false;
  return true;
};

/**
 * Measures interleaved stereo at 48 kHz in blocks. As long as both channels have been the same,
 * which they are when a publisher sends mono, one is measured for both.
 */
export class BlockMeter {
  #weighting = new KWeighting({ rate: SAMPLE_RATE, channels: 2 });
  #peaks = [new TruePeak(), new TruePeak()] as const;
  readonly #planes = [new Float32Array(BLOCK), new Float32Array(BLOCK)] as const;
  #mono = true;
  #filled = 0;
  #squares = 0;

  /** Takes sound that begins at `at`; returns the blocks that it completes. */
  write(pcm: Int16Array, at: Samples): Block[] {
    const blocks: Block[] = [];
    const count = pcm.length / 2;
    // What precedes the first whole block of a stretch belongs to none.
    let from = this.#filled === 0 ? (BLOCK - (at % BLOCK)) % BLOCK : 0;
    while (from < count) {
      const to = Math.min(count, from + BLOCK - this.#filled);
      this.#measure(pcm, from, to);
      this.#filled += to - from;
      from = to;
      if (this.#filled === BLOCK) blocks.push(this.#close(samples(at + to - BLOCK)));
    }
    return blocks;
  }

  /** The next sound does not follow the last: no filter remembers that. */
  skip(): void {
    this.#mono = true;
    this.#filled = 0;
    this.#squares = 0;
    this.#weighting = new KWeighting({ rate: SAMPLE_RATE, channels: 2 });
    this.#peaks = [new TruePeak(), new TruePeak()];
  }

  #measure(pcm: Int16Array, from: number, to: number): void {
    if (this.#mono && !isMono(pcm, from, to)) {
      this.#mono = false;
      this.#weighting.follow();
      this.#peaks[1].follow(this.#peaks[0]);
    }
    const left = this.#channel(0, pcm, from, to);
    this.#squares += left + (this.#mono ? left : this.#channel(1, pcm, from, to));
  }

  /** The sum of the squares of one channel. */
  #channel(channel: 0 | 1, pcm: Int16Array, from: number, to: number): number {
    const plane = this.#planes[channel];
    for (let index = from; index < to; index += 1)
      plane[index - from] = (pcm[2 * index + channel] as number) / FULL_SCALE;
    this.#peaks[channel].write(plane, 0, to - from);
    return this.#weighting.squares(channel, plane, 0, to - from);
  }

  #close(at: Samples): Block {
    const peak = Math.max(...this.#peaks.map((one) => one.take()));
    const block = { at, power: this.#squares / BLOCK, peak };
    this.#filled = 0;
    this.#squares = 0;
    return block;
  }
}

const gated = (power: number): number => {
  const loudness = loudnessOf(power);
  return loudness > ABSOLUTE_GATE ? loudness : Number.NEGATIVE_INFINITY;
};

/** The loudness of one programme, made of its blocks (EBU Tech 3341, BS.1770-4 gating). */
export class ProgrammeLoudness {
  readonly #silence: number;
  readonly #recent = new Float64Array(SHORT_TERM);
  readonly #counts = new Uint32Array(MOST_BINS);
  readonly #powers = new Float64Array(MOST_BINS);
  readonly #peaks = new Float64Array(SECOND);
  #blocks = 0;
  #peak = 0;
  #silentSince: Samples | null = null;

  /** `silence`: the true peak in dBFS below which there is no sound. */
  constructor({ silence = -60 }: { readonly silence?: number } = {}) {
    this.#silence = 10 ** (silence / 20);
  }

  /** Takes the next block; returns the reading at its end. */
  write({ at, power, peak }: Block): LoudnessReading {
    this.#recent[this.#blocks % SHORT_TERM] = power;
    this.#peaks[this.#blocks % SECOND] = peak;
    this.#blocks += 1;
    this.#peak = Math.max(this.#peak, peak);
    if (peak >= this.#silence) this.#silentSince = null;
    else this.#silentSince ??= at;
    const momentary = gated(this.#mean(MOMENTARY));
    if (this.#blocks >= MOMENTARY && momentary > ABSOLUTE_GATE) this.#enter(momentary);
    return {
      at: samples(at + BLOCK),
      momentary,
      shortTerm: gated(this.#mean(SHORT_TERM)),
      integrated: this.#integrated(),
      truePeak: 20 * Math.log10(this.#peak),
      peak: 20 * Math.log10(Math.max(...this.#peaks)),
      silentSince: this.#silentSince,
    };
  }

  #mean(count: number): number {
    let sum = 0;
    for (let back = 1; back <= count; back += 1)
      sum += this.#recent[(this.#blocks - back + SHORT_TERM * 2) % SHORT_TERM] as number;
    return sum / count;
  }

  /** One gating block of 400 ms into the histogram; each bin keeps the exact power it stands for. */
  #enter(momentary: number): void {
    const bin = Math.floor((momentary - ABSOLUTE_GATE) * BINS_PER_LU);
    const kept = Math.max(0, Math.min(MOST_BINS - 1, bin));
    this.#counts[kept]! += 1;
    this.#powers[kept]! += this.#mean(MOMENTARY);
  }

  #integrated(): number {
    const gate = this.#above(0) - RELATIVE_GATE;
    return this.#above(Math.max(0, Math.round((gate - ABSOLUTE_GATE) * BINS_PER_LU)));
  }

  /** Loudness of everything from a bin on, LUFS. */
  #above(first: number): number {
    let count = 0;
    let power = 0;
    for (let bin = first; bin < MOST_BINS; bin += 1) {
      count += this.#counts[bin] as number;
      power += this.#powers[bin] as number;
    }
    return count === 0 ? Number.NEGATIVE_INFINITY : loudnessOf(power / count);
  }
}
