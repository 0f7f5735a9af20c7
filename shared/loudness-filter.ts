/**
 * The K-weighting of ITU-R BS.1770-4, under every loudness here. The standard lists filter
 * coefficients at 48 kHz only; these come from the analogue filters behind them, so every device
 * rate measures the same.
 */

/** LUFS below which there is no programme (BS.1770-4, the absolute gate). */
export const ABSOLUTE_GATE = -70;

/** States below this are cleared: denormal numbers are a hundred times slower to compute with. */
const TINY = 1e-20;

type Biquad = {
  readonly b0: number;
  readonly b1: number;
  readonly b2: number;
  readonly a1: number;
  readonly a2: number;
};

/** High shelf of about 4 dB above 1.7 kHz: the head. */
const shelf = (rate: number): Biquad => {
  const k = Math.tan((Math.PI * 1681.974450955533) / rate);
  const kq = k / 0.7071752369554196;
  const high = 10 ** (3.999843853973347 / 20);
  const band = high ** 0.4996667741545416;
  const a0 = 1 + kq + k * k;
  return {
    b0: (high + band * kq + k * k) / a0,
    b1: (2 * (k * k - high)) / a0,
    b2: (high - band * kq + k * k) / a0,
    a1: (2 * (k * k - 1)) / a0,
    a2: (1 - kq + k * k) / a0,
  };
};

/** High pass at 38 Hz: the ear. */
const highPass = (rate: number): Biquad => {
  const k = Math.tan((Math.PI * 38.13547087602444) / rate);
  const kq = k / 0.5003270373238773;
  const a0 = 1 + kq + k * k;
  return { b0: 1, b1: -2, b2: 1, a1: (2 * (k * k - 1)) / a0, a2: (1 - kq + k * k) / a0 };
};

/** The two filters of the K-weighting at a sample rate in Hz. */
export const kWeighting = (rate: number): readonly [Biquad, Biquad] => [
  shelf(rate),
  highPass(rate),
];

/** Loudness in LUFS of a mean power after K-weighting, summed over channels; ungated. */
export const loudnessOf = (power: number): number => -0.691 + 10 * Math.log10(power);

/** The K-weighting at work on some channels; allocates nothing after construction. */
export class KWeighting {
  readonly #shelf: Biquad;
  readonly #highPass: Biquad;
  /** Two states of each filter, transposed direct form II: four numbers a channel. */
  readonly #states: Float64Array;

  /** `rate` in Hz. */
  constructor({ rate, channels }: { readonly rate: number; readonly channels: number }) {
    [this.#shelf, this.#highPass] = kWeighting(rate);
    this.#states = new Float64Array(4 * channels);
  }

  get channels(): number {
    return this.#states.length / 4;
  }

  /** From here on the second channel is as if it had heard all that the first has. */
  follow(): void {
    this.#states.copyWithin(4, 0, 4);
  }

  /** Filters samples `from` to `to` of a channel; returns the sum of the squares of the outcome. */
  squares(channel: number, signal: Float32Array, from: number, to: number): number {
    const first = this.#shelf;
    const second = this.#highPass;
    const states = this.#states;
    const at = channel * 4;
    let s0 = states[at] as number;
    let s1 = states[at + 1] as number;
    let s2 = states[at + 2] as number;
    let s3 = states[at + 3] as number;
    let squares = 0;
    for (let index = from; index < to; index += 1) {
      const x = signal[index] as number;
      const y = first.b0 * x + s0;
      s0 = first.b1 * x - first.a1 * y + s1;
      s1 = first.b2 * x - first.a2 * y;
      const z = second.b0 * y + s2;
      s2 = second.b1 * y - second.a1 * z + s3;
      s3 = second.b2 * y - second.a2 * z;
      squares += z * z;
    }
    states[at] = Math.abs(s0) < TINY ? 0 : s0;
    states[at + 1] = Math.abs(s1) < TINY ? 0 : s1;
    states[at + 2] = Math.abs(s2) < TINY ? 0 : s2;
    states[at + 3] = Math.abs(s3) < TINY ? 0 : s3;
    return squares;
  }
}
