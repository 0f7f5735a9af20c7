/**
 * Whether somebody speaks: louder than the room has been of late, and with a pitch. Either cue alone
 * fails, the first at a fan that starts, the second at a hum that never ends.
 */

/** The signal is looked at near this rate; a voice's pitch and first formants lie below half. */
const ANALYSIS_RATE = 8000;
/** Samples between looks, and looked at: 16 and 40 ms at 8 kHz. */
const HOP = 128;
const WINDOW = 320;
const HIGHEST_PITCH = 400;
const LOWEST_PITCH = 70;
/** Correlation at the pitch from which a sound is voiced; white noise stays near 0.25. */
const VOICED = 0.5;
/** Looks in a row that must be voiced before it is speech: a click is not. */
const ONSET = 2;
/** Power over the floor, as a ratio: 8 dB. */
const OVER_FLOOR = 6.3;
/** Mean square below which nobody speaks: -65 dBFS after the emphasis. */
const QUIET = 3e-7;
/** The floor is the smallest power of this many blocks of looks, 3 s in all. */
const FLOOR_BLOCKS = 6;
const LOOKS_PER_BLOCK = 31;
/** Looks for which speech outlasts its last voiced sound, 400 ms: consonants and short pauses. */
const HANG_OVER = 25;
const EMPHASIS = 0.9;
/** Takes an offset out: a high pass near 65 Hz. */
const LEAK = 0.95;
/** Below this it is cleared: denormal numbers are a hundred times slower to compute with. */
const TINY = 1e-20;

/** Follows one microphone; `active` changes at most every 16 ms. */
export class VoiceActivity {
  readonly #factor: number;
  readonly #shortestLag: number;
  readonly #longestLag: number;
  readonly #signal = new Float64Array(WINDOW);
  readonly #floors = new Float64Array(FLOOR_BLOCKS).fill(QUIET);
  #floorBlock = 0;
  #looks = 0;
  #smallest = Number.POSITIVE_INFINITY;
  #smoothed = 0;
  #sum = 0;
  #summed = 0;
  #previous = 0;
  #level = 0;
  #fresh = 0;
  #voiced = 0;
  #hangOver = 0;

  /** `rate` in Hz. */
  constructor({ rate }: { readonly rate: number }) {
    this.#factor = Math.max(1, Math.round(rate / ANALYSIS_RATE));
    this.#shortestLag = Math.floor(rate / this.#factor / HIGHEST_PITCH);
    this.#longestLag = Math.ceil(rate / this.#factor / LOWEST_PITCH);
  }

  /** Whether there is speech now, or was 400 ms ago. */
  get active(): boolean {
    return this.#hangOver > 0;
  }

  /** Takes the first `count` samples of each channel; channels are summed. */
  write(input: readonly Float32Array[], count: number): void {
    const scale = 1 / (this.#factor * input.length);
    for (let index = 0; index < count; index += 1) {
      for (const channel of input) this.#sum += channel[index] as number;
      this.#summed += 1;
      if (this.#summed === this.#factor) {
        this.#push(this.#sum * scale);
        this.#sum = 0;
        this.#summed = 0;
      }
    }
  }

  #push(sample: number): void {
    const level = sample - this.#previous + LEAK * this.#level;
    // The emphasis levels rumble and hum against the voice.
    this.#signal[WINDOW - HOP + this.#fresh] = level - EMPHASIS * this.#level;
    this.#previous = sample;
    this.#level = Math.abs(level) < TINY ? 0 : level;
    this.#fresh += 1;
    if (this.#fresh < HOP) return;
    this.#look();
    this.#signal.copyWithin(0, HOP);
    this.#fresh = 0;
  }

  #look(): void {
    let power = 0;
    for (let index = WINDOW - HOP; index < WINDOW; index += 1)
      power += (this.#signal[index] as number) ** 2;
    power /= HOP;
    const loud = power > QUIET && power > this.#floor() * OVER_FLOOR;
    this.#voiced = loud && this.#periodicity() > VOICED ? this.#voiced + 1 : 0;
    if (this.#voiced >= ONSET) this.#hangOver = HANG_OVER;
    else if (this.#hangOver > 0) this.#hangOver -= 1;
    this.#follow(power);
  }

  /** Lets the floor follow the smallest smoothed power of the last 3 s. */
  #follow(power: number): void {
    this.#smoothed += (power - this.#smoothed) / 4;
    this.#smallest = Math.min(this.#smallest, this.#smoothed);
    this.#looks += 1;
    if (this.#looks < LOOKS_PER_BLOCK) return;
    this.#floors[this.#floorBlock] = this.#smallest;
    this.#floorBlock = (this.#floorBlock + 1) % FLOOR_BLOCKS;
    this.#smallest = Number.POSITIVE_INFINITY;
    this.#looks = 0;
  }

  #floor(): number {
    let floor = this.#smallest;
    for (let block = 0; block < FLOOR_BLOCKS; block += 1)
      floor = Math.min(floor, this.#floors[block] as number);
    return floor;
  }

  /** Largest normalised correlation of the window with itself, over the lags of a pitch. */
  #periodicity(): number {
    const signal = this.#signal;
    const length = WINDOW - this.#longestLag;
    let own = 0;
    for (let index = 0; index < length; index += 1) own += (signal[index] as number) ** 2;
    let best = 0;
    for (let lag = this.#shortestLag; lag <= this.#longestLag; lag += 1) {
      let product = 0;
      let other = 0;
      for (let index = 0; index < length; index += 1) {
        const shifted = signal[index + lag] as number;
        product += (signal[index] as number) * shifted;
        other += shifted * shifted;
      }
      const correlation = product / Math.sqrt(own * other + 1e-30);
      if (correlation > best) best = correlation;
    }
    return best;
  }
}
