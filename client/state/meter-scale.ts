/** The scale and the ballistics of a level meter, apart from how it is drawn. */

/** Bottom of the scale, dBFS; everything below is shown as nothing. */
export const FLOOR = -60;

/** Level from which on there is too little room left, dBFS. */
export const HOT = -9;

/** Where a level stands on the scale, 0 to 1; more than half of it belongs to -24 dBFS and above. */
export const position = (level: number): number => {
  const linear = (Math.min(Math.max(level, FLOOR), 0) - FLOOR) / -FLOOR;
  return linear ** 1.9;
};

/** How long a peak stands before it falls, ms. */
const HOLD = 1500;
/** Fall of a bar, and of a peak after its hold, dB a second (IEC 60268-18 has 20 dB in 1.7 s). */
const FALL = 12;

/** One channel of a meter: the bar falls gently, the peak line stands for a moment. */
export class Ballistics {
  rms = FLOOR;
  peak = FLOOR;
  #held = 0;

  /** Enters a reading and `elapsed` ms since the one before. */
  enter(rms: number, peak: number, elapsed: number): void {
    const fallen = (FALL * elapsed) / 1000;
    this.rms = Math.max(rms, this.rms - fallen * 2, FLOOR);
    this.#held += elapsed;
    if (peak >= this.peak) {
      this.peak = peak;
      this.#held = 0;
    } else if (this.#held > HOLD) {
      this.peak = Math.max(peak, this.peak - fallen, FLOOR);
    }
  }
}

/** A level in words: whole decibels with a true minus sign, or null for silence. */
export const levelText = (level: number): string | null =>
  level <= FLOOR ? null : signed(level, 0);

/** A number with a true minus sign. */
export const signed = (value: number, digits: number): string => {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
};
