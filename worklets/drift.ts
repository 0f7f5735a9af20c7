/** Parts of a second per millisecond of error, at once and gathered over a second. */
const PROPORTIONAL = 1.6e-5;
const INTEGRAL = 1e-7;
/** No two crystals are further apart, and no ear hears a change of pitch this small. */
const LIMIT = 1e-3;
const SMOOTHING = 1000;

const clamp = (value: number): number => Math.max(-LIMIT, Math.min(LIMIT, value));

/**
 * Keeps the delay where it is although the publisher's clock and the device's differ: a PI controller
 * on the resampling ratio, slow (natural period 10 minutes) and well damped.
 */
export class Drift {
  #smooth = 0;
  #integral = 0;
  #ratio = 1;

  /** Media samples to consume for each nominal one; 1 within 1000 ppm. */
  get ratio(): number {
    return this.#ratio;
  }

  /** Takes the error of the delay, ms (positive: too much), for a step of `elapsed` ms. */
  update(error: number, elapsed: number): void {
    this.#smooth += (error - this.#smooth) * (elapsed / (SMOOTHING + elapsed));
    this.#integral = clamp(this.#integral + INTEGRAL * this.#smooth * (elapsed / 1000));
    this.#ratio = 1 + clamp(this.#integral + PROPORTIONAL * this.#smooth);
  }

  /** Stands still: something else moves the delay, and what was learnt of the clocks stays. */
  hold(error: number): void {
    this.#smooth = error;
    this.#ratio = 1 + this.#integral;
  }
}
