/** A plain radix-2 Fourier transform in place, for finding the measuring signal by correlation. */

/** Transforms of one size; both overwrite their arguments. */
export type Fft = {
  readonly size: number;
  readonly forward: (re: Float64Array, im: Float64Array) => void;
  /** Scaled by 1/size, so that it undoes `forward`. */
  readonly inverse: (re: Float64Array, im: Float64Array) => void;
};

const reverseBits = (re: Float64Array, im: Float64Array): void => {
  const size = re.length;
  for (let from = 1, to = 0; from < size; from += 1) {
    let bit = size >> 1;
    for (; (to & bit) !== 0; bit >>= 1) to ^= bit;
    to ^= bit;
    if (from >= to) continue;
    const [real, imaginary] = [re[from]!, im[from]!];
    re[from] = re[to]!;
    im[from] = im[to]!;
    re[to] = real;
    im[to] = imaginary;
  }
};

/** Prepares transforms of `size` points, a power of two. */
export const createFft = (size: number): Fft => {
  if (size < 2 || (size & (size - 1)) !== 0)
    throw new RangeError(`A transform has a power of two of points; ${size} is none.`);
  const cosines = new Float64Array(size / 2);
  const sines = new Float64Array(size / 2);
  for (let turn = 0; turn < size / 2; turn += 1) {
    cosines[turn] = Math.cos((2 * Math.PI * turn) / size);
    sines[turn] = -Math.sin((2 * Math.PI * turn) / size);
  }
  const forward = (re: Float64Array, im: Float64Array): void => {
    reverseBits(re, im);
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let step = 0; step < half; step += 1) {
          const cosine = cosines[step * stride]!;
          const sine = sines[step * stride]!;
          const upper = start + step;
          const lower = upper + half;
          const real = re[lower]! * cosine - im[lower]! * sine;
          const imaginary = re[lower]! * sine + im[lower]! * cosine;
          re[lower] = re[upper]! - real;
          im[lower] = im[upper]! - imaginary;
          re[upper] = re[upper]! + real;
          im[upper] = im[upper]! + imaginary;
        }
      }
    }
  };
  return {
    size,
    forward,
    // Swapping the real with the imaginary part turns the transform into its inverse.
    inverse: (re, im) => {
      forward(im, re);
      for (let point = 0; point < size; point += 1) {
        re[point] = re[point]! / size;
        im[point] = im[point]! / size;
      }
    },
  };
};
