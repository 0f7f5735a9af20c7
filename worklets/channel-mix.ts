/** From whatever channels a microphone has to the channels of the encoder, with gain. */

/** Frames that go through at once; a quantum today, but contexts may come with longer ones. */
export const PIECE = 128;

/** Maps none, one or more input channels to one or two, ramping the gain over a piece. */
export class ChannelMix {
  /** The outcome: one array of PIECE samples for each channel. */
  readonly output: readonly Float32Array[];
  #gain = 1;
  #target = 1;

  constructor({ channels }: { readonly channels: 1 | 2 }) {
    this.output = Array.from({ length: channels }, () => new Float32Array(PIECE));
  }

  /** Linear gain, reached within the next piece. */
  set gain(linear: number) {
    this.#target = linear;
  }

  /**
   * Mixes `count` (at most PIECE) frames of `input`, from index `from`, into `output`. No input is
   * silence; one channel goes to both; two make one by their mean; further channels are left out.
   */
  mix(input: readonly Float32Array[], from: number, count: number): void {
    for (let channel = 0; channel < this.output.length; channel += 1)
      this.#copy(input, channel, from, count);
    const gain = this.#gain;
    const step = (this.#target - gain) / count;
    if (gain === 1 && step === 0) return;
    for (const channel of this.output)
      for (let index = 0; index < count; index += 1)
        channel[index] = (channel[index] as number) * (gain + step * (index + 1));
    this.#gain = this.#target;
  }

  #copy(input: readonly Float32Array[], channel: number, from: number, count: number): void {
    const output = this.output[channel] as Float32Array;
    const first = input[0];
    const second = input[1];
    if (first === undefined) output.fill(0, 0, count);
    else if (second === undefined || (this.output.length === 2 && channel === 0))
      for (let index = 0; index < count; index += 1) output[index] = first[from + index] ?? 0;
    else if (this.output.length === 2)
      for (let index = 0; index < count; index += 1) output[index] = second[from + index] ?? 0;
    else
      for (let index = 0; index < count; index += 1)
        output[index] = ((first[from + index] ?? 0) + (second[from + index] ?? 0)) / 2;
  }
}
